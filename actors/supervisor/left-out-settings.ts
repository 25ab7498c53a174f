// What a connector's configuration leaves out may stand elsewhere: under `transport_defaults` of the pipeline, by transport,
// or in the environment, where a parameter names a variable. What the connector itself says always wins. Pure.
import { ConfigUnknownTransport } from '../../connectors/sdk/configuration-errors.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { Parameter, PlaceOf } from '../../connectors/sdk/parameters.ts';
import type { MillraceError } from '../../runtime/errors.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { resolveReferences } from './environment-references.ts';

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

/** References to the environment resolved. A transport that does not exist would be ignored silently: it is a problem. */
export function transportDefaults(
  value: unknown,
  {
    registry,
    environment,
  }: { readonly registry: ConnectorRegistry; readonly environment: LeftOutSettings['environment'] },
  placeOf: PlaceOf,
  problems: MillraceError[],
): Readonly<Record<string, unknown>> {
  const path = ['transport_defaults'];
  const resolved = resolveReferences(value ?? {}, environment, placeOf, path, problems);
  if (typeof resolved !== 'object' || resolved === null) return {};
  const known = [...registry.sources, ...registry.destinations].map(({ name }) => name);
  for (const name of Object.keys(resolved)) {
    if (known.includes(name)) continue;
    const context = { place: placeOf([...path, name]), suggestion: nearestName(name, known) };
    problems.push(new ConfigUnknownTransport({ name, direction: 'input or output', known }, context));
  }
  // SAFETY: an object that is not null; what its values are is checked with each connector.
  return resolved as Readonly<Record<string, unknown>>;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
