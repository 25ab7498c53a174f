// A listener over HTTP: an async iterable over the changes of a relation that outlives its connections.
//
// It attaches at once. After a cut it waits (back-off), then continues by sequence number; where the server cannot continue
// (409) it takes a snapshot and says so with an item whose `reset` is set. It ends when the pipeline has been stopped.
// One reader: calls of `next` are answered in order. Reading slowly slows the pipeline (or loses chunks, `backpressure: false`).
import { BackOff, type RetryOptions, sleep } from './back-off.ts';
import { ClientError } from './client-error.ts';
import { type EgressMessage, readMessage } from './egress-message.ts';
import type { NumberForms } from './exact-json.ts';
import type { HttpTransport, OpenStream, Query, SignalLink } from './http-transport.ts';
import { LineSplitter } from './line-splitter.ts';

export interface ListenOptions extends NumberForms {
  /** Default true: a listener that does not read slows the pipeline. False: chunks are dropped, see `missed`. */
  readonly backpressure?: boolean | undefined;
  /** Begin with the whole content of the relation, which has to be materialized. Default false. */
  readonly sendSnapshot?: boolean | undefined;
  /** What to do when changes are lost and no snapshot can be had: `fail` (default) or `continue` with what comes next. */
  readonly onLoss?: 'fail' | 'continue' | undefined;
  /** Default: 60 attempts in a row, at most 10 s apart. */
  readonly retry?: RetryOptions | undefined;
  /** A connection on which nothing arrives for so long is given up; the server sends something every 3 s. Default 15 s. */
  readonly silenceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called when the connection comes and goes. */
  readonly onConnection?: ((state: ConnectionState) => void) | undefined;
}

/** `reason` is the failure that the listener recovers from. */
export type ConnectionState =
  | { readonly state: 'connected'; readonly incarnation: string }
  | { readonly state: 'reconnecting'; readonly attempt: number; readonly reason: ClientError };

/** Why what was known so far is void: asked for, or the server's reason for not continuing. */
export type ResetReason = 'requested' | 'incarnation_changed' | 'sequence_expired';

export interface Changes<Row> {
  /** Of the server's stream; continues across connections. */
  readonly sequenceNumber: number;
  readonly rows: readonly Row[];
  /** 1: the row has come; -1: it has gone. */
  readonly weights: readonly number[];
  /** These rows are contents, not changes. */
  readonly snapshot: boolean;
  /** Set on an item without rows: forget everything. A snapshot follows, or (`snapshot` false) changes were lost. */
  readonly reset: ResetReason | null;
  /** True on the item, without rows, that ends a snapshot. */
  readonly snapshotEnd: boolean;
  /** Set on the item that ends a step: every step up to this one has been told. */
  readonly processedSteps: number | null;
  /** Chunks lost before this one, with `backpressure: false`. */
  readonly missed: number;
}

const attemptsMax = 60;
const silenceMsDefault = 15_000;

export interface ListenTarget {
  readonly transport: HttpTransport;
  readonly relation: string;
  /** The pipeline was stopped on purpose: nothing more will come. */
  isStopped(signal: AbortSignal): Promise<boolean>;
}

export class ChangeListener<Row> implements AsyncIterableIterator<Changes<Row>> {
  /** Resolves once changes are being kept for this listener. */
  readonly ready: Promise<void>;
  readonly #target: ListenTarget;
  readonly #options: ListenOptions;
  readonly #everyItem: boolean;
  readonly #link: SignalLink;
  readonly #waits: BackOff;
  readonly #waiting: Changes<Row>[] = [];
  readonly #attached = resolvers();
  #stream: { readonly open: OpenStream; readonly lines: LineSplitter; isFirst: boolean } | null = null;
  #incarnation: string | null = null;
  #sequence = 0;
  #isAttached = false;
  /** A snapshot that has been asked for and is not complete, or `lost`: to be told with the next connection. */
  #pending: { readonly reason: ResetReason; readonly snapshot: boolean } | null;
  #hasEnded = false;
  #failure: { readonly error: unknown } | null = null;
  #last: Promise<unknown>;

