// kafka_input: the values of the records of topics, each value a message of its own for the format.
//
// There is no consumer group: the runtime keeps the offsets. Position: { offsets: { partition: offset behind the last record }, id of the
// topic }, with `topics` { topics: { topic: offsets }, ids }; all partitions in each position. Each leader is asked for all its partitions at once, and
// asked again as soon as its answer has come, so that the next one is on its way while the last one is given out; none while nobody
// reads. A leader that has nothing, has gone or does not answer keeps no other one waiting. Leaders that move, brokers that go and
// partitions that are added are found again. Only what is committed is read, unless isolation.level says otherwise.

import type { ParameterValues } from '../sdk/parameters.ts';
import {
  type BytesPayload,
  defineSource,
  type Payload,
  type Position,
  type Source,
  type SourceContext,
  type SourceDefinition,
} from '../sdk/source.ts';
import { kafkaInputDeclaration } from './declarations.ts';
import { decompressor } from './decompression.ts';
import { type FetchedPartition, type FetchLimits, fetchPartitions, type WantedTopic } from './fetch-request.ts';
import { headerFilter, type RecordFilter } from './header-filter.ts';
import { type BrokerAddress, KafkaCluster } from './kafka-cluster.ts';
import {
  errorOfCode,
  finalKafkaError,
  KafkaOffsetLost,
  KafkaTopicMissing,
  KafkaTopicReplaced,
  KafkaUnavailable,
  mayPass,
  reasonOf,
} from './kafka-errors.ts';
import { retriesDefault } from './kafka-parameters.ts';
import { type Fetched, LeaderFetches } from './leader-fetches.ts';
import { codeName } from './protocol-codes.ts';
import { type KeptTopic, ReadTopic } from './read-topic.ts';
import { type OffsetWish, offsetReset, type ReadingStart, readingStart } from './reading-start.ts';
import { RecordMetadata, wantedMetadata } from './record-metadata.ts';
import { type Decompress, RecordSet, surveySet } from './record-set.ts';
import { RecordValues } from './record-values.ts';
import { RetryPauses } from './retry-pauses.ts';
import { startPartitions } from './starting-offsets.ts';

const offsetOutOfRange = 1;
/** Leaders are looked up again after this at the latest when something has failed. */
const lookMsMax = 1_000;
/** An answer that is late by so much makes the leaders be looked up: its broker may have lost them. */
const lateMs = 5_000;
const maxWaitMs = 250;

export const kafkaInput: SourceDefinition = defineSource({
  ...kafkaInputDeclaration,
  create: (configuration, context) => new KafkaSource(configuration, context),
});

/** A record set that has come, to be given out. */
interface Arrived {
  readonly topic: ReadTopic;
  readonly partition: number;
  readonly offset: number;
  readonly fetched: FetchedPartition;
  /** Some of its batches are compressed. */
  readonly isPacked: boolean;
}

class KafkaSource implements Source {
  readonly #settings: ParameterValues;
  readonly #context: SourceContext;
  readonly #cluster: KafkaCluster;
  readonly #fetches: LeaderFetches;
  readonly #pauses: RetryPauses;
  /** Of topics that have not been looked up yet; partitions that are added later are read from their start. */
  #start: ReadingStart;
  /** Null: all partitions. */
  readonly #chosen: readonly number[] | null;
  readonly #limits: FetchLimits;
  readonly #topics: readonly ReadTopic[];
  readonly #isSingle: boolean;
  /** It ends when it has read everything that there is. */
  readonly #endsAtEnd: boolean;
  /** Where it goes on in a partition that it has read nothing of, and whose first records have gone meanwhile. */
  readonly #reset: OffsetWish | null;
  readonly #values = new RecordValues();
  readonly #metadata: RecordMetadata | null;
  readonly #filter: RecordFilter | null;
  /** By id of a broker that has failed: how often since it has answered last, and when it may be asked again. */
  readonly #failed = new Map<number, { readonly times: number; readonly until: number }>();
  /** Failures of all brokers since records have come last. */
  #failures = 0;
  #decompress: Decompress | null = null;
  /** When leaders and partitions are looked up again. */
  #lookAt = 0;
  #lookedAt = 0;
  #beginsAnew = true;
  /** Of partitions of a topic that is known: new ones are read from their start. */
  #resetTo: OffsetWish = 'earliest';
  #turn = 0;

