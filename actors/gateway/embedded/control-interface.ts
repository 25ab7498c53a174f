// What the user's main thread may call on the control thread (over comlink), and what the control thread reports by
// itself. Plain data, transferred buffers, and nothing else crosses.
//
// Calls that may wait for long carry a `waitId`, by which the caller gives them up (`cancel`): a signal cannot cross.

import type { MessagePort } from 'node:worker_threads';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { LogEntry } from '../../../runtime/log.ts';
import type { MailboxLimits } from '../../../runtime/mailbox/channel.ts';
import type { QueryResult } from '../../engine/messages.ts';
import type { InspectionPoint } from '../../inspection-point.ts';
import type { PositionMark } from '../../lifecycle-journal.ts';
import type { ProcessorFiles } from '../../processor-files.ts';
import type { SchemaAccess } from '../../schema-access.ts';
import type { CheckpointImage } from '../../store/messages.ts';
import type {
  CompletionReport,
  ConnectorDeadlines,
  DeadLetterReplayStatus,
  Direction,
  GatewayChannel,
  InputConnectorStats,
  LatestDelivered,
  OutputConnectorStats,
  PipelineStats,
  PipelineStatus,
  StopReport,
  ViewKind,
} from '../../supervisor/messages.ts';

export type { CheckpointImage } from '../../store/messages.ts';

/** A connector that was added to a running pipeline (`definition`), or taken away (null). */
export interface ConnectorEdit {
  readonly direction: Direction;
  readonly endpoint: string;
  readonly name: string;
  readonly definition: unknown;
}

/** What a plugin that is a process is run with besides the user's settings: parameters of plugin_input and plugin_output. */
export interface PluginBinding {
  /** The executable. */
  readonly path: string;
  readonly [parameter: string]: unknown;
}

/** What a control thread is started with. */
export interface ControlThreadData {
  /** What will most likely be asked for; the other is loaded when it is. */
  readonly expected: 'program' | 'relay';
}

export interface OpenRequest {
  /** A pipeline file, or a definition as an object: of a program, or `{ relay: RelayDefinition }` for one without SQL. */
  readonly source: { readonly file: string } | { readonly definition: unknown; readonly baseFolder: string };
  /** What tells the pipeline from others when it is renamed. Left out: its name does. */
  readonly pipelineId?: string;
  /** The most rows that one step takes in; null: the engine's own bound. */
  readonly stepRowsMax: number | null;
  /** In the place of the `workers` of the definition. */
  readonly workers?: number;
  /** Absolute files of modules that define connectors, besides those that the definition names. */
  readonly connectorModules?: readonly string[];
  /** An input that starts after labels starts when they are done, although it is configured as paused; a pause by hand holds it. */
  readonly labelsLiftPause?: boolean;
  /** What has been changed of the definition's connectors since; at most one entry for an endpoint. */
  readonly edits?: readonly ConnectorEdit[];
  /** Variables for `${env:NAME}` besides those of the process, which they hide. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Inputs that go on where a checkpoint was taken, although the engine begins anew. */
  readonly continued?: CheckpointImage['inputs'];
  /** The same of outputs that deliver exactly once. */
  readonly continuedOutputs?: NonNullable<CheckpointImage['outputs']>;
  /** Plugins of the connectors folder, by reference as it stands in a definition without SQL. */
  readonly plugins?: Readonly<Record<string, PluginBinding>>;
  /** Modules of standalone processors, for a pipeline without SQL. */
  readonly processorFiles?: ProcessorFiles;
  /** Where dead letters are kept for a replay that go to the log alone otherwise; left out: nowhere. */
  readonly deadLetterFolder?: string;
  /**
   * What is remembered of the pipeline's connectors between runs: the other end of a port on which a LifecycleJournal is exposed
   * (`journalPort`). Without it that lasts as long as the process. Transfer it.
   */
  readonly journal?: MessagePort;
  /**
   * Whoever opens it takes checkpoints and says when they are stored (`checkpointStored`): only then sources are told that what they have
   * sent is safe. Otherwise they are when it has left every output.
   */
  readonly acknowledgesCheckpoints?: boolean;
  /** Where the schemas of records are kept, for a pipeline without SQL. */
  readonly schemas?: SchemaAccess;
  /** How long calls of connectors may take; what is left out has its default (a minute for each call, two for open). */
  readonly deadlines?: Partial<ConnectorDeadlines>;
  /** Begin from here instead of from nothing. @throws CheckpointMismatch at open when the program does not fit. */
  readonly restore?: CheckpointImage;
}

