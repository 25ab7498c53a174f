// Everything the engine actor can be told, and what it tells its supervisor.
// Changes come and go on the ports; this is the control lane.
import type { MessagePort } from 'node:worker_threads';
import type { OnError, OnFull } from '../../connectors/sdk/connector-configuration.ts';
import type { Schema } from '../../runtime/batch/schema.ts';
import type { ErrorData } from '../../runtime/errors.ts';
import type { MailboxLimits } from '../../runtime/mailbox/channel.ts';
import type { BoundProgram, BoundQuery } from './sql/bound.ts';

export interface EngineArguments {
  readonly program: BoundProgram;
  readonly onError: OnError;
  /** The most rows that one step takes in over all inputs (step-budget.ts chooses below it). Default 1 048 576. */
  readonly stepRowsMax: number;
  /** Threads that compute the circuit, the engine's own among them. Default 1. */
  readonly workers?: number;
  /** Go on where this was taken; null: from nothing. */
  readonly restore: EngineImage | null;
}

/** The engine's part of a checkpoint. */
export interface EngineImage {
  readonly steps: number;
  readonly processedRecords: number;
  /** The circuit's state, see circuit/circuit.ts. Transferred. */
  readonly parts: readonly ArrayBuffer[];
}

/** An image, and what had entered steps when it was taken. */
export interface EngineCheckpoint extends EngineImage {
  /** Outputs that take barriers: one is on its way to each, but to those that were sent their end. */
  readonly barriers: readonly { readonly endpoint: string; readonly hasEnded: boolean }[];
  /** Inputs of this run, those that are gone among them: rows that have entered steps, whether the end has been reached. */
  readonly inputs: readonly { readonly endpoint: string; readonly takenRecords: number; readonly ended: boolean }[];
}

/** Which way records go that are taken out of a dead-letter queue again. */
export interface ReplayRoute {
  /** Id of the connector that they come from. */
  readonly source: string;
  /** The output that has refused them; null: they were refused on their way to all outputs. */
  readonly only: string | null;
}

export type EngineMessage =
  /** Consumer end of a data channel. Input starts held when `held`. */
  | {
      readonly kind: 'attach input';
      readonly endpoint: string;
      readonly table: string;
      readonly port: MessagePort;
      readonly limits: MailboxLimits;
      readonly batchRowsMax: number | null;
      readonly held: boolean;
      /** A notice tells how many of its rows have entered steps. */
      readonly tellsRecords?: boolean;
      /** Rows that have entered steps before it was attached again: counted on from there. */
      readonly takenRecords?: number;
      /** Without SQL: its records are dead letters of that source, for one output or (null) for all. */
      readonly replay?: ReplayRoute;
    }
  /** Resolves when nothing of it is left in the mailbox or, with `discard`, at once. */
  | { readonly kind: 'detach input'; readonly endpoint: string; readonly discard: boolean }
  /** No further row of it enters a step; resolves between two steps. */
  | { readonly kind: 'hold input'; readonly endpoint: string }
  | { readonly kind: 'release input'; readonly endpoint: string }
  /**
   * Producer end of a data channel: the changes of `relation` from the next step on, each step closed by a mark.
   * Resolves with OutputAttached.
   */
  | {
      readonly kind: 'attach output';
      readonly endpoint: string;
      readonly relation: string;
      readonly port: MessagePort;
      readonly limits: MailboxLimits;
      readonly onFull: OnFull;
      readonly sendSnapshot: boolean;
      /** A mark closes the snapshot also when it is empty. */
      readonly closesSnapshot?: boolean;
      /** A mark comes for steps that changed nothing, too. */
      readonly everyStep?: boolean;
      /** It looks at rows and weights alone: the channel is one of batches without columns. */
      readonly withoutColumns?: boolean;
      /** It is told by a barrier behind which of its rows a checkpoint is taken. */
      readonly takesBarriers?: boolean;
      /**
       * Without SQL: what it has not settled is kept when its channel is gone, and comes first when one is attached under the same
       * name. `detach output` ends that.
       */
      readonly keepsUnsettled?: boolean;
    }
  /** From now on changes are discarded instead of sent; what was sent before stays. */
  | { readonly kind: 'pause output'; readonly endpoint: string }
  | { readonly kind: 'resume output'; readonly endpoint: string }
  /** Sends an end frame, then forgets the output. Without SQL: once it has settled everything or, with `abandon`, at once. */
  | { readonly kind: 'detach output'; readonly endpoint: string; readonly abandon?: boolean }
  /** SELECT over materialized relations between two steps. Resolves with QueryResult. */
  | { readonly kind: 'query'; readonly query: BoundQuery }
  /** Resolves with EngineProgress. */
  | { readonly kind: 'progress' }
  /** What comes in waits from now on. Resolves with the number of the transaction. @throws TransactionInProgress */
  | { readonly kind: 'start transaction' }
  /**
   * One step with everything that has waited: computed when this resolves or, while an output holds steps, as soon as
   * possible. @throws NoTransactionInProgress
   */
  | { readonly kind: 'commit transaction' }
  /** All state between two steps; barriers carry its name. Resolves with EngineCheckpoint. @throws TransactionInProgress */
  | { readonly kind: 'checkpoint'; readonly checkpoint: string }
  /** Ends: every queued row that is not held is stepped, outputs get an end frame; resolves then. */
  | { readonly kind: 'drain' };

