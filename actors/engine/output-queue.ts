// One output of the engine: what it is sent, and what waits here because its mailbox is full.
//
// A step's changes for an output are sent whole or, with `on_full: drop`, not at all: with `block` the engine begins no
// step while an output is blocked, so at most one step's changes wait here; with `drop` a step that finds the output
// blocked is counted and lost for it, mark included. Behind the changes of a step goes a mark with its number. While an
// output is paused nothing is sent to it, and it holds nobody back.
// What waits is the queue's own: what a step was given may be written over when it is over.
// `end` may be called more than once. Not here: what is confirmed (completion.ts).
import type { OnFull } from '../../connectors/sdk/connector-configuration.ts';
import { bareBatch } from '../../runtime/batch/bare-batch.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { ownBatch } from '../../runtime/batch/own-batch.ts';
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';
import { batchBytes } from '../../runtime/mailbox/batch-bytes.ts';
import type { Frame, FrameSender } from '../../runtime/mailbox/channel.ts';

/** The most rows of one frame. */
export const frameRowsMax = 65_536;
/** So many frames are remembered before it is looked which of them are taken. */
const frameEndsMax = 1_024;

export class OutputQueue {
  readonly endpoint: string;
  readonly relation: string;
  readonly sender: FrameSender;
  /** It is told where checkpoints are taken. */
  readonly takesBarriers: boolean;
  readonly #onFull: OnFull;
  readonly #everyStep: boolean;
  readonly #withoutColumns: boolean;
  isPaused = false;
  readonly #pending: Frame[] = [];
  #sequence = 0;
  /** For each frame that was sent and may not have been taken yet: the number of its last row. */
  readonly #frameEnds: number[] = [];
  #sentRows = 0;
  #droppedRows = 0;
  #hasEnded = false;
  /** Called when something that waited has left. One listener. */
  onProgress: (() => void) | null = null;

  constructor(options: {
    readonly endpoint: string;
    readonly relation: string;
    readonly sender: FrameSender;
    readonly onFull: OnFull;
    /** A mark also for steps that changed nothing. */
    readonly everyStep?: boolean;
    /** Rows and weights alone are sent. */
    readonly withoutColumns?: boolean;
    readonly takesBarriers?: boolean;
  }) {
    this.endpoint = options.endpoint;
    this.relation = options.relation;
    this.sender = options.sender;
    this.#onFull = options.onFull;
    this.#everyStep = options.everyStep === true;
    this.#withoutColumns = options.withoutColumns === true;
    this.takesBarriers = options.takesBarriers === true;
    this.sender.onReady = () => this.#flush();
  }

  /** No step may begin. */
  get holdsSteps(): boolean {
    return this.#onFull === 'block' && !this.isPaused && this.#isFull;
  }

  /** Everything has left for the mailbox. */
  get isFlushed(): boolean {
    return this.#pending.length === 0;
  }

  get droppedRows(): number {
    return this.#droppedRows;
  }

  /** Rows that the mailbox has not taken, and the frames that they are in. */
  get queued(): { readonly rows: number; readonly batches: number; readonly bytes: number } {
    this.#forgetTaken();
    let rows = this.sender.queuedRows;
    let bytes = this.sender.queuedBytes;
    let batches = this.#frameEnds.length;
    for (const frame of this.#pending) {
      if (frame.kind !== 'batch') continue;
      rows += frame.batch.rows;
      bytes += batchBytes(frame.batch);
      batches++;
    }
    return { rows, batches, bytes };
  }

  /** Sends the changes of a step and its mark. False: dropped, or nothing to send. `marks`: also when there are none. */
  sendStep(batches: readonly ChangeBatch[], step: number, marks: boolean = this.#everyStep): boolean {
    const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
    if ((rows === 0 && !marks) || this.#hasEnded || this.isPaused) return false;
    if (this.#onFull === 'drop' && this.#isFull) {
      this.#droppedRows += rows;
      return false;
    }
    for (const each of batches) {
      const batch = this.#withoutColumns ? bareBatch(each) : each;
      for (let start = 0; start < batch.rows; start += frameRowsMax) {
        this.#sequence++;
        const part = sliceBatch(batch, start, Math.min(batch.rows, start + frameRowsMax));
        this.#send({ kind: 'batch', sequence: this.#sequence, batch: part });
      }
    }
    this.#send({ kind: 'mark', mark: step });
    return true;
  }

  /** A checkpoint is taken behind everything that was sent. False: it has been sent its end. */
  sendBarrier(checkpoint: string): boolean {
    if (this.#hasEnded) return false;
    this.#send({ kind: 'barrier', checkpoint });
    return true;
  }

  /** No further frame will come. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#send({ kind: 'end' });
  }

  get #isFull(): boolean {
    return this.#pending.length > 0 || !this.sender.hasCredit;
  }

  #send(frame: Frame): void {
    // Marks and the end carry no rows: they go at once, but never past a batch that waits.
    if (this.#pending.length === 0 && (frame.kind !== 'batch' || this.sender.hasCredit)) this.#leave(frame);
    else this.#pending.push(frame.kind === 'batch' ? { ...frame, batch: ownBatch(frame.batch) } : frame);
  }

  #leave(frame: Frame): void {
    this.sender.send(frame);
    if (frame.kind !== 'batch') return;
    this.#sentRows += frame.batch.rows;
    this.#frameEnds.push(this.#sentRows);
    if (this.#frameEnds.length >= frameEndsMax) this.#forgetTaken();
  }

  #forgetTaken(): void {
    const takenRows = this.#sentRows - this.sender.queuedRows;
    const first = this.#frameEnds.findIndex((end) => end > takenRows);
    this.#frameEnds.splice(0, first < 0 ? this.#frameEnds.length : first);
  }

  #flush(): void {
    let sent = 0;
    for (const frame of this.#pending) {
      if (frame.kind === 'batch' && !this.sender.hasCredit) break;
      this.#leave(frame);
      sent++;
    }
    this.#pending.splice(0, sent);
    this.onProgress?.();
  }
}
