// One listener of a hub: the numbers it is told, what waits for it, and where it begins.
//
//   snapshot ──► settling ──► live
//
// A listener that asked for a snapshot is sent the contents as of a step S; what the hub sends meanwhile waits in its queue, and
// what belongs to steps up to S is left out. It is `settling` until the hub has passed S. With back-pressure the queue
// is a bound that holds the hub back; without, a chunk that finds the queue full is dropped and counted, and uses up its number.
// At most one message about steps without changes waits. The hub drives it; the sink tells when it may go on.
import type { Clock } from '../../../runtime/clock.ts';
import type { ApiOutput } from '../hosting/deployment.ts';
import type { EgressSink } from './egress-sink.ts';
import type { EgressChunk } from './egress-window.ts';

/** What a listener tells its hub. */
export interface ListenerHost {
  readonly incarnation: string;
  readonly statistics: ApiOutput;
  readonly opening: string;
  readonly clock: Clock;
  /** The latest step that the hub has sent as a whole. */
  readonly step: number;
  /** The queue of this listener has changed. */
  queueChanged(listener: EgressListener): void;
  closed(listener: EgressListener): void;
}

export interface ListenerOptions {
  readonly backpressure: boolean;
  /** `connection`: messages are counted from 0. `incarnation`: numbers are those of the chunks. */
  readonly numbering: 'connection' | 'incarnation';
  /** Escaped, for the first chunk with data; '' for none. */
  readonly header: string;
  readonly snapshot: boolean;
  /** Messages that tell something but have no rows carry an empty list of them. */
  readonly emptyData: boolean;
  /** Told first (SSE): what the client knows is void. */
  readonly reset: string | null;
}

/** Chunks that wait for a listener with back-pressure before it holds the hub back, and their bytes. */
const heldChunksMax = 16;
const heldBytesMax = 1024 * 1024;
/** Chunks that wait for a listener without back-pressure before chunks are dropped, and their bytes. */
const waitingChunksMax = 100;
const waitingBytesMax = 16 * 1024 * 1024;
const finishDeadlineMs = 10_000;

export class EgressListener {
  readonly options: ListenerOptions;
  readonly #host: ListenerHost;
  readonly #sink: EgressSink;
  #state: 'snapshot' | 'settling' | 'live';
  #queue: EgressChunk[] = [];
  #queuedBytes = 0;
  /** Chunks that were there before it came (from=): never dropped. */
  #backlog = 0;
  /** Chunks of steps up to here are not for it. */
  #skipThrough: number;
  #snapshotStep = 0;
  /** The next number with `connection`; the number of the latest chunk with `incarnation`. */
  #number: number;
  #header: string;
  #pendingStep: number | null = null;
  #writtenAt: number;
  #isFinishing = false;
  #isClosed = false;
  #waiters: (() => void)[] = [];
  #resolveOver: () => void = () => {};
  /** Resolves when the connection is over. */
  readonly over: Promise<void> = new Promise((resolve) => {
    this.#resolveOver = resolve;
  });

  /** `after` is the chunk that it continues behind, `backlog` what comes then; steps up to `skipThrough` are left out. */
  constructor(
    host: ListenerHost,
    sink: EgressSink,
    options: ListenerOptions,
    start: { readonly after: number; readonly backlog: readonly EgressChunk[]; readonly skipThrough: number },
  ) {
    this.options = options;
    this.#host = host;
    this.#sink = sink;
    this.#state = options.snapshot ? 'snapshot' : 'live';
    this.#number = options.numbering === 'connection' ? 0 : start.after;
    this.#skipThrough = start.skipThrough;
    this.#header = options.header;
    this.#writtenAt = host.clock.monotonic();
    sink.onReady = () => this.#flush();
    sink.onClose = () => this.close();
    if (options.reset !== null) sink.writeReset(options.reset);
    this.#writeText(`"incarnation":${JSON.stringify(host.incarnation)}`);
    for (const chunk of start.backlog) this.#push(chunk);
    this.#backlog = start.backlog.length;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isWaiting(): boolean {
    return this.#queue.length > 0;
  }

