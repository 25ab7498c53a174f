// One output of a relay: how far it has been sent the frames, and how far it has settled them.
//
//   frames        …settled… | …sent… | …to be sent…
//   row           settledRow  (segments)  next frame
//
// Each frame is sent as a copy of its bytes: the frame itself is kept for the case that the output fails. `attach` gives it a (new)
// channel, over which it is sent everything from the first row that it has not settled: the one frame that it had settled in part is
// cut, all others go as they are. Rows on a channel are counted by the receiver from 0; `segments` knows which rows they are. An output
// that was never told to settle rows (a gateway's) confirms marks; both say the same.
// Not here: what becomes of refused rows (dead-letters.ts).
import type { Schema } from '../../runtime/batch/schema.ts';
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';
import type { ErrorData } from '../../runtime/errors.ts';
import type { FrameSender } from '../../runtime/mailbox/channel.ts';
import { decodeBatch, encodeBatch } from '../../runtime/wire/batch-codec.ts';
import type { RetainedFrame, RetainedFrames } from './retained-frames.ts';

interface Segment {
  /** Number of its first row on the channel, and among all rows. */
  readonly channelRow: number;
  readonly startRow: number;
  readonly rows: number;
}

export interface RelayOutputOptions {
  readonly endpoint: string;
  readonly frames: RetainedFrames;
  readonly schema: Schema;
  /** It comes back when its channel is gone, and what it had not settled waits for it. */
  readonly isKept: boolean;
  /** A full queue: wait, or lose (counted). */
  readonly onFull: 'block' | 'drop';
  /** It has settled or refused something, or has room again. */
  readonly onProgress: () => void;
  /** Row `row` of all is refused; called before it counts as settled. */
  readonly onRefuse: (row: number, error: ErrorData) => void;
  /** Rows from `from` up to `to` were settled, the refused among them not counted here. */
  readonly onDelivered: (rows: number) => void;
}

export class RelayOutput {
  readonly endpoint: string;
  readonly isKept: boolean;
  readonly #options: RelayOutputOptions;
  #sender: FrameSender | null = null;
  #nextIndex: number;
  /** The first row that it has not settled, as far as it was sent any. */
  #settledRow: number;
  /** The first row of which nobody has heard yet whether it was delivered or refused. */
  #countedRow: number;
  #segments: Segment[] = [];
  #channelRows = 0;
  #marks: { readonly mark: number; readonly row: number }[] = [];
  /** A step of which frames were sent, and its mark not yet. */
  #openStep: number | null = null;
  isPaused = false;
  /** Nothing more than what is here is for it; then its end. */
  isLeaving = false;
  #hasEnded = false;
  droppedRows = 0;

  /** It begins with the frames that come from now on. */
  constructor(options: RelayOutputOptions) {
    this.endpoint = options.endpoint;
    this.isKept = options.isKept;
    this.#options = options;
    this.#nextIndex = options.frames.endIndex;
    this.#settledRow = options.frames.endRow;
    this.#countedRow = options.frames.endRow;
  }

  get isAttached(): boolean {
    return this.#sender !== null;
  }

