// What `millrace check`, `pipelines validate`, `lint` and `dry-run` print of pipeline files of Conduit.
import { errorToData } from '../../../runtime/errors.ts';
import type { RelayDefinition, RelayProcessor } from '../../relay-definition.ts';
import { jsonText } from '../terminal/json-text.ts';
import { maskSettings } from '../v1/masked-settings.ts';
import { exitCodes, type OptionValues, type Tools } from './command.ts';
import { type CheckedFiles, checkConduitFiles, pluginFolders } from './conduit-files.ts';
import { problemReport } from './problem-text.ts';

export interface CheckStyle {
  /** Warnings are printed, and with `strict` they count as problems. */
  readonly warnings?: 'hide' | 'show' | 'strict';
  readonly isGraphShown?: boolean;
}

export async function checkConduit(
  path: string,
  options: OptionValues,
  tools: Tools,
  { warnings = 'show', isGraphShown = true }: CheckStyle = {},
): Promise<number> {
  // Nothing is executed that was not named.
  const { modules, processors } = pluginFolders(options);
  const checked = await checkConduitFiles(path, tools, { connectors: modules, modules, processors });
  const problems = warnings === 'strict' ? [...checked.problems, ...checked.warnings] : checked.problems;
  const isValid = problems.length === 0;
  if (options['json'] === true) tools.out(`${jsonText(asJson(path, checked, isValid))}\n`);
  else {
    if (!isValid) tools.err(problemReport(path, problems));
    if (warnings === 'show') {
      for (const { code, message } of checked.warnings) tools.err(`warning ${code}: ${message}\n`);
    }
    if (isValid) {
      const lines = [`${path} is valid`];
      for (const { definition, status } of checked.files.flatMap(({ pipelines }) => pipelines)) {
        if (isGraphShown) lines.push('', ...describe(definition, status));
        else lines.push(`  ${definition.id}`);
      }
      tools.out(`${lines.join('\n')}\n`);
    }
  }
  return isValid ? exitCodes.ok : exitCodes.invalid;
}

function asJson(path: string, checked: CheckedFiles, isValid: boolean): unknown {
  return {
    file: path,
    valid: isValid,
    problems: checked.problems.map(errorToData),
    warnings: checked.warnings.map(errorToData),
    pipelines: checked.files
      .flatMap(({ pipelines }) => pipelines)
      .map(({ definition, status }) => ({ ...shown(definition), status })),
  };
}

/** Without secrets. */
function shown(definition: RelayDefinition): RelayDefinition {
  const processor = (item: RelayProcessor): RelayProcessor => ({ ...item, settings: maskSettings(item.settings) });
  return {
    ...definition,
    connectors: definition.connectors.map((connector) => ({
      ...connector,
      settings: maskSettings(connector.settings),
      processors: connector.processors.map(processor),
    })),
    processors: definition.processors.map(processor),
    deadLetterQueue: { ...definition.deadLetterQueue, settings: maskSettings(definition.deadLetterQueue.settings) },
  };
}

function describe(definition: RelayDefinition, status: string): string[] {
  const { id, name, connectors, processors, deadLetterQueue } = shown(definition);
  const lines = [`pipeline ${id}${name === id ? '' : ` (${name})`}, ${status}`];
  for (const type of ['source', 'destination'] as const) {
    for (const connector of connectors.filter((candidate) => candidate.type === type)) {
      lines.push(`  ${type} ${connector.id}: ${connector.plugin}${settingsText(connector.settings)}`);
      lines.push(...connector.processors.map((processor) => `    ${processorText(processor)}`));
    }
    if (type === 'source') lines.push(...processors.map((processor) => `  ${processorText(processor)}`));
  }
  const { plugin, windowSize, windowNackThreshold } = deadLetterQueue;
  lines.push(`  dead-letter queue: ${plugin}, at most ${windowNackThreshold} of ${windowSize}`);
  return lines;
}

function processorText({ id, plugin, condition, settings }: RelayProcessor): string {
  return `processor ${id}: ${plugin}${settingsText(settings)}${condition === '' ? '' : ` if ${condition}`}`;
}

function settingsText(settings: Readonly<Record<string, string>>): string {
  const entries = Object.entries(settings);
  return entries.length === 0 ? '' : ` { ${entries.map(([key, value]) => `${key}: ${value}`).join(', ')} }`;
}
