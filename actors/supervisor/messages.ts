// What the supervisor can be asked, and what it tells: the public face of the actor that owns the dependency graph and
// every lifecycle transition. Gateways (embedded API, HTTP, command line) know this file and nothing else of it.
//
// Everything here is plain data (it survives a structured clone) except the interface itself, which lives on the
// supervisor's own thread. Connectors are named by endpoint, `relation.name`.
import type { MessagePort } from 'node:worker_threads';
import type { CheckpointNote } from '../../connectors/sdk/destination.ts';
import type { Position } from '../../connectors/sdk/source.ts';
import type { ErrorData } from '../../runtime/errors.ts';
import type { MailboxLimits } from '../../runtime/mailbox/channel.ts';
import type { BoundQuery, OutputProgress, QueryResult, ViewDefinition, WorkerShare } from '../engine/messages.ts';
import type { InspectionPoint } from '../inspection-point.ts';
import type { PositionMark } from '../lifecycle-journal.ts';
import type { RecordedError } from '../source/messages.ts';
import type { AwaitedCall } from './awaited-call.ts';
import type { ConnectorHealth } from './connector-health.ts';
import type { ConnectorState } from './connector-lifecycle.ts';
import type { PipelineState } from './pipeline-lifecycle.ts';

export type { AwaitedCall } from './awaited-call.ts';
export type { ConnectorDeadlines } from './connector-deadlines.ts';
export type { ConnectorHealth } from './connector-health.ts';
export type { ConnectorState } from './connector-lifecycle.ts';
export type { PipelineState } from './pipeline-lifecycle.ts';
export type {
  CompileProgram,
  PipelineDefinition,
  ValidatedPipeline,
  ValidatePipeline,
  ValidationOptions,
} from './validate-pipeline.ts';

export type Direction = 'input' | 'output';

/** One connector as it is now. */
export interface ConnectorStatus {
  readonly direction: Direction;
  readonly endpoint: string;
  readonly relation: string;
  readonly name: string;
  readonly state: ConnectorState;
  /** The labels whose connectors have not all finished; empty unless it is waiting. */
  readonly waitingFor: readonly string[];
  /** The user's own pause, whatever the state: it stays across pausing and resuming the pipeline. */
  readonly paused: boolean;
  /** It waits for a connector that has failed, and will not start unless it is resumed by hand. */
  readonly stuck: boolean;
  readonly error: ErrorData | null;
  /** How many times it has been opened again after a failure that might pass. */
  readonly restarts: number;
  /** Why it has last failed, also when it runs again; null: it has not. */
  readonly lastFailure: ConnectorFailure | null;
  /** Whether it answers; see ConnectorDeadlines.stallMs. */
  readonly health: ConnectorHealth;
  /** What is waited for from it just now, and until when; null: nothing. */
  readonly awaited: AwaitedCall | null;
}

