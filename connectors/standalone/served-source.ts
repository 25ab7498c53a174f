// A source of ours as the source service of a plugin: the calls of the protocol on the calls of the contract.
//
// Records leave as they are read; acks go to the source in the order in which they come, also behind Stop. Stop answers with
// the position of the last record that was sent, when the source has nothing more to send.

import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import { StructLosesValue } from '../sdk/protobuf-struct.ts';
import { ByteReader } from '../sdk/protobuf-wire.ts';
import { recordBytes, recordColumn, recordRelation } from '../sdk/record-batch.ts';
import { recordPosition } from '../sdk/record-position.ts';
import { extractionDefaults, extractSchemas } from '../sdk/schema-extraction.ts';
import type { SchemaRegistry } from '../sdk/schema-registry.ts';
import type { Source, SourceDefinition } from '../sdk/source.ts';
import { wait } from '../sdk/wait.ts';
import { type PluginCall, positionRequest, readPosition } from './plugin-protocol.ts';
import { RecordEncoder } from './record-encoder.ts';
import { answerLifecycle, lifecycleCalls, type ServedSide } from './served-lifecycle.ts';
import { checkedSettings } from './served-settings.ts';
import type { ServedStream } from './served-stream.ts';

export interface ServedSurroundings {
  readonly clock: Clock;
  readonly connectorId: string;
  /** 1 or 2: how many records a message may hold follows from it. */
  readonly version: number;
  /** Of the host; null: it has none. */
  readonly schemas: SchemaRegistry | null;
  log(level: 'info' | 'warn' | 'error', message: string): void;
}

const messageBytesMax = 2 ** 31 - 1;
/** A host waits a minute for a stop. */
const stopMs = 30_000;
const cutOffMs = 5_000;
const nothing = new Uint8Array(0);

export class ServedSource {
  readonly #definition: SourceDefinition;
  readonly #surroundings: ServedSurroundings;
  readonly #abort = new AbortController();
  #source: Source | null = null;
  #reading: Promise<void> = Promise.resolve();
  #last: Uint8Array = nothing;
  /** A record has held what a protobuf Struct cannot: from then on structured data goes with schemas. */
  #extracts = false;

  constructor(definition: SourceDefinition, surroundings: ServedSurroundings) {
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
      case 'Open': {
        const position = readPosition(request);
        await this.#configured().open(position.length === 0 ? null : recordPosition(position));
        return nothing;
      }
      case 'Stop': {
        if (this.#source?.stop !== undefined) await this.#source.stop();
        else this.#abort.abort();
        await this.#readingEnds(stopMs);
        return positionRequest(this.#last);
      }
      case 'Teardown':
        this.#abort.abort();
        await this.#reading.catch(() => {});
        await this.#source?.teardown?.();
        return nothing;
      default:
        throw new Error(`${call} is not a call with one answer`);
    }
  }

  /** Resolves when nothing more will be sent. A source that goes on reading although it was asked to stop is cut off. */
  async #readingEnds(ms: number): Promise<void> {
    const ended = new AbortController();
    const reading = this.#reading.catch(() => {}).then(() => ended.abort());
    await Promise.race([reading, wait(this.#surroundings.clock, ms, ended.signal)]);
    if (ended.signal.aborted) return;
    this.#abort.abort();
    await Promise.race([reading, wait(this.#surroundings.clock, cutOffMs, ended.signal)]);
  }

  /** Resolves when the host has ended the stream; rejects with what ended the source. */
  async run(stream: ServedStream): Promise<void> {
    const source = this.#configured();
    this.#reading = this.#read(source, stream);
    const failed = new Promise<never>((_, reject) => this.#reading.catch(reject));
    await Promise.race([this.#acknowledge(source, stream), failed]);
  }

  async #read(source: Source, stream: ServedStream): Promise<void> {
    const recordsPerMessageMax = this.#surroundings.version === 1 ? 1 : 10_000;
    const limits = { plugin: this.#definition.name, messageBytesMax, recordsPerMessageMax };
    const encoder = new RecordEncoder(limits);
    for await (const payload of source.read()) {
      if (!stream.isOpen) return;
      if (payload.kind !== 'batch' || payload.batch.rows === 0) continue;
      const { batch } = payload;
      await stream.send(await this.#encoded(encoder, batch));
      this.#last = recordBytes(batch, recordColumn.position, batch.rows - 1).slice();
    }
  }

  /** What the protocol cannot say exactly goes as Avro data with schemas of the host. */
  async #encoded(encoder: RecordEncoder, batch: ChangeBatch): Promise<Uint8Array> {
    const { connectorId, schemas } = this.#surroundings;
    if (!this.#extracts) {
      let inexact: Error | null = null;
      const bytes = encoder.encode(batch, (_, error) => {
        if (!(error instanceof StructLosesValue) || schemas === null) throw error;
        inexact = error;
      });
      if (inexact === null) return bytes;
      this.#extracts = true;
    }
    const extracted = schemas === null ? batch : await extractSchemas(batch, schemas, extractionDefaults, connectorId);
    return encoder.encode(extracted, (_, error) => {
      throw error;
    });
  }

  async #acknowledge(source: Source, stream: ServedStream): Promise<void> {
    for await (const message of stream.messages()) {
      const reader = new ByteReader(message);
      while (!reader.isDone) {
        if (reader.tag() !== 0x0a) {
          reader.skipLast();
          continue;
        }
        // Read in any case: a source need not want to know.
        const position = recordPosition(reader.view());
        await source.ack?.(position);
      }
    }
  }

  readonly #side: ServedSide = {
    current: () => this.#source,
    make: (settings) => this.#make(settings),
    check: (settings) => this.#check(settings),
  };

  #make(settings: Readonly<Record<string, string>>): Source {
    const { clock, connectorId, log, schemas } = this.#surroundings;
    const source = this.#definition.create(this.#check(settings), {
      endpoint: connectorId,
      relation: recordRelation,
      signal: this.#abort.signal,
      baseFolder: process.cwd(),
      clock,
      ...(schemas === null ? {} : { schemas }),
      reportError: (error) => log('warn', error instanceof Error ? error.message : String(error)),
    });
    this.#source = source;
    return source;
  }

  #check(settings: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
    return checkedSettings(this.#definition.parameters, settings, this.#definition.name);
  }

  #configured(): Source {
    if (this.#source === null) throw new Error('the source has not been configured');
    return this.#source;
  }
}
