// What a registry holds: transports, formats and processors as values.
import type { DestinationDefinition } from './destination.ts';
import type { InputFormat, OutputFormat } from './format.ts';
import type { ProcessorDefinition } from './processor.ts';
import type { SourceDefinition } from './source.ts';

/** Everything that a configuration may name. Plain arrays; see connectors/registry.ts. */
export interface ConnectorRegistry {
  readonly sources: readonly SourceDefinition[];
  readonly destinations: readonly DestinationDefinition[];
  readonly inputFormats: readonly InputFormat[];
  readonly outputFormats: readonly OutputFormat[];
  readonly processors: readonly ProcessorDefinition[];
}
