// One output of the engine and all who listen to it in one form: each step is printed once.
//
//   port ──► batches of a step ──► ChunkPrinter ──► chunk ──► window
//                                                        └──► every listener (the same buffer)
//
// Frames are taken while no listener with back-pressure is full; otherwise they stay in the port, its credit runs out and the
// engine begins no further step. A step is confirmed when its chunks have been handed to the connections of all listeners with
// back-pressure. Who holds the hub (`hold`, `release`) keeps it alive; one that somebody may come back to lingers.
import { randomUUID } from 'node:crypto';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { FrameReceiver } from '../../../runtime/mailbox/channel.ts';
import type { ApiOutput } from '../hosting/deployment.ts';
import { type Body, type ChunkPrinter, openingOf, sealBody } from './chunk-printer.ts';
import { EgressListener, type ListenerHost, type ListenerOptions } from './egress-listener.ts';
import type { EgressSink } from './egress-sink.ts';
import { type EgressChunk, EgressWindow } from './egress-window.ts';

export interface HubOptions {
  readonly format: 'json' | 'csv';
  readonly clock: Clock;
  readonly windowBytesMax: number;
  readonly lingerMs: number;
  readonly keepaliveMs: number;
  /** Called once, when nobody uses it any more or its output has ended. */
  readonly onClosed: () => void;
}

/** Steps without changes are told at most this often. */
const progressEveryMs = 20;
/** What is done before other work of the thread gets its turn. */
const turnsMax = 32;

export class EgressHub implements ListenerHost {
  readonly incarnation: string = randomUUID();
  readonly statistics: ApiOutput;
  readonly opening: string;
  readonly clock: Clock;
  readonly window: EgressWindow;
  /** Why it ended before its output did. */
  failure: unknown = null;
  readonly #options: HubOptions;
  readonly #receiver: FrameReceiver;
  readonly #printer: ChunkPrinter;
  readonly #listeners = new Set<EgressListener>();
  /** Listeners with back-pressure that something waits for; those of them that are full. */
  readonly #waiting = new Set<EgressListener>();
  readonly #full = new Set<EgressListener>();
  readonly #keepalive: Timer;
  #batches: ChangeBatch[] = [];
  /** The step that is being sent. */
  #printing: { readonly step: number; readonly bodies: Generator<Body, void>; ahead: Body } | null = null;
  #step: number;
  #confirmed: number;
  #progressAt = Number.NEGATIVE_INFINITY;
  #progressTimer: Timer | null = null;
  #users = 0;
  #lingers = false;
  #lingering: Timer | null = null;
  #isPumping = false;
  #isEnding = false;
  #isClosed = false;

  constructor(
    receiver: FrameReceiver,
    printer: ChunkPrinter,
    statistics: ApiOutput,
    attachedAt: number,
    options: HubOptions,
  ) {
    this.#receiver = receiver;
    this.#printer = printer;
    this.#options = options;
    this.statistics = statistics;
    this.opening = openingOf(options.format);
    this.clock = options.clock;
    this.window = new EgressWindow(options.windowBytesMax);
    this.#step = attachedAt;
    this.#confirmed = attachedAt;
    receiver.onFrame = () => this.#pump();
    receiver.onClose = () => this.end();
    this.#keepalive = options.clock.every(Math.max(10, options.keepaliveMs / 10), () => this.#keepAlive());
    this.#pump();
  }

