// One request's body on its way into the table: read, decoded chunk by chunk, held back, brought to its end.
//
//   reading ──chunk──► decoded at once while the table has credit and the pipeline runs
//      │               else parked: the socket is not read until the endpoint calls `retry`
//      └──end──► rest decoded ──► (atomic, blocks: everything is sent now) ──► flush ──► token, or the problem with the token
//
// Good rows stay whatever becomes of the rest, and the reply says how many there are; only an atomic request sends nothing
// before all of it is known to be good. After a failure the rest of the body is read and dropped, so that the client gets
// to see the reply. At most one chunk is parked (two at the end of a decompressed stream). Used once.
import type { Readable } from 'node:stream';
import type { DecodeReport } from '../../../connectors/sdk/format.ts';
import type { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { sliceBatch } from '../../../runtime/batch/slice-batch.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { RawExchange } from '../hosting/deployment.ts';
import { decodeBlockBody } from './block-body.ts';
import { BodyCutter, recordTooLarge } from './body-cutter.ts';
import { plainBody } from './body-decompression.ts';
import { terminating } from './endpoint-roster.ts';
import { type Decoding, type Flushed, freshReport, type IngressEndpoint, type Waiting } from './ingress-endpoint.ts';
import type { IngressRequest } from './ingress-request.ts';
import { brokenOff, cannotDecompress, clientGone, waitedTooLong } from './intake-problems.ts';
import { ParseErrors } from './parse-errors.ts';

export interface IntakeLimits {
  /** A record longer than this is refused. */
  readonly recordBytesMax: number;
  /** A request that has to be known as a whole (atomic, parquet) and is longer, unpacked, is refused. */
  readonly collectedBytesMax: number;
}

export const intakeLimits: IntakeLimits = { recordBytesMax: 64 << 20, collectedBytesMax: 64 << 20 };

/** The most rows of one batch; a multiple of 8, so that slices of validity bitmaps are views. */
const batchRowsMax = 65_536;
const noBytes: Uint8Array = new Uint8Array(0);

export class BodyIntake implements Flushed, Waiting {
  readonly #endpoint: IngressEndpoint;
  readonly #request: IngressRequest;
  readonly #exchange: RawExchange;
  readonly #limits: IntakeLimits;
  readonly #decoding: Decoding | null;
  readonly #clock: Clock;
  #resolve: (token: string) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #body: Readable | null = null;
  #cutter: BodyCutter | null = null;
  /** The whole body in one chunk, when the client has said how long it is. */
  #wholeLength = -1;
  #received = 0;
  /** Atomic: rows of this request only. */
  #own: BatchBuilder | null = null;
  /** Block formats: the body. */
  #collected: Uint8Array[] | null = null;
  /** Rows that are decoded and may be sent; null while the body is read. */
  #pending: ChangeBatch[] | null = null;
  readonly #parked: Uint8Array[] = [];
  #isWaiting = false;
  #timer: Timer | null = null;
  #hasEnded = false;
  #isDone = false;
  #records = 0;
  #rows = 0;
  #errors: ParseErrors | null = null;
  /** Nothing more of the body can be read, but it is read to its end. */
  #isFatal = false;
  /** What the reply will be instead of a success. */
  #problem: ((token: string) => unknown) | null = null;
  readonly #giveUp = (): void => this.#abandon();

  constructor(
    endpoint: IngressEndpoint,
    request: IngressRequest,
    exchange: RawExchange,
    clock: Clock,
    limits: IntakeLimits,
    decoding: Decoding | null,
  ) {
    this.#endpoint = endpoint;
    this.#request = request;
    this.#exchange = exchange;
    this.#clock = clock;
    this.#limits = limits;
    this.#decoding = decoding;
  }

  /** Resolves with the token of what the request has brought. @throws HttpProblem */
  run(): Promise<string> {
    const { request } = this.#exchange;
    const body = plainBody(request);
    this.#body = body;
    if (body === request) {
      const length = request.headers['content-length'];
      if (length !== undefined) this.#wholeLength = Number(length);
    }
    if (this.#endpoint.format.kind === 'block') this.#collected = [];
    else if (this.#request.atomic) this.#own = this.#endpoint.newBuilder();
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      body.on('data', (chunk: Uint8Array) => this.#data(chunk));
      body.on('end', () => this.#end());
      body.on('error', (error) => this.#broken(error));
      body.on('close', () => {
        if (!this.#hasEnded) this.#broken(new Error('the body ended before it was complete'));
      });
    });
  }

  retry(): void {
    if (this.#isDone) return;
    if (this.#isOver()) this.failed(terminating());
    else if (!this.#mayTake()) this.#endpoint.wait(this);
    else {
      this.#stopWaiting();
      if (this.#pending !== null) this.#sendPending();
      else this.#unpark();
    }
  }

  flushed(token: string): void {
    if (this.#isDone) return;
    this.#settle();
    if (this.#problem !== null) this.#reject(this.#problem(token));
    else if (this.#errors !== null) this.#reject(this.#errors.problem(token, this.#rows));
    else this.#resolve(token);
  }

  failed(error: unknown): void {
    if (this.#isDone) return;
    this.#settle();
    this.#reject(error);
  }

  #data(chunk: Uint8Array): void {
    if (this.#isDone || this.#isFatal || this.#problem !== null) return;
    if (this.#isWaiting || (this.#isStreamed && !this.#mayTake())) {
      this.#parked.push(chunk);
      this.#body?.pause();
      this.#startWaiting();
      return;
    }
    this.#take(chunk);
  }

  /** Rows go to the engine while the body is read. */
  get #isStreamed(): boolean {
    return this.#own === null && this.#collected === null;
  }

  #take(chunk: Uint8Array): void {
    if (this.#isFatal) return;
    try {
      const isWhole = this.#received === 0 && chunk.length === this.#wholeLength;
      this.#received += chunk.length;
      if (!this.#isStreamed && this.#received > this.#limits.collectedBytesMax) {
        throw recordTooLarge(this.#limits.collectedBytesMax);
      }
      if (this.#collected !== null) this.#collected.push(chunk);
      else if (isWhole) {
        if (!this.#isNothing(chunk)) this.#decode(chunk, true, noBytes);
        this.#end();
      } else {
        this.#cutter ??= new BodyCutter(this.#endpoint.splitter(), this.#limits.recordBytesMax);
        const run = this.#cutter.cut(chunk);
        if (run.length > 0) this.#decodeRun(this.#cutter, run);
      }
    } catch (thrown) {
      this.#stopAt(() => thrown);
    }
  }

  /** Clients that serialise "no rows" as JSON send `null`. */
  #isNothing(chunk: Uint8Array): boolean {
    const isNull = chunk[0] === 0x6e && chunk[1] === 0x75 && chunk[2] === 0x6c && chunk[3] === 0x6c;
    return chunk.length === 4 && isNull && this.#endpoint.format.name === 'json';
  }

  #decodeRun(cutter: BodyCutter, run: Uint8Array): void {
    this.#decode(run, cutter.first, cutter.prologue);
    cutter.first = false;
  }

  #decode(bytes: Uint8Array, first: boolean, prologue: Uint8Array): void {
    const endpoint = this.#endpoint;
    const report = endpoint.decode(bytes, first, prologue, this.#own, this.#decoding?.decoder);
    this.#rows += endpoint.decodedRows;
    if (report.numParseErrors > 0 || report.fatal !== null) this.#note(report);
    this.#records += report.records;
  }

  #note(report: DecodeReport): void {
    this.#errors ??= new ParseErrors();
    if (report.numParseErrors > 0) this.#errors.add(report, this.#records);
    if (report.fatal === null) return;
    this.#errors.addFatal(report.fatal, this.#records);
    this.#isFatal = true;
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (!this.#isDone && this.#parked.length === 0) this.#finish();
  }

  #finish(): void {
    if (this.#problem !== null) return;
    if (this.#collected !== null) {
      this.#decodeBlocks(this.#collected).catch((error: unknown) => this.failed(error));
      return;
    }
    const cutter = this.#cutter;
    if (cutter !== null && !this.#isFatal) {
      const rest = cutter.end();
      if (rest.length > 0) this.#decodeRun(cutter, rest);
    }
    if (this.#own === null) this.#endpoint.finish(this);
    else this.#sendWhole(this.#own.rows === 0 ? [] : [this.#own.finish()]);
  }

  async #decodeBlocks(chunks: readonly Uint8Array[]): Promise<void> {
    const { format } = this.#endpoint;
    const { context } = this.#decoding ?? this.#endpoint;
    const report = freshReport();
    const { configuration } = this.#request;
    const { signal } = this.#exchange;
    const batches =
      this.#received === 0
        ? []
        : await decodeBlockBody(chunks, format, configuration, context, report, batchRowsMax, signal);
    this.#endpoint.count(this.#received, 0, report);
    if (report.numParseErrors > 0 || report.fatal !== null) this.#note(report);
    this.#sendWhole(batches);
  }

  #sendWhole(batches: readonly ChangeBatch[]): void {
    if (this.#isDone) return;
    if (this.#request.atomic && this.#errors !== null) {
      this.failed(this.#errors.problem(null, 0));
      return;
    }
    this.#rows = 0;
    this.#pending = [];
    for (const batch of batches) {
      for (let start = 0; start < batch.rows; start += batchRowsMax) {
        this.#pending.push(sliceBatch(batch, start, Math.min(batch.rows, start + batchRowsMax)));
      }
    }
    this.#sendPending();
  }

  #sendPending(): void {
    const pending = this.#pending ?? [];
    // What is all or nothing does not stop half-way: once it has begun, only credit holds it back, and no time-out.
    for (let batch = pending[0]; batch !== undefined; batch = pending[0]) {
      if (!this.#mayTake()) {
        this.#startWaiting();
        return;
      }
      pending.shift();
      this.#rows += batch.rows;
      this.#endpoint.sendBatch(batch);
    }
    this.#endpoint.finish(this);
  }

  #unpark(): void {
    while (this.#parked.length > 0 && !this.#isDone && this.#problem === null) {
      if (!this.#mayTake()) {
        this.#startWaiting();
        return;
      }
      const chunk = this.#parked.shift();
      if (chunk !== undefined) this.#take(chunk);
    }
    if (this.#isDone || this.#problem !== null) return;
    if (this.#hasEnded) this.#finish();
    else this.#body?.resume();
  }

  get #hasBegunWhole(): boolean {
    return this.#pending !== null && this.#rows > 0;
  }

  #mayTake(): boolean {
    if (!this.#endpoint.hasCredit) return false;
    return this.#request.force || this.#hasBegunWhole || this.#exchange.deployment.status.state === 'running';
  }

  #isOver(): boolean {
    const { state } = this.#exchange.deployment.status;
    return state === 'draining' || state === 'stopped' || state === 'failed';
  }

  #startWaiting(): void {
    if (this.#isOver()) {
      this.failed(terminating());
      return;
    }
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#exchange.signal.addEventListener('abort', this.#giveUp, { once: true });
      const { timeoutMs } = this.#request;
      if (timeoutMs !== null && !this.#hasBegunWhole) {
        this.#timer = this.#clock.after(timeoutMs, () => this.#timeOut());
      }
    }
    this.#endpoint.wait(this);
  }

  #stopWaiting(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#endpoint.stopWaiting(this);
    this.#exchange.signal.removeEventListener('abort', this.#giveUp);
    this.#timer?.cancel();
    this.#timer = null;
  }

  #timeOut(): void {
    this.#stopAt((token) => {
      const paused = this.#exchange.deployment.status.state !== 'running' && !this.#request.force;
      return waitedTooLong({ rows: this.#rows, token }, this.#errors?.count ?? 0, paused);
    });
  }

  /** Takes no more; the reply is this problem, with the token of what was taken. */
  #stopAt(problem: (token: string) => unknown): void {
    if (this.#isDone || this.#problem !== null) return;
    this.#problem = problem;
    this.#stopWaiting();
    this.#parked.length = 0;
    this.#endpoint.finish(this);
  }

  #broken(error: Error): void {
    if (this.#isDone || this.#hasEnded) return;
    const { request } = this.#exchange;
    const isCoding = this.#body !== request && (request.complete || !request.destroyed);
    this.#stopAt((token) => {
      const taken = { rows: this.#rows, token };
      return isCoding ? cannotDecompress(taken, error) : brokenOff(taken, error);
    });
  }

  #abandon(): void {
    this.failed(clientGone());
  }

  #settle(): void {
    this.#stopWaiting();
    this.#isDone = true;
    this.#parked.length = 0;
    // The rest is read and dropped.
    if (!this.#hasEnded) this.#exchange.request.resume();
    if (!this.#hasEnded && this.#body !== this.#exchange.request) this.#body?.resume();
  }
}
