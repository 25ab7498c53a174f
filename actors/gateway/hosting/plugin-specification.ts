// What is known of a connector plugin without starting it: names, versions, parameters. That of a plugin process is what the
// process has said of itself, that of a built-in connector is made of its definition in the registry.

import type { ConnectorRegistry } from '../../../connectors/sdk/connector.ts';
import type { DestinationDeclaration, SourceDeclaration } from '../../../connectors/sdk/load-on-use.ts';
import { pluginParameters } from '../../../connectors/standalone/definition-parameters.ts';
import type { PluginBinary } from '../../../connectors/standalone/plugin-catalog.ts';
import type {
  PluginParameter,
  PluginParameters,
  PluginValidation,
} from '../../../connectors/standalone/plugin-specification.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';

export type { PluginParameter, PluginParameters, PluginValidation };

export interface PluginSpecification {
  readonly kind: 'builtin' | 'standalone';
  readonly name: string;
  /** `v1.2.3`, or whatever the plugin says. */
  readonly version: string;
  readonly summary: string;
  readonly description: string;
  readonly author: string;
  /** null: it is no source. */
  readonly sourceParameters: PluginParameters | null;
  readonly destinationParameters: PluginParameters | null;
  /** Of a plugin process. */
  readonly path: string | null;
}

/** Connectors and processors are named alike. */
export type NamedPlugin = Pick<PluginSpecification, 'kind' | 'name' | 'version'>;

/** `builtin:file@v1.0.0` */
export function fullName(plugin: NamedPlugin): string {
  return `${plugin.kind}:${plugin.name}@${plugin.version}`;
}

interface PluginReference {
  readonly kind: 'builtin' | 'standalone' | 'any';
  readonly name: string;
  /** null: the latest. */
  readonly version: string | null;
}

/** `[builtin:|standalone:|any:]name[@version]` */
export function readReference(text: string): PluginReference {
  const [, kind = 'any', name = '', version = 'latest'] =
    /^(?:(builtin|standalone|any):)?(.*?)(?:@([^@]*))?$/s.exec(text) ?? [];
  // SAFETY: the expression gives nothing else.
  return {
    kind: kind as PluginReference['kind'],
    name,
    version: version === 'latest' || version === '' ? null : version,
  };
}

/**
 * Connectors that Conduit has built in and Millrace has not: files that were written for Conduit name them so, and mean the plugin process
 * of that name. A version is then Conduit's own of it.
 */
const builtIntoConduit: ReadonlySet<string> = new Set(['kafka', 'postgres', 's3']);

export function isBuiltIntoConduit(reference: string): boolean {
  const { kind, name } = readReference(reference);
  return kind === 'builtin' && builtIntoConduit.has(name);
}

/**
 * Without a kind a plugin process goes before what is built in; without a version the latest. What is built in has one version: another
 * that a reference names is that of Conduit's own, for which the pipeline was written, and means the same.
 */
export function findPlugin<P extends NamedPlugin>(plugins: readonly P[], reference: string): P | undefined {
  const { kind, name, version } = readReference(reference);
  const named = plugins.filter((plugin) => plugin.name === name);
  const isOnlyBuiltIn = kind === 'builtin' || named.every((plugin) => plugin.kind === 'builtin');
  const hasVersion = (plugin: P): boolean =>
    version === null || sameVersion(plugin.version, version) || (plugin.kind === 'builtin' && isOnlyBuiltIn);
  const found = named.filter(hasVersion).sort((a, b) => compareVersions(b.version, a.version));
  const own = found.find((plugin) => plugin.kind === kind);
  if (kind === 'standalone' || own !== undefined) return own;
  if (kind === 'builtin') return isBuiltIntoConduit(reference) ? found[0] : undefined;
  return found.find((plugin) => plugin.kind === 'standalone') ?? found[0];
}

