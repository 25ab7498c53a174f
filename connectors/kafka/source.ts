// kafka_input: the values of the records of topics, each value a message of its own for the format.
//
// There is no consumer group: the runtime keeps the offsets. Position: { offsets: { partition: offset behind the last record } }, with
// `topics` { topics: { topic: the same } }; all partitions in each position. Every leader is asked for all its partitions at once; one answer of each is on its way while the last one is
// given out, and none while nobody reads. Leaders that move, brokers that go and partitions that are added are found again.
// Only what is committed is read, unless isolation.level says otherwise.

import type { Connection } from '@platformatic/kafka';
import { assert } from '../../runtime/assert.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import {
  type BytesPayload,
  defineSource,
  type MessageBorders,
  type Payload,
  type Position,
  type Source,
  type SourceContext,
  type SourceDefinition,
} from '../sdk/source.ts';
import { wait } from '../sdk/wait.ts';
import { kafkaInputDeclaration } from './declarations.ts';
import { decompressor } from './decompression.ts';
import {
  type FetchAnswer,
  type FetchedPartition,
  type FetchLimits,
  fetchPartitions,
  type WantedPartition,
} from './fetch-request.ts';
import { headerFilter, type RecordFilter } from './header-filter.ts';
import { type BrokerAddress, KafkaCluster, type Library, type TopicDescription } from './kafka-cluster.ts';
import {
  errorOfCode,
  finalKafkaError,
  KafkaOffsetLost,
  KafkaPartitionMissing,
  KafkaUnavailable,
  mayPass,
  reasonOf,
} from './kafka-errors.ts';
import { isOffsetList, type OffsetWish, type ReadingStart, readingStart } from './reading-start.ts';
import { RecordMetadata, wantedMetadata } from './record-metadata.ts';
import { type Decompress, RecordValues, readRecordSet } from './record-set.ts';

const offsetOutOfRange = 1;
const firstPauseMs = 100;
const pauseMsMax = 10_000;
const maxWaitMs = 250;

export const kafkaInput: SourceDefinition = defineSource({
  ...kafkaInputDeclaration,
  create: (configuration, context) => new KafkaSource(configuration, context),
});

interface Fetching {
  readonly broker: BrokerAddress;
  readonly answer: Promise<FetchAnswer>;
}

/** A topic, and the offset of the next record by partition. */
interface ReadTopic {
  readonly name: string;
  readonly offsets: Map<number, number>;
  description: TopicDescription | null;
}

class KafkaSource implements Source {
  readonly #settings: ParameterValues;
  readonly #context: SourceContext;
  readonly #cluster: KafkaCluster;
  readonly #start: ReadingStart;
  readonly #limits: FetchLimits;
  readonly #topics: readonly ReadTopic[];
  readonly #isSingle: boolean;
  readonly #values = new RecordValues();
  readonly #metadata: RecordMetadata | null;
  readonly #filter: RecordFilter | null;
  #library: Library | null = null;
  #decompress: Decompress | null = null;
  #lookedAt = 0;

