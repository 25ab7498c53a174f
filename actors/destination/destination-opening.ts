// From a connector's configuration to a destination that can be opened, and to the encoder in front of it.
//
// The configuration has been validated with places by the supervisor; it is validated again here, since this is where
// its defaults are filled in. Nothing is opened yet.
import { registryOf } from '../../connectors/connector-modules.ts';
import { ConfigUnknownFormat, ConfigUnknownTransport } from '../../connectors/sdk/configuration-errors.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { Destination, DestinationContext } from '../../connectors/sdk/destination.ts';
import type { Encoder } from '../../connectors/sdk/format.ts';
import { loaded, type RegisteredDestination } from '../../connectors/sdk/load-on-use.ts';
import { recordSchema } from '../../connectors/sdk/record-batch.ts';
import { validSettings } from '../../connectors/sdk/setting-rules.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { FormatMissing } from './destination-errors.ts';
import type { DestinationArguments } from './messages.ts';

export interface OpenedDestination {
  readonly destination: Destination;
  readonly acknowledges: boolean;
  readonly takesRecords: boolean;
  readonly streamPerFlush: boolean;
}

/** What surrounds a destination, and what it may say. */
export type DestinationWords = Pick<
  DestinationContext,
  'signal' | 'clock' | 'reportError' | 'log' | 'acknowledged' | 'refused' | 'failed' | 'schemas' | 'stalled' | 'stallMs'
>;

/** @throws a coded error when the configuration does not fit. */
export async function openDestination(
  args: Pick<DestinationArguments, 'connector' | 'relation' | 'baseFolder' | 'pipeline'>,
  shipped: ConnectorRegistry,
  context: DestinationWords,
): Promise<OpenedDestination> {
  const { connector, baseFolder } = args;
  const pipeline = args.pipeline === undefined ? {} : { pipeline: args.pipeline };
  const relation = keyedRelation(args);
  const { transport, endpoint } = connector;
  const definition = await loaded(definitionOf(args, await registryOf(transport, shipped)));
  const configuration = validSettings(definition, transport.config, `${endpoint}: ${transport.name}`);
  const destination = definition.create(configuration, { ...context, ...pipeline, endpoint, relation, baseFolder });
  return {
    destination,
    acknowledges: definition.acknowledges === true,
    takesRecords: definition.accepts === 'records',
    streamPerFlush: definition.streamPerFlush === true,
  };
}

/** Whether a connector is one of a pipeline without SQL. */
export function isRecords(relation: Relation): boolean {
  return relation.schema.fingerprint === recordSchema.fingerprint;
}

/** With the key of the connector's `index`, if it names one. */
function keyedRelation({ connector, relation }: Pick<DestinationArguments, 'connector' | 'relation'>): Relation {
  return connector.key === undefined ? relation : { ...relation, primaryKey: connector.key.columns };
}

/** Null: the destination takes batches. @throws a coded error when the configuration does not fit. */
export async function openEncoder(
  args: DestinationArguments,
  shipped: ConnectorRegistry,
  context: Pick<DestinationContext, 'signal' | 'clock' | 'reportError'>,
): Promise<Encoder | null> {
  const { connector } = args;
  const relation = keyedRelation(args);
  const connectors = await registryOf(connector.transport, shipped);
  const definition = definitionOf(args, connectors);
  if (isRecords(relation)) return null;
  const named = connector.format ?? definition.impliedFormat ?? null;
  if (named === null) {
    if (definition.format === 'required') throw new FormatMissing({ transport: definition.name });
    return null;
  }
  const { name, config } = named;
  const format = connectors.outputFormats.find((candidate) => candidate.name === name);
  if (format === undefined) {
    const known = connectors.outputFormats.map((candidate) => candidate.name);
    throw new ConfigUnknownFormat({ name, direction: 'output', known }, { suggestion: nearestName(name, known) });
  }
  const { encoder } = await loaded(format);
  const { signal, clock, reportError } = context;
  const outside = { relation, signal, clock, reportError, transport: connector.transport.config };
  const withKey = connector.key === undefined ? outside : { ...outside, key: connector.key };
  return await encoder(validSettings(format, config, `${connector.endpoint}: ${name}`), relation, withKey);
}

function definitionOf(
  { connector }: Pick<DestinationArguments, 'connector'>,
  connectors: ConnectorRegistry,
): RegisteredDestination {
  const { name } = connector.transport;
  const definition = connectors.destinations.find((candidate) => candidate.name === name);
  if (definition !== undefined) return definition;
  const known = connectors.destinations.map((candidate) => candidate.name);
  throw new ConfigUnknownTransport({ name, direction: 'output', known }, { suggestion: nearestName(name, known) });
}
