// Confirmations for a source plugin: Source.Run.Request { ack_positions 1 }, as many messages as the source had sent.
import { messagePrefixBytes } from './grpc-message.ts';
import type { PositionQueue } from './position-queue.ts';

/** Takes the first `count` positions out of the queue. Whole gRPC messages, one behind the other; never an empty one. */
export function ackRequests(queue: PositionQueue, count: number, perMessageMax: number): Uint8Array {
  let room = 0;
  for (let index = 0; index < count; index++) room += queue.lengthOf(index) + fieldBytesMax + messagePrefixBytes;
  const out = Buffer.allocUnsafe(room);
  let at = messagePrefixBytes;
  let messageStart = 0;
  let inMessage = 0;
  for (let index = 0; index < count; index++) {
    out[at] = 0x0a;
    at = queue.copyTo(index, out, writeVarint(out, at + 1, queue.lengthOf(index)));
    inMessage++;
    if (!queue.isBorder(index) && inMessage < perMessageMax && index < count - 1) continue;
    out[messageStart] = 0;
    out.writeUInt32BE(at - messageStart - messagePrefixBytes, messageStart + 1);
    messageStart = at;
    at += messagePrefixBytes;
    inMessage = 0;
  }
  queue.shift(count);
  return out.subarray(0, messageStart);
}

/** Tag and length of a position. */
const fieldBytesMax = 6;

// ── data plane ──

function writeVarint(out: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  for (; rest > 127; rest >>>= 7) out[end++] = (rest & 127) | 128;
  out[end] = rest;
  return end + 1;
}
