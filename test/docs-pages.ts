// Pages of docs/ that are printed from the code: errors, lifecycle, SQL functions, connectors. `npm run docs` writes them;
// docs.test.ts fails when a page is out of date.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { aggregateFunctions } from '../actors/engine/sql/aggregate-functions.ts';
import { functionTable } from '../actors/engine/sql/functions.ts';
import { inputParameters, outputParameters } from '../actors/supervisor/connector-parameters.ts';
import { lifecyclePage } from '../actors/supervisor/lifecycle-page.ts';
import { processorMiddlewareParameters } from '../connectors/processors/assemble-chain.ts';
import { registry } from '../connectors/registry.ts';
import type { DestinationDeclaration, SourceDeclaration } from '../connectors/sdk/load-on-use.ts';
import type { Parameter, ParameterType } from '../connectors/sdk/parameters.ts';
import { errorDefinitions } from '../runtime/errors.ts';
import { connectorSnippets } from './connector-snippets.ts';

/** The compiled tree, in which every module that defines an error is loaded. */
const compiled = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const root: string = resolve(compiled, '..');

/** Path below docs/ -> text. */
export async function docsPages(): Promise<ReadonlyMap<string, string>> {
  await loadEverything();
  return new Map([
    ['errors.md', errorsPage()],
    ['lifecycle.md', lifecyclePage()],
    ['sql-functions.md', functionsPage()],
    ['connectors.md', connectorsPage()],
    ['processors.md', processorsPage()],
    ...transports().map((entry): [string, string] => [`connectors/${entry.name}.md`, transportPage(entry)]),
  ]);
}

async function loadEverything(): Promise<void> {
  // Entries of threads run when they are loaded: they define no errors of their own.
  const entries = /(worker-entry|decode-job|control-thread|store-thread|measured-run|thread-probe|main)\.js$/;
  for (const folder of ['runtime', 'actors', 'connectors']) {
    for (const path of modules(join(compiled, folder))) {
      if (!entries.test(path)) await import(pathToFileURL(path).href);
    }
  }
}

