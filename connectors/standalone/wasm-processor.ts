// A processor that is a WebAssembly module, built with Conduit's processor SDK: batches go to it as messages of the plugin protocol.
//
// Order of calls: configure and open, then records, then teardown; the module checks its settings itself and decodes and encodes by
// schemas itself. A record whose processing ends the module (a trap, an exit, a deadline, memory that runs out) is found by giving the
// records of its message one by one to new instances, and is refused; others are processed. State that a module keeps in memory does
// not outlive its instance. Records keep the position that they came with, whatever the module says, and values that the protocol would
// round reach the module with a schema (exact-structs.ts).
import type { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { gatherRows } from '../../runtime/batch/gather-rows.ts';
import type { FailedRecord, ProcessedBatch, Processor, ProcessorContext } from '../sdk/processor.ts';
import { StructLosesValue } from '../sdk/protobuf-struct.ts';
import { ByteReader, ByteWriter } from '../sdk/protobuf-wire.ts';
import { recordBatchBuilder } from '../sdk/record-batch.ts';
import { isSecret } from '../sdk/secret-settings.ts';
import { compileModule } from './compile-module.ts';
import { withExactSchemas, withoutExactSchemas } from './exact-structs.ts';
import { messagePrefixBytes } from './grpc-message.ts';
import { type AddedMetadata, decoded, decodeRecord } from './record-decoder.ts';
import { RecordEncoder } from './record-encoder.ts';
import {
  WasmAnswerMalformed,
  WasmEgressRefused,
  WasmEnded,
  WasmRecordRefused,
  WasmRefused,
  WasmTimedOut,
} from './wasm-errors.ts';
import { WasmInstance } from './wasm-instance.ts';
import { readResults, recordsOfMessage, type WasmResult, writeSettings } from './wasm-protocol.ts';
import type { CompiledModule } from './web-assembly.ts';

export interface WasmProcessorOptions {
  readonly path: string;
  /** As the pipeline names it. */
  readonly plugin: string;
  readonly settings: Readonly<Record<string, string>>;
  /** For each command. Default 60 s. */
  readonly deadlineMs?: number;
  readonly memoryBytesMax?: number;
}

const deadlineMsDefault = 60_000;
const messageBytesMax = 256 << 20;
const recordsPerMessageMax = 1_000;
/** A batch that ends the module more often is no batch with a few bad records. */
const deathsMax = 5;
const egressSetting = /^sdk\.egress\./;
const nothingAdded: AddedMetadata = { readAt: new Uint8Array(0), connector: new Uint8Array(0) };

/** @throws WasmEgressRefused */
export function wasmProcessor(options: WasmProcessorOptions, context: ProcessorContext): Processor {
  const egress = Object.keys(options.settings).find((name) => egressSetting.test(name));
  if (egress !== undefined) throw new WasmEgressRefused({ setting: egress });
  return new WasmProcessor(options, context);
}

/** A record of a message. */
interface SentRecord {
  readonly row: number;
  readonly position: Uint8Array;
}

interface Message {
  /** The body of a process command. */
  readonly body: Uint8Array;
  readonly sent: readonly SentRecord[];
}

class WasmProcessor implements Processor {
  readonly #options: WasmProcessorOptions;
  readonly #context: ProcessorContext;
  readonly #encoder: RecordEncoder;
  #module: CompiledModule | null = null;
  #instance: WasmInstance | null = null;
  #isProcessing = false;
  #isTornDown = false;

  constructor(options: WasmProcessorOptions, context: ProcessorContext) {
    this.#options = options;
    this.#context = context;
    this.#encoder = new RecordEncoder({ plugin: options.plugin, messageBytesMax, recordsPerMessageMax });
  }

  async open(): Promise<void> {
    await this.#alive();
  }

  async process(batch: ChangeBatch): Promise<ProcessedBatch> {
    this.#isProcessing = true;
    try {
      return await this.#process(batch);
    } finally {
      this.#isProcessing = false;
    }
  }

  async #process(batch: ChangeBatch): Promise<ProcessedBatch> {
    const { schemas, id } = this.#context;
    const failed: FailedRecord[] = [];
    const messages = [...this.#messages(batch, failed)];
    if (schemas === undefined || !failed.some(({ error }) => error instanceof StructLosesValue)) {
      return await this.#processed(batch, messages, failed);
    }
    const exact = await withExactSchemas(batch, schemas, this.#options.settings, id);
    const refused: FailedRecord[] = [];
    const answer = await this.#processed(exact, [...this.#messages(exact, refused)], refused);
    return await withoutExactSchemas(answer, batch, schemas);
  }

  async #processed(batch: ChangeBatch, messages: readonly Message[], failed: FailedRecord[]): Promise<ProcessedBatch> {
    const builder = recordBatchBuilder(batch.rows);
    const origins: number[] = [];
    const deaths = { left: deathsMax };
    for (const message of messages) {
      const results = await this.#answered(batch, message, deaths);
      for (const [i, { row, position }] of message.sent.entries()) {
        const result = results[i];
        if (result?.kind === 'records') {
          for (const record of result.records) {
            this.#take(record, position, builder);
            origins.push(row);
          }
        } else failed.push({ row, error: new WasmRecordRefused({ detail: result?.message ?? '' }) });
      }
    }
    failed.sort((a, b) => a.row - b.row);
    return { batch: builder.finish(), origins: Int32Array.from(origins), failed };
  }

  async teardown(): Promise<void> {
    const instance = this.#instance;
    this.#instance = null;
    this.#isTornDown = true;
    if (instance === null) return;
    // What it is in the middle of has had its time: the records were not taken and come again.
    if (this.#isProcessing) return await instance.end(0);
    try {
      if (instance.isAlive) await instance.call('teardown');
    } finally {
      await instance.end();
    }
  }

  *#messages(batch: ChangeBatch, failed: FailedRecord[]): Generator<Message> {
    const refused = new Set<number>();
    const bytes = this.#encoder.encode(batch, (row, error) => {
      refused.add(row);
      failed.push({ row, error });
    });
    let row = 0;
    for (let at = 0; at < bytes.length; ) {
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 1);
      const body = bytes.subarray(at + messagePrefixBytes, at + messagePrefixBytes + length);
      at += messagePrefixBytes + length;
      const sent = recordsOfMessage(body).map((record): SentRecord => {
        while (refused.has(row)) row++;
        // The encoder writes it first.
        const reader = new ByteReader(record);
        reader.tag();
        return { row: row++, position: reader.view() };
      });
      yield { body, sent };
    }
  }

  /** One for each record of the message. */
  async #answered(
    batch: ChangeBatch,
    { body, sent }: Message,
    deaths: { left: number },
  ): Promise<readonly WasmResult[]> {
    try {
      const results = readResults(await (await this.#alive()).call('process', body));
      if (results.length === sent.length) return results;
      const detail = `${results.length} results of ${sent.length} records`;
      throw new WasmAnswerMalformed({ processor: this.#options.plugin, detail });
    } catch (error) {
      // It could not process any of them, and says why.
      if (error instanceof WasmRefused) return sent.map(() => refusal(error));
      if (!(error instanceof WasmEnded || error instanceof WasmTimedOut) || this.#isTornDown) throw error;
      this.#context.log(error.message, { level: 'error' });
      if (deaths.left-- === 0) throw error;
      if (sent.length === 1) return [refusal(error)];
    }
    const results: WasmResult[] = [];
    for (const { row } of sent) {
      const one = gatherRows(batch, Int32Array.of(row), 1, null);
      for (const message of this.#messages(one, [])) results.push(...(await this.#answered(batch, message, deaths)));
    }
    return results;
  }

  /** A record without an operation, or that is malformed, is the module's fault and ends the run. */
  #take(record: Uint8Array, position: Uint8Array, builder: BatchBuilder): void {
    // The last field of a number counts.
    const writer = new ByteWriter(record.length + position.length + 12);
    writer.raw(record);
    writer.tag(0x0a);
    writer.view(position);
    const cursor = { bytes: writer.bytes, at: 0, operation: 0, positionStart: 0, positionEnd: 0 };
    const outcome = decodeRecord(cursor, writer.length, builder, nothingAdded);
    if (outcome === decoded.taken) return;
    const detail =
      outcome === decoded.malformed ? 'a record is malformed' : `a record has operation ${cursor.operation}`;
    throw new WasmAnswerMalformed({ processor: this.#options.plugin, detail });
  }

  /** A running instance that is configured and open. */
  async #alive(): Promise<WasmInstance> {
    if (this.#instance?.isAlive === true) return this.#instance;
    await this.#instance?.end();
    const { path, plugin, settings, deadlineMs = deadlineMsDefault, memoryBytesMax } = this.#options;
    this.#module ??= await compileModule(path, memoryBytesMax);
    const { id, clock, schemas, log } = this.#context;
    const instance = new WasmInstance({
      module: this.#module,
      processor: plugin,
      id,
      clock,
      deadlineMs,
      secrets: Object.entries(settings).flatMap(([name, value]) => (isSecret(name) && value !== '' ? [value] : [])),
      log: (message, fields) => log(message, fields),
      ...(schemas === undefined ? {} : { schemas }),
    });
    this.#instance = instance;
    try {
      await instance.call('configure', writeSettings(settings));
      await instance.call('open');
      return instance;
    } catch (error) {
      this.#instance = null;
      await instance.end();
      throw error;
    }
  }
}

function refusal(error: Error): WasmResult {
  return { kind: 'refused', message: error.message };
}
