// A destination of ours as the destination service of a plugin: the calls of the protocol on the calls of the contract.
//
// Each message of records is one write. A destination that does not say itself what is safe is flushed behind it; then everything
// written is acknowledged, in order. What a write or a flush throws refuses the records that it was about.
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';
import type { Destination, DestinationDefinition } from '../sdk/destination.ts';
import { rowsAndRefusals } from '../sdk/destination-middleware.ts';
import { ByteWriter } from '../sdk/protobuf-wire.ts';
import { recordBytes, recordColumn, recordRelation, recordSchema } from '../sdk/record-batch.ts';
import { decodeRecordSchemas, mentionsSchemas } from '../sdk/record-schemas.ts';
import { framed } from './grpc-message.ts';
import { type PluginCall, readPosition } from './plugin-protocol.ts';
import { decoded, decodeRecord, nextRecord, type RecordCursor } from './record-decoder.ts';
import { answerLifecycle, lifecycleCalls, type ServedSide } from './served-lifecycle.ts';
import { checkedSettings } from './served-settings.ts';
import type { ServedSurroundings } from './served-source.ts';
import type { ServedStream } from './served-stream.ts';

const stopMs = 60_000;
const nothing = new Uint8Array(0);

export class ServedDestination {
  readonly #definition: DestinationDefinition;
  readonly #surroundings: ServedSurroundings;
  readonly #abort = new AbortController();
  #destination: Destination | null = null;
  #stream: ServedStream | null = null;
  /** Of records that are written and not yet acknowledged, in order. */
  readonly #waiting: Uint8Array[] = [];
  #answered: (() => void)[] = [];
  #work: Promise<void> = Promise.resolve();
  #last: Uint8Array = nothing;
  #written: (() => void) | null = null;

  constructor(definition: DestinationDefinition, surroundings: ServedSurroundings) {
    this.#definition = definition;
    this.#surroundings = surroundings;
  }