  /** It holds the hub back. */
  get isFull(): boolean {
    return this.options.backpressure && (this.#queue.length >= heldChunksMax || this.#queuedBytes >= heldBytesMax);
  }

  /** Everything up to this step has been handed to the connection, as far as the hub has sent it. */
  get deliveredStep(): number {
    return (this.#queue[0]?.step ?? this.#host.step + 1) - 1;
  }

  /** Sends what its queue holds already. */
  begin(): void {
    this.#flush();
  }

  offer(chunk: EgressChunk): void {
    if (this.#isClosed) return;
    if (chunk.step <= this.#skipThrough) {
      if (this.options.numbering === 'incarnation') this.#number = chunk.sequence;
    } else if (this.#state === 'live' && this.#queue.length === 0 && this.#sink.isReady) {
      this.#send(chunk);
      return;
    } else if (this.#isOverfull) {
      this.#drop(chunk);
      return;
    } else {
      this.#push(chunk);
      this.#host.queueChanged(this);
    }
    if (this.#state === 'settling') this.#settle(chunk.endsStep ? chunk.step : chunk.step - 1);
  }

  /** Steps up to this one are over. */
  progress(step: number): void {
    if (this.#isClosed) return;
    if (this.#state === 'settling') this.#settle(step);
    if (step <= this.#skipThrough) return;
    this.#pendingStep = step;
    if (this.#queue.length === 0) this.#flush();
  }

  /** Rows of the contents; wait for `whenReady` first. */
  sendContents(data: Buffer, records: number): void {
    this.#writeData(data, records, true);
  }

  /** The contents as of `step` have been sent. */
  endContents(step: number): void {
    if (this.#isClosed) return;
    this.#snapshotStep = step;
    this.#skipThrough = Math.max(this.#skipThrough, step);
    this.#state = 'settling';
    const kept = this.#queue.filter((chunk) => chunk.step > this.#skipThrough);
    const left = this.#queue[this.#queue.length - kept.length - 1];
    if (left !== undefined && this.options.numbering === 'incarnation') this.#number = left.sequence;
    this.#queue = kept;
    this.#queuedBytes = kept.reduce((sum, chunk) => sum + chunk.data.length, 0);
    this.#settle(kept.length > 0 ? step : this.#host.step);
    this.#host.queueChanged(this);
  }

  /** Resolves when the sink takes more, or is over. */
  whenReady(): Promise<void> {
    if (this.#isClosed || this.#sink.isReady) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Says that it is still there, after `silenceMs` without a word. */
  keepAlive(now: number, silenceMs: number): void {
    if (this.#isClosed || now - this.#writtenAt < silenceMs || this.#queue.length > 0 || !this.#sink.isReady) return;
    this.#writeText('');
  }

  /** The stream has come to its end: what waits is sent, then the connection is closed. */
  finish(): void {
    if (this.#isFinishing || this.#isClosed) return;
    this.#isFinishing = true;
    this.#host.clock.after(finishDeadlineMs, () => this.destroy());
    this.#flush();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#sink.destroy();
    this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#release();
    this.#host.closed(this);
    this.#resolveOver();
  }

  get #isOverfull(): boolean {
    if (this.options.backpressure) return false;
    return this.#queue.length - this.#backlog >= waitingChunksMax || this.#queuedBytes >= waitingBytesMax;
  }

  #push(chunk: EgressChunk): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.data.length;
  }

  #drop(chunk: EgressChunk): void {
    this.#host.statistics.droppedRecords += chunk.records;
    if (this.options.numbering === 'connection') this.#number++;
    // Steps go on for it, although it has not seen all of them.
    if (chunk.endsStep) this.#pendingStep = chunk.step;
  }

  /** The hub is through with `step`. */
  #settle(step: number): void {
    if (step < this.#snapshotStep) return;
    this.#state = 'live';
    this.#writeText(`"snapshot_end":true,"processed_steps":${this.#snapshotStep}`);
    this.#flush();
  }

  #flush(): void {
    if (this.#isClosed) return;
    if (this.#state !== 'live') {
      this.#release();
      if (this.#isFinishing) this.#sink.end();
      return;
    }
    let sent = 0;
    while (sent < this.#queue.length && this.#sink.isReady) {
      const chunk = this.#queue[sent++];
      if (chunk !== undefined) this.#send(chunk);
    }
    if (sent > 0) {
      for (let i = 0; i < sent; i++) this.#queuedBytes -= this.#queue[i]?.data.length ?? 0;
      this.#queue.splice(0, sent);
      this.#backlog = Math.max(0, this.#backlog - sent);
      this.#host.queueChanged(this);
    }
    if (this.#queue.length > 0) return;
    if (this.#pendingStep !== null && this.#sink.isReady) {
      const step = this.#pendingStep;
      this.#pendingStep = null;
      this.#writeText(`"processed_steps":${step}`);
    }
    if (this.#isFinishing) this.#sink.end();
  }

  #release(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  #send(chunk: EgressChunk): void {
    if (this.options.numbering === 'incarnation') this.#number = chunk.sequence;
    if (chunk.endsStep) this.#pendingStep = null;
    this.#writeData(chunk.data, chunk.records, false);
  }

  #writeData(data: Buffer, records: number, snapshot: boolean): void {
    const { statistics, opening, clock } = this.#host;
    const head = `{"sequence_number":${this.#numberOf(snapshot)},"snapshot":${snapshot},${opening}${this.#header}`;
    this.#header = '';
    this.#sink.writeChunk(head, data, this.#id(snapshot));
    this.#writtenAt = clock.monotonic();
    statistics.transmittedRecords += records;
    statistics.transmittedBytes += data.length;
  }

  /** A message without data. */
  #writeText(members: string): void {
    const snapshot = this.#state !== 'live';
    const empty = this.options.emptyData && members !== '' ? ',"json_data":[]' : '';
    const rest = members === '' ? '' : `,${members}`;
    const text = `{"sequence_number":${this.#numberOf(snapshot)},"snapshot":${snapshot}${empty}${rest}}`;
    this.#sink.writeText(text, this.#id(snapshot));
    this.#writtenAt = this.#host.clock.monotonic();
  }

  /** During a snapshot there is no number to continue behind. */
  #numberOf(unnumbered: boolean): number {
    if (this.options.numbering === 'connection') return this.#number++;
    return unnumbered ? 0 : this.#number;
  }

  #id(unnumbered: boolean): string | null {
    return unnumbered || this.options.numbering === 'connection' ? null : `${this.#host.incarnation}:${this.#number}`;
  }
}