  get step(): number {
    return this.#step;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** It does not close while it is held. */
  hold(): void {
    this.#users++;
    this.#lingering?.cancel();
    this.#lingering = null;
  }

  release(): void {
    this.#users--;
    if (this.#users > 0 || this.#isClosed) return;
    if (!this.#lingers) this.close();
    else this.#lingering = this.clock.after(this.#options.lingerMs, () => this.close());
  }

  /**
   * `from`: the chunk to begin with, null: what comes next, behind `skipThrough`. The caller has seen that the window has
   * it.
   */
  attach(
    sink: EgressSink,
    options: ListenerOptions,
    start: { readonly from: number | null; readonly skipThrough: number },
  ): EgressListener {
    const { from } = start;
    if (options.numbering === 'incarnation') this.#lingers = true;
    const backlog = from === null ? [] : (this.window.from(from) ?? []);
    const after = from === null ? this.window.latest : from - 1;
    // Who comes in the middle of a step begins with the next one.
    const skipThrough = from === null ? Math.max(this.#printing?.step ?? this.#step, start.skipThrough) : 0;
    const listener = new EgressListener(this, sink, options, { after, backlog, skipThrough });
    this.#listeners.add(listener);
    this.statistics.listeners = this.#listeners.size;
    this.hold();
    listener.begin();
    this.queueChanged(listener);
    return listener;
  }

  queueChanged(listener: EgressListener): void {
    if (!listener.options.backpressure || listener.isClosed) return;
    if (listener.isWaiting) this.#waiting.add(listener);
    else this.#waiting.delete(listener);
    if (listener.isFull) this.#full.add(listener);
    else if (this.#full.delete(listener) && this.#full.size === 0) this.#pump();
    this.#confirm();
  }

  closed(listener: EgressListener): void {
    if (!this.#listeners.delete(listener)) return;
    this.statistics.listeners = this.#listeners.size;
    this.#waiting.delete(listener);
    this.#full.delete(listener);
    this.#confirm();
    this.#pump();
    this.release();
  }

  /** The output is over: what has arrived is still sent, as far as nobody has to be waited for. */
  end(): void {
    this.#isEnding = true;
    this.#pump();
    this.close();
  }

  /** The stream is over: listeners get what waits for them. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#keepalive.cancel();
    this.#lingering?.cancel();
    const untold = this.#progressTimer !== null;
    this.#progressTimer?.cancel();
    for (const listener of [...this.#listeners]) {
      if (untold) listener.progress(this.#step);
      listener.finish();
    }
    this.#receiver.close();
    this.#options.onClosed();
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      for (let turn = 0; !this.#isClosed && this.#full.size === 0; turn++) {
        if (turn === turnsMax && !this.#isEnding) {
          setImmediate(() => this.#pump());
          break;
        }
        if (this.#printing !== null) this.#sendNext();
        else if (!this.#takeFrame()) break;
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isPumping = false;
    }
    this.statistics.queuedRecords = this.#receiver.queuedRows;
    this.statistics.queuedBytes = this.#receiver.queuedBytes;
  }

  /** A frame that cannot be read: nobody may take what follows for the whole. */
  #fail(error: unknown): void {
    this.failure = error;
    for (const listener of [...this.#listeners]) listener.destroy();
    this.close();
  }

  /** False: there is none. */
  #takeFrame(): boolean {
    const frame = this.#receiver.take();
    if (frame === null) return false;
    switch (frame.kind) {
      case 'batch':
        this.#batches.push(frame.batch);
        break;
      case 'mark':
        this.#beginStep(frame.mark);
        break;
      case 'end':
        this.close();
    }
    return true;
  }

  #beginStep(step: number): void {
    const batches = this.#batches;
    this.#batches = [];
    const refused = this.#printer.refusedRows;
    const bodies = this.#printer.print(batches);
    const first = bodies.next();
    this.statistics.droppedRecords += this.#printer.refusedRows - refused;
    if (first.done === true) this.#endStep(step, true);
    else this.#printing = { step, bodies, ahead: first.value };
  }

  #sendNext(): void {
    const printing = this.#printing;
    if (printing === null) return;
    const { step, ahead, bodies } = printing;
    const refused = this.#printer.refusedRows;
    const next = bodies.next();
    this.statistics.droppedRecords += this.#printer.refusedRows - refused;
    const endsStep = next.done === true;
    if (next.done === true) this.#printing = null;
    else printing.ahead = next.value;
    const data = sealBody(ahead, this.#options.format, endsStep ? step : null);
    const chunk: EgressChunk = { sequence: this.window.latest + 1, step, endsStep, records: ahead.records, data };
    this.window.add(chunk);
    if (endsStep) this.#step = step;
    for (const listener of this.#listeners) listener.offer(chunk);
    if (endsStep) this.#endStep(step, false);
  }

  #endStep(step: number, quiet: boolean): void {
    this.#step = step;
    if (quiet) this.#tellProgress();
    this.#confirm();
  }

  /** Steps without changes: the first is told at once, those that follow soon after are told together. */
  #tellProgress(): void {
    if (this.#progressTimer !== null) return;
    const wait = this.#progressAt + progressEveryMs - this.clock.monotonic();
    if (wait > 0) {
      this.#progressTimer = this.clock.after(wait, () => {
        this.#progressTimer = null;
        this.#progressAt = this.clock.monotonic();
        for (const listener of this.#listeners) listener.progress(this.#step);
      });
      return;
    }
    this.#progressAt = this.clock.monotonic();
    for (const listener of this.#listeners) listener.progress(this.#step);
  }

  #confirm(): void {
    let delivered = this.#step;
    for (const listener of this.#waiting) delivered = Math.min(delivered, listener.deliveredStep);
    if (delivered <= this.#confirmed || this.#isClosed) return;
    this.#confirmed = delivered;
    this.#receiver.confirm(delivered);
  }

  #keepAlive(): void {
    const now = this.clock.monotonic();
    for (const listener of this.#listeners) listener.keepAlive(now, this.#options.keepaliveMs);
  }
}