  constructor(settings: ParameterValues, context: SourceContext) {
    this.#settings = settings;
    this.#context = context;
    this.#cluster = new KafkaCluster(settings, context.baseFolder);
    this.#isSingle = settings['topics'] === undefined;
    this.#topics = topicNames(settings).map((name) => ({ name, offsets: new Map(), description: null }));
    this.#filter = headerFilter(settings['header_filter']);
    const wanted = wantedMetadata(settings);
    this.#metadata = wanted.size === 0 ? null : new RecordMetadata(wanted);
    this.#start = readingStart(settings['start_from']);
    this.#limits = {
      maxWaitMs: Number(settings['fetch.wait.max.ms'] ?? maxWaitMs),
      bytesMax: Number(settings['fetch.max.bytes'] ?? 8 << 20),
      partitionBytesMax: Number(settings['max.partition.fetch.bytes'] ?? 4 << 20),
      readCommitted: settings['isolation.level'] !== 'read_uncommitted',
      rack: String(settings['client.rack'] ?? ''),
    };
  }

  async open(position: Position | null): Promise<void> {
    this.#library = await import('@platformatic/kafka');
    this.#decompress = await decompressor(this.#library);
    const byTopic: unknown = position?.['topics'];
    for (const { name, offsets } of this.#topics) {
      const kept: unknown = this.#isSingle ? position?.['offsets'] : Object(byTopic)[name];
      if (typeof kept !== 'object' || kept === null) continue;
      for (const [partition, offset] of Object.entries(kept)) offsets.set(Number(partition), Number(offset));
    }
    await this.#retried(() => this.#begin(position === null ? this.#start : 'earliest'));
  }

  async *read(): AsyncIterable<Payload> {
    const { signal } = this.#context;
    let ahead: readonly Fetching[] = [];
    let failures = 0;
    try {
      while (!signal.aborted) {
        const current = ahead.length > 0 ? ahead : this.#ask();
        ahead = [];
        let hasData = false;
        let failure: unknown = null;
        for (const { answer } of current) {
          let partitions: readonly FetchedPartition[] = [];
          try {
            const found = await answer;
            failure ??= found.errorCode === 0 ? null : new Error(`a broker answered with error ${found.errorCode}`);
            partitions = found.partitions;
          } catch (thrown) {
            failure ??= thrown;
          }
          for (const fetched of partitions) {
            const payload = this.#take(fetched);
            if (payload === 'moved') failure ??= new Error(`partition ${fetched.partition} has another leader`);
            else if (payload === 'lost') await this.#skipExpired(fetched);
            else if (payload !== null) {
              hasData = true;
              failures = 0;
              yield payload;
              if (signal.aborted) return;
            }
          }
        }
        if (failure !== null) {
          await this.#pause(failure, ++failures);
          await this.#lookAgain();
          continue;
        }
        if (this.#context.clock.monotonic() - this.#lookedAt > this.#metadataMs) await this.#lookAgain();
        if (!hasData) yield { kind: 'idle' };
        // While what was read is decoded the next answer is on its way.
        if (!signal.aborted) ahead = this.#ask();
      }
    } finally {
      for (const { answer } of ahead) answer.catch(() => {});
      await this.#cluster.close();
    }
  }

  async teardown(): Promise<void> {
    await this.#cluster.close();
  }

  get #metadataMs(): number {
    return Number(
      this.#settings['metadata.max.age.ms'] ?? this.#settings['topic.metadata.refresh.interval.ms'] ?? 30_000,
    );
  }

  /** One request to each leader. A rejection is seen when its turn comes. */
  #ask(): readonly Fetching[] {
    const library = this.#library;
    if (library === null) return [];
    const byBroker = new Map<number, { broker: BrokerAddress; topics: Map<string, WantedPartition[]> }>();
    for (const { description, offsets } of this.#topics) {
      for (const { partition, broker } of description?.partitions ?? []) {
        const offset = offsets.get(partition);
        if (offset === undefined || description === null) continue;
        const entry = byBroker.get(broker.id) ?? { broker, topics: new Map() };
        const wanted = entry.topics.get(description.id) ?? [];
        wanted.push({ partition, offset });
        entry.topics.set(description.id, wanted);
        byBroker.set(broker.id, entry);
      }
    }
    return [...byBroker.values()].map(({ broker, topics }) => {
      // Another topic and another partition come first each time, so that a full answer starves none.
      const turn = this.#values.nextOffset;
      const wanted = rotated([...topics], turn).map(([topicId, partitions]) => {
        return { topicId, partitions: rotated(partitions, turn) };
      });
      const answer = this.#cluster
        .connect(broker)
        .then((connection: Connection) => fetchPartitions(library, connection, wanted, this.#limits));
      answer.catch(() => {});
      return { broker, answer };
    });
  }

  #topicOf({ topicId }: FetchedPartition): ReadTopic | undefined {
    return this.#topics.find(({ description }) => description?.id === topicId);
  }

  #take(fetched: FetchedPartition): BytesPayload | 'moved' | 'lost' | null {
    const { partition, errorCode, records, aborted } = fetched;
    const topic = this.#topicOf(fetched);
    // It has been made anew since it was asked for.
    if (topic === undefined) return 'moved';
    const offset = topic.offsets.get(partition) ?? 0;
    if (errorCode === offsetOutOfRange) return 'lost';
    if (mayPass(errorCode)) return 'moved';
    if (errorCode !== 0) throw errorOfCode(errorCode, `partition ${partition} of topic "${topic.name}"`) ?? new Error();
    if (records === null) return null;
    const values = this.#values;
    values.clear(offset);
    this.#metadata?.begin(topic.name, partition);
    assert(this.#decompress !== null, 'a source is opened before it is read');
    readRecordSet(records, aborted, this.#decompress, values, this.#metadata, this.#filter);
    topic.offsets.set(partition, values.nextOffset);
    if (values.count === 0) return null;
    return this.#payload(topic, partition, offset);
  }

  #payload(topic: ReadTopic, partition: number, before: number): BytesPayload {
    const values = this.#values;
    const bytes = values.bytes.slice(0, values.length);
    const ends = values.ends.slice(0, values.count);
    const metadata = this.#metadata?.finish();
    const messages = { ...bordersOf(ends), ...(metadata === undefined ? {} : { metadata }) };
    const offsets = values.offsets.slice(0, values.count);
    const behind = values.nextOffset;
    const others = [...topic.offsets].filter(([other]) => other !== partition);
    const otherTopics = this.#topics
      .filter((other) => other !== topic)
      .map(({ name, offsets: known }) => [name, Object.fromEntries(known)] as const);
    const positionAfter = (length: number): Position => {
      let low = 0;
      let high = ends.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((ends[middle] ?? 0) <= length) low = middle + 1;
        else high = middle;
      }
      const own = low === ends.length ? behind : low === 0 ? before : (offsets[low - 1] ?? 0) + 1;
      const ofTopic = Object.fromEntries([...others, [partition, own]]);
      return this.#isSingle
        ? { offsets: ofTopic }
        : { topics: Object.fromEntries([...otherTopics, [topic.name, ofTopic]]) };
    };
    return { kind: 'bytes', bytes, positionAfter, messages };
  }

  /** Leaders and partitions as they are now; partitions that are new are read from their start. */
  async #lookAgain(): Promise<void> {
    await this.#cluster.close();
    await this.#retried(() => this.#begin('earliest'));
  }

  /** Topics as they are now, with offsets for the partitions that have none. */
  async #begin(start: ReadingStart): Promise<void> {
    for (const topic of this.#topics) {
      const description = await this.#cluster.describe(topic.name);
      await this.#beginTopic(topic, description, start);
      topic.description = description;
    }
    this.#lookedAt = this.#context.clock.monotonic();
  }

  async #beginTopic({ name, offsets }: ReadTopic, description: TopicDescription, start: ReadingStart): Promise<void> {
    const count = description.partitions.length;
    // SAFETY: the parameter is a list of integers.
    const chosen = this.#settings['partitions'] as readonly number[] | undefined;
    for (const partition of chosen ?? []) {
      if (partition >= count) throw new KafkaPartitionMissing({ topic: name, partition, count });
    }
    if (isOffsetList(start) && start.length !== count && chosen === undefined) {
      throw new KafkaPartitionMissing({ topic: name, partition: start.length, count });
    }
    const wishes = new Map<number, OffsetWish>();
    for (const { partition } of description.partitions) {
      if ((chosen !== undefined && !chosen.includes(partition)) || offsets.has(partition)) continue;
      if (isOffsetList(start)) offsets.set(partition, start[chosen?.indexOf(partition) ?? partition] ?? 0);
      else wishes.set(partition, start);
    }
    const found = await this.#cluster.offsets(description, wishes);
    for (const [partition, offset] of found) offsets.set(partition, Number(offset));
  }

  async #skipExpired(fetched: FetchedPartition): Promise<void> {
    const { partition } = fetched;
    const topic = this.#topicOf(fetched);
    const offset = String(topic?.offsets.get(partition));
    const lost = new KafkaOffsetLost({ topic: topic?.name ?? '', partition, offset });
    if (this.#settings['resume_earliest_if_data_expires'] !== true) throw lost;
    this.#context.reportError(lost);
    topic?.offsets.delete(partition);
    await this.#lookAgain();
  }

  async #retried(attempt: () => Promise<void>): Promise<void> {
    const { signal } = this.#context;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        return await attempt();
      } catch (thrown) {
        if (signal.aborted) return;
        await this.#pause(thrown, failures);
        await this.#cluster.close();
      }
    }
  }

  /** @throws what is final, or KafkaUnavailable after too many failures. */
  async #pause(thrown: unknown, failures: number): Promise<void> {
    const { signal, clock, reportError } = this.#context;
    if (signal.aborted) return;
    const final = finalKafkaError(thrown);
    if (final !== null) throw final;
    const failed = new KafkaUnavailable({ reason: reasonOf(thrown), attempts: failures }, { cause: thrown });
    if (failures > Number(this.#settings['max_retries'] ?? 10)) throw failed;
    reportError(failed);
    await wait(clock, Math.min(pauseMsMax, firstPauseMs * 2 ** (failures - 1)), signal);
  }
}

/** `ends[i]` is behind the line break of value i. */
function bordersOf(ends: Int32Array): MessageBorders {
  const starts = new Int32Array(ends.length);
  starts.set(ends.subarray(0, -1), 1);
  return { starts, ends: ends.map((end) => end - 1) };
}

function rotated<T>(list: readonly T[], turn: number): readonly T[] {
  const first = list.length === 0 ? 0 : turn % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}

function topicNames({ topic, topics }: ParameterValues): readonly string[] {
  // SAFETY: the parameter is a list of texts.
  return topics === undefined ? [String(topic)] : (topics as readonly string[]);
}
