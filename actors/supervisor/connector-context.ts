// What the handles of connectors share: where actors are made, what is remembered, how patient to be.
import type { NamedConfiguration } from '../../connectors/sdk/connector-configuration.ts';
import type { ActorRef } from '../../runtime/actor/actor.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { LifecycleCall } from '../connector-calls.ts';
import type { EngineMessage, ReplayRoute } from '../engine/messages.ts';
import type { ErrorRecovery, RelayProcessor } from '../relay-definition.ts';
import type { SchemaAccess } from '../schema-access.ts';
import type { ActorHost } from './actor-host.ts';
import type { ConnectorDeadlines } from './connector-deadlines.ts';
import type { StartedConnector } from './lifecycle-events.ts';
import type { LifecycleKeeper } from './lifecycle-keeper.ts';
import type { OutputCheckpoint } from './messages.ts';
import type { PositionKeeper } from './position-keeper.ts';

export interface ConnectorContext {
  readonly host: ActorHost;
  readonly engine: () => ActorRef<EngineMessage>;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  readonly baseFolder: string;
  /** Name of the pipeline. */
  readonly name: string;
  /** See SourceContext. */
  readonly pipelineId?: string;
  /** See SupervisorArguments. */
  readonly recoveredOutputs?: readonly OutputCheckpoint[];
  /** For sources. */
  readonly thread: string;
  readonly decodeWorkers: number;
  /** `paused` in the configuration of an input that starts after labels holds it no longer than they do. */
  readonly labelsLiftPause?: boolean;
  readonly deadlines: ConnectorDeadlines;
  readonly lifecycle: LifecycleKeeper;
  /** Sources are told what is durable when a checkpoint is; else when it has left every output. */
  readonly acknowledgesCheckpoints: boolean;
  /** Set for a pipeline without SQL. */
  readonly relay: RelayContext | null;
  /** Set for an input that takes dead letters out of the queue again. */
  readonly replay?: ReplayRoute;
  /** It never throws into the caller. */
  readonly onChange: () => void;
}

/** What is different for connectors of a pipeline without SQL. */
export interface RelayContext {
  readonly positions: PositionKeeper;
  readonly recovery: ErrorRecovery;
  /** By endpoint; for sources those of the pipeline too. */
  readonly processors: ReadonlyMap<string, readonly RelayProcessor[]>;
  /** Left out where nobody keeps schemas. */
  readonly schemas?: SchemaAccess;
  /** A connector is not opened again any more: the pipeline has failed. */
  readonly onFatal: (endpoint: string, error: unknown) => void;
}

/** What an actor of either direction can be told before it is opened. */
export type PrepareMessage = { readonly kind: 'prepare'; readonly event: LifecycleCall | null };

/** A connector as lifecycle events know it: in a program it has the name of its endpoint and direction. */
export function startedConnector(
  connector: { readonly kind: 'input' | 'output'; readonly endpoint: string; readonly transport: NamedConfiguration },
  isRelay: boolean,
): StartedConnector {
  const { kind, endpoint, transport } = connector;
  return {
    connector: isRelay ? endpoint : `${kind}:${endpoint}`,
    type: kind === 'input' ? 'source' : 'destination',
    plugin: transport.plugin ?? transport.name,
    settings: transport.settings ?? transport.config,
  };
}
