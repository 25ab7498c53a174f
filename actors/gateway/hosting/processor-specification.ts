// What is known of a processor plugin before it is used: of those that ship with Millrace, and of the WebAssembly modules of a folder.
import { processorMiddlewareParameters } from '../../../connectors/processors/assemble-chain.ts';
import type { ConnectorRegistry } from '../../../connectors/sdk/connector.ts';
import { pluginParameters } from '../../../connectors/standalone/definition-parameters.ts';
import type { PluginProblem } from '../../../connectors/standalone/specified-files.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { PluginParameters } from './plugin-specification.ts';

export interface ProcessorSpecification {
  readonly kind: 'builtin' | 'standalone';
  /** `json.decode` */
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  readonly description: string;
  readonly author: string;
  readonly parameters: PluginParameters;
  /** The module; null: it is built in. */
  readonly path: string | null;
}

export interface ProcessorFolder {
  /** Of WebAssembly modules; null: there is none. */
  readonly folder: string | null;
  readonly cacheFile: string | null;
  readonly clock: Clock;
}

export interface LoadedProcessors {
  readonly processors: readonly ProcessorSpecification[];
  /** Files that are no processors, or cannot be used. */
  readonly problems: readonly PluginProblem[];
}

/** `version`: of Millrace. */
export async function loadProcessors(
  registry: ConnectorRegistry,
  version: string,
  { folder, cacheFile, clock }: ProcessorFolder,
): Promise<LoadedProcessors> {
  const builtIn = registry.processors.map(
    (definition): ProcessorSpecification => ({
      kind: 'builtin',
      name: definition.name,
      version: `v${version}`,
      summary: definition.summary,
      description: definition.description ?? definition.summary,
      author: 'Millrace',
      parameters: pluginParameters([...definition.parameters, ...processorMiddlewareParameters]),
      path: null,
    }),
  );
  if (folder === null) return { processors: builtIn, problems: [] };
  const { discoverModules } = await import('../../../connectors/standalone/wasm-catalog.ts');
  const { modules, problems } = await discoverModules({ folder, cacheFile, clock });
  const standalone = modules.map((module): ProcessorSpecification => ({ ...module, kind: 'standalone' }));
  return { processors: [...builtIn, ...standalone], problems };
}
