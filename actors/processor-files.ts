// Where the modules of standalone processors are: a pipeline names a processor by its plugin, and whoever opens the pipeline says which
// file that is.
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

export function withProcessorFiles(definition: RelayDefinition, files: ProcessorFiles): RelayDefinition {
  const placed = (processors: readonly RelayProcessor[]): readonly RelayProcessor[] =>
    processors.map((processor) => {
      const file = files[processor.plugin];
      return file === undefined ? processor : { ...processor, file };
    });
  return {
    ...definition,
    connectors: definition.connectors.map((connector) => ({ ...connector, processors: placed(connector.processors) })),
    processors: placed(definition.processors),
  };
}