/** How rows of a relation are shown when nothing else is asked for: ORDER BY at the top of a view. */
export interface DisplayKey {
  readonly column: string;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface TableDescription {
  readonly name: string;
  readonly schema: Schema;
  /** Names of the columns of the primary key; empty: rows may repeat. */
  readonly primaryKey: readonly string[];
  readonly materialized: boolean;
}

export interface ViewDescription {
  readonly name: string;
  readonly schema: Schema;
  readonly kind: ViewKind;
  readonly displayOrder: readonly DisplayKey[];
}

export interface OpenedPipeline {
  readonly name: string;
  readonly tables: readonly TableDescription[];
  readonly views: readonly ViewDescription[];
  /** Endpoints of inputs, level by level. */
  readonly startOrder: readonly (readonly string[])[];
  readonly status: PipelineStatus;
}

export interface PushOptions {
  readonly updateFormat: 'raw' | 'insert_delete';
  /** Also into a paused pipeline. */
  readonly force: boolean;
}

export interface ListenerOptions {
  /** Wait for a slow listener, or leave out what it has no room for (a gap in the sequence numbers, counted). */
  readonly backpressure: boolean;
  /** Begin with the whole content of the relation. */
  readonly sendSnapshot: boolean;
  readonly rowsMax: number;
}

/** The changes that one step made to a relation. */
export interface StepChanges {
  readonly sequenceNumber: number;
  /** Encoded batches (wire/batch-codec), at least one. */
  readonly frames: readonly ArrayBuffer[];
}

/** At least one step, or none: the listener has come to its end. */
export interface PulledSteps {
  readonly steps: readonly StepChanges[];
  readonly droppedRecords: number;
}

export interface ControlInterface extends GatewayControl {
  open(request: OpenRequest): Promise<OpenedPipeline>;
  start(options: { readonly paused: boolean }): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  drain(waitId: number): Promise<void>;
  /** `force`: nothing is drained, and connectors are torn down at once. */
  stop(options: { readonly force: boolean; readonly timeoutMs: number }): Promise<StopReport>;

  pauseConnector(endpoint: string): Promise<void>;
  resumeConnector(endpoint: string): Promise<void>;
  addConnector(direction: Direction, key: string, definition: unknown): Promise<string>;
  removeConnector(direction: Direction, endpoint: string): Promise<void>;

  /** Of the open pipeline without SQL: where each source stands durably. */
  positions(): Promise<readonly PositionMark[]>;

  /** Of the open pipeline without SQL: dead letters are tried again. See SupervisorInterface. */
  replayDeadLetters(waitId: number): Promise<DeadLetterReplayStatus>;
  deadLetterReplay(): Promise<DeadLetterReplayStatus>;

  connectorEnded(waitId: number, direction: Direction, endpoint: string): Promise<void>;
  allCompleted(waitId: number): Promise<CompletionReport>;
  tokenCompleted(waitId: number, token: string): Promise<void>;
  cancel(waitId: number): void;

  query(waitId: number, sql: string): Promise<QueryResult>;
  push(waitId: number, table: string, rows: readonly unknown[], options: PushOptions): Promise<string>;
  openListener(relation: string, options: ListenerOptions): Promise<number>;
  pullSteps(listener: number): Promise<PulledSteps>;
  closeListener(listener: number): Promise<void>;

  /** As SupervisorInterface has it. */
  latestDelivered(waitId: number, endpoint: string): Promise<LatestDelivered | null>;

