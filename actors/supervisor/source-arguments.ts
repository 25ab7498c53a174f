// What the source actor of an input is started with: from its configuration, what is known of its table, and where it begins. Pure.
import type { InputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { Counted } from '../carried-counts.ts';
import type { MetadataDefault } from '../metadata-defaults.ts';
import type { SourceArguments } from '../source/messages.ts';
import type { ConnectorContext } from './connector-context.ts';
import type { ReplayStart } from './replay-position.ts';

/** What a source needs to know of its table besides the columns. */
export interface TableTraits {
  /** What fills columns that a record lacks: JSON text of each DEFAULT, and those that read the metadata of the record. */
  readonly defaults: readonly (string | null)[];
  readonly metadata: readonly MetadataDefault[];
  /** Why not all its rows can be deleted at once; null: they can. */
  readonly unclearable: string | null;
}

export interface SourceBeginning {
  readonly connector: InputConnector;
  readonly relation: Relation;
  readonly traits: TableTraits;
  readonly context: ConnectorContext;
  /** With SQL. */
  readonly begin: ReplayStart;
  readonly port: SourceArguments['port'];
  readonly counted: Counted;
}

export function sourceArguments(beginning: SourceBeginning): SourceArguments {
  const { connector, relation, traits, context, begin, port, counted } = beginning;
  const { baseFolder, decodeWorkers, relay } = context;
  const { defaults, metadata, unclearable } = traits;
  const { stallMs } = context.deadlines;
  const { name: pipeline, pipelineId = pipeline } = context;
  const common = { connector, relation, defaults, port, stallMs, baseFolder, counted, pipeline, pipelineId };
  if (relay === null) {
    return {
      ...common,
      ...(metadata.length === 0 ? {} : { metadataDefaults: metadata }),
      ...(unclearable === null ? {} : { unclearable: { table: relation.name, reason: unclearable } }),
      position: begin.position,
      skipRows: begin.skipRows,
      decodeWorkers,
      acknowledgesLater: context.acknowledgesCheckpoints,
    };
  }
  const { endpoint } = connector;
  const { schemas } = relay;
  return {
    ...common,
    position: relay.positions.position(endpoint),
    processors: relay.processors.get(endpoint) ?? [],
    ...(schemas === undefined ? {} : { schemas }),
  };
}