  isOn(sender: FrameSender): boolean {
    return this.#sender === sender;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Every row before this one is settled. */
  get settledRow(): number {
    if (this.#segments.length > 0) return this.#settledRow;
    // Nothing is on its way: what stands before the next frame to be sent was settled, or was not for it.
    const { frames } = this.#options;
    return Math.max(this.#settledRow, frames.at(this.#nextIndex)?.startRow ?? frames.endRow);
  }

  /** Everything that is here has been sent. */
  get isFlushed(): boolean {
    return this.#nextIndex === this.#options.frames.endIndex;
  }

  get queuedRows(): number {
    const { frames } = this.#options;
    const unsent = frames.endRow - (frames.at(this.#nextIndex)?.startRow ?? frames.endRow);
    return unsent + (this.#sender?.queuedRows ?? 0);
  }

  /** Frames that wait here, and those that were sent and are not settled while any waits to be taken. */
  get queuedFrames(): number {
    const isTaken = (this.#sender?.queuedRows ?? 0) === 0;
    return this.#options.frames.endIndex - this.#nextIndex + (isTaken ? 0 : this.#segments.length);
  }

  /** Of what was sent. */
  get queuedBytes(): number {
    return this.#sender?.queuedBytes ?? 0;
  }

  /** Takes over a channel; what it has not settled goes over it first. */
  attach(sender: FrameSender): void {
    const { frames, onProgress } = this.#options;
    const from = this.settledRow;
    this.#sender?.close();
    this.#sender = sender;
    this.#segments = [];
    this.#marks = [];
    this.#channelRows = 0;
    this.#hasEnded = false;
    this.#openStep = null;
    this.#settledRow = from;
    sender.onReady = onProgress;
    sender.onSettle = (rows) => this.#settled(rows);
    sender.onRefuse = (row, error) => this.#refused(row, error);
    sender.onConfirm = (mark) => this.#confirmed(mark);
    this.#nextIndex = frames.endIndex;
    if (from >= frames.endRow) return;
    const { index, frame } = frames.withRow(from);
    this.#nextIndex = index;
    if (from === frame.startRow || !this.#isFor(frame)) return;
    const { batch } = decodeBatch(frame.buffer.slice(0), this.#options.schema, 'in memory');
    const rest = sliceBatch(batch, from - frame.startRow, batch.rows);
    this.#post(encodeBatch(rest, 0, 'in memory'), from, rest.rows, frame.step);
  }

  /** Its channel is gone. */
  detach(): void {
    this.#sender?.close();
    this.#sender = null;
    // What was on its way is not settled and will be sent again.
    const from = this.#settledRow;
    const { frames } = this.#options;
    if (this.#segments.length > 0) this.#nextIndex = frames.withRow(from).index;
    this.#segments = [];
    this.#marks = [];
  }

  /** Sends what it may. */
  pump(): void {
    const sender = this.#sender;
    if (sender === null || this.isPaused || this.#hasEnded) return;
    const { frames, onFull } = this.#options;
    for (let frame = frames.at(this.#nextIndex); frame !== undefined; frame = frames.at(this.#nextIndex)) {
      if (!this.#isFor(frame)) {
        this.#nextIndex++;
        this.#closeStep(frame.startRow + frame.rows);
        continue;
      }
      if (!sender.hasCredit) {
        if (onFull === 'block') return;
        this.#nextIndex++;
        this.droppedRows += frame.rows;
        this.#closeStep(frame.startRow + frame.rows);
        continue;
      }
      this.#post(frame.buffer.slice(0), frame.startRow, frame.rows, frame.step);
    }
    if (this.isLeaving) this.end();
  }

  /** Everything that is meant for it has been sent. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#sender?.send({ kind: 'end' });
  }

  /** It may have been refused before it came here, or be for another output. */
  #isFor({ refused, input }: RetainedFrame): boolean {
    const only = input?.replay?.only ?? null;
    return refused === null && (only === null || only === this.endpoint);
  }

  #post(buffer: ArrayBuffer, startRow: number, rows: number, step: number): void {
    const sender = this.#sender;
    if (sender === null) return;
    sender.sendEncoded(buffer, rows);
    // Frames before it that were not for it are none of its business.
    if (this.#segments.length === 0) this.#settledRow = Math.max(this.#settledRow, startRow);
    this.#segments.push({ channelRow: this.#channelRows, startRow, rows });
    this.#channelRows += rows;
    this.#nextIndex++;
    this.#openStep = step;
    this.#closeStep(startRow + rows);
  }

  /** A mark goes behind the last frame of a step. */
  #closeStep(row: number): void {
    const step = this.#openStep;
    if (step === null || this.#options.frames.at(this.#nextIndex)?.step === step) return;
    this.#openStep = null;
    this.#sender?.send({ kind: 'mark', mark: step });
    this.#marks.push({ mark: step, row });
  }

  #settled(channelRows: number): void {
    let row = this.#settledRow;
    for (let next = this.#segments[0]; next !== undefined; next = this.#segments[0]) {
      const settled = Math.min(channelRows - next.channelRow, next.rows);
      if (settled > 0) row = next.startRow + settled;
      if (settled < next.rows) break;
      this.#segments.shift();
    }
    this.#advance(row);
  }

  #confirmed(mark: number): void {
    let row = this.#settledRow;
    while (this.#marks[0] !== undefined && this.#marks[0].mark <= mark) row = this.#marks.shift()?.row ?? row;
    while (this.#segments[0] !== undefined && this.#segments[0].startRow + this.#segments[0].rows <= row) {
      this.#segments.shift();
    }
    this.#advance(row);
  }

  #advance(row: number): void {
    if (row <= this.#settledRow) return;
    this.#settledRow = row;
    this.#count(row);
    this.#options.onProgress();
  }

  /** Everything from the last row that was counted up to `row` has been delivered. */
  #count(row: number): void {
    if (row > this.#countedRow) this.#options.onDelivered(row - this.#countedRow);
    this.#countedRow = Math.max(this.#countedRow, row);
  }

  #refused(channelRow: number, error: ErrorData): void {
    const segment = this.#segments.find(({ channelRow: first, rows }) => channelRow < first + rows);
    if (segment === undefined || channelRow < segment.channelRow) return;
    const row = segment.startRow + channelRow - segment.channelRow;
    if (row < this.#countedRow) return;
    this.#count(row);
    this.#countedRow = row + 1;
    this.#options.onRefuse(row, error);
  }
}
