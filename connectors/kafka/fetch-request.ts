// One Fetch of a broker, with the records left as the bytes that came: the library would make an object of each.
// Version 13 of the protocol and later name topics by id; the answers of 13 to 17 are alike.
// https://kafka.apache.org/protocol.html#The_Messages_Fetch
import type { Connection, Reader, Writer } from '@platformatic/kafka';
import type { Library } from './kafka-cluster.ts';
import type { AbortedTransaction } from './record-set.ts';

const fetchKey = 1;
const fetchVersion = 13;

export interface WantedPartition {
  readonly partition: number;
  readonly offset: number;
}

export interface WantedTopic {
  readonly topicId: string;
  readonly partitions: readonly WantedPartition[];
}

export interface FetchLimits {
  readonly maxWaitMs: number;
  readonly bytesMax: number;
  readonly partitionBytesMax: number;
  /** Only what is committed. */
  readonly readCommitted: boolean;
  readonly rack: string;
}

export interface FetchedPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Of the record set, as they came from the socket; none: there was nothing. */
  readonly chunks: readonly Uint8Array[];
}

export interface FetchAnswer {
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

export function fetchPartitions(
  library: Library,
  connection: Connection,
  topics: readonly WantedTopic[],
  limits: FetchLimits,
): Promise<FetchAnswer> {
  return new Promise((resolve, reject) => {
    connection.send(
      fetchKey,
      fetchVersion,
      () => request(library, topics, limits),
      (_correlation: number, _key: number, _version: number, reader: Reader) => answer(reader),
      true,
      true,
      (error, found) => (found === undefined ? reject(error) : resolve(found)),
    );
  });
}

function request(library: Library, topics: readonly WantedTopic[], limits: FetchLimits): Writer {
  return library.Writer.create()
    .appendInt32(-1)
    .appendInt32(limits.maxWaitMs)
    .appendInt32(1)
    .appendInt32(limits.bytesMax)
    .appendInt8(limits.readCommitted ? 1 : 0)
    .appendInt32(0)
    .appendInt32(-1)
    .appendArray([...topics], (writer, topic) => {
      writer.appendUUID(topic.topicId).appendArray([...topic.partitions], (inner, { partition, offset }) => {
        inner
          .appendInt32(partition)
          .appendInt32(-1)
          .appendInt64(BigInt(offset))
          .appendInt32(-1)
          .appendInt64(-1n)
          .appendInt32(limits.partitionBytesMax);
      });
    })
    .appendArray([], () => {})
    .appendString(limits.rack)
    .appendTaggedFields();
}

function answer(reader: Reader): FetchAnswer {
  reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt32();
  const topics = reader.readArray((topic) => {
    const topicId = topic.readUUID();
    return topic.readArray((partition) => readPartition(partition, topicId));
  });
  return { errorCode, partitions: topics.flat() };
}

function readPartition(reader: Reader, topicId: string): FetchedPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  reader.readInt64();
  reader.readInt64();
  const aborted =
    reader.readNullableArray((one) => ({ producerId: one.readInt64(), firstOffset: one.readInt64() })) ?? [];
  reader.readInt32();
  // A length of compact bytes counts from 1; 0 is null.
  const length = reader.readUnsignedVarInt() - 1;
  const chunks = length > 0 ? reader.buffer.subarray(reader.position, reader.position + length).buffers : [];
  if (length > 0) reader.skip(length);
  return { topicId, partition, errorCode, highWatermark, aborted, chunks };
}
