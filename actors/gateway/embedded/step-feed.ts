// The control thread's end of one listener: takes batches from the engine, keeps steps until the main thread pulls them.
//
//   engine ── batches, a mark behind each step ──► feed (bounded) ──► pull(): encoded frames, transferred
//
// Steps are numbered from 0; one that changed nothing is left out and has no number. Full: with back-pressure the feed
// takes no more, so that the engine waits; without, whole steps are dropped, counted, and seen as a gap in the numbers.
// A mark is confirmed when the feed has it: `completed` does not wait for the user to look at the rows.
import { assert } from '../../../runtime/assert.ts';
import type { FrameReceiver } from '../../../runtime/mailbox/channel.ts';
import { encodeBatch } from '../../../runtime/wire/batch-codec.ts';
import type { PulledSteps, StepChanges } from './control-interface.ts';

/** What one pull brings at most, so that a main thread that comes late is not flooded. */
const pullBytesMax = 16 * 1024 * 1024;

interface QueuedStep extends StepChanges {
  readonly rows: number;
  readonly bytes: number;
}

interface PendingPull {
  readonly resolve: (pulled: PulledSteps) => void;
  readonly reject: (error: unknown) => void;
}

export class StepFeed {
  readonly #receiver: FrameReceiver;
  readonly #options: { readonly backpressure: boolean; readonly rowsMax: number };
  readonly #queue: QueuedStep[] = [];
  #queuedRows = 0;
  #frames: ArrayBuffer[] = [];
  #rows = 0;
  #sequenceNumber = 0;
  #droppedRecords = 0;
  #hasEnded = false;
  #error: unknown = null;
  #pull: PendingPull | null = null;

  constructor(receiver: FrameReceiver, options: { readonly backpressure: boolean; readonly rowsMax: number }) {
    this.#receiver = receiver;
    this.#options = options;
    receiver.onFrame = () => this.#take();
    receiver.onClose = () => {
      this.#take();
      this.#hasEnded = true;
      this.#answer();
    };
    this.#take();
  }

  /** Resolves with what has come, as soon as there is any; with no steps at the end. One pull at a time. */
  pull(): Promise<PulledSteps> {
    return new Promise((resolve, reject) => {
      assert(this.#pull === null, 'a listener pulls one at a time');
      this.#pull = { resolve, reject };
      this.#answer();
      this.#take();
    });
  }

  /** Ends it with an error, after what has come before. */
  fail(error: unknown): void {
    this.#error ??= error;
    this.#hasEnded = true;
    this.#answer();
  }

  close(): void {
    this.#hasEnded = true;
    this.#queue.length = 0;
    this.#receiver.close();
    this.#answer();
  }

  #take(): void {
    while (!this.#hasEnded && !this.#receiver.isEmpty) {
      if (this.#options.backpressure && this.#isFull) return;
      const frame = this.#receiver.take();
      if (frame === null) return;
      if (frame.kind === 'batch') {
        this.#frames.push(encodeBatch(frame.batch));
        this.#rows += frame.batch.rows;
      } else if (frame.kind === 'mark') {
        this.#endStep();
        this.#receiver.confirm(frame.mark);
      } else if (frame.kind === 'end') {
        this.#endStep();
        this.#hasEnded = true;
      }
      this.#answer();
    }
  }

  get #isFull(): boolean {
    return this.#queuedRows >= this.#options.rowsMax;
  }

  #endStep(): void {
    const frames = this.#frames;
    const rows = this.#rows;
    if (frames.length === 0) return;
    this.#frames = [];
    this.#rows = 0;
    const sequenceNumber = this.#sequenceNumber++;
    // With back-pressure a feed that is full is not taken into: then this is the step that filled it.
    if (!this.#options.backpressure && this.#isFull) {
      this.#droppedRecords += rows;
      return;
    }
    const bytes = frames.reduce((sum, frame) => sum + frame.byteLength, 0);
    this.#queue.push({ sequenceNumber, frames, rows, bytes });
    this.#queuedRows += rows;
  }

  #answer(): void {
    const pull = this.#pull;
    if (pull === null) return;
    const steps: StepChanges[] = [];
    let bytes = 0;
    for (let next = this.#queue[0]; next !== undefined && bytes < pullBytesMax; next = this.#queue[0]) {
      this.#queue.shift();
      this.#queuedRows -= next.rows;
      bytes += next.bytes;
      steps.push({ sequenceNumber: next.sequenceNumber, frames: next.frames });
    }
    if (steps.length === 0 && !this.#hasEnded) return;
    this.#pull = null;
    if (steps.length === 0 && this.#error !== null) pull.reject(this.#error);
    else pull.resolve({ steps, droppedRecords: this.#droppedRecords });
  }
}
