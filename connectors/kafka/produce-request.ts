// One Produce of a batch, whose bytes go out as they are: the library would make them of an object for each message.
// https://kafka.apache.org/protocol.html#The_Messages_Produce
import type { BrokerConnection } from './broker-connection.ts';
import { type WireReader, WireWriter } from './wire-bytes.ts';

const produceKey = 0;
const produceVersion = 9;

export interface ProducedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly acks: number;
  readonly timeoutMs: number;
}

export interface ProduceAnswer {
  readonly errorCode: number;
  readonly message: string | null;
}

/** With acks 0 there is no answer: it is written when it has left. */
export async function produceBatch(connection: BrokerConnection, batch: ProducedBatch): Promise<ProduceAnswer> {
  const { topic, partition, bytes, acks, timeoutMs } = batch;
  const before = new WireWriter().text(null).int16(acks).int32(timeoutMs);
  // A list of one topic with a list of one partition; behind the batch their tagged fields, those of both lists' items and of the request.
  before
    .unsigned(2)
    .text(topic)
    .unsigned(2)
    .int32(partition)
    .unsigned(bytes.length + 1);
  const body = [before.finish(), bytes, new WireWriter().tags().tags().tags().finish()];
  const reader = await connection.request({ key: produceKey, version: produceVersion, body, isAnswered: acks !== 0 });
  return acks === 0 ? { errorCode: 0, message: null } : answer(reader);
}

function answer(reader: WireReader): ProduceAnswer {
  const topics = reader.list(() => {
    reader.text();
    return reader.list((): ProduceAnswer => {
      reader.int32();
      const errorCode = reader.int16();
      for (let number = 0; number < 3; number++) reader.int64();
      const errors = reader.list(() => {
        reader.int32();
        return reader.text();
      });
      const message = reader.text() ?? errors.find((text) => text !== null) ?? null;
      return { errorCode, message };
    });
  });
  return topics.flat()[0] ?? { errorCode: -1, message: null };
}
