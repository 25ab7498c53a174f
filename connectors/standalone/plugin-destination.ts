// plugin_output: a destination that is a process of its own and speaks the connector protocol.
//
// Batches go out as messages below the size that the plugin takes. What it acknowledges is matched with what was written, position
// by position and in order, over the borders of messages; an ack with an error refuses the record. A record that cannot be sent
// (too large, a value that the protocol cannot carry) is refused in its turn, the others are not touched. What is refused only because
// of a record before it is written again (record-outcomes.ts).
// A stream that breaks off, an ack out of order or a process that ends fails the destination, also while nothing is written.

import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Timer } from '../../runtime/clock.ts';
import type { Destination, DestinationContext, DestinationDefinition, Outgoing } from '../sdk/destination.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { StructLosesValue } from '../sdk/protobuf-struct.ts';
import { recordBytes, recordColumn } from '../sdk/record-batch.ts';
import { extractionDefaults, extractSchemas } from '../sdk/schema-extraction.ts';
import { wait } from '../sdk/wait.ts';
import { pluginOutputDeclaration } from './declarations.ts';
import type { GrpcStatus, GrpcStream } from './grpc-connection.ts';
import { MessageCutter, messagePrefixBytes } from './grpc-message.ts';
import {
  PluginRefusedRecord,
  PluginSilent,
  PluginStalled,
  PluginStopIncomplete,
  PluginUnexpectedAck,
  shownPosition,
} from './plugin-errors.ts';
import { PluginInstance } from './plugin-instance.ts';
import { pluginConfiguration } from './plugin-parameters.ts';
import { positionRequest, type VisitAck } from './plugin-protocol.ts';
import type { PluginSession } from './plugin-session.ts';
import { PositionQueue } from './position-queue.ts';
import { RecordEncoder } from './record-encoder.ts';
import { RecordOutcomes } from './record-outcomes.ts';
import { RetainedRecords } from './retained-records.ts';

/** Written records that wait for their ack: more are not sent. */
const waitingRecordsMax = 100_000;
const waitingBytesMax = 32 << 20;
/** How long the answer to Stop is waited for once everything is acknowledged. */
const settledStopMs = 2_000;
const streamEndMs = 500;

export const pluginOutput: DestinationDefinition = {
  ...pluginOutputDeclaration,
  create: (configuration, context) => new PluginDestination(configuration, context),
};

class PluginDestination implements Destination {
  readonly #context: DestinationContext;
  readonly #plugin: PluginInstance;
  readonly #waiting = new PositionQueue();
  /** Records that were not sent, by their number; they are told when everything before them has its answer. */
  readonly #unsent = new Map<number, Error>();
  readonly #cutter = new MessageCutter();
  readonly #retained = new RetainedRecords();
  readonly #outcomes: RecordOutcomes;
  #written = 0;
  #answered = 0;
  #bytesSent = 0;
  #last: Uint8Array = new Uint8Array(0);
  #encoder: RecordEncoder | null = null;
  /** A record has held what a protobuf Struct cannot: from then on structured data goes with schemas. */
  #extracts = false;
  #session: PluginSession | null = null;
  #stream: GrpcStream | null = null;
  #failure: Error | null = null;
  #isClosing = false;
  #changed: () => void = () => {};
  #stallTimer: Timer | null = null;
  #stallMark = 0;

