// `millrace connectors`, `processors`, `connector-plugins`, `processor-plugins`: what a server has, as a list or one of it. Users of
// Conduit know these commands by these names.
import { nearestName } from '../../../runtime/nearest-name.ts';
import { jsonText } from '../terminal/json-text.ts';
import { textTable } from '../terminal/text-table.ts';
import { type Command, exitCodes, type OptionValues, type Tools, UsageError } from './command.ts';
import { list, member, text } from './reply-fields.ts';
import { absent, ServerClient, serverOptions } from './server-client.ts';

interface Catalog {
  readonly name: string;
  readonly what: string;
  /** Of the list. */
  readonly path: string;
  readonly columns: readonly string[];
  readonly row: (item: unknown) => Readonly<Record<string, unknown>>;
  /** Found by `id`, or by `name` for plugins, with or without kind and version. */
  readonly key: 'id' | 'name';
}

const config = (item: unknown): unknown => member(item, 'config');

export const connectorsCommand: Command = catalogCommand({
  name: 'connectors',
  what: 'connectors',
  path: '/v1/connectors',
  columns: ['id', 'type', 'plugin', 'pipeline', 'name', 'state'],
  row: (item) => ({
    id: text(item, 'id'),
    type: text(item, 'type').replace('TYPE_', '').toLowerCase(),
    plugin: text(item, 'plugin'),
    pipeline: text(item, 'pipelineId'),
    name: text(config(item), 'name'),
    state: text(member(item, 'state'), 'status'),
  }),
  key: 'id',
});

export const processorsCommand: Command = catalogCommand({
  name: 'processors',
  what: 'processors',
  path: '/v1/processors',
  columns: ['id', 'plugin', 'parent', 'condition'],
  row: (item) => ({
    id: text(item, 'id'),
    plugin: text(item, 'plugin'),
    parent: text(member(item, 'parent'), 'id'),
    condition: text(item, 'condition'),
  }),
  key: 'id',
});

const pluginRow = (item: unknown): Readonly<Record<string, unknown>> => ({
  name: text(item, 'name'),
  summary: text(item, 'summary'),
});

export const connectorPluginsCommand: Command = catalogCommand({
  name: 'connector-plugins',
  what: 'connector plugins',
  path: '/v1/connectors/plugins',
  columns: ['name', 'summary'],
  row: pluginRow,
  key: 'name',
});

export const processorPluginsCommand: Command = catalogCommand({
  name: 'processor-plugins',
  what: 'processor plugins',
  path: '/v1/processors/plugins',
  columns: ['name', 'summary'],
  row: pluginRow,
  key: 'name',
});

function catalogCommand(catalog: Catalog): Command {
  const { name, what } = catalog;
  return {
    name,
    synopsis: `${name} list | describe ID [--json] [--url URL] [--api-key KEY]`,
    summary: `Lists the ${what} of a server, or describes one of them.`,
    description: `list (or ls) prints one a line, describe everything of one; a name of a plugin may be given without its kind and version.
Secrets are masked. --json prints a JSON object a line. --url and --api-key may be given as MILLRACE_URL and MILLRACE_API_KEY.`,
    options: { ...serverOptions, json: { type: 'boolean' } },
    operands: [1, 2],
    async run([verb = '', id], options, tools): Promise<number> {
      const items = await readCatalog(catalog, verb, id, options, tools);
      if (options['json'] === true) for (const item of items) tools.out(`${jsonText(item)}\n`);
      else if (id === undefined) {
        tools.out(`${textTable(catalog.columns, items.map(catalog.row)).join('\n')}\n`);
      } else tools.out(`${items.flatMap((item) => describe(item)).join('\n')}\n`);
      return exitCodes.ok;
    },
  };
}

async function readCatalog(
  { name, path, key, what }: Catalog,
  verb: string,
  id: string | undefined,
  options: OptionValues,
  tools: Tools,
): Promise<readonly unknown[]> {
  const isList = verb === 'list' || verb === 'ls';
  const verbs = ['list', 'describe'];
  if (!isList && verb !== 'describe') {
    const detail = `millrace ${name} knows no "${verb}"; there are ${verbs.join(', ')}`;
    throw new UsageError({ detail }, { suggestion: nearestName(verb, verbs) });
  }
  if (isList !== (id === undefined)) {
    const wanted = isList ? 'takes no operand' : 'needs the id of one';
    throw new UsageError({ detail: `millrace ${name} ${verb} ${wanted}` });
  }
  const client = new ServerClient(options, tools.environment);
  const items = list(await (await client.fetch(path)).json());
  if (id === undefined) return items;
  const found = items.filter((item) => isNamed(text(item, key), id));
  if (found.length > 0) return found.slice(0, 1);
  const names = items.flatMap((item) => [text(item, key), bareName(text(item, key))]);
  throw absent(what.slice(0, -1), id, names);
}

function isNamed(name: string, wanted: string): boolean {
  return name === wanted || bareName(name) === wanted || name.split('@')[0] === wanted;
}

function bareName(name: string): string {
  return name.replace(/^(?:builtin|standalone):/, '').replace(/@[^@]*$/, '');
}

/** Names and values, what is nested indented below its name. */
export function describe(value: unknown, indent = ''): string[] {
  return Object.entries(Object(value)).flatMap(([name, item]) => {
    if (typeof item !== 'object' || item === null) return `${indent}${name}: ${String(item)}`.trimEnd();
    if (Array.isArray(item)) {
      const isFlat = item.every((part) => typeof part !== 'object');
      if (isFlat) return [`${indent}${name}: ${item.join(', ')}`.trimEnd()];
      return [`${indent}${name}:`, ...item.flatMap((part) => describe(part, `${indent}  - `.replaceAll('-', ' ')))];
    }
    const inner = describe(item, `${indent}  `);
    return inner.length === 0 ? [] : [`${indent}${name}:`, ...inner];
  });
}
