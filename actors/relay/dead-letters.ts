// The dead-letter queue of a relay: refused records on their way to the destination that keeps them.
//
// A refusal is settled when the dead letter is: until then the row holds back what comes behind it. The destination of dead letters is
// an output like any other, with frames of its own; when it fails it comes back and gets what it had not settled. When more are
// refused than the window allows, the row stays unsettled for ever and `onOver` is called, once. So it is when a dead letter is refused.
import { recordAt, recordBatchOf, recordSchema } from '../../connectors/sdk/record-batch.ts';
import { exactData } from '../../connectors/sdk/record-bytes.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { type ErrorData, errorFromData, type MillraceError } from '../../runtime/errors.ts';
import { decodeBatch, encodeBatch } from '../../runtime/wire/batch-codec.ts';
import { deadLetterRecord } from './dead-letter-record.ts';
import { DeadLetterWindow } from './dead-letter-window.ts';
import { DeadLetterRefused, RefusedTooOften } from './relay-errors.ts';
import { RelayOutput } from './relay-output.ts';
import { type RetainedFrame, RetainedFrames } from './retained-frames.ts';

export interface DeadLetterOptions {
  readonly endpoint: string;
  readonly windowSize: number;
  readonly windowNackThreshold: number;
  readonly now: () => number;
  readonly onProgress: () => void;
  readonly onOver: (error: MillraceError) => void;
}

interface Pending {
  /** Number of the refused row, and of its dead letter. */
  readonly row: number;
  readonly letter: number;
}

export class DeadLetters {
  readonly output: RelayOutput;
  readonly #options: DeadLetterOptions;
  readonly #window: DeadLetterWindow;
  readonly #frames = new RetainedFrames();
  #pending: Pending[] = [];
  #decoded: { readonly frame: RetainedFrame; readonly batch: ChangeBatch } | null = null;
  #isOver = false;

  constructor(options: DeadLetterOptions) {
    this.#options = options;
    this.#window = new DeadLetterWindow(options);
    this.output = new RelayOutput({
      endpoint: options.endpoint,
      frames: this.#frames,
      schema: recordSchema,
      isKept: true,
      onFull: 'block',
      onProgress: options.onProgress,
      onDelivered: () => {},
      onRefuse: (_, error) =>
        this.#over(new DeadLetterRefused({ connector: options.endpoint }, { cause: errorFromData(error) })),
    });
  }

  /** The first row that waits for its dead letter; null: none does. */
  get firstRow(): number | null {
    let first: number | null = null;
    for (const { row } of this.#pending) if (first === null || row < first) first = row;
    return first;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Dead letters on their way. */
  get rows(): number {
    return this.#pending.length;
  }

  delivered(rows: number): void {
    this.#window.delivered(rows);
  }

  /** Row `row` of all, which stands in `frame`, is refused by `node`. */
  refuse(row: number, frame: RetainedFrame, node: string, error: ErrorData): void {
    const replay = frame.input?.replay ?? null;
    // What is refused again goes back to where it was: it is no new result.
    const mayWrite = !this.#isOver && (replay !== null || this.#window.refused());
    if (!mayWrite) {
      this.#pending.push({ row, letter: Number.POSITIVE_INFINITY });
      const { windowSize: size, windowNackThreshold: threshold } = this.#options;
      this.#over(new RefusedTooOften({ node, size, threshold }, { cause: errorFromData(error) }));
      return;
    }
    const batch = this.#batchOf(frame);
    const record = recordAt(batch, row - frame.startRow);
    const exact = exactData(batch, row - frame.startRow);
    const source = replay?.source ?? frame.input?.endpoint ?? '';
    const letter = deadLetterRecord({ record, exact, source, node, reason: error.message }, this.#options.now());
    const buffer = encodeBatch(recordBatchOf([letter]), 0, 'in memory');
    const { startRow } = this.#frames.push({
      input: null,
      buffer,
      rows: 1,
      step: this.#frames.endIndex + 1,
      refused: null,
    });
    this.#pending.push({ row, letter: startRow });
  }

  /** Sends what it may, and lets go of what has been kept. */
  pump(): void {
    this.output.pump();
    const settled = this.output.settledRow;
    this.#frames.settle(settled);
    if (this.#pending.length > 0) this.#pending = this.#pending.filter(({ letter }) => letter >= settled);
  }

  #over(error: MillraceError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onOver(error);
  }

  #batchOf(frame: RetainedFrame): ChangeBatch {
    if (this.#decoded?.frame !== frame) {
      this.#decoded = { frame, batch: decodeBatch(frame.buffer, recordSchema, 'in memory').batch };
    }
    return this.#decoded.batch;
  }
}