export interface ConnectorFailure {
  readonly error: ErrorData;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export interface PipelineStatus {
  readonly state: PipelineState;
  readonly error: ErrorData | null;
  /** Inputs, then outputs, in the order of the configuration. */
  readonly connectors: readonly ConnectorStatus[];
}

/** Counters of an input connector beside its status. */
export interface InputConnectorStats extends ConnectorStatus {
  /** Rows that have been read, the refused ones not among them. */
  readonly totalRecords: number;
  readonly totalBytes: number;
  /** Rows that have entered steps. */
  readonly takenRecords: number;
  /** Rows that are read but not yet taken by a step. */
  readonly bufferedRecords: number;
  readonly bufferedBytes: number;
  readonly numParseErrors: number;
  readonly numUnknownFields: number;
  readonly numTransportErrors: number;
  /** Left out of what those were shown who looked at its records. */
  readonly inspectorDroppedRecords: number;
  /** The end of the input is reached and the step with its last row is computed. */
  readonly endOfInput: boolean;
  /** What the queue before the engine may hold. */
  readonly maxQueuedRecords: number;
  readonly maxQueuedBytes: number;
  /** Milliseconds spent waiting for what comes after it. */
  readonly throttledMs: number;
  /** Size of the whole input where it is known, for progress. */
  readonly bytesTotal: number | null;
  readonly recordsTotal: number | null;
  /** The latest 100. */
  readonly parseErrors: readonly RecordedError[];
  readonly transportErrors: readonly RecordedError[];
}

/** Counters of an output connector beside its status. */
export interface OutputConnectorStats extends ConnectorStatus {
  readonly transmittedRecords: number;
  readonly transmittedBytes: number;
  /** Made by steps, not yet taken. */
  readonly queuedRecords: number;
  readonly queuedBatches: number;
  readonly queuedBytes: number;
  /** What its queue may hold. */
  readonly maxQueuedRecords: number;
  readonly maxQueuedBytes: number;
  /** In the output buffer. */
  readonly bufferedRecords: number;
  readonly bufferedBatches: number;
  readonly bufferedBytes: number;
  /** The latest step that it has confirmed, and the rows that were taken in up to it. */
  readonly completedStep: number;
  readonly completedRecords: number;
  readonly numEncodeErrors: number;
  readonly numTransportErrors: number;
  /** Left out of what those were shown who looked at its records. */
  readonly inspectorDroppedRecords: number;
  /** Lost to `on_full: drop`. */
  readonly droppedRecords: number;
  readonly encodeErrors: readonly RecordedError[];
  readonly transportErrors: readonly RecordedError[];
}

export interface EngineStats {
  readonly steps: number;
  readonly completedStep: number;
  readonly processedRecords: number;
  readonly completedRecords: number;
  /** For how long steps have been waiting for an output that is full; 0: they are not. */
  readonly heldMs: number;
  readonly stepMs: number;
  readonly stateRows: number;
  readonly stateBytes: number;
  readonly numEvaluationErrors: number;
  /** Without SQL: null. */
  readonly sharing: WorkerShare | null;
}

export interface PipelineStats {
  readonly state: PipelineState;
  readonly incarnation: string;
  readonly uptimeMs: number;
  /** Worker threads and who is placed on them; the decoding pool's threads are not among them. */
  readonly threads: readonly { readonly name: string; readonly actors: readonly string[] }[];
  readonly memory: { readonly rssBytes: number; readonly heapBytes: number; readonly arrayBuffersBytes: number };
  readonly engine: EngineStats | null;
  /** Without error lists: ask for a connector's own. */
  readonly inputs: readonly InputConnectorStats[];
  readonly outputs: readonly OutputConnectorStats[];
  /** Inputs of the engine that gateways feed and that are open. */
  readonly gatewayInputs: readonly GatewayInputStats[];
  /** Outputs of the engine that gateways read. */
  readonly gatewayOutputs: readonly OutputProgress[];
  readonly transaction: TransactionStatus | null;
  /** A source waits to hear that what it has sent is in a checkpoint that is stored, or an output that delivers exactly once for one. */
  readonly awaitsCheckpoint: boolean;
  /** How often sources have moved on without a row, of which no step tells. */
  readonly positionMoves: number;
}

/** What a pipeline can go on from: see checkpoint(). */
export interface CheckpointState {
  /** Of the program that it fits. */
  readonly fingerprint: string;
  readonly steps: number;
  readonly processedRecords: number;
  readonly parts: readonly { readonly name: string; readonly bytes: ArrayBuffer }[];
  readonly inputs: readonly InputCheckpoint[];
  /** Of connectors that deliver exactly once; left out: there was none, or Millrace was older. */
  readonly outputs?: readonly OutputCheckpoint[];
}

/** An output that was prepared for a checkpoint, and what it knows that by. */
export interface OutputCheckpoint {
  readonly endpoint: string;
  readonly checkpoint: string;
  /** What it has to know besides, in its own words. */
  readonly note?: CheckpointNote;
}

export interface InputCheckpoint {
  readonly endpoint: string;
  /** See replay-position.ts. */
  readonly position: Position | null;
  readonly ended: boolean;
  /** By the user. */
  readonly paused: boolean;
}

export interface GatewayInputStats {
  readonly endpoint: string;
  /** Rows that have entered steps, and rows that wait for one. */
  readonly takenRecords: number;
  readonly queuedRecords: number;
}

export interface TransactionStatus {
  /** Counted from 1. */
  readonly id: number;
  readonly status: 'started' | 'committing';
}

/** `step` is an integer once the rows are in a step, null before; complete: every output has confirmed that step. */
export interface TokenStatus {
  readonly complete: boolean;
  readonly step: number | null;
}

/** A data channel into or out of the engine that a gateway holds an end of. */
export interface GatewayChannel {
  readonly endpoint: string;
  readonly port: MessagePort;
}

export interface IngressChannel extends GatewayChannel {
  /** JSON text of each column's DEFAULT, see DecoderContext. */
  readonly defaults: readonly (string | null)[];
  readonly incarnation: string;
}

/** What awaiting everything comes to: connectors that did not make it. Both empty: all went well. */
export interface CompletionReport {
  readonly failed: readonly string[];
  readonly stuck: readonly string[];
}

/** How a stop went: connectors that did not come back from a call and were let go of. */
export interface StopReport {
  readonly detached: readonly {
    readonly endpoint: string;
    readonly direction: Direction;
    /** The call: configure, onCreated, onUpdated, open, read, write, flush, stop, teardown. */
    readonly phase: string;
  }[];
}

/** How the latest replay of dead letters goes, or went. */
export interface DeadLetterReplayStatus {
  readonly state: 'none' | 'running' | 'done' | 'failed';
  /** Letters that were delivered, or refused again. */
  readonly replayed: number;
  /** Lines of the file that hold no dead letter, and were passed over. */
  readonly unreadable: number;
  readonly error: ErrorData | null;
}

/** The latest records of an input, on their way from the source to every output. */
export interface LatestDelivered {
  readonly records: number;
  readonly milliseconds: number;
}

export interface SupervisorInterface {
  readonly status: PipelineStatus;
  /** Called after every change of `status`. */
  onStatus: (() => void) | null;