  constructor(configuration: ParameterValues, context: DestinationContext) {
    this.#context = context;
    this.#plugin = new PluginInstance('destination', pluginConfiguration(configuration, context.endpoint), context);
    this.#outcomes = new RecordOutcomes(context.clock, this.#retained, {
      acknowledged: (count) => context.acknowledged(count),
      refused: (reason) => {
        if (reason instanceof Error) return context.refused(reason);
        const detail = this.#session?.masked(reason) ?? reason;
        context.refused(new PluginRefusedRecord({ plugin: this.#plugin.configuration.plugin, detail }));
      },
      freed: () => this.#changed(),
      resend: (records) => {
        for (const { message, position } of records) {
          this.#waiting.push(position, 0, position.length);
          this.#stream?.write(message);
        }
      },
    });
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

  async open(): Promise<void> {
    await this.#plugin.open(new Uint8Array(0));
    const session = await this.#plugin.session();
    const { plugin, maxReceiveBytes } = this.#plugin.configuration;
    const { recordsPerMessageMax } = session.protocol;
    this.#session = session;
    this.#encoder = new RecordEncoder({ plugin, messageBytesMax: maxReceiveBytes, recordsPerMessageMax });
    const stream = await this.#plugin.run();
    this.#stream = stream;
    stream.onData = (chunk) => {
      this.#cutter.push(chunk);
      if (this.#failure !== null || this.#session === null) return;
      if (this.#cutter.isBroken) this.#fail(this.#session.violation('what it sends is no message of gRPC'));
      else if (this.#cutter.hasMessage) this.#readAcks();
    };
    stream.closed.then((status) => this.#streamEnded(status));
    this.#stallTimer = this.#context.clock.every(this.#plugin.watch.stallMs, () => this.#watchStall());
  }

  async write(data: Outgoing): Promise<void> {
    if (data.kind !== 'batch' || data.batch.rows === 0) return;
    const { batch } = data;
    while (this.#outcomes.isMending && this.#failure === null && !this.#context.signal.aborted) await this.#answers();
    if (this.#failure !== null) throw this.#failure;
    const leftOut: number[] = [];
    const { bytes, refused } = await this.#encode(batch);
    for (const [row, error] of refused) {
      leftOut.push(this.#written + row);
      this.#unsent.set(this.#written + row, error);
    }
    if (bytes !== undefined) this.#retained.push({ bytes, first: this.#written, rows: batch.rows, leftOut });
    this.#await(batch);
    this.#written += batch.rows;
    this.#last = lastSentPosition(batch, this.#written, this.#unsent) ?? this.#last;
    this.#bytesSent += bytes?.length ?? 0;
    this.#refuseUnsent();
    const { signal } = this.#context;
    if (bytes !== undefined && bytes.length > 0 && this.#stream?.write(bytes) === false) {
      await this.#stream.drained(signal);
    }
    while (this.#isFull() && this.#failure === null && !signal.aborted) await this.#answers();
    if (this.#failure !== null) throw this.#failure;
  }

  /** Each record waits for its ack in its turn. */
  #await(batch: ChangeBatch): void {
    const positions = batch.columns[recordColumn.position];
    if (positions?.layout === 'bytes') {
      this.#waiting.pushRows(positions.bytes, positions.offsets, batch.rows);
      return;
    }
    for (let row = 0; row < batch.rows; row++) {
      const position = recordBytes(batch, recordColumn.position, row);
      this.#waiting.push(position, 0, position.length);
    }
  }

  /** Whole messages, and the rows that are not among them. What the protocol cannot say exactly goes as Avro data, which it can. */
  async #encode(batch: ChangeBatch): Promise<EncodedRecords> {
    const encoder = this.#encoder;
    if (encoder === null) return { refused: new Map() };
    if (!this.#extracts) {
      const made = encodeAll(encoder, batch);
      if (![...made.refused.values()].some((error) => error instanceof StructLosesValue)) return made;
      this.#extracts = true;
    }
    const schemas = await this.#plugin.schemas();
    const { id } = this.#plugin.configuration;
    return encodeAll(encoder, await extractSchemas(batch, schemas, extractionDefaults, id));
  }

  /** Waits for nothing: a plugin that batches answers when it likes. Says what has failed since the last write. */
  async flush(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
  }

  async ping(): Promise<void> {
    if (this.#session === null || this.#failure !== null || this.#isClosing) return;
    try {
      await this.#plugin.ping('Stop');
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async stop(): Promise<void> {
    if (this.#session === null || this.#failure !== null) return;
    this.#outcomes.stop();
    const { stopTimeoutMs, plugin } = this.#plugin.configuration;
    const stopped = this.#plugin.lastCall('Stop', positionRequest(this.#last), stopTimeoutMs).then(
      () => null,
      (error: unknown) => error,
    );
    const done = new AbortController();
    const deadline = wait(this.#context.clock, stopTimeoutMs, done.signal);
    const answer = await Promise.race([stopped, this.#settled(done.signal)]);
    // Of one that does not answer at all no ack will come.
    if (!(answer instanceof PluginSilent)) await Promise.race([this.#settled(done.signal, 0), deadline]);
    done.abort();
    // A plugin may answer late or with an error of its own although it has acknowledged everything: nothing is lost then.
    if (this.#waiting.length === 0) return;
    if (this.#failure !== null || answer instanceof PluginSilent) throw this.#failure ?? answer;
    const detail = `${this.#waiting.length} records were not acknowledged within ${stopTimeoutMs / 1000} s`;
    const evidence = this.#session.evidence;
    throw new PluginStopIncomplete({ plugin, detail, ...evidence }, answer === null ? {} : { cause: answer });
  }

  async teardown(): Promise<void> {
    this.#isClosing = true;
    this.#outcomes.abandon();
    this.#stallTimer?.cancel();
    const stream = this.#stream;
    if (stream !== null) {
      stream.end();
      const timer = this.#context.clock.after(streamEndMs, () => stream.cancel());
      await stream.closed;
      timer.cancel();
    }
    await this.#plugin.teardown();
  }

  /** Resolves `settleMs` after everything written has its answer, or at a failure. */
  async #settled(signal: AbortSignal, settleMs: number = settledStopMs): Promise<unknown> {
    while (this.#waiting.length > 0 && this.#failure === null && !signal.aborted) await this.#answers();
    await wait(this.#context.clock, settleMs, signal);
    return this.#failure;
  }

  #readAcks(): void {
    const bytes = this.#cutter.take();
    const { protocol } = this.#session ?? {};
    let at = 0;
    const visit: VisitAck = (source, start, end, error) => {
      if (this.#failure !== null) return;
      if (!this.#waiting.headEquals(source, start, end)) {
        this.#fail(this.#unexpected(source.subarray(start, end)));
        return;
      }
      const isResent = this.#outcomes.isResending;
      if (error === '' && !isResent) this.#outcomes.safe();
      else this.#outcomes.answered(this.#answered, source.subarray(start, end), error);
      this.#waiting.shift();
      if (isResent) return;
      this.#answered++;
      if (this.#unsent.has(this.#answered)) this.#refuseUnsent();
    };
    try {
      while (this.#failure === null && at + messagePrefixBytes <= bytes.length) {
        const end = at + messagePrefixBytes + bytes.readUInt32BE(at + 1);
        if (end > bytes.length) break;
        protocol?.readAcks(bytes.subarray(at + messagePrefixBytes, end), visit);
        at = end;
      }
    } catch (error) {
      this.#fail(this.#session?.violation('its acks cannot be read', error) ?? new Error('its acks cannot be read'));
    }
    this.#outcomes.told(this.#waiting.length === 0);
    this.#retained.release(this.#answered);
    this.#cutter.keep(bytes.subarray(at));
    this.#changed();
  }

  /** Refuses what was not sent, as far as everything before it has its answer. */
  #refuseUnsent(): void {
    for (;;) {
      const error = this.#unsent.get(this.#answered);
      if (error === undefined) return;
      this.#unsent.delete(this.#answered);
      this.#waiting.shift();
      this.#answered++;
      this.#outcomes.leftOut(error);
    }
  }

  async #streamEnded(status: GrpcStatus): Promise<void> {
    if (this.#isClosing || this.#failure !== null || this.#session === null) return;
    this.#fail(await this.#session.streamFailure(status));
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#outcomes.abandon();
    this.#stallTimer?.cancel();
    this.#stream?.cancel();
    this.#changed();
    if (!this.#isClosing) this.#context.failed?.(error);
  }

  #unexpected(position: Uint8Array): Error {
    const { plugin } = this.#plugin.configuration;
    const expected = this.#waiting.length === 0 ? 'none' : shownPosition(this.#waiting.at(0));
    const evidence = this.#session?.evidence ?? { exitCode: null, exitSignal: null, stderr: [] };
    return new PluginUnexpectedAck({ plugin, expected, got: shownPosition(position), ...evidence });
  }

  #watchStall(): void {
    const isStalled = this.#waiting.length > 0 && this.#stallMark === this.#answered + 1;
    this.#stallMark = this.#waiting.length > 0 ? this.#answered + 1 : 0;
    const { watch } = this.#plugin;
    const seconds = watch.stallMs / 1000;
    const { length: waiting } = this.#waiting;
    watch.note('acks', isStalled ? `${waiting} records have waited for their acks for ${seconds} s` : null);
    if (!isStalled || this.#session === null) return;
    const { plugin } = this.#plugin.configuration;
    this.#context.reportError(new PluginStalled({ plugin, waiting, seconds, ...this.#session.evidence }));
  }

  #isFull(): boolean {
    return this.#waiting.length >= waitingRecordsMax || this.#waiting.byteLength >= waitingBytesMax;
  }

  /** The next change of what is answered, or a failure, or the end. */
  #answers(): Promise<void> {
    const { signal } = this.#context;
    return new Promise((resolve) => {
      const finish = (): void => {
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const before = this.#changed;
      this.#changed = () => {
        before();
        this.#changed = () => {};
        finish();
      };
      signal.addEventListener('abort', finish, { once: true });
    });
  }
}

interface EncodedRecords {
  readonly bytes?: Uint8Array;
  /** By row. */
  readonly refused: ReadonlyMap<number, Error>;
}

function encodeAll(encoder: RecordEncoder, batch: ChangeBatch): EncodedRecords {
  const refused = new Map<number, Error>();
  const bytes = encoder.encode(batch, (row, error) => void refused.set(row, error));
  return { bytes, refused };
}

/** Position of the last record of the batch that goes to the plugin: what its Stop is told. */
function lastSentPosition(batch: ChangeBatch, written: number, unsent: ReadonlyMap<number, Error>): Uint8Array | null {
  for (let row = batch.rows - 1; row >= 0; row--) {
    if (!unsent.has(written - batch.rows + row)) return recordBytes(batch, recordColumn.position, row).slice();
  }
  return null;
}
