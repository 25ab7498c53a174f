// What a connector's configuration leaves out may stand elsewhere: under `transport_defaults` of the pipeline, by transport,
// or in the environment, where a parameter names a variable. What the connector itself says always wins. Pure.
import type { Parameter } from '../../connectors/sdk/parameters.ts';

export interface LeftOutSettings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Configurations by name of a transport. */
  readonly transportDefaults: Readonly<Record<string, unknown>>;
}

/** `config` of `transport`, completed. Anything that is no object is left to be refused as it is. */
export function withLeftOutSettings(
  config: unknown,
  transport: { readonly name: string; readonly parameters: readonly Parameter[] },
  { environment, transportDefaults }: LeftOutSettings,
): unknown {
  if (!isObject(config)) return config;
  const defaults = transportDefaults[transport.name];
  const completed: Record<string, unknown> = { ...(isObject(defaults) ? defaults : {}), ...config };
  for (const { name, environment: variable } of transport.parameters) {
    if (variable === undefined || completed[name] !== undefined) continue;
    const value = environment[variable];
    if (value !== undefined && value !== '') completed[name] = value;
  }
  return completed;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
