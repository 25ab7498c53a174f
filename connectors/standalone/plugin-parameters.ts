// The parameters of plugin_input and plugin_output. `plugin` and `settings` are the user's; where the binary is, which id the
// connector has and where the schema service answers is set by the runtime.
import { parseDuration } from '../sdk/duration.ts';
import type { Parameter, ParameterValues } from '../sdk/parameters.ts';

export interface PluginConfiguration {
  readonly plugin: string;
  readonly path: string;
  readonly id: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly schemaTarget: string;
  readonly token: string;
  readonly logLevel: string;
  readonly maxReceiveBytes: number;
  readonly startTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly teardownTimeoutMs: number;
}

export const pluginParameters: readonly Parameter[] = [
  {
    name: 'plugin',
    type: { kind: 'string' },
    required: true,
    description: 'Which plugin: `[standalone:]name[@version]`. Shown in messages.',
  },
  {
    name: 'settings',
    type: { kind: 'map', value: { kind: 'string' } },
    required: false,
    default: {},
    secret: true,
    description: "The plugin's own settings. It gets them as they are, without defaults.",
  },
  { name: 'path', type: { kind: 'string' }, required: true, description: 'The executable.' },
  {
    name: 'id',
    type: { kind: 'string' },
    required: false,
    description: 'Id of the connector, as the plugin is told it. Default: the name of the connector.',
  },
  {
    name: 'schema_service',
    type: { kind: 'string' },
    required: false,
    default: '',
    description:
      'host:port of the schema service. Default: one of its own, which forgets its schemas with the connector.',
  },
  {
    name: 'token',
    type: { kind: 'string' },
    required: false,
    default: 'none',
    secret: true,
    description: 'What the plugin shows to the schema service.',
  },
  {
    name: 'log_level',
    type: { kind: 'enum', values: ['trace', 'debug', 'info', 'warn', 'error'] },
    required: false,
    default: 'info',
    description: 'What the plugin logs.',
  },
  {
    name: 'max_receive_bytes',
    type: { kind: 'integer', min: 1024, max: 2 ** 31 - 1 },
    required: false,
    default: 4 << 20,
    description: 'The largest message that the plugin takes, in bytes.',
  },
  duration('start_timeout', '60s', 'For the start of the process.'),
  duration('call_timeout', '60s', 'For configuring, opening and each lifecycle event.'),
  duration('stop_timeout', '125s', 'For a stop, and for the records that come behind it.'),
  duration('teardown_timeout', '65s', 'For the teardown; then the process is ended.'),
];

function duration(name: string, text: string, description: string): Parameter {
  return { name, type: { kind: 'duration' }, required: false, default: text, description };
}

export function pluginConfiguration(values: ParameterValues, endpoint: string): PluginConfiguration {
  const text = (name: string): string => String(values[name] ?? '');
  const ms = (name: string): number => parseDuration(text(name)) ?? 60_000;
  return {
    plugin: text('plugin'),
    path: text('path'),
    id: text('id') || endpoint,
    settings: settingsOf(values),
    schemaTarget: text('schema_service'),
    token: text('token'),
    logLevel: text('log_level'),
    maxReceiveBytes: Number(values['max_receive_bytes'] ?? 4 << 20),
    startTimeoutMs: ms('start_timeout'),
    callTimeoutMs: ms('call_timeout'),
    stopTimeoutMs: ms('stop_timeout'),
    teardownTimeoutMs: ms('teardown_timeout'),
  };
}

/**
 * The plugin's settings inside a configuration of plugin_input or plugin_output. Lifecycle events of a pipeline without SQL speak of
 * the settings alone, which are all text: then `values` is what is looked for.
 */
export function settingsOf(values: ParameterValues): Readonly<Record<string, string>> {
  const settings = values['settings'];
  // SAFETY: the parameter is a map of texts, and configurations are validated.
  if (typeof settings === 'object' && settings !== null) return settings as Readonly<Record<string, string>>;
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) if (typeof value === 'string') texts[name] = value;
  return texts;
}
