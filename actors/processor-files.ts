// Where processors come from that do not ship with Millrace: a pipeline names a processor by its plugin, and whoever opens the pipeline says
// which WebAssembly module that is, or which JavaScript module exports it.
import type { ConnectorRegistry } from '../connectors/sdk/connector.ts';
import type { RelayDefinition, RelayProcessor } from './relay-definition.ts';

/** Absolute paths of WebAssembly modules, by the reference as it stands in a definition. */
export type ProcessorFiles = Readonly<Record<string, string>>;

/** Of its connectors and its own. */
export function processorsOf({
  connectors,
  processors,
}: Pick<RelayDefinition, 'processors'> & {
  readonly connectors: readonly Pick<RelayDefinition['connectors'][number], 'processors'>[];
}): readonly RelayProcessor[] {
  return [...connectors.flatMap((connector) => connector.processors), ...processors];
}

/** What nobody knows stays as it is: it is refused elsewhere. */
export function withProcessorFiles(
  definition: RelayDefinition,
  files: ProcessorFiles,
  { processors: known }: Pick<ConnectorRegistry, 'processors'>,
): RelayDefinition {
  const own = known.filter(({ module }) => module !== undefined);
  const placed = (processors: readonly RelayProcessor[]): readonly RelayProcessor[] =>
    processors.map((processor) => {
      const file = files[processor.plugin];
      if (file !== undefined) return { ...processor, file };
      const module = own.find(({ name }) => name === processorName(processor.plugin))?.module;
      return module === undefined ? processor : { ...processor, module };
    });
  return {
    ...definition,
    connectors: definition.connectors.map((connector) => ({ ...connector, processors: placed(connector.processors) })),
    processors: placed(definition.processors),
  };
}

/** Without its kind and its version. */
function processorName(plugin: string): string {
  return plugin.replace(/^(builtin|any):/, '').replace(/@.*$/, '');
}
