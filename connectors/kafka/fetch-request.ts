// One Fetch of a broker, with the records left as the bytes that came: the library would make an object of each.
// Version 13 of the protocol and later name topics by id; the answers of 13 to 17 are alike.
// https://kafka.apache.org/protocol.html#The_Messages_Fetch
import type { BrokerConnection } from './broker-connection.ts';
import type { AbortedTransaction } from './record-set.ts';
import { type WireReader, WireWriter } from './wire-bytes.ts';

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
  /** In front of the first record of a transaction that is still open. */
  readonly lastStable: number;
  readonly aborted: readonly AbortedTransaction[];
  /** The record set; empty: there was nothing. Good until the next but one answer over this connection. */
  readonly records: Uint8Array;
}

export interface FetchAnswer {
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

export async function fetchPartitions(
  connection: BrokerConnection,
  topics: readonly WantedTopic[],
  limits: FetchLimits,
): Promise<FetchAnswer> {
  const body = [request(topics, limits)];
  return answer(await connection.request({ key: fetchKey, version: fetchVersion, body, isTransient: true }));
}

function request(topics: readonly WantedTopic[], limits: FetchLimits): Uint8Array {
  const body = new WireWriter()
    .int32(-1)
    .int32(limits.maxWaitMs)
    .int32(1)
    .int32(limits.bytesMax)
    .int8(limits.readCommitted ? 1 : 0)
    .int32(0)
    .int32(-1);
  body.list(topics, (topic) => {
    body.uuid(topic.topicId).list(topic.partitions, ({ partition, offset }) => {
      body.int32(partition).int32(-1).int64(BigInt(offset)).int32(-1).int64(-1n).int32(limits.partitionBytesMax);
    });
  });
  return body
    .list([], () => {})
    .text(limits.rack)
    .tags()
    .finish();
}

const noRecords = new Uint8Array(0);

function answer(reader: WireReader): FetchAnswer {
  reader.int32();
  const errorCode = reader.int16();
  reader.int32();
  const topics = reader.list(() => {
    const topicId = reader.uuid();
    return reader.list(() => readPartition(reader, topicId));
  });
  return { errorCode, partitions: topics.flat() };
}

function readPartition(reader: WireReader, topicId: string): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = Number(reader.int64());
  const lastStable = Number(reader.int64());
  reader.int64();
  const aborted = reader.list(() => ({ producerId: reader.int64(), firstOffset: reader.int64() }));
  reader.int32();
  return { topicId, partition, errorCode, highWatermark, lastStable, aborted, records: reader.bytes() ?? noRecords };
}
