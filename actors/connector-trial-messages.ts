// What an actor that holds a connector only to tell it something is told: the same for sources and destinations.
import type { InputConnector, OutputConnector } from '../connectors/sdk/connector-configuration.ts';
import type { CheckpointNote } from '../connectors/sdk/destination.ts';
import type { Relation } from '../runtime/batch/schema.ts';
import type { ConnectorPhase, LifecycleCall } from './connector-calls.ts';

export interface TrialArguments<C extends InputConnector | OutputConnector = InputConnector | OutputConnector> {
  readonly connector: C;
  readonly relation: Relation;
  /** Name of the pipeline. */
  readonly pipeline?: string;
  readonly pipelineId?: string;
  readonly baseFolder: string;
}

/** A checkpoint that an output took part in, and what it has noted of it. */
export interface RecoveredCheckpoint {
  readonly checkpoint: string;
  readonly note?: CheckpointNote;
}

export type TrialMessage =
  /**
   * Calls the event, without configure. `recovers`: the checkpoint that the pipeline goes on from, of an output that delivers exactly once and
   * has taken part in it: what it was prepared for is delivered first, by an instance of its own.
   */
  | { readonly kind: 'tell'; readonly call: LifecycleCall; readonly recovers?: RecoveredCheckpoint }
  /** Calls teardown; nothing else comes then. */
  | { readonly kind: 'end' };

export interface TrialNotice {
  readonly kind: 'phase';
  readonly phase: ConnectorPhase | null;
}
