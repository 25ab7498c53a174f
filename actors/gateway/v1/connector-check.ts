// A connector's settings before they are stored: against the specification of its plugin first, everything that is wrong at
// once, then on a fresh instance of it, which is configured and torn down.

import { isSecret } from '../../../connectors/sdk/secret-settings.ts';
import type { Hosting } from '../hosting/hosting.ts';
import {
  findPlugin,
  fullName,
  nearestPlugin,
  type PluginParameters,
  type PluginSpecification,
  parameterOf,
} from '../hosting/plugin-specification.ts';
import { checkSettings, type SettingProblem } from '../hosting/settings-check.ts';
import { TrialFailed, TrialTimedOut } from '../hosting/trial-instance.ts';
import type { HttpProblem } from '../http/http-problem.ts';
import type { Settings } from './masked-settings.ts';
import { type V1Detail, type V1Reason, v1Detail, v1Problem } from './v1-problem.ts';

export type ConnectorType = 'source' | 'destination';

/** Which settings the plugin has declared secret. */
export function secretsOf(hosting: Hosting, type: ConnectorType, plugin: string): (name: string) => boolean {
  const parameters = parametersOf(findPlugin(hosting.plugins.list(), plugin), type);
  return (name) => parameters !== null && parameterOf(parameters, name)?.secret === true;
}

function parametersOf(plugin: PluginSpecification | undefined, type: ConnectorType): PluginParameters | null {
  return (type === 'source' ? plugin?.sourceParameters : plugin?.destinationParameters) ?? null;
}

/** `path`: where the settings stand in the body. @throws HttpProblem */
export function checkPlugin(
  hosting: Hosting,
  type: ConnectorType,
  reference: string,
  settings: Settings,
  path: string,
): PluginSpecification {
  const plugins = hosting.plugins.list();
  const plugin = findPlugin(plugins, reference);
  if (plugin === undefined) throw unknownPlugin(reference, nearestPlugin(plugins, reference));
  const parameters = parametersOf(plugin, type);
  if (parameters === null) {
    const other = type === 'source' ? 'destination' : 'source';
    throw v1Problem('connector.configuration_refused', `${fullName(plugin)} is a ${other} and no ${type}`, [
      v1Detail('connector.invalid_type', { configPath: 'type', suggestion: other }),
    ]);
  }
  const isDeclared = secretsOf(hosting, type, reference);
  const problems = checkSettings(parameters, settings, (name) => isSecret(name, isDeclared(name)));
  if (problems.length > 0) throw refusedSettings(problems, path);
  return plugin;
}

/** @throws HttpProblem connector.configuration_refused, …_timed_out, connector.teardown_failed */
export async function validateOnInstance(
  hosting: Hosting,
  type: ConnectorType,
  plugin: PluginSpecification,
  settings: Settings,
  signal: AbortSignal,
): Promise<void> {
  try {
    await hosting.plugins.validate({ type, plugin, settings, signal });
  } catch (error) {
    throw trialProblem(error);
  }
}

function trialProblem(error: unknown): unknown {
  if (error instanceof TrialTimedOut) {
    const { phase, plugin, deadlineMs } = error.fields;
    const metadata = { phase, plugin, deadlineMs: String(deadlineMs) };
    return v1Problem('connector.configuration_timed_out', error.message, [
      v1Detail('connector.configuration_timed_out', metadata),
    ]);
  }
  if (!(error instanceof TrialFailed)) return error;
  const { phase, plugin } = error.fields;
  const reason: V1Reason =
    phase === 'start'
      ? 'connector.plugin_failed'
      : phase === 'teardown'
        ? 'connector.teardown_failed'
        : 'connector.configuration_refused';
  return v1Problem(reason, error.message, [v1Detail(reason, { phase, plugin })]);
}

function unknownPlugin(reference: string, suggestion: string | undefined): HttpProblem {
  const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
  return v1Problem('connector.plugin_not_found', `there is no connector plugin "${reference}"${hint}`, [
    v1Detail('connector.plugin_not_found', {
      configPath: 'plugin',
      ...(suggestion === undefined ? {} : { suggestion }),
    }),
  ]);
}

const reasons: Readonly<Record<SettingProblem['kind'], V1Reason>> = {
  unknown: 'config.field_invalid',
  required: 'config.field_required',
  type: 'config.field_invalid',
  value: 'config.field_invalid',
};

export function refusedSettings(problems: readonly SettingProblem[], path: string): HttpProblem {
  return refusedFields(settingFields(problems, path));
}

/** What is wrong with one field of a body: as a line of the message, and as a detail. */
export interface RefusedField {
  readonly line: string;
  readonly detail: V1Detail;
}

/**
 * What a plugin refuses is a failed precondition, as in Conduit; the details say which fields. A processor's plugin that does not exist is
 * not found.
 */
export function refusedFields(fields: readonly RefusedField[]): HttpProblem {
  const isUnknown = fields[0]?.detail.reason === 'processor.plugin_not_found';
  const reason: V1Reason = isUnknown ? 'processor.plugin_not_found' : 'connector.configuration_refused';
  const message = fields.map(({ line }) => line).join('\n');
  return v1Problem(
    reason,
    message,
    fields.map(({ detail }) => detail),
  );
}

export function settingFields(problems: readonly SettingProblem[], path: string): readonly RefusedField[] {
  return problems.map(({ setting, kind, message, expected, suggestion }) => {
    const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
    return {
      line: `"${setting}": ${message}${hint}`,
      detail: v1Detail(reasons[kind], {
        configPath: placeInside(path, setting),
        message,
        expected,
        ...(suggestion === undefined ? {} : { suggestion }),
      }),
    };
  });
}

/** A setting's place in a body: of a document, which has JSON pointers, or of another one. */
function placeInside(path: string, setting: string): string {
  if (!path.startsWith('/')) return `${path}.${setting}`;
  return `${path}/${setting.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