/** The reference that was probably meant. */
export function nearestPlugin(plugins: readonly NamedPlugin[], reference: string): string | undefined {
  const { kind, name } = readReference(reference);
  const sameName = plugins.filter((plugin) => plugin.name === name);
  const [other] = sameName;
  if (other !== undefined) {
    const hasKind = kind === 'any' || sameName.some((plugin) => plugin.kind === kind);
    return hasKind ? fullName(other) : `${other.kind}:${name}`;
  }
  const nearest = nearestName(
    name,
    plugins.map((plugin) => plugin.name),
  );
  if (nearest === undefined) return undefined;
  return kind === 'any' ? nearest : `${plugins.find((plugin) => plugin.name === nearest)?.kind ?? kind}:${nearest}`;
}

function sameVersion(a: string, b: string): boolean {
  return a === b || a.replace(/^v/, '') === b.replace(/^v/, '');
}

/** By semver; what is no version of that kind comes before all that are. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [semver(a), semver(b)];
  if (x === null || y === null) return x === y ? (a < b ? -1 : Number(a > b)) : x === null ? -1 : 1;
  for (let i = 0; i < 3; i++) {
    const difference = (x.numbers[i] ?? 0) - (y.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  // A version comes behind what was released before it.
  if (x.before.length === 0 || y.before.length === 0) return y.before.length - x.before.length;
  for (let i = 0; i < Math.max(x.before.length, y.before.length); i++) {
    const [p, q] = [x.before[i], y.before[i]];
    if (p === undefined || q === undefined) return p === undefined ? -1 : 1;
    const [m, n] = [/^\d+$/.test(p), /^\d+$/.test(q)];
    if (m && n && Number(p) !== Number(q)) return Number(p) - Number(q);
    if (m !== n) return m ? -1 : 1;
    if (p !== q) return p < q ? -1 : 1;
  }
  return 0;
}

function semver(text: string): { readonly numbers: readonly number[]; readonly before: readonly string[] } | null {
  const found = /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(text);
  if (found === null) return null;
  return { numbers: found.slice(1, 4).map(Number), before: found[4]?.split('.') ?? [] };
}

/** What a plugin process has said of itself. */
export function standalonePlugin(binary: PluginBinary): PluginSpecification {
  return { ...binary, kind: 'standalone' };
}

/** Those of the registry that speak of records: they can stand in a pipeline without SQL. */
/** What runs plugin processes, and the queue that a pipeline has by itself, are no plugins themselves. */
const ownUse: ReadonlySet<string> = new Set(['plugin_output', 'dead_letters']);

export function builtInPlugins(registry: ConnectorRegistry, version: string): readonly PluginSpecification[] {
  const sources = registry.sources.filter(({ produces, name }) => produces === 'records' && name !== 'plugin_input');
  const destinations = registry.destinations.filter(({ accepts, name }) => accepts === 'records' && !ownUse.has(name));
  const names = new Set([...sources, ...destinations].map(({ name }) => name));
  return [...names].sort().map((name) => {
    const source = sources.find((candidate) => candidate.name === name);
    const destination = destinations.find((candidate) => candidate.name === name);
    return builtIn(name, source, destination, version);
  });
}

function builtIn(
  name: string,
  source: SourceDeclaration | undefined,
  destination: DestinationDeclaration | undefined,
  version: string,
): PluginSpecification {
  const any = source ?? destination;
  return {
    kind: 'builtin',
    name,
    version: any?.version ?? `v${version}`,
    summary: any?.summary ?? '',
    description: any?.description ?? any?.summary ?? '',
    author: any?.author ?? 'Millrace',
    sourceParameters: source === undefined ? null : pluginParameters(source.parameters),
    destinationParameters: destination === undefined ? null : pluginParameters(destination.parameters),
    path: null,
  };
}

/** By exact name, or by a name with `*`. */
export function parameterOf(parameters: PluginParameters, name: string): PluginParameter | undefined {
  const exact = parameters[name];
  if (exact !== undefined) return exact;
  const pattern = Object.keys(parameters).find((candidate) => candidate.includes('*') && matches(candidate, name));
  return pattern === undefined ? undefined : parameters[pattern];
}

export function matches(pattern: string, name: string): boolean {
  const wanted = pattern.split('.');
  const given = name.split('.');
  // A star at the end stands for all that follows: keys of a map may hold dots.
  if (wanted.at(-1) === '*' && given.length > wanted.length) given.splice(wanted.length);
  return wanted.length === given.length && wanted.every((part, i) => part === '*' || part === given[i]);
}
