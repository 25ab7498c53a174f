// What is asked of a cluster beside records: its topics and their leaders, where partitions begin and end, an identity for a producer.
// https://kafka.apache.org/protocol.html#The_Messages_Metadata, _ListOffsets, _InitProducerId
import type { BrokerConnection } from './broker-connection.ts';
import { WireWriter } from './wire-bytes.ts';

export interface ToldBroker {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface ToldTopic {
  readonly errorCode: number;
  readonly name: string;
  readonly id: string;
  readonly partitions: readonly { readonly partition: number; readonly leader: number }[];
}

/** Null: of all topics. */
export async function askMetadata(
  connection: BrokerConnection,
  topics: readonly string[] | null,
): Promise<{ readonly brokers: readonly ToldBroker[]; readonly topics: readonly ToldTopic[] }> {
  const body = new WireWriter();
  body.list(topics, (name) => body.uuid('0'.repeat(32)).text(name));
  // No topic is made by asking for it.
  body.int8(0).int8(0).tags();
  const answer = await connection.request({ key: 3, version: 12, body: [body.finish()] });
  answer.int32();
  const brokers = answer.list((): ToldBroker => {
    const broker = { id: answer.int32(), host: answer.text() ?? '', port: answer.int32() };
    answer.text();
    return broker;
  });
  answer.text();
  answer.int32();
  const told = answer.list((): ToldTopic => {
    const [errorCode, name, id] = [answer.int16(), answer.text() ?? '', answer.uuid()];
    answer.int8();
    const partitions = answer.list(() => {
      answer.int16();
      const own = { partition: answer.int32(), leader: answer.int32() };
      answer.int32();
      for (let list = 0; list < 3; list++) answer.numbers();
      return own;
    });
    answer.int32();
    return { errorCode, name, id, partitions };
  });
  return { brokers, topics: told };
}

/** `time` -1: behind the last record, -2: the first, else the first one from then on; the offset is -1 where there is none. */
export async function askOffset(
  connection: BrokerConnection,
  topic: string,
  partition: number,
  time: bigint,
): Promise<{ readonly errorCode: number; readonly offset: bigint }> {
  const body = new WireWriter().int32(-1).int8(1);
  body.list([topic], (name) => {
    body.text(name).list([partition], (index) => body.int32(index).int32(-1).int64(time));
  });
  const answer = await connection.request({ key: 2, version: 7, body: [body.tags().finish()] });
  answer.int32();
  const found = answer.list(() => {
    answer.text();
    return answer.list(() => {
      answer.int32();
      const errorCode = answer.int16();
      answer.int64();
      const offset = answer.int64();
      answer.int32();
      return { errorCode, offset };
    });
  });
  return found.flat()[0] ?? { errorCode: -1, offset: -1n };
}

export async function askProducerIdentity(
  connection: BrokerConnection,
): Promise<{ readonly errorCode: number; readonly id: bigint; readonly epoch: number }> {
  const body = new WireWriter().text(null).int32(60_000).int64(-1n).int16(-1).tags();
  const answer = await connection.request({ key: 22, version: 4, body: [body.finish()] });
  answer.int32();
  return { errorCode: answer.int16(), id: answer.int64(), epoch: answer.int16() };
}