  inputStats(endpoint: string): Promise<InputConnectorStats>;
  outputStats(endpoint: string): Promise<OutputConnectorStats>;
  stats(): Promise<PipelineStats>;
}

/** The producer's end of a data channel into a table (mailbox/port-channel). The caller numbers its own marks from 1. */
export interface IngressPort {
  readonly endpoint: string;
  readonly port: MessagePort;
  /** JSON text of each column's DEFAULT, see DecoderContext. */
  readonly defaults: readonly (string | null)[];
  /** What new completion tokens of this run carry (actors/completion-token.ts). */
  readonly incarnation: string;
}

/** The consumer's end of a data channel out of a relation: a mark with the step's number behind the changes of each step. */
export interface EgressPort {
  readonly endpoint: string;
  readonly port: MessagePort;
  /** The latest step when it was attached: every later one is delivered. */
  readonly step: number;
}

/** `step` is an integer once the rows are in a step, null before; complete: every output has confirmed that step. */
export interface CompletionStatus {
  readonly complete: boolean;
  readonly step: number | null;
}

/** What a gateway that moves data itself (HTTP) needs beyond the embedded API. */
export interface GatewayControl {
  /** `endpoint` is wished, and made unique when taken. Works while paused; rows enter steps whenever they arrive. */
  openIngressPort(table: string, endpoint: string, limits: MailboxLimits): Promise<IngressPort>;
  /** As `IngressPort.defaults`, for records of which CONNECTOR_METADATA() is this JSON text. */
  defaultsWith(table: string, metadata: string): Promise<readonly (string | null)[]>;
  /** Its sender has closed, and what it has sent is taken. */
  closeIngressPort(endpoint: string): Promise<void>;
  /**
   * `everyStep`: a mark comes for steps without changes too. With `sendSnapshot` the first frames are the contents,
   * closed by a mark with `step`. Confirming marks is the caller's: until it does, tokens of those steps are not complete.
   */
  openEgressPort(
    relation: string,
    endpoint: string,
    limits: MailboxLimits,
    options: { readonly sendSnapshot: boolean; readonly everyStep: boolean },
  ): Promise<EgressPort>;
  closeEgressPort(endpoint: string): Promise<void>;
  /** Of a pipeline without SQL; see SupervisorInterface. Its end is the port's. */
  openInspection(endpoint: string, point: InspectionPoint): Promise<GatewayChannel>;
  /** Whether `addConnector` would take it once `replaced` is removed. Changes nothing. @throws PipelineInvalid */
  checkConnector(direction: Direction, key: string, definition: unknown, replaced: string): Promise<void>;
  /** @throws TokenMalformed, TokenForeign */
  completionStatus(token: string): Promise<CompletionStatus>;
  /** A token that stands for everything the connector has sent so far. */
  connectorToken(endpoint: string): Promise<string>;

  /** Everything that comes in from now on enters one step, at `commitTransaction`. @throws TransactionInProgress */
  startTransaction(): Promise<number>;
  /** Resolves when the step is under way or done. @throws NoTransactionInProgress */
  commitTransaction(): Promise<void>;

  /** Rows of `INSERT INTO …` (one statement), validated and evaluated; resolves with how many and their token. */
  insert(waitId: number, sql: string): Promise<{ readonly count: number; readonly token: string }>;

  /** NOW() is this, in milliseconds since 1970, from the next step on, unless it is later already. */
  tick(waitId: number, milliseconds: number): Promise<void>;

  /**
   * The latest checkpoint is on disk: sources that wait for that are told what it holds of them, and outputs that deliver exactly once
   * have committed it when this resolves, or have been given time to.
   */
  checkpointStored(): Promise<void>;
  /** Every operator's state, all tables, every source's position, between two steps. */
  checkpoint(waitId: number): Promise<CheckpointImage>;
  /**
   * Resolves when outputs have what they were sent before the latest checkpoint, which may be stored then, with what this resolves with.
   * @throws CheckpointHeldBack
   */
  checkpointPrepared(waitId: number): Promise<NonNullable<CheckpointImage['outputs']>>;
}

/** One way, in order with the answers. */
export type ControlReport =
  | { readonly kind: 'status'; readonly status: PipelineStatus }
  | { readonly kind: 'log'; readonly entry: LogEntry };