  /** `everyItem`: items without rows too, where they end a step. */
  constructor(target: ListenTarget, options: ListenOptions, everyItem = false) {
    this.#target = target;
    this.#options = options;
    this.#everyItem = everyItem;
    this.#link = target.transport.link(undefined, options.signal);
    this.#waits = new BackOff(options.retry ?? {}, attemptsMax);
    this.#pending = options.sendSnapshot === true ? { reason: 'requested', snapshot: true } : null;
    this.ready = this.#attached.promise;
    this.ready.catch(() => {});
    // The first message is waited for at once; what fails is told by the first `next`.
    this.#last = this.#receive().catch((error: unknown) => this.#fail(error));
  }

  next(): Promise<IteratorResult<Changes<Row>, undefined>> {
    const result = this.#last.then(
      () => this.#next(),
      () => this.#next(),
    );
    this.#last = result;
    return result;
  }

  async return(): Promise<IteratorResult<Changes<Row>, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  /** Stops listening. What has not been read is dropped. Idempotent. */
  close(): Promise<void> {
    this.#waiting.length = 0;
    this.#failure = null;
    this.#end(new ClientError({ code: 'client.closed', message: 'the listener has been closed' }));
    return Promise.resolve();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #next(): Promise<IteratorResult<Changes<Row>, undefined>> {
    try {
      while (this.#waiting.length === 0 && !this.#hasEnded) await this.#receive();
    } catch (error) {
      this.#fail(error);
    }
    const item = this.#waiting.shift();
    if (item !== undefined) return { done: false, value: item };
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure.error;
    return { done: true, value: undefined };
  }

  #fail(error: unknown): void {
    if (this.#hasEnded) return;
    this.#failure = { error };
    this.#end(error);
  }

  #end(reason: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#link.abort(reason);
    this.#link.dispose();
    this.#stream?.open.end(asError(reason));
    this.#stream = null;
    this.#attached.reject(reason);
  }

  /** One read, or one attempt to connect with the wait before it. */
  async #receive(): Promise<void> {
    if (this.#hasEnded) return;
    try {
      this.#stream ??= { open: await this.#connect(), lines: new LineSplitter(), isFirst: true };
      const stream = this.#stream;
      const { done, value } = await this.#read(stream.open);
      if (done) return await this.#streamEnded();
      for (const line of stream.lines.push(value ?? new Uint8Array())) {
        this.#take(readMessage(line, this.#options), stream);
      }
    } catch (error) {
      if (this.#hasEnded) return;
      this.#stream?.open.end(asError(error));
      this.#stream = null;
      if (this.#link.signal.aborted || !(error instanceof ClientError)) throw error;
      if (error.status === 409 && this.#isAttached) this.#loseChanges(error);
      else await this.#recover(error);
    }
  }

  #connect(): Promise<OpenStream> {
    const { backpressure = true } = this.#options;
    const query: Query =
      this.#isAttached && this.#pending === null
        ? { from: this.#sequence + 1, incarnation: this.#incarnation ?? undefined }
        : { from: 'latest', send_snapshot: this.#pending?.snapshot === true ? true : undefined };
    const path = `/egress/${encodeURIComponent(this.#target.relation)}`;
    return this.#target.transport.stream(path, { format: 'json', backpressure, ...query }, this.#link.signal);
  }

  async #read(open: OpenStream): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> {
    const ms = this.#options.silenceMs ?? silenceMsDefault;
    const silent = new ClientError({
      code: 'client.silent',
      message: `nothing has come for ${ms} ms`,
      retryable: true,
    });
    const timer = setTimeout(() => open.end(silent), ms);
    try {
      return await open.reader.read();
    } finally {
      clearTimeout(timer);
    }
  }

  #take(message: EgressMessage<Row>, stream: { isFirst: boolean }): void {
    if (stream.isFirst) {
      stream.isFirst = false;
      this.#attach(message);
    }
    const { sequenceNumber, snapshot, snapshotEnd, rows, weights, processedSteps } = message;
    let missed = 0;
    if (!snapshot) {
      // Told before the cut already.
      if (rows.length > 0 && sequenceNumber <= this.#sequence && this.#pending === null) return;
      if (rows.length > 0) missed = Math.max(0, sequenceNumber - this.#sequence - 1);
      this.#sequence = sequenceNumber;
    }
    if (snapshotEnd) {
      this.#pending = null;
      this.#sequence = sequenceNumber;
    }
    if (rows.length > 0 || snapshotEnd || (this.#everyItem && processedSteps !== null)) {
      this.#waiting.push({ sequenceNumber, rows, weights, snapshot, reset: null, snapshotEnd, processedSteps, missed });
    }
  }

  /** The first message of a connection. */
  #attach(message: EgressMessage<Row>): void {
    this.#waits.succeeded();
    this.#incarnation = message.incarnation ?? this.#incarnation;
    this.#options.onConnection?.({ state: 'connected', incarnation: this.#incarnation ?? '' });
    // The number that a new stream begins behind: nothing between it and the last one of another stream was missed.
    if (!this.#isAttached || this.#pending !== null) this.#sequence = message.sequenceNumber - message.ownNumber;
    this.#isAttached = true;
    this.#attached.resolve();
    const pending = this.#pending;
    if (pending === null) return;
    this.#waiting.push({
      sequenceNumber: message.sequenceNumber,
      rows: [],
      weights: [],
      snapshot: pending.snapshot,
      reset: pending.reason,
      snapshotEnd: false,
      processedSteps: null,
      missed: 0,
    });
    if (!pending.snapshot) this.#pending = null;
  }

  /** The server cannot continue: a snapshot is next, where the relation has one. */
  #loseChanges(error: ClientError): void {
    const { snapshot = null } = typeof error.details === 'object' ? { snapshot: null, ...error.details } : {};
    const reason: ResetReason = error.code === 'EgressSequenceExpired' ? 'sequence_expired' : 'incarnation_changed';
    if (snapshot === null && this.#options.onLoss !== 'continue') {
      throw new ClientError({
        code: 'client.changes_lost',
        message: `changes of '${this.#target.relation}' are lost and it is not materialized, so no snapshot can be taken: ${error.message}`,
        status: 409,
        details: error.details,
        cause: error,
      });
    }
    this.#pending = { reason, snapshot: snapshot !== null };
  }

  /** A stream that the server has ended: the pipeline has stopped, or the server goes down and comes again. */
  async #streamEnded(): Promise<void> {
    const ended = new ClientError({
      code: 'client.network',
      message: 'the server has ended the stream',
      retryable: true,
    });
    this.#stream?.open.end(ended);
    this.#stream = null;
    await this.#recover(ended);
  }

  async #recover(error: ClientError): Promise<void> {
    if (!error.retryable) throw error;
    if (this.#isAttached && (await this.#isStopped())) {
      return this.#end(new ClientError({ code: 'client.closed', message: 'the pipeline has stopped' }));
    }
    const wait = this.#waits.next();
    if (wait === null) {
      throw new ClientError({
        code: 'client.gave_up',
        message: `given up after ${this.#waits.attempts} attempts: ${error.message}`,
        status: error.status,
        retryable: true,
        cause: error,
      });
    }
    this.#options.onConnection?.({ state: 'reconnecting', attempt: this.#waits.attempts, reason: error });
    await sleep(wait, this.#link.signal);
  }

  async #isStopped(): Promise<boolean> {
    try {
      return await this.#target.isStopped(this.#link.signal);
    } catch (error) {
      this.#link.signal.throwIfAborted();
      if (error instanceof ClientError && error.retryable) return false;
      throw error;
    }
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** Promise.withResolvers came after Node 20. */
function resolvers(): { promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void } {
  let settle: { resolve: () => void; reject: (reason: unknown) => void } | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, resolve: () => settle?.resolve(), reject: (reason) => settle?.reject(reason) };
}
