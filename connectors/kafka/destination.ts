// kafka_output: every record that the format prints is a message of a topic.
//
// What is written is sent in batches, several at a time, and safe when `flush` has resolved: the brokers have acknowledged it as `acks` says
// (default: all replicas). A batch whose answer was lost is sent again, and
// after a crash what was not confirmed comes again: at least once. Messages have no key and go to partitions in turn.

import type { Producer } from '@platformatic/kafka';
import { assert } from '../../runtime/assert.ts';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import {
  type Destination,
  type DestinationContext,
  type DestinationDefinition,
  defineDestination,
  type Outgoing,
} from '../sdk/destination.ts';
import type { EncodedMessages } from '../sdk/format.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { wait } from '../sdk/wait.ts';
import { kafkaOutputDeclaration } from './declarations.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { finalKafkaError, KafkaUnavailable, reasonOf } from './kafka-errors.ts';

const messagesPerSend = 5_000;
const firstPauseMs = 100;
const pauseMsMax = 10_000;

export const kafkaOutput: DestinationDefinition = defineDestination({
  ...kafkaOutputDeclaration,
  create: (configuration, context) => new KafkaDestination(configuration, context),
});

/** A message that is not confirmed yet. */
interface Waiting {
  readonly key: Buffer | null;
  /** Null: it deletes what the key names. */
  readonly value: Buffer | null;
  readonly headers: Headers;
}

/** Names are bytes, too: the library puts them into the message as they are. */
type Headers = ReadonlyMap<Buffer, Buffer>;

class KafkaDestination implements Destination {
  readonly #settings: ParameterValues;
  readonly #context: DestinationContext;
  readonly #cluster: KafkaCluster;
  readonly #topic: string;
  readonly #headers: Headers;
  #producer: Producer | null = null;
  #partitions = 0;
  #next = 0;
  /** Messages that are not confirmed yet. */
  #waiting: Waiting[] = [];

  constructor(settings: ParameterValues, context: DestinationContext) {
    this.#settings = settings;
    this.#context = context;
    this.#cluster = new KafkaCluster(settings, context.baseFolder, context.clock);
    this.#topic = String(settings['topic']);
    // SAFETY: the parameter is a list of objects with these members.
    const headers = (settings['headers'] ?? []) as readonly { readonly key: string; readonly value?: string }[];
    this.#headers = new Map(headers.map(({ key, value = '' }) => [Buffer.from(key), Buffer.from(value)]));
  }

  async open(): Promise<void> {
    const { compressionsAlgorithms } = await import('@platformatic/kafka');
    const { available } = compressionsAlgorithms.zstd;
    if (this.#settings['compression.type'] === 'zstd' && !available) {
      const reason =
        'is zstd, which this version of Node cannot write (22.15 and later can): choose gzip, snappy or lz4';
      throw new ConfigInvalidValue({ key: 'compression.type', reason });
    }
    await this.#retried(async () => {
      this.#partitions = (await this.#cluster.describe(this.#topic)).partitions.length;
      this.#producer = await this.#cluster.producer(this.#acks);
    });
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'bytes', 'kafka_output has a format');
    // The caller may use its array again afterwards.
    const bytes = Buffer.from(data.bytes);
    if (data.messages !== undefined) this.#keep(bytes, data.messages);
    else this.#keepLines(bytes);
    if (this.#waiting.length >= messagesPerSend * 4) await this.flush();
  }

  #keep(bytes: Buffer, { count, hasKeys, keyEnds, valueEnds, hasValue, headers, headerSets }: EncodedMessages): void {
    const sets = headerSets.map((set): Headers => {
      const own = Object.entries(set).map(([name, text]): [Buffer, Buffer] => [Buffer.from(name), Buffer.from(text)]);
      return new Map([...this.#headers, ...own]);
    });
    for (let i = 0, start = 0; i < count; i++) {
      const middle = keyEnds[i] ?? start;
      const end = valueEnds[i] ?? middle;
      this.#waiting.push({
        key: hasKeys ? bytes.subarray(start, middle) : null,
        value: hasValue[i] === 1 ? bytes.subarray(middle, end) : null,
        headers: sets[headers[i] ?? 0] ?? this.#headers,
      });
      start = end;
    }
  }

  /** Each line is a message. */
  #keepLines(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(10, at);
      const stop = end < 0 ? bytes.length : end;
      if (stop > at) this.#waiting.push({ key: null, value: bytes.subarray(at, stop), headers: this.#headers });
      at = stop + 1;
    }
  }

  async flush(): Promise<void> {
    await this.#retried(async () => {
      while (this.#waiting.length > 0) {
        await this.#send(this.#waiting.slice(0, messagesPerSend));
        this.#waiting.splice(0, messagesPerSend);
      }
    });
  }

  async teardown(): Promise<void> {
    await Promise.resolve(this.#producer?.close()).catch(() => {});
    this.#producer = null;
    await this.#cluster.close();
  }

  get #acks(): number {
    const acks = this.#settings['acks'];
    return acks === undefined || acks === 'all' ? -1 : Number(acks);
  }

  async #send(messages: readonly Waiting[]): Promise<void> {
    const topic = this.#topic;
    // One partition for each send: a batch is worth more than an even spread inside it.
    const partitions = Math.max(1, this.#partitions);
    const partition = this.#next++ % partitions;
    const { murmur2 } = await import('@platformatic/kafka');
    const compression = String(this.#settings['compression.type'] ?? 'none');
    this.#producer ??= await this.#cluster.producer(this.#acks);
    await this.#producer.send({
      messages: messages.map(({ key, value, headers }) => ({
        topic,
        // A key has its partition, the same one as with other clients: what happens to it comes in order.
        partition: key === null ? partition : (murmur2(key) & 0x7fffffff) % partitions,
        ...(key === null ? {} : { key }),
        // SAFETY: the types of the library leave messages without a value out.
        value: value as Buffer,
        headers: new Map(headers),
      })),
      // SAFETY: the parameter has one of the library's names.
      compression: compression as 'none',
      acks: this.#acks,
    });
  }

  async #retried(attempt: () => Promise<void>): Promise<void> {
    const { signal, clock, reportError } = this.#context;
    for (let failures = 1; ; failures++) {
      try {
        return await attempt();
      } catch (thrown) {
        const final = finalKafkaError(thrown);
        if (final !== null) throw final;
        const failed = new KafkaUnavailable({ reason: reasonOf(thrown), attempts: failures }, { cause: thrown });
        if (failures > Number(this.#settings['max_retries'] ?? 10) || signal.aborted) throw failed;
        reportError(failed);
        // A producer that has lost its broker does not always find it again.
        await Promise.resolve(this.#producer?.close(true)).catch(() => {});
        this.#producer = null;
        await this.#cluster.close();
        await wait(clock, Math.min(pauseMsMax, firstPauseMs * 2 ** (failures - 1)), signal);
      }
    }
  }
}
