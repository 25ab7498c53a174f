// Processors before they are stored: against the specification of their plugin, and then as they are made when the pipeline starts, so
// that a reference, a template or a condition that cannot work is refused here. Everything that is wrong at once; nothing is opened.

import { isSecret } from '../../../connectors/sdk/secret-settings.ts';
import type { MillraceError } from '../../../runtime/errors.ts';
import type { RelayProcessor } from '../../relay-definition.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { findPlugin, nearestPlugin, parameterOf } from '../hosting/plugin-specification.ts';
import { checkSettings } from '../hosting/settings-check.ts';
import { type RefusedField, refusedFields, settingFields } from './connector-check.ts';
import { v1Detail } from './v1-problem.ts';

export interface CheckedProcessor extends Pick<RelayProcessor, 'id' | 'plugin' | 'settings' | 'condition'> {
  /** Where these stand in the body. */
  readonly paths: { readonly plugin: string; readonly settings: string; readonly condition: string };
}

/** Which settings the plugin has declared secret. */
export function processorSecrets(hosting: Hosting, plugin: string): (name: string) => boolean {
  const found = findPlugin(hosting.plugins.processors(), plugin);
  return (setting) => found !== undefined && parameterOf(found.parameters, setting)?.secret === true;
}

/** @throws HttpProblem with everything that is wrong with any of them; processor.plugin_not_found, config.field_… */
export async function checkProcessors(hosting: Hosting, processors: readonly CheckedProcessor[]): Promise<void> {
  const refused: RefusedField[] = [];
  for (const processor of processors) refused.push(...(await fieldsOf(hosting, processor)));
  if (refused.length > 0) throw refusedFields(refused);
}

async function fieldsOf(hosting: Hosting, processor: CheckedProcessor): Promise<readonly RefusedField[]> {
  const { plugin, settings, paths } = processor;
  const known = hosting.plugins.processors();
  const found = findPlugin(known, plugin);
  if (found === undefined) return [unknownPlugin(plugin, nearestPlugin(known, plugin), paths.plugin)];
  const isDeclared = processorSecrets(hosting, plugin);
  const wrong = checkSettings(found.parameters, settings, (setting) => isSecret(setting, isDeclared(setting)));
  const problems = await hosting.plugins.processorProblems(processor, ([, part, ...rest]) => ({
    path:
      part === 'condition'
        ? paths.condition
        : [part === 'plugin' ? paths.plugin : paths.settings, ...rest].join(paths.settings.startsWith('/') ? '/' : '.'),
  }));
  // Settings that the specification refuses are refused by the processor as well: they are told once.
  const own = problems.filter(({ place }) => wrong.length === 0 || place?.path === paths.condition);
  return [...settingFields(wrong, paths.settings), ...own.map(fieldOf)];
}

function fieldOf({ message, place, suggestion, code }: MillraceError): RefusedField {
  return {
    line: message,
    detail: v1Detail('config.field_invalid', {
      configPath: place?.path ?? '',
      message,
      code,
      ...(suggestion === undefined ? {} : { suggestion }),
    }),
  };
}

function unknownPlugin(reference: string, suggestion: string | undefined, configPath: string): RefusedField {
  const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
  return {
    line: `there is no processor plugin "${reference}"${hint}`,
    detail: v1Detail('processor.plugin_not_found', {
      configPath,
      ...(suggestion === undefined ? {} : { suggestion }),
    }),
  };
}