  /** Engine and outputs are open; inputs run, or are held with `paused`. */
  start(options: { readonly paused: boolean }): Promise<void>;
  /** Resolves when no further row of any input will enter a step. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Inputs read no more; resolves when what they have read is flushed by every output. Queries still work; `stop` is next. */
  drain(signal: AbortSignal): Promise<void>;
  /** Idempotent. Without `force` what has been read reaches the outputs first. */
  stop(options: { readonly force: boolean; readonly timeoutMs: number }): Promise<StopReport>;

  pauseConnector(endpoint: string): Promise<void>;
  resumeConnector(endpoint: string): Promise<void>;
  /** The whole definition with one connector more; validated as a whole. */
  addConnector(direction: Direction, key: string, definition: unknown): Promise<string>;
  removeConnector(direction: Direction, endpoint: string): Promise<void>;

  /**
   * Without SQL: dead letters that are in the file of the queue now are tried again, in their order; resolves when each is delivered or
   * has been refused again. @throws DeadLettersNotKept, ReplayUnderWay
   */
  replayDeadLetters(signal: AbortSignal): Promise<DeadLetterReplayStatus>;
  /** Of the latest replay. */
  readonly deadLetterReplay: DeadLetterReplayStatus;

  /** Without SQL: where each source stands durably, by connector. */
  readonly positions: readonly PositionMark[];

  /** Resolves when the connector has ended; rejects when it has failed. */
  connectorEnded(direction: Direction, endpoint: string, signal: AbortSignal): Promise<void>;
  /** Every input is over and everything that was read has been confirmed by every output. */
  allCompleted(signal: AbortSignal): Promise<CompletionReport>;
  /** Resolves once the pipeline is running. */
  whenRunning(signal: AbortSignal): Promise<void>;

  /** Text is compiled here. */
  query(sql: string | BoundQuery, signal: AbortSignal): Promise<QueryResult>;
  inputStats(endpoint: string): Promise<InputConnectorStats>;
  outputStats(endpoint: string): Promise<OutputConnectorStats>;
  stats(): Promise<PipelineStats>;

  /** An input of the engine that the gateway feeds. It carries no label and never ends. */
  openIngress(table: string, limits: MailboxLimits): Promise<GatewayChannel>;
  /** Numbers the next push of an ingress; the mark to send behind its rows, and the token for it. */
  nextMark(endpoint: string): { readonly mark: number; readonly token: string };
  /** Resolves when what the token stands for has reached the outputs. */
  tokenCompleted(token: string, signal: AbortSignal): Promise<void>;
  /** An output of the engine that the gateway reads. */
  openEgress(relation: string, limits: MailboxLimits, sendSnapshot: boolean): Promise<GatewayChannel>;
  closeEgress(endpoint: string): Promise<void>;
  /**
   * Records without SQL that pass a connector or a processor beside it, as frames of the limits of `inspectionLimits`: what there is no
   * room for is left out. The port closes with the actor of the connector; before there is one it waits.
   */
  openInspection(endpoint: string, point: InspectionPoint): Promise<GatewayChannel>;

  /** An ingress of this name, or one like it; its marks are numbered by the one who feeds it, from 1. */
  openIngressPort(table: string, endpoint: string, limits: MailboxLimits): Promise<IngressChannel>;
  /** Its sender has closed; resolves when what was sent is taken. Tokens of it stay known. */
  closeIngressPort(endpoint: string): Promise<void>;
  /** `step`: the latest one; every later one is sent. A mark closes the snapshot. */
  openEgressPort(
    relation: string,
    endpoint: string,
    limits: MailboxLimits,
    options: { readonly sendSnapshot: boolean; readonly everyStep: boolean },
  ): Promise<GatewayChannel & { readonly step: number }>;
  /** @throws TokenMalformed, TokenForeign */
  tokenStatus(token: string): TokenStatus;
  /** A token for everything that an input connector has sent so far. @throws ConnectorUnknown */
  connectorToken(endpoint: string): Promise<string>;
  /**
   * Waits until the latest records of an input have reached the outputs (without outputs: the views). Resolves with how many records it
   * had sent by then and the milliseconds since the latest of them were sent; null when it has sent nothing. @throws ConnectorUnknown
   */
  latestDelivered(endpoint: string, signal: AbortSignal): Promise<LatestDelivered | null>;
  /** All state between two steps, and where every input goes on. @throws TransactionInProgress, CheckpointHeldBack */
  checkpoint(signal: AbortSignal): Promise<CheckpointState>;
  /**
   * Resolves when outputs have what they were sent before the latest checkpoint, and with those that are to be told when it is stored: it may
   * be stored now, with them. @throws CheckpointHeldBack
   */
  checkpointPrepared(signal: AbortSignal): Promise<readonly OutputCheckpoint[]>;
  /** What `checkpoint` has answered with last is on disk: sources are told, and outputs that deliver exactly once. */
  checkpointStored(): Promise<void>;
  /** @throws TransactionInProgress */
  startTransaction(): Promise<number>;
  /** The step is taken or, while an output holds steps, under way. @throws NoTransactionInProgress */
  commitTransaction(): Promise<void>;
}

/** Tables and views for a gateway. */
export type ViewKind = ViewDefinition['kind'];
