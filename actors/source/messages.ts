// Everything a source actor can be told, and what it tells its supervisor.
// Data goes out on the port in the arguments (see source-actor.ts).
import type { MessagePort } from 'node:worker_threads';
import type { InputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { DecodeError } from '../../connectors/sdk/format.ts';
import type { Position } from '../../connectors/sdk/source.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { ErrorData } from '../../runtime/errors.ts';
import type { Counted } from '../carried-counts.ts';
import type { ConnectorPhase, LifecycleCall } from '../connector-calls.ts';
import type { InspectMessage } from '../inspection-point.ts';
import type { MetadataDefault } from '../metadata-defaults.ts';
import type { RelayProcessor } from '../relay-definition.ts';
import type { SchemaAccess } from '../schema-access.ts';

export interface SourceArguments {
  readonly connector: InputConnector;
  readonly relation: Relation;
  /** See DecoderContext. */
  readonly defaults: readonly (string | null)[];
  /** DEFAULTs that read what the connector knows of a record. */
  readonly metadataDefaults?: readonly MetadataDefault[];
  /** Producer end of a data channel to the engine. */
  readonly port: MessagePort;
  readonly position: Position | null;
  /** Rows behind `position` that an earlier run has sent already: they are left out. */
  readonly skipRows?: number;
  readonly baseFolder: string;
  /** See SourceContext. */
  readonly pipeline?: string;
  readonly pipelineId?: string;
  /** Why what its table holds cannot be deleted as a whole; absent: it can. */
  readonly unclearable?: Unclearable;
  /** The most threads that decode for the sources of this thread; 0: none. Default: as many as there are cores. */
  readonly decodeWorkers?: number;
  /** Its source is told of a position only when `acknowledge` says so; else when its effects have left every output. */
  readonly acknowledgesLater?: boolean;
  /** After how long without a sign a connector counts as stalled. */
  readonly stallMs?: number;
  /** What earlier attempts of this run have counted: goes on from there. */
  readonly counted?: Counted;
  /** For records: of the connector, then of its pipeline. */
  readonly processors?: readonly RelayProcessor[];
  /** Left out where nobody keeps schemas. */
  readonly schemas?: SchemaAccess;
}

/** What is known of an input before it is opened. */
export interface ExpectedInput {
  readonly transport: string;
  readonly format: string | null;
}

export interface Unclearable {
  readonly table: string;
  readonly reason: string;
}

export type SourceMessage =
  /** Makes the connector, has it check its configuration and tells it of this event, before `open`. */
  | { readonly kind: 'prepare'; readonly event: LifecycleCall | null }
  /** Opens and starts reading; resolves when open has succeeded. */
  | { readonly kind: 'open' }
  /** Stops reading at a record border; resolves when nothing more will be sent. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** Reads no more; resolves when what was read has been sent, and the end behind it. */
  | { readonly kind: 'finish' }
  /** Resolves when everything that was sent (`partly`: what has been delivered by now) is settled, its position stored, and the connector told. */
  | { readonly kind: 'settle'; readonly partly?: boolean }
  /** Everything up to this position, which it has given as a replay point, is durable. */
  | { readonly kind: 'acknowledge'; readonly position: Position }
  /** A position that it has told of is stored. */
  | { readonly kind: 'stored'; readonly sequence: number }
  /** Resolves with a list of ReplayPoint, in the order of the input. */
  | { readonly kind: 'replay points' }
  /** Shows the records that pass from now on; resolves at once. */
  | InspectMessage
  /** Resolves with SourceErrors. */
  | { readonly kind: 'errors' };

/** Opened at `position`, and without its first `skipRows` rows, a source goes on behind the first `records` rows of this run. */
export interface ReplayPoint {
  readonly records: number;
  readonly position: Position | null;
  readonly skipRows: number;
}

export interface RecordedError {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Position in the connector's input, from 1, where it is known. */
  readonly record: number | null;
  readonly error: ErrorData | DecodeError;
}

export interface SourceErrors {
  /** The latest 100 of each kind. */
  readonly parseErrors: readonly RecordedError[];
  readonly transportErrors: readonly RecordedError[];
}

export type SourceNotice =
  /** Everything up to this position is delivered: it is to be stored, then `stored` comes back. One at a time. */
  | { readonly kind: 'position reached'; readonly sequence: number; readonly position: Position }
  /** Its source wants to be told what is durable. */
  | { readonly kind: 'wants acknowledgements' }
  /** It stands at another position without having sent a row. */
  | { readonly kind: 'position moved' }
  | { readonly kind: 'source said'; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
  /** What the connector is called to do from now on; null: nothing. */
  | { readonly kind: 'phase'; readonly phase: ConnectorPhase | null }
  /** Its other side has not answered for so long; null: it does again. */
  | { readonly kind: 'stalled'; readonly reason: string | null; readonly forMs: number }
  /** The teardown of a connector threw: it is over all the same. */
  | { readonly kind: 'teardown failed'; readonly error: ErrorData }
  /** Every row has been sent to the engine (not yet stepped). */
  | { readonly kind: 'source ended' }
  /** The connector has failed; the actor waits for its end. `repeats`: what it has read can be read again in the same order. */
  | { readonly kind: 'source failed'; readonly error: ErrorData; readonly repeats: boolean };
