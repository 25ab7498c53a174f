// plugin_input: a source that is a process of its own and speaks the connector protocol.
//
// Records are copied from the stream into batches as they arrive; a stream that is not read stops by itself (flow control). Every
// record waits in the order in which it came for its confirmation, and goes back to the plugin as one ack of each message that it
// sent, whole or in the part that is confirmed.
// Stop: the plugin names the last record that it has sent or will send; reading goes on until that one.

import type { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Timer } from '../../runtime/clock.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { recordBatchBuilder, recordColumn, recordSchema } from '../sdk/record-batch.ts';
import { recordPosition, recordPositionBytes } from '../sdk/record-position.ts';
import { decodeRecordSchemas, mentionsSchemas } from '../sdk/record-schemas.ts';
import type { Payload, Position, Source, SourceContext, SourceDefinition } from '../sdk/source.ts';
import { ackRequests } from './ack-requests.ts';
import { pluginInputDeclaration, recordBytesMaxDefault } from './declarations.ts';
import type { GrpcStatus, GrpcStream } from './grpc-connection.ts';
import { MessageCutter, messagePrefixBytes } from './grpc-message.ts';
import {
  PluginRecordTooLarge,
  PluginRecordWithoutPosition,
  PluginStopIncomplete,
  PluginUnknownOperation,
  shownPosition,
} from './plugin-errors.ts';
import { PluginInstance } from './plugin-instance.ts';
import { pluginConfiguration } from './plugin-parameters.ts';
import { positionRequest, readPosition } from './plugin-protocol.ts';
import type { PluginSession } from './plugin-session.ts';
import { PositionQueue } from './position-queue.ts';
import {
  type AddedMetadata,
  addedMetadata,
  decoded,
  decodeRecord,
  nextRecord,
  type RecordCursor,
} from './record-decoder.ts';

const batchRowsMax = 8_192;
const batchBytesMax = 4 << 20;
/** Beyond this the stream is not read, unless a message is longer. */
const bufferedBytesMax = 1 << 20;
/** How long confirmations that were sent last may take to be read, before the stream is cancelled. */
const acksReadMs = 2_000;
/**
 * Batches follow one another no faster than this, unless they are large: a batch costs as much as many records. Where a batch of that time
 * has many records the next ones take longer: the stream is busy, and what is late then is late by its queue.
 */
const batchMsMin = 2;
const busyBatchMs = 10;
const busyRowsMin = 32;
const lingerBytesMax = 256 << 10;
/** A builder that has held more is not kept for the next batch. */
const spareBytesMax = 8 << 20;

export const pluginInput: SourceDefinition = {
  ...pluginInputDeclaration,
  create: (configuration, context) => new PluginSource(configuration, context),
};

class PluginSource implements Source {
  readonly #context: SourceContext;
  readonly #plugin: PluginInstance;
  readonly #recordBytesMax: number;
  readonly #cutter = new MessageCutter();
  readonly #waiting = new PositionQueue();
  #session: PluginSession | null = null;
  #stream: GrpcStream | null = null;
  #isPaused = false;
  #ended: GrpcStatus | null = null;
  #wake: () => void = () => {};
  #isWaking = false;
  #isLingering = false;
  #batchMs = batchMsMin;
  /** Of a batch that was copied meanwhile: its arrays are used again. */
  #spare: BatchBuilder | null = null;
  /** Of the last batch, on the wire. */
  #bytesPerRecord = 256;
  /** Of the record that was handed on last. */
  #last: Uint8Array = new Uint8Array(0);
  /** Answer of the plugin to Stop. */
  #lastOfAll: Uint8Array | null = null;
  #stopError: Error | null = null;
  #stopTimer: Timer | null = null;
  #hasStopped = false;

  constructor(configuration: ParameterValues, context: SourceContext) {
    this.#context = context;
    this.#plugin = new PluginInstance('source', pluginConfiguration(configuration, context.endpoint), context);
    this.#recordBytesMax = Number(configuration['record_bytes_max'] ?? recordBytesMaxDefault);
  }

  configure(): Promise<void> {
    return this.#plugin.configure();
  }

  onCreated(configuration: ParameterValues): Promise<void> {
    return this.#plugin.onCreated(configuration);
  }

  onUpdated(before: ParameterValues, after: ParameterValues): Promise<void> {
    return this.#plugin.onUpdated(before, after);
  }

  onDeleted(configuration: ParameterValues): Promise<void> {
    return this.#plugin.onDeleted(configuration);
  }

