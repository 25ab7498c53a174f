// Where partitions that have no offset yet are read from: those of a source that begins, and those that were added since.
import type { KafkaCluster, TopicDescription } from './kafka-cluster.ts';
import { KafkaPartitionMissing } from './kafka-errors.ts';
import type { ReadTopic } from './read-topic.ts';
import { isOffsetList, type OffsetWish, type ReadingStart } from './reading-start.ts';

/** Gives an offset to each partition that is read and has none. `chosen` null: all are read. @throws KafkaPartitionMissing */
export async function startPartitions(
  cluster: KafkaCluster,
  { name, offsets }: ReadTopic,
  description: TopicDescription,
  start: ReadingStart,
  chosen: readonly number[] | null,
): Promise<void> {
  const count = description.partitions.length;
  for (const partition of chosen ?? []) {
    if (partition >= count) throw new KafkaPartitionMissing({ topic: name, partition, count });
  }
  if (isOffsetList(start) && start.length !== (chosen?.length ?? count)) {
    throw new KafkaPartitionMissing({ topic: name, partition: start.length, count });
  }
  const wishes = new Map<number, OffsetWish>();
  for (const { partition, broker } of description.partitions) {
    if ((chosen !== null && !chosen.includes(partition)) || offsets.has(partition)) continue;
    // Its end is not known yet, and may be another one when it is asked for later.
    if (broker === null && start !== 'earliest') throw new Error(`partition ${partition} of "${name}" has no leader`);
    if (isOffsetList(start)) offsets.set(partition, start[chosen?.indexOf(partition) ?? partition] ?? 0);
    else wishes.set(partition, start);
  }
  const found = await cluster.offsets(description, wishes);
  for (const [partition, offset] of found) offsets.set(partition, Number(offset));
}
