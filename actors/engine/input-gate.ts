// One input of the engine: the frames that wait for a step, and whether they may enter it.
//
// A batch that is larger than what a step may take of this input is cut; what is left of it waits here, in front of the
// mailbox, so that holding the input in the middle of a batch loses nothing. Credit goes back to the sender when a batch
// is taken out of the mailbox, cut or not. Memory that is lent belongs to the last part of its batch. Not here: which input's turn it is (step-scheduler.ts).
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';
import type { Frame, FrameReceiver } from '../../runtime/mailbox/channel.ts';

/** Every row that the table holds goes. Counts as one row. */
export interface ClearFrame {
  readonly kind: 'clear';
}

export class InputGate {
  readonly endpoint: string;
  readonly table: string;
  readonly receiver: FrameReceiver;
  /** The most rows of this input that one step takes. */
  readonly rowsMax: number;
  /** No row of a held input enters a step. */
  isHeld: boolean;
  /** The end frame has been taken. */
  hasEnded = false;
  /** Rows that have entered steps. */
  takenRows: number;
  /** A notice tells of them. */
  readonly tellsRecords: boolean;
  #rest: Extract<Frame, { kind: 'batch' }> | null = null;

  constructor(options: {
    readonly endpoint: string;
    readonly table: string;
    readonly receiver: FrameReceiver;
    readonly rowsMax: number;
    readonly isHeld: boolean;
    readonly tellsRecords?: boolean;
    readonly takenRows?: number;
  }) {
    this.endpoint = options.endpoint;
    this.table = options.table;
    this.receiver = options.receiver;
    this.rowsMax = options.rowsMax;
    this.isHeld = options.isHeld;
    this.tellsRecords = options.tellsRecords === true;
    this.takenRows = options.takenRows ?? 0;
  }

  get isEmpty(): boolean {
    return this.#rest === null && this.receiver.isEmpty;
  }

  /** Something waits and may be taken. */
  get isReady(): boolean {
    return !this.isHeld && !this.isEmpty;
  }

  get queuedRows(): number {
    return (this.#rest?.batch.rows ?? 0) + this.receiver.queuedRows;
  }

  /** What comes next, without taking it. */
  peek(): ReturnType<FrameReceiver['peek']> {
    return this.#rest !== null ? 'batch' : this.receiver.peek();
  }

  /** Rows of the batch that comes next. */
  get peekRows(): number {
    return this.#rest?.batch.rows ?? this.receiver.peekRows;
  }

  /** Takes the next frame; of a batch at most `rows` rows. */
  take(rows: number): Frame | ClearFrame | null {
    if (this.peek() === 'clear') {
      this.receiver.takeEncoded();
      return { kind: 'clear' };
    }
    const rest = this.#rest;
    this.#rest = null;
    const frame = rest ?? this.receiver.take();
    if (frame?.kind === 'end') this.hasEnded = true;
    if (frame?.kind !== 'batch' || frame.batch.rows <= rows) return frame;
    this.#rest = { ...frame, batch: sliceBatch(frame.batch, rows, frame.batch.rows) };
    return { kind: 'batch', sequence: frame.sequence, batch: sliceBatch(frame.batch, 0, rows) };
  }
}