  async open(position: Position | null): Promise<void> {
    await this.#plugin.open(positionRequest(recordPositionBytes(position)));
    this.#session = await this.#plugin.session();
    const stream = await this.#plugin.run();
    this.#stream = stream;
    stream.onData = (chunk) => {
      this.#cutter.push(chunk);
      const wanted = Math.max(bufferedBytesMax, this.#cutter.firstBytes);
      // While the plugin stops, everything that it still has is taken: it may answer only when it has sent it.
      if (this.#cutter.bytes >= wanted && !this.#isPaused && !this.#hasStopped) {
        this.#isPaused = true;
        stream.pause();
      }
      this.#notice();
    };
    stream.closed.then((status) => {
      this.#ended = status;
      this.#notice();
    });
  }

  async *read(): AsyncIterable<Payload> {
    const { signal } = this.#context;
    const { clock } = this.#context;
    let handedOnMs = Number.NEGATIVE_INFINITY;
    const notice = (): void => this.#notice();
    signal.addEventListener('abort', notice, { once: true });
    try {
      while (!signal.aborted) {
        if (this.#cutter.isBroken) throw this.#violation('what it sends is no message of gRPC');
        if (this.#cutter.hasMessage) {
          const early = handedOnMs + this.#batchMs - clock.monotonic();
          if (early > 0 && !this.#isUrgent()) {
            await this.#linger(early);
            continue;
          }
          handedOnMs = clock.monotonic();
          // What a batch holds is what has come: a builder of the usual size would mostly be empty.
          const builder = this.#spare ?? recordBatchBuilder(this.#rowsExpected());
          this.#spare = null;
          const bytesBefore = this.#cutter.bytes;
          const failure = this.#decode(builder);
          this.#batchMs = builder.rows >= busyRowsMin ? busyBatchMs : batchMsMin;
          if (builder.rows > 0) {
            this.#bytesPerRecord = Math.max(8, (bytesBefore - this.#cutter.bytes) / builder.rows);
            const batch = await this.#ofRows(ownPositions(builder.peek()));
            const release = (): void => this.#release(builder);
            yield { kind: 'batch', batch, position: recordPosition(this.#last), isStamped: true, release };
          } else {
            this.#spare = builder;
          }
          if (failure !== null) throw failure;
          continue;
        }
        if (this.#isComplete()) return;
        if (this.#stopError !== null) throw this.#stopError;
        if (this.#ended !== null) throw await this.#failure(this.#ended);
        this.#resume();
        await this.#noticed();
      }
    } finally {
      signal.removeEventListener('abort', notice);
    }
  }

  ack(position: Position): void {
    const count = this.#waiting.countUntil(recordPositionBytes(position));
    const perMessage = this.#session?.protocol.recordsPerMessageMax ?? 1;
    if (count > 0) this.#stream?.write(ackRequests(this.#waiting, count, perMessage));
  }

  async stop(): Promise<void> {
    if (this.#hasStopped || this.#session === null || this.#ended !== null) return;
    this.#hasStopped = true;
    this.#resume();
    const { stopTimeoutMs } = this.#plugin.configuration;
    try {
      this.#lastOfAll = readPosition(await this.#plugin.lastCall('Stop', new Uint8Array(0), stopTimeoutMs));
      this.#watchStop(this.#lastOfAll, stopTimeoutMs);
    } catch (error) {
      this.#stopError = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      this.#notice();
    }
  }

  async teardown(): Promise<void> {
    this.#stopTimer?.cancel();
    const stream = this.#stream;
    if (stream !== null) {
      if (this.#lastOfAll !== null) {
        // A stream that is cancelled at once drops what the plugin has not read: the last acks.
        stream.end();
        const timer = this.#context.clock.after(acksReadMs, () => stream.cancel());
        stream.resume();
        await stream.closed;
        timer.cancel();
      } else {
        stream.cancel();
        await stream.closed;
      }
    }
    await this.#plugin.teardown();
  }

  #release(builder: BatchBuilder): void {
    if (builder.bytesUsed > spareBytesMax) return;
    builder.clear();
    this.#spare = builder;
  }

  /** Where records become rows nobody behind this source knows its schemas: what carries one is decoded here. */
  async #ofRows(batch: ChangeBatch): Promise<ChangeBatch> {
    const { relation, reportError } = this.#context;
    if (relation.schema.fingerprint === recordSchema.fingerprint || !mentionsSchemas(batch)) return batch;
    const fields = { payload: true, key: true };
    const { batch: decoded, failed } = await decodeRecordSchemas(batch, await this.#plugin.schemas(), fields);
    for (const { error } of failed) reportError(error);
    return decoded;
  }

  /** Everything that was promised has been handed on. */
  #isComplete(): boolean {
    if (this.#lastOfAll === null) return false;
    return this.#lastOfAll.length === 0 || Buffer.compare(this.#lastOfAll, this.#last) === 0;
  }

  /** Whole messages into the builder, until it is full. Answers with what ends the source. */
  #decode(builder: BatchBuilder): Error | null {
    const added = addedMetadata(this.#context.clock.now(), this.#plugin.configuration.id);
    const bytes = this.#cutter.take();
    const cursor: RecordCursor = { bytes, at: 0, operation: 0, positionStart: 0, positionEnd: 0 };
    let messageStart = 0;
    let failure: Error | null = null;
    while (failure === null && messageStart + messagePrefixBytes <= bytes.length) {
      if (builder.rows >= batchRowsMax || builder.bytesUsed >= batchBytesMax) break;
      const length = bytes.readUInt32BE(messageStart + 1);
      const messageEnd = messageStart + messagePrefixBytes + length;
      if (bytes[messageStart] !== 0 || messageEnd > bytes.length) break;
      cursor.at = messageStart + messagePrefixBytes;
      failure = this.#decodeMessage(cursor, messageEnd, builder, added);
      messageStart = messageEnd;
    }
    this.#cutter.keep(bytes.subarray(messageStart));
    return failure;
  }

  #decodeMessage(cursor: RecordCursor, end: number, builder: BatchBuilder, added: AddedMetadata): Error | null {
    // Of the last record that was taken: an array of its own for each would cost more than the record.
    let lastStart = 0;
    let lastEnd = 0;
    let failure: Error | null = null;
    let hasNoPosition = false;
    while (cursor.at < end && failure === null) {
      const recordEnd = nextRecord(cursor, end);
      if (recordEnd < 0) {
        failure = this.#violation('a message of its stream cannot be read');
        break;
      }
      if (recordEnd - cursor.at > this.#recordBytesMax) {
        failure = this.#tooLarge(recordEnd - cursor.at);
        break;
      }
      const outcome = decodeRecord(cursor, recordEnd, builder, added);
      if (outcome === decoded.malformed) failure = this.#violation('a record cannot be read');
      hasNoPosition = outcome === decoded.noPosition;
      if (failure !== null || hasNoPosition) break;
      if (outcome === decoded.unknownOperation) {
        const { plugin } = this.#plugin.configuration;
        const position = shownPosition(cursor.bytes.subarray(cursor.positionStart, cursor.positionEnd));
        this.#context.reportError(new PluginUnknownOperation({ plugin, operation: cursor.operation, position }));
      }
      this.#waiting.push(cursor.bytes, cursor.positionStart, cursor.positionEnd);
      lastStart = cursor.positionStart;
      lastEnd = cursor.positionEnd;
      cursor.at = recordEnd;
    }
    if (lastEnd > lastStart) this.#last = new Uint8Array(cursor.bytes.subarray(lastStart, lastEnd));
    if (hasNoPosition) return this.#withoutPosition();
    if (failure === null) this.#waiting.markBorder();
    return failure;
  }

  #watchStop(last: Uint8Array, timeoutMs: number): void {
    this.#stopTimer = this.#context.clock.after(timeoutMs, () => {
      const detail = `position ${shownPosition(last)}, which it named as the last, did not come within ${timeoutMs / 1000} s`;
      const { plugin } = this.#plugin.configuration;
      const evidence = this.#session?.evidence ?? { exitCode: null, exitSignal: null, stderr: [] };
      this.#stopError = new PluginStopIncomplete({ plugin, detail, ...evidence });
      this.#notice();
    });
  }

  async #failure(status: GrpcStatus): Promise<Error> {
    return this.#session === null ? new Error(status.message) : await this.#session.streamFailure(status);
  }

  #violation(detail: string): Error {
    return this.#session?.violation(detail) ?? new Error(detail);
  }

  #withoutPosition(): Error {
    const { plugin } = this.#plugin.configuration;
    return new PluginRecordWithoutPosition({ plugin, after: shownPosition(this.#last) });
  }

  #tooLarge(bytes: number): Error {
    const { plugin } = this.#plugin.configuration;
    return new PluginRecordTooLarge({ plugin, bytes, bytesMax: this.#recordBytesMax });
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#stream?.resume();
  }

  #rowsExpected(): number {
    return Math.min(batchRowsMax, 8 + Math.ceil(this.#cutter.bytes / this.#bytesPerRecord));
  }

  /** Waits for more records, for `ms` at most. */
  async #linger(ms: number): Promise<void> {
    this.#isLingering = true;
    await new Promise<void>((resolve) => {
      const timer = this.#context.clock.after(ms, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#isLingering = false;
  }

  /** What is here should be handed on without waiting for more. */
  #isUrgent(): boolean {
    const isEnding = this.#hasStopped || this.#ended !== null || this.#context.signal.aborted;
    return isEnding || this.#isPaused || this.#cutter.bytes >= lingerBytesMax;
  }

  /** Something has happened that `read` looks at. A burst of messages wakes it once. */
  #notice(): void {
    if (this.#isWaking || (this.#isLingering && !this.#isUrgent())) return;
    this.#isWaking = true;
    setImmediate(() => {
      this.#isWaking = false;
      this.#wake();
    });
  }

  #noticed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** The batch, whose positions are kept until they are settled, while the rest of its memory may be used again. */
function ownPositions(batch: ChangeBatch): ChangeBatch {
  const columns = batch.columns.map((column, ordinal) =>
    ordinal === recordColumn.position && column.layout === 'bytes'
      ? { ...column, offsets: column.offsets.slice(), bytes: column.bytes.slice() }
      : column,
  );
  return { ...batch, columns };
}