  /** Answers with the body of the reply. @throws what goes back as the status of the call */
  async call(call: PluginCall, request: Uint8Array): Promise<Uint8Array> {
    if (lifecycleCalls.has(call)) {
      await answerLifecycle(this.#side, call, request);
      return nothing;
    }
    switch (call) {
      case 'Open':
        await this.#configured().open();
        return nothing;
      case 'Stop':
        await this.#received(readPosition(request));
        await this.#work;
        await this.#flush();
        return nothing;
      case 'Teardown':
        this.#abort.abort();
        await this.#work.catch(() => {});
        await this.#destination?.stop?.();
        await this.#destination?.teardown?.();
        return nothing;
      default:
        throw new Error(`${call} is not a call with one answer`);
    }
  }

  /** Resolves when the host has ended the stream. */
  async run(stream: ServedStream): Promise<void> {
    this.#stream = stream;
    const cursor: RecordCursor = { bytes: nothing, at: 0, operation: 0, positionStart: 0, positionEnd: 0 };
    // A host has added its metadata already; where it has not, nothing is made up.
    const added = { readAt: nothing, connector: nothing };
    for await (const message of stream.messages()) {
      const builder = new BatchBuilder(recordSchema);
      cursor.bytes = message;
      cursor.at = 0;
      while (cursor.at < message.length) {
        const end = nextRecord(cursor, message.length);
        if (end < 0) throw new Error('malformed message of records');
        if (decodeRecord(cursor, end, builder, added) !== decoded.taken) throw new Error('malformed record');
        cursor.at = end;
      }
      const batch = builder.finish();
      if (batch.rows === 0) continue;
      for (let row = 0; row < batch.rows; row++) {
        this.#waiting.push(recordBytes(batch, recordColumn.position, row).slice());
      }
      this.#last = this.#waiting.at(-1) ?? this.#last;
      this.#work = this.#work.then(async () => {
        await this.#write(batch);
        this.#written?.();
      });
      await this.#work;
    }
  }

  /** One write for what belongs together: what carries a schema of the host is decoded before, and refused where that fails. */
  async #write(batch: ChangeBatch): Promise<void> {
    const { schemas } = this.#surroundings;
    const isDecoded = schemas !== null && mentionsSchemas(batch);
    const whole = { batch, origins: null, failed: [] };
    const made = isDecoded ? await decodeRecordSchemas(batch, schemas, { payload: true, key: true }) : whole;
    let left = batch.rows;
    for (const { from, to, refused } of rowsAndRefusals(made)) {
      if (refused !== null) {
        // Answers are given in the order of the records.
        while (this.#waiting.length > left) await new Promise<void>((resolve) => this.#answered.push(resolve));
        await this.#answer(1, refused.message);
        left--;
        continue;
      }
      left -= to - from;
      try {
        await this.#configured().write({ kind: 'batch', batch: sliceBatch(made.batch, from, to) });
      } catch (error) {
        await this.#answer(to - from, error instanceof Error ? error.message : String(error));
        continue;
      }
      if (this.#definition.acknowledges !== true) await this.#flush(to - from);
    }
  }

  async #flush(count: number = this.#waiting.length): Promise<void> {
    try {
      await this.#configured().flush?.();
    } catch (error) {
      await this.#answer(count, error instanceof Error ? error.message : String(error));
      return;
    }
    if (this.#definition.acknowledges !== true) await this.#answer(count, '');
  }

  /** The next `count` records: an empty error means that they are safe. */
  async #answer(count: number, error: string): Promise<void> {
    const positions = this.#waiting.splice(0, count);
    for (const resolve of this.#answered.splice(0)) resolve();
    if (positions.length === 0) return;
    if (this.#surroundings.version === 1) {
      for (const position of positions) await this.#stream?.send(framed(ack(position, error)));
      return;
    }
    const writer = new ByteWriter();
    for (const position of positions) {
      writer.tag(0x0a);
      writer.view(ack(position, error));
    }
    await this.#stream?.send(framed(writer.finish()));
  }

  /** Until the record at `position` has come, or a minute has passed. */
  async #received(position: Uint8Array): Promise<void> {
    if (position.length === 0) return;
    const deadline = this.#surroundings.clock.monotonic() + stopMs;
    while (Buffer.compare(this.#last, position) !== 0) {
      const left = deadline - this.#surroundings.clock.monotonic();
      if (left <= 0) throw new Error('the last record has not come within a minute');
      await new Promise<void>((resolve) => {
        const timer = this.#surroundings.clock.after(left, resolve);
        this.#written = () => {
          timer.cancel();
          resolve();
        };
      });
    }
  }

  readonly #side: ServedSide = {
    current: () => this.#destination,
    make: (settings) => this.#make(settings),
    check: (settings) => this.#check(settings),
  };

  #make(settings: Readonly<Record<string, string>>): Destination {
    const { clock, connectorId, log, schemas } = this.#surroundings;
    const destination = this.#definition.create(this.#check(settings), {
      endpoint: connectorId,
      relation: recordRelation,
      signal: this.#abort.signal,
      baseFolder: process.cwd(),
      clock,
      ...(schemas === null ? {} : { schemas }),
      reportError: (error) => log('warn', error instanceof Error ? error.message : String(error)),
      acknowledged: (count) => void this.#answer(count, ''),
      refused: (error) => void this.#answer(1, error.message),
      log: (message) => log('info', message),
    });
    this.#destination = destination;
    return destination;
  }

  #check(settings: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
    return checkedSettings(this.#definition.parameters, settings, this.#definition.name);
  }

  #configured(): Destination {
    if (this.#destination === null) throw new Error('the destination has not been configured');
    return this.#destination;
  }
}

function ack(position: Uint8Array, error: string): Uint8Array {
  const writer = new ByteWriter();
  writer.tag(0x0a);
  writer.view(position);
  if (error !== '') {
    writer.tag(0x12);
    writer.text(error);
  }
  return writer.finish();
}