/** Encoded batches (wire/batch-codec), at least one, in display order. */
export interface QueryResult {
  readonly schema: Schema;
  readonly frames: readonly ArrayBuffer[];
}

export interface EngineProgress {
  readonly steps: number;
  /** Rows taken in by steps, and rows whose effects every output has confirmed. */
  readonly processedRecords: number;
  readonly completedRecords: number;
  /** The latest step whose effects every output has confirmed. */
  readonly completedStep: number;
  /** Milliseconds for which steps have been waiting for an output that is full; absent or 0: they are not. */
  readonly heldMs?: number;
  /** Without SQL: absent. */
  readonly sharing?: WorkerShare;
  /** Outputs that are attached. */
  readonly outputs?: readonly OutputProgress[];
  /** Inputs that are attached: rows that have entered steps, and rows that wait for one. */
  readonly inputs?: readonly {
    readonly endpoint: string;
    readonly takenRecords: number;
    readonly queuedRecords: number;
  }[];
}

/** How many threads compute the circuit, and what of it one of them computes alone. */
export interface WorkerShare {
  readonly asked: number;
  readonly workers: number;
  /** A line for each: place, view, reason. */
  readonly alone: readonly string[];
}

export interface OutputProgress {
  readonly endpoint: string;
  /** Rows that `on_full: drop` has cost. */
  readonly droppedRecords: number;
  /** Rows that steps have made for it and that it has not taken yet, and the frames that they are in. */
  readonly queuedRecords: number;
  readonly queuedBatches: number;
  readonly queuedBytes: number;
  /** The latest step whose effects it has confirmed, with all before it, and the rows that were taken in up to there. */
  readonly completedStep: number;
  readonly completedRecords: number;
}

/** The latest step when an output was attached: it is sent every later one. */
export interface OutputAttached {
  readonly step: number;
}

export type EngineNotice =
  /** The end of this input has been reached and the step with its last row is computed. */
  | { readonly kind: 'input finished'; readonly endpoint: string; readonly step: number }
  /** The mark of an input has entered `step`, which has been computed. */
  | { readonly kind: 'mark stepped'; readonly endpoint: string; readonly mark: number; readonly step: number }
  /** So many rows of an input have entered steps so far, the latest of them `step`. */
  | { readonly kind: 'records stepped'; readonly endpoint: string; readonly records: number; readonly step: number }
  | { readonly kind: 'transaction committed'; readonly id: number; readonly step: number }
  /** Every output has confirmed everything up to this step. */
  | { readonly kind: 'step completed'; readonly step: number }
  | { readonly kind: 'evaluation failed'; readonly error: ErrorData }
  /** Without SQL: more records were refused than the dead-letter queue may take. Nothing more is taken in. */
  | { readonly kind: 'refused too often'; readonly error: ErrorData };

export type {
  BoundProgram,
  BoundQuery,
  DeclaredConnectors,
  SortKey,
  TableDefinition,
  ViewDefinition,
} from './sql/bound.ts';
