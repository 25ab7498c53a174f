// Confirmations for a source plugin: Source.Run.Request { ack_positions 1 }, as many messages as the source had sent.
import { ByteWriter } from '../sdk/protobuf-wire.ts';
import { framed } from './grpc-message.ts';
import type { PositionQueue } from './position-queue.ts';

/** Takes the first `count` positions out of the queue. Whole gRPC messages, one behind the other; never an empty one. */
export function ackRequests(queue: PositionQueue, count: number, perMessageMax: number): Uint8Array {
  const out = new ByteWriter(count * 32);
  const message = new ByteWriter();
  let inMessage = 0;
  for (let index = 0; index < count; index++) {
    message.tag(0x0a);
    message.view(queue.at(index));
    inMessage++;
    if (!queue.isBorder(index) && inMessage < perMessageMax && index < count - 1) continue;
    out.raw(framed(message.bytes.subarray(0, message.length)));
    message.length = 0;
    inMessage = 0;
  }
  queue.shift(count);
  return out.finish();
}