  constructor(settings: ParameterValues, context: SourceContext) {
    this.#settings = settings;
    this.#context = context;
    this.#cluster = new KafkaCluster(settings, context.baseFolder, context.clock);
    this.#fetches = new LeaderFetches(context.clock);
    this.#isSingle = settings['topics'] === undefined;
    this.#topics = topicNames(settings).map((name) => new ReadTopic(name));
    this.#filter = headerFilter(settings['header_filter']);
    const wanted = wantedMetadata(settings);
    this.#metadata = wanted.size === 0 ? null : new RecordMetadata(wanted);
    this.#pauses = new RetryPauses(settings);
    this.#start = readingStart(settings);
    this.#reset = offsetReset(settings);
    this.#endsAtEnd = String(settings['enable.partition.eof']) === 'true';
    // SAFETY: the parameter is a list of integers.
    this.#chosen = (settings['partitions'] ?? null) as readonly number[] | null;
    this.#limits = {
      maxWaitMs: Number(settings['fetch.wait.max.ms'] ?? maxWaitMs),
      bytesMax: Number(settings['fetch.max.bytes'] ?? 8 << 20),
      partitionBytesMax: Number(
        settings['max.partition.fetch.bytes'] ?? settings['fetch.message.max.bytes'] ?? 4 << 20,
      ),
      readCommitted: settings['isolation.level'] !== 'read_uncommitted',
      rack: String(settings['client.rack'] ?? ''),
    };
  }

  async open(position: Position | null): Promise<void> {
    for (const topic of this.#topics) topic.resume(this.#kept(position, topic));
    this.#beginsAnew = position === null;
    if (position !== null) this.#start = 'earliest';
    // Brokers that cannot be reached now may be later, and nobody should have to wait for that but this source.
    await this.#lookAgain();
  }

  #kept(position: Position | null, { name }: ReadTopic): KeptTopic {
    if (this.#isSingle) return { offsets: Object(position?.['offsets']), id: position?.['id'] };
    return { offsets: Object(position?.['topics'])[name], id: Object(position?.['ids'])[name] };
  }

  async *read(): AsyncIterable<Payload> {
    const { signal } = this.#context;
    const wake = (): void => this.#fetches.wake();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        this.#askLeaders();
        const fetched = await this.#fetches.next(this.#untilLook);
        if (signal.aborted) return;
        if (fetched !== null) {
          let hasData = false;
          for (const arrived of this.#accept(fetched)) {
            if (arrived.isPacked) this.#decompress ??= await decompressor();
            for (const payload of this.#payloads(arrived)) {
              hasData = true;
              yield payload;
              if (signal.aborted) return;
            }
          }
          if (!hasData) yield { kind: 'idle' };
        }
        if (this.#endsAtEnd && this.#topics.every(({ isAtEnd }) => isAtEnd)) return;
        if (!signal.aborted && this.#mustLook) await this.#lookAgain();
      }
    } finally {
      signal.removeEventListener('abort', wake);
      await this.#cluster.close();
    }
  }

  async teardown(): Promise<void> {
    await this.#cluster.close();
  }

  get #mustLook(): boolean {
    const now = this.#context.clock.monotonic();
    return now >= this.#lookAt || (now - this.#lookedAt > lateMs && this.#fetches.late(lateMs).length > 0);
  }

  /** Never longer than a late answer needs to be noticed. */
  get #untilLook(): number {
    return Math.max(0, Math.min(this.#lookAt - this.#context.clock.monotonic(), lookMsMax));
  }

  /** One request to each leader that has none. */
  #askLeaders(): void {
    const now = this.#context.clock.monotonic();
    const byBroker = new Map<
      number,
      { broker: BrokerAddress; topics: Map<string, WantedTopic['partitions'][number][]> }
    >();
    for (const topic of this.#topics) {
      for (const { broker, topicId, wanted } of topic.wanted()) {
        if (this.#fetches.isBusy(broker.id) || now < (this.#failed.get(broker.id)?.until ?? 0)) continue;
        const entry = byBroker.get(broker.id) ?? { broker, topics: new Map() };
        const partitions = entry.topics.get(topicId) ?? [];
        partitions.push(wanted);
        entry.topics.set(topicId, partitions);
        byBroker.set(broker.id, entry);
      }
    }
    for (const { broker, topics } of byBroker.values()) {
      // Another topic and another partition come first each time, so that a full answer starves none.
      const turn = this.#turn++;
      const wanted = rotated([...topics], turn).map(([topicId, partitions]) => {
        return { topicId, partitions: rotated(partitions, turn) };
      });
      this.#fetches.ask(broker, wanted, () =>
        this.#cluster.ask(broker, (connection) => fetchPartitions(connection, wanted, this.#limits)),
      );
    }
  }

  /** What is to be given out of an answer; its leader has been asked for more. @throws what ends the source */
  #accept({ broker, wanted, answer, failure }: Fetched): readonly Arrived[] {
    if (answer === null || answer.errorCode !== 0) {
      this.#leaderFailed(broker, failure ?? new Error(`a broker answered with ${codeName(answer?.errorCode ?? -1)}`));
      return [];
    }
    const arrived: Arrived[] = [];
    let moved: Error | null = null;
    for (const fetched of answer.partitions) {
      const { topicId, partition, errorCode, records } = fetched;
      const topic = this.#topics.find(({ description }) => description?.id === topicId);
      const asked = wanted
        .find((each) => each.topicId === topicId)
        ?.partitions.find((each) => each.partition === partition);
      // Made anew since it was asked for, or read from another leader meanwhile.
      if (topic === undefined) moved = new Error('a topic has been made anew');
      else if (asked === undefined || asked.offset !== topic.askedFor(partition)) continue;
      else if (errorCode === offsetOutOfRange) this.#expired(topic, partition);
      else if (mayPass(errorCode))
        moved = new Error(`partition ${partition} of topic "${topic.name}": ${codeName(errorCode)}`);
      else if (errorCode !== 0)
        throw errorOfCode(errorCode, `partition ${partition} of topic "${topic.name}"`) ?? moved;
      else if (records.length === 0) {
        const end = this.#limits.readCommitted ? fetched.lastStable : fetched.highWatermark;
        topic.reachedEnd(partition, asked.offset >= end);
      } else {
        topic.reachedEnd(partition, false);
        const { behind, isPacked } = surveySet(records, asked.offset);
        topic.fetched(partition, behind);
        arrived.push({ topic, partition, offset: asked.offset, fetched, isPacked });
      }
    }
    if (arrived.length > 0) this.#failures = 0;
    if (moved === null) this.#failed.delete(broker.id);
    else this.#leaderFailed(broker, moved);
    this.#askLeaders();
    return arrived;
  }

  *#payloads({ topic, partition, offset, fetched: { records, aborted } }: Arrived): Iterable<BytesPayload> {
    const parts = { records, aborted, decompress: this.#decompress, details: this.#metadata, filter: this.#filter };
    const set = new RecordSet(parts, offset);
    for (;;) {
      this.#metadata?.begin(topic.name, partition);
      const before = topic.offsets.get(partition) ?? offset;
      const isMore = set.read(this.#values);
      topic.offsets.set(partition, set.nextOffset);
      if (!isMore) return;
      yield this.#payload(topic, partition, before);
    }
  }

  #payload(topic: ReadTopic, partition: number, before: number): BytesPayload {
    const { bytes: buffer, length, starts, ends, offsets, count } = this.#values;
    const bytes = buffer.subarray(0, length);
    const metadata = this.#metadata?.finish();
    const release = this.#values.lend();
    // Positions are asked for when the arrays may be others' already.
    const kept = ends.slice(0, count);
    const keptOffsets = offsets.slice(0, count);
    const messages = {
      starts: starts.subarray(0, count),
      ends: ends.subarray(0, count),
      ...(metadata === undefined ? {} : { metadata }),
    };
    const positions = this.#topics.map((each) => [each.name, Object.fromEntries(each.offsets)] as const);
    const ids = Object.fromEntries(this.#topics.map((each) => [each.name, each.id]));
    const positionAfter = (given: number): Position => {
      const whole = valuesWithin(kept, given);
      const all = new Map(positions);
      const own = all.get(topic.name) ?? {};
      const behind = whole === 0 ? before : (keptOffsets[whole - 1] ?? 0) + 1;
      all.set(topic.name, whole === count ? own : { ...own, [partition]: behind });
      if (this.#isSingle) return { offsets: all.get(topic.name), id: topic.id };
      return { topics: Object.fromEntries(all), ids };
    };
    return { kind: 'bytes', bytes, release, positionAfter, messages };
  }

  /** Topics as they are now, with offsets for the partitions that have none. */
  async #look(): Promise<void> {
    for (const topic of this.#topics) {
      const description = await this.#cluster.describe(topic.name);
      if (topic.id !== null && topic.id !== description.id) this.#replaced(topic);
      const start = topic.id === null ? this.#start : this.#resetTo;
      await startPartitions(this.#cluster, topic, description, start, this.#chosen);
      topic.described(description);
    }
    this.#resetTo = 'earliest';
    this.#lookedAt = this.#context.clock.monotonic();
    this.#lookAt = this.#lookedAt + this.#cluster.metadataMs;
  }

  /** Leaders and partitions as they are now; partitions that are new are read from their start. @throws what ends the source */
  async #lookAgain(): Promise<void> {
    const now = this.#context.clock.monotonic();
    try {
      await this.#look();
      const leaderless = this.#topics.reduce((sum, topic) => sum + topic.leaderless, 0);
      if (leaderless > 0) throw new Error(`${leaderless} partitions have no leader`);
    } catch (thrown) {
      if (this.#context.signal.aborted) return;
      this.#lookAt = now + this.#report(thrown, ++this.#failures);
    }
    for (const broker of this.#fetches.late(lateMs)) {
      // Its partitions are led by others now, and asked for there.
      if (!this.#leads(broker)) await this.#cluster.drop(broker);
    }
  }

  #leads({ id }: BrokerAddress): boolean {
    return this.#topics.some((topic) => [...topic.wanted()].some(({ broker }) => broker.id === id));
  }

  /** It is asked again after a pause, when leaders have been looked up. @throws what ends the source */
  #leaderFailed(broker: BrokerAddress, thrown: unknown): void {
    // Others have taken over what it led.
    if (!this.#leads(broker)) return;
    const times = (this.#failed.get(broker.id)?.times ?? 0) + 1;
    const now = this.#context.clock.monotonic();
    this.#report(thrown, ++this.#failures);
    const pauseMs = this.#pauses.after(times);
    this.#failed.set(broker.id, { times, until: now + pauseMs });
    this.#lookAt = Math.min(this.#lookAt, now + Math.min(pauseMs, lookMsMax));
  }

  /** Another topic has the name: what is known of offsets is of the one that is gone. @throws KafkaTopicReplaced */
  #replaced(topic: ReadTopic): void {
    const replaced = new KafkaTopicReplaced({ topic: topic.name });
    if (this.#settings['resume_earliest_if_data_expires'] !== true) throw replaced;
    this.#context.reportError(replaced);
    topic.forget();
    this.#start = 'earliest';
  }

  #expired(topic: ReadTopic, partition: number): void {
    const offset = String(topic.offsets.get(partition));
    const lost = new KafkaOffsetLost({ topic: topic.name, partition, offset });
    const isNew = this.#beginsAnew && !topic.hasBegun(partition);
    const wish = this.#settings['resume_earliest_if_data_expires'] === true ? 'earliest' : isNew ? this.#reset : null;
    if (wish === null) throw lost;
    this.#context.reportError(lost);
    if (wish !== 'earliest') this.#resetTo = wish;
    topic.restart(partition);
    this.#lookAt = 0;
  }

  /** Returns how long to wait. @throws what is final, or KafkaUnavailable after too many failures. */
  #report(thrown: unknown, failures: number): number {
    // A topic that was there may come back: brokers that have just started do not know all of them yet.
    const mayComeBack = thrown instanceof KafkaTopicMissing && this.#lookedAt > 0;
    const final = mayComeBack ? null : finalKafkaError(thrown);
    if (final !== null) throw final;
    const failed = mayComeBack
      ? thrown
      : new KafkaUnavailable({ reason: reasonOf(thrown), attempts: failures }, { cause: thrown });
    if (failures > Number(this.#settings['max_retries'] ?? retriesDefault)) throw failed;
    this.#context.reportError(failed);
    return this.#pauses.after(failures);
  }
}

/** How many values end within so many bytes, their line breaks included. */
function valuesWithin(ends: Int32Array, length: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] ?? 0) < length) low = middle + 1;
    else high = middle;
  }
  return low;
}

function rotated<T>(list: readonly T[], turn: number): readonly T[] {
  const first = list.length === 0 ? 0 : turn % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}

function topicNames({ topic, topics }: ParameterValues): readonly string[] {
  // SAFETY: the parameter is a list of texts.
  return topics === undefined ? [String(topic)] : (topics as readonly string[]);
}
