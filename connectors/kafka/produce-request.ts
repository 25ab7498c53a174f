// One Produce of a batch, whose bytes go out as they are: the library would make them of an object for each message.
// https://kafka.apache.org/protocol.html#The_Messages_Produce
import type { Connection, Reader, Writer } from '@platformatic/kafka';
import type { Library } from './kafka-cluster.ts';

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
export function produceBatch(library: Library, connection: Connection, batch: ProducedBatch): Promise<ProduceAnswer> {
  return new Promise((resolve, reject) => {
    connection.send(
      produceKey,
      produceVersion,
      () => request(library, batch),
      (_correlation: number, _key: number, _version: number, reader: Reader) => answer(reader),
      true,
      true,
      (error, found) => {
        if (error !== null && error !== undefined) reject(error);
        else resolve(batch.acks === 0 ? { errorCode: 0, message: null } : (found ?? { errorCode: -1, message: null }));
      },
    );
  });
}

function request(library: Library, { topic, partition, bytes, acks, timeoutMs }: ProducedBatch): Writer {
  const writer = library.Writer.create()
    .appendString(null)
    .appendInt16(acks)
    .appendInt32(timeoutMs)
    .appendArray([topic], (outer, name) => {
      outer.appendString(name).appendArray([partition], (inner, index) => {
        inner
          .appendInt32(index)
          .appendUnsignedVarInt(bytes.length + 1)
          .append(bytes);
      });
    })
    .appendTaggedFields();
  if (acks === 0) writer.context['noResponse'] = true;
  return writer;
}

function answer(reader: Reader): ProduceAnswer {
  const topics = reader.readArray((topic) => {
    topic.readString();
    return topic.readArray((partition): ProduceAnswer => {
      partition.readInt32();
      const errorCode = partition.readInt16();
      partition.readInt64();
      partition.readInt64();
      partition.readInt64();
      const errors = partition.readArray((record) => {
        record.readInt32();
        return record.readNullableString();
      });
      const message = partition.readNullableString() ?? errors.find((text) => text !== null) ?? null;
      return { errorCode, message };
    });
  });
  return topics.flat()[0] ?? { errorCode: -1, message: null };
}
