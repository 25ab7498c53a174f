// kafka_output: every record that the format prints is a message of a topic.
//
// Messages become batches as they are written (record-batch-writer.ts), and batches leave as soon as they are full (batch-sender.ts);
// `flush` sends the rest and resolves when the brokers have acknowledged everything as `acks` says (default: all replicas). A batch whose
// answer was lost is sent again under its number, so that it is there once; after a crash what was not confirmed comes again: at least
// once. A key has its partition; without keys batches go to the partitions in turn.
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
import { BatchSender } from './batch-sender.ts';
import { kafkaOutputDeclaration } from './declarations.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { retriesDefault } from './kafka-parameters.ts';
import { partitionOfKey } from './key-partition.ts';
import { type BatchSeal, encodeHeaders, type HeaderValue, RecordBatchWriter } from './record-batch-writer.ts';
import { RetryPauses } from './retry-pauses.ts';

/** Half of what a broker takes at most by default. */
const batchBytesMax = 512 << 10;
/** `write` waits while more than this is not confirmed. */
const unconfirmedBytesMax = 16 << 20;

export const kafkaOutput: DestinationDefinition = defineDestination({
  ...kafkaOutputDeclaration,
  create: (configuration, context) => new KafkaDestination(configuration, context),
});

class KafkaDestination implements Destination {
  readonly #settings: ParameterValues;
  readonly #context: DestinationContext;
  readonly #cluster: KafkaCluster;
  readonly #headers: ReadonlyMap<string, HeaderValue>;
  #sender: BatchSender | null = null;
  /** By partition: what is not full yet. */
  readonly #open = new Map<number, RecordBatchWriter>();
  /** Of messages without a key. */
  #turn = 0;

  constructor(settings: ParameterValues, context: DestinationContext) {
    this.#settings = settings;
    this.#context = context;
    this.#cluster = new KafkaCluster(settings, context.baseFolder, context.clock);
    // SAFETY: the parameter is a list of objects with these members.
    const headers = (settings['headers'] ?? []) as readonly { readonly key: string; readonly value?: HeaderValue }[];
    this.#headers = new Map(headers.map(({ key, value = null }) => [key, value]));
  }

  async open(): Promise<void> {
    const library = await import('@platformatic/kafka');
    const { clock, signal, reportError } = this.#context;
    const {
      acks = 'all',
      'request.timeout.ms': timeoutMs = 30_000,
      max_retries: failuresMax = retriesDefault,
    } = this.#settings;
    const sender = new BatchSender(
      {
        cluster: this.#cluster,
        clock,
        signal,
        reportError,
        topic: String(this.#settings['topic']),
        acks: acks === 'all' ? -1 : Number(acks),
        timeoutMs: Number(timeoutMs),
        metadataMs: this.#cluster.metadataMs,
        failuresMax: Number(failuresMax),
        pauses: new RetryPauses(this.#settings),
        seal: { compression: this.#compression(library), crc32c: library.crc32c },
      },
      Math.min(batchBytesMax, Number(this.#settings['message.max.bytes'] ?? batchBytesMax)),
    );
    await sender.open();
    this.#sender = sender;
  }

  /** @throws ConfigInvalidValue */
  #compression({ compressionsAlgorithms }: typeof import('@platformatic/kafka')): BatchSeal['compression'] {
    const name = String(this.#settings['compression.type'] ?? this.#settings['compression.codec'] ?? 'none');
    if (name === 'none') return null;
    // SAFETY: the parameter has one of the library's names.
    const algorithm = compressionsAlgorithms[name as 'gzip' | 'snappy' | 'lz4' | 'zstd'];
    if (algorithm.available)
      return { bitmask: algorithm.bitmask, compress: (records) => algorithm.compressSync(records) };
    const reason = `is ${name}, which this version of Node cannot write (22.15 and later can): choose gzip, snappy or lz4`;
    throw new ConfigInvalidValue({ key: 'compression.type', reason });
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'bytes', 'kafka_output has a format');
    const sender = this.#sender;
    assert(sender !== null, 'a destination is opened before it is written');
    await sender.ready();
    if (data.messages !== undefined) this.#writeMessages(data.bytes, data.messages, sender);
    else this.#writeLines(data.bytes, sender);
    if (sender.bytes > unconfirmedBytesMax) await sender.drain(unconfirmedBytesMax >> 1);
  }

  #writeMessages(bytes: Uint8Array, messages: EncodedMessages, sender: BatchSender): void {
    const { count, hasKeys, keyEnds, valueEnds, hasValue, headers, headerSets } = messages;
    const sets = headerSets.map((set) => encodeHeaders(new Map([...this.#headers, ...Object.entries(set)])));
    const own = encodeHeaders(this.#headers);
    const { partitions } = sender;
    for (let i = 0, start = 0; i < count; i++) {
      const middle = keyEnds[i] ?? start;
      const end = valueEnds[i] ?? middle;
      const partition = hasKeys ? partitionOfKey(bytes, start, middle, partitions) : -1;
      const valueEnd = hasValue[i] === 1 ? end : -1;
      this.#append(
        sender,
        partition,
        bytes,
        start,
        hasKeys ? middle : -1,
        middle,
        valueEnd,
        sets[headers[i] ?? 0] ?? own,
      );
      start = end;
    }
  }

  /** Each line is a message. */
  #writeLines(bytes: Uint8Array, sender: BatchSender): void {
    const headers = encodeHeaders(this.#headers);
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(10, at);
      const stop = end < 0 ? bytes.length : end;
      if (stop > at) this.#append(sender, -1, bytes, at, -1, at, stop, headers);
      at = stop + 1;
    }
  }

  /** As RecordBatchWriter.append has it. `partition` -1: the one whose turn it is. */
  #append(
    sender: BatchSender,
    partition: number,
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    headers: Uint8Array,
  ): void {
    const open = this.#open.get(partition) ?? this.#begin(sender, partition);
    if (open.append(bytes, keyStart, keyEnd, valueStart, valueEnd, headers)) return;
    this.#close(sender, partition, open);
    // Where a batch has become full, the next one probably will.
    this.#begin(sender, partition, sender.batchBytesMax).append(bytes, keyStart, keyEnd, valueStart, valueEnd, headers);
  }

  #begin(sender: BatchSender, partition: number, bytesAtFirst?: number): RecordBatchWriter {
    const writer = new RecordBatchWriter(this.#context.clock.now(), sender.batchBytesMax, bytesAtFirst);
    this.#open.set(partition, writer);
    return writer;
  }

  #close(sender: BatchSender, partition: number, writer: RecordBatchWriter): void {
    this.#open.delete(partition);
    if (writer.count === 0) return;
    const target = partition < 0 ? this.#turn++ % Math.max(1, sender.partitions) : partition;
    sender.add(target, writer.finish(), writer.count);
  }

  async flush(): Promise<void> {
    const sender = this.#sender;
    if (sender === null) return;
    for (const [partition, writer] of [...this.#open]) this.#close(sender, partition, writer);
    await sender.drain(0);
  }

  async teardown(): Promise<void> {
    this.#sender = null;
    await this.#cluster.close();
  }
}
