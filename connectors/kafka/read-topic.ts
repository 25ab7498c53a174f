// A topic that is read: its partitions, and for each of them how far it has been given out and how far it has been fetched.
import type { Position } from '../sdk/source.ts';
import type { WantedPartition } from './fetch-request.ts';
import type { BrokerAddress, TopicDescription } from './kafka-cluster.ts';

export class ReadTopic {
  readonly name: string;
  /** By partition: behind the last record that was given out. */
  readonly offsets: Map<number, number> = new Map();
  /** By partition: what is to be asked for next. It is ahead of `offsets` while an answer is given out. */
  readonly #asked = new Map<number, number>();
  description: TopicDescription | null = null;

  constructor(name: string) {
    this.name = name;
  }

  /** What is wanted of each leader. */
  *wanted(): Iterable<{ readonly broker: BrokerAddress; readonly topicId: string; readonly wanted: WantedPartition }> {
    const { description } = this;
    if (description === null) return;
    for (const { partition, broker } of description.partitions) {
      const offset = this.askedFor(partition);
      if (offset === undefined || broker === null) continue;
      yield { broker, topicId: description.id, wanted: { partition, offset } };
    }
  }

  /** How many of the partitions that are read have no leader. */
  get leaderless(): number {
    const { partitions = [] } = this.description ?? {};
    return partitions.filter(({ partition, broker }) => broker === null && this.offsets.has(partition)).length;
  }

  askedFor(partition: number): number | undefined {
    return this.#asked.get(partition) ?? this.offsets.get(partition);
  }

  /** Records until here have come, and are to be given out. */
  fetched(partition: number, offset: number): void {
    this.#asked.set(partition, offset);
  }

  /** Where it begins is looked up again. */
  restart(partition: number): void {
    this.offsets.delete(partition);
    this.#asked.delete(partition);
  }

  /** Takes up what a position has kept. */
  resume(kept: Position | undefined): void {
    for (const [partition, offset] of Object.entries(kept ?? {})) this.offsets.set(Number(partition), Number(offset));
  }
}
