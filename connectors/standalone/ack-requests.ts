// Confirmations for a source plugin: Source.Run.Request { ack_positions 1 }.
//
// A few messages of the source are confirmed by as many of ours, which is what plugins know from Conduit. Where many are due at once, as in a
// stream at full speed, several share one: the SDK hands on position by position either way, and a message costs as much as a record.
import { messagePrefixBytes } from './grpc-message.ts';
import type { PositionQueue } from './position-queue.ts';

/** Confirmations of more messages than these are joined. */
const messagesApartMax = 256;
/** A message of joined ones is not begun anew before it has so many bytes: far below what any plugin takes. */
const joinedBytes = 32 << 10;

/** Takes the first `count` positions out of the queue. Whole gRPC messages, one behind the other; never an empty one. */
export function ackRequests(queue: PositionQueue, count: number, perMessageMax: number): Uint8Array {
  const bytesMin = queue.bordersAmong(count) > messagesApartMax ? joinedBytes : 0;
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
    const mayEnd = queue.isBorder(index) && at - messageStart >= bytesMin;
    if (!mayEnd && inMessage < perMessageMax && index < count - 1) continue;
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
