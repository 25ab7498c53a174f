// Everything a destination actor can be told, and what it tells its supervisor.
import type { MessagePort } from 'node:worker_threads';
import type { OutputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { CheckpointNote } from '../../connectors/sdk/destination.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { ErrorData } from '../../runtime/errors.ts';
import type { Counted } from '../carried-counts.ts';
import type { ConnectorPhase, LifecycleCall } from '../connector-calls.ts';
import type { RecoveredCheckpoint } from '../connector-trial-messages.ts';
import type { InspectMessage } from '../inspection-point.ts';
import type { RelayProcessor } from '../relay-definition.ts';
import type { SchemaAccess } from '../schema-access.ts';
import type { RecordedError } from '../source/messages.ts';

export interface DestinationArguments {
  readonly connector: OutputConnector;
  readonly relation: Relation;
  /** Name of the pipeline. */
  readonly pipeline?: string;
  /** Consumer end of a data channel from the engine. Marks are step numbers; confirmed after a flush. */
  readonly port: MessagePort;
  readonly baseFolder: string;
  /** After how long without a sign a connector counts as stalled. */
  readonly stallMs?: number;
  /** What earlier attempts of this run have counted: goes on from there. */
  readonly counted?: Counted;
  /** For records: of the connector. */
  readonly processors?: readonly RelayProcessor[];
  /** Left out where nobody keeps schemas. */
  readonly schemas?: SchemaAccess;
  /** Of a connector that delivers exactly once: the checkpoint that the pipeline goes on from; null, left out: from nothing. */
  readonly recovered?: RecoveredCheckpoint | null;
}

export type DestinationMessage =
  /** Makes the connector, has it check its configuration and tells it of this event, before `open`. */
  | { readonly kind: 'prepare'; readonly event: LifecycleCall | null }
  /** Opens; resolves when open has succeeded. Frames that came before wait. */
  | { readonly kind: 'open' }
  /** Writes everything queued so far and flushes; resolves then. */
  | { readonly kind: 'flush' }
  /** Resolves at once. What belongs to steps up to `step` leaves the output buffer as soon as it is here. */
  | { readonly kind: 'write through'; readonly step: number }
  /** Without a barrier: everything that it was sent is in this checkpoint. Resolves when it has ended, and is prepared. */
  | { readonly kind: 'prepare checkpoint'; readonly checkpoint: string }
  /** A checkpoint that it was prepared for is on disk. Resolves when it is committed. */
  | { readonly kind: 'checkpoint stored'; readonly checkpoint: string }
  /** Resolves at once. A connector whose other side does not answer fails: nobody waits for it then. */
  | { readonly kind: 'ping' }
  /** Shows the records that pass from now on; resolves at once. */
  | InspectMessage
  /** Resolves with DestinationErrors. */
  | { readonly kind: 'errors' };

export interface DestinationErrors {
  readonly encodeErrors: readonly RecordedError[];
  readonly transportErrors: readonly RecordedError[];
}

export type DestinationNotice =
  /** What the connector is called to do from now on; null: nothing. */
  | { readonly kind: 'phase'; readonly phase: ConnectorPhase | null }
  /** Its other side has not answered for so long; null: it does again. */
  | { readonly kind: 'stalled'; readonly reason: string | null; readonly forMs: number }
  /** What it was sent before the barrier is safe; where it delivers exactly once it waits for the checkpoint to be stored. */
  | { readonly kind: 'checkpoint prepared'; readonly checkpoint: string; readonly note?: CheckpointNote }
  /** The teardown of a connector threw: it is over all the same. */
  | { readonly kind: 'teardown failed'; readonly error: ErrorData }
  /** The end frame has been seen and everything is flushed. */
  | { readonly kind: 'destination ended' }
  | { readonly kind: 'destination failed'; readonly error: ErrorData }
  | { readonly kind: 'destination said'; readonly message: string; readonly fields: Readonly<Record<string, unknown>> };
