// What a registry holds: transports, formats and processors as values.
import type {
  RegisteredDestination,
  RegisteredInputFormat,
  RegisteredOutputFormat,
  RegisteredProcessor,
  RegisteredSource,
} from './load-on-use.ts';

/** Everything that a configuration may name. Plain arrays; see connectors/registry.ts. */
export interface ConnectorRegistry {
  readonly sources: readonly RegisteredSource[];
  readonly destinations: readonly RegisteredDestination[];
  readonly inputFormats: readonly RegisteredInputFormat[];
  /** Of one source each, which implies them: no configuration can name them. */
  readonly ownFormats?: readonly RegisteredInputFormat[];
  readonly outputFormats: readonly RegisteredOutputFormat[];
  readonly processors: readonly RegisteredProcessor[];
}