function modules(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return modules(path);
    // The compiler leaves what it made of sources that are gone.
    const source = join(root, relative(compiled, path)).replace(/\.js$/, '.ts');
    return entry.name.endsWith('.js') && existsSync(source) ? [path] : [];
  });
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function errorsPage(): string {
  const rows = errorDefinitions().map(
    (definition) => `| \`${definition.code}\` | ${definition.retry} | ${cell(definition.help)} |`,
  );
  return [
    '# Errors',
    '',
    'Every error has a code that stays the same for ever, a place (file, line and column; configuration path; record) where one',
    'is known, and a hint. `retry` says whether the same call can succeed later. Printed from the code by `npm run docs`.',
    '',
    '| code | retry | what to do |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function functionsPage(): string {
  const lines = [
    '# SQL functions',
    '',
    'Printed from `actors/engine/sql/functions-*.ts` by `npm run docs`. Names are case-insensitive.',
    '',
    '## Aggregates',
    '',
    '| function | what it is |',
    '| --- | --- |',
    ...aggregateFunctions.map((row) => `| \`${cell(row.synopsis)}\` | ${cell(row.summary)} |`),
    '',
  ];
  const categories = [...new Set(functionTable().map((row) => row.category))].sort();
  for (const category of categories) {
    lines.push(`## ${category[0]?.toUpperCase()}${category.slice(1)}`, '');
    lines.push('| function | what it is | example |', '| --- | --- | --- |');
    for (const row of functionTable()) {
      if (row.category !== category) continue;
      lines.push(`| \`${cell(row.synopsis)}\` | ${cell(row.summary)} | ${exampleText(row.example)} |`);
    }
    lines.push('');
  }
  return lines.join('\n');
}

function exampleText(example: unknown): string {
  if (typeof example === 'string') return `\`${cell(example)}\``;
  if (Array.isArray(example)) return example.map((part) => `\`${cell(String(part))}\``).join(' → ');
  return '';
}

function connectorsPage(): string {
  const lines = [
    '# Connectors and formats',
    '',
    'Printed from the parameters in the code by `npm run docs`. A connector stands under `inputs` or `outputs` of a pipeline file,',
    "in the objects given to `Pipeline.open`, or in SQL: `WITH ('connectors' = '[…]')`.",
    '',
    '## Keys of an input connector',
    '',
    ...parameterTable(inputParameters),
    '## Keys of an output connector',
    '',
    ...parameterTable(outputParameters),
  ];
  const transportsOf = (title: string, entries: readonly Described[]): void => {
    lines.push(`## ${title}`, '', '| transport | what it does |', '| --- | --- |');
    for (const { name, summary } of entries) lines.push(`| [${name}](connectors/${name}.md) | ${cell(summary)} |`);
    lines.push('');
  };
  transportsOf('Input transports', registry.sources);
  transportsOf('Output transports', registry.destinations);
  const formatsOf = (title: string, entries: readonly Described[]): void => {
    lines.push(`## ${title}`, '');
    for (const entry of entries) {
      lines.push(`### ${entry.name}`, '', entry.summary, '', ...parameterTable(entry.parameters));
    }
  };
  formatsOf('Input formats', registry.inputFormats);
  formatsOf('Output formats', registry.outputFormats);
  return lines.join('\n');
}

interface Transport {
  readonly name: string;
  readonly source: SourceDeclaration | undefined;
  readonly destination: DestinationDeclaration | undefined;
}

/** A connector that is a source and a destination has one page. */
function transports(): readonly Transport[] {
  const names = new Set([...registry.sources, ...registry.destinations].map(({ name }) => name));
  return [...names].map((name) => ({
    name,
    source: registry.sources.find((definition) => definition.name === name),
    destination: registry.destinations.find((definition) => definition.name === name),
  }));
}

function transportPage({ name, source, destination }: Transport): string {
  const lines = [`# ${name}`, ''];
  for (const definition of [source, destination]) {
    if (definition === undefined) continue;
    const isSource = definition === source;
    if (source !== undefined && destination !== undefined) lines.push(isSource ? '## Source' : '## Destination', '');
    lines.push(definition.summary, '', ...(definition.description === undefined ? [] : [definition.description, '']));
    lines.push(formatSentence(definition), '', ...parameterTable(definition.parameters));
  }
  const snippet = connectorSnippets[name];
  if (snippet !== undefined) {
    const { yaml, example } = snippet;
    const folder = `[examples/${example}](../../examples/${example})`;
    const end = `Passwords belong into variables: \`\${env:NAME}\` stands for one. A whole pipeline that starts its own server: ${folder}, \`npm run example -- ${example}\`.`;
    lines.splice(4, 0, '```yaml', yaml, '```', '', end, '');
  }
  lines.push('Printed from the parameters in the code by `npm run docs`. [All connectors](../connectors.md)', '');
  return lines.join('\n');
}

function formatSentence(definition: SourceDeclaration | DestinationDeclaration): string {
  const isRecords =
    ('produces' in definition && definition.produces === 'records') ||
    ('accepts' in definition && definition.accepts === 'records');
  if (isRecords) return 'It moves records: in a pipeline without SQL as they are, in one with SQL as rows.';
  if (definition.impliedFormat !== undefined) return 'It takes no `format`: what it moves has one of its own.';
  if (definition.format === 'required') return 'It moves bytes: a `format` says what they mean.';
  return definition.format === 'none' ? 'It takes no `format`.' : 'A `format` is optional.';
}

function processorsPage(): string {
  const lines = [
    '# Processors',
    '',
    'Printed from the definitions in the code by `npm run docs`. A processor stands in a pipeline without SQL, at a connector or at the',
    'pipeline itself, with settings that are all text and with a condition: a Go template that prints true or false. Records for which',
    'it is false pass unchanged; a record on which it fails is refused, as one that the processor refuses.',
    '',
    'Fields are named `.Key`, `.Operation`, `.Metadata["name"]`, `.Payload.Before`, `.Payload.After` and `.Payload.After.name`. Templates',
    "are those of Go's text/template with sprig's functions.",
    'Processors of your own are WebAssembly modules ([conduit.md](conduit.md#standalone-processors)) or scripts (custom.javascript).',
    '',
    '## Parameters of every processor',
    '',
    ...parameterTable(processorMiddlewareParameters),
  ];
  for (const { name, summary, description, parameters } of registry.processors) {
    lines.push(`## ${name}`, '', summary, '');
    if (description !== undefined) lines.push(description, '');
    lines.push(...parameterTable(parameters));
  }
  return lines.join('\n');
}

interface Described {
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
}

function parameterTable(parameters: readonly Parameter[]): string[] {
  if (parameters.length === 0) return ['No parameters.', ''];
  const rows = alike(parameters).map(([parameter, ...others]) => {
    const otherwise = parameter.default === undefined ? '' : `\`${JSON.stringify(parameter.default)}\``;
    const value = parameter.required ? 'required' : otherwise;
    const secret = parameter.secret === true ? ' Secret.' : '';
    const variable = parameter.environment === undefined ? '' : ` From the environment: \`${parameter.environment}\`.`;
    const names = [parameter, ...others].map(({ name }) => `\`${name}\``).join(', ');
    return `| ${names} | ${typeText(parameter.type)} | ${value} | ${cell(parameter.description)}${variable}${secret} |`;
  });
  return ['| key | value | default | meaning |', '| --- | --- | --- | --- |', ...rows, ''];
}

/** Those that stand together and differ by their names only share a row. */
function alike(parameters: readonly Parameter[]): readonly (readonly [Parameter, ...Parameter[]])[] {
  const groups: [Parameter, ...Parameter[]][] = [];
  const without = ({ name, ...rest }: Parameter): string => JSON.stringify(rest);
  for (const parameter of parameters) {
    const group = groups.at(-1);
    if (group !== undefined && without(group[0]) === without(parameter)) group.push(parameter);
    else groups.push([parameter]);
  }
  return groups;
}

function typeText(type: ParameterType): string {
  switch (type.kind) {
    case 'enum':
      return type.values.map((value) => `\`${value}\``).join(', ');
    case 'list':
      return `list of ${typeText(type.item)}`;
    case 'map':
      return `map of ${typeText(type.value)}`;
    case 'object':
      return `object (${type.parameters.map((parameter) => `\`${parameter.name}\``).join(', ')})`;
    default:
      return type.kind;
  }
}

/** Where a page lies, relative to the root, for messages. */
export function docsPath(page: string): string {
  return relative(root, join(root, 'docs', page));
}
