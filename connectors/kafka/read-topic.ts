// A topic that is read: its partitions, and for each of them how far it has been given out and how far it has been fetched.
import type { Position } from '../sdk/source.ts';
import type { WantedPartition } from './fetch-request.ts';
import type { BrokerAddress, TopicDescription } from './kafka-cluster.ts';

/** What a position has of a topic. */
export interface KeptTopic {
  readonly offsets: Position | undefined;
  readonly id: unknown;
}

export class ReadTopic {
  readonly name: string;
  /** By partition: behind the last record that was given out. */
  readonly offsets: Map<number, number> = new Map();
  /** By partition: what is to be asked for next. It is ahead of `offsets` while an answer is given out. */
  readonly #asked = new Map<number, number>();
  /** Partitions of which everything has been fetched that there was. */
  readonly #atEnd = new Set<number>();
  /** Those that anything was fetched of. */
  readonly #begun = new Set<number>();
  #description: TopicDescription | null = null;
  /** Of the topic that the offsets are of: one that is deleted and made anew has another one. Null: not known yet. */
  #id: string | null = null;

  constructor(name: string) {
    this.name = name;
  }

  get id(): string | null {
    return this.#id;
  }

  get description(): TopicDescription | null {
    return this.#description;
  }

  /** As it is now. */
  described(description: TopicDescription): void {
    this.#description = description;
    this.#id = description.id;
  }

  /** What is wanted of each leader. */
  *wanted(): Iterable<{ readonly broker: BrokerAddress; readonly topicId: string; readonly wanted: WantedPartition }> {
    const description = this.#description;
    if (description === null) return;
    for (const { partition, broker } of description.partitions) {
      const offset = this.askedFor(partition);
      if (offset === undefined || broker === null) continue;
      yield { broker, topicId: description.id, wanted: { partition, offset } };
    }
  }

  /** How many of the partitions that are read have no leader. */
  get leaderless(): number {
    const { partitions = [] } = this.#description ?? {};
    return partitions.filter(({ partition, broker }) => broker === null && this.offsets.has(partition)).length;
  }

  askedFor(partition: number): number | undefined {
    return this.#asked.get(partition) ?? this.offsets.get(partition);
  }

  /** There was nothing more to be fetched when it was asked for last, in any of the partitions that are read. */
  get isAtEnd(): boolean {
    return this.offsets.size > 0 && [...this.offsets.keys()].every((partition) => this.#atEnd.has(partition));
  }

  reachedEnd(partition: number, isReached: boolean): void {
    if (isReached) this.#atEnd.add(partition);
    else this.#atEnd.delete(partition);
  }

  hasBegun(partition: number): boolean {
    return this.#begun.has(partition);
  }

  /** Records until here have come, and are to be given out. */
  fetched(partition: number, offset: number): void {
    this.#begun.add(partition);
    this.#asked.set(partition, offset);
  }

  /** Where it begins is looked up again. */
  restart(partition: number): void {
    this.offsets.delete(partition);
    this.#asked.delete(partition);
  }

  /** Nothing is known of it any more. */
  forget(): void {
    this.offsets.clear();
    this.#asked.clear();
    this.#description = null;
    this.#id = null;
  }

  /** Takes up what a position has kept; positions of earlier versions have no id. */
  resume({ offsets, id }: KeptTopic): void {
    for (const [partition, offset] of Object.entries(offsets ?? {}))
      this.offsets.set(Number(partition), Number(offset));
    if (typeof id === 'string') this.#id = id;
  }
}
