// Bytes with a checksum in front, so that damage is seen when they are read.
//
//   offset  size  what
//        0     4  CRC-32 of everything behind it, little-endian
//        4     4  length of the head, little-endian
//        8     h  head: JSON, UTF-8
//    8 + h     …  body: bytes whose layout the head tells
import { crc32 } from 'node:zlib';

const prefixBytes = 8;

export interface OpenedRecord {
  readonly head: unknown;
  readonly body: Uint8Array;
}

/** `head` is JSON. */
export function sealRecord(head: unknown, body: readonly ArrayBuffer[] = []): Uint8Array {
  const headBytes = Buffer.from(JSON.stringify(head), 'utf8');
  const bodyBytes = body.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const record = Buffer.allocUnsafe(prefixBytes + headBytes.length + bodyBytes);
  record.writeUInt32LE(headBytes.length, 4);
  headBytes.copy(record, prefixBytes);
  let at = prefixBytes + headBytes.length;
  for (const chunk of body) {
    record.set(new Uint8Array(chunk), at);
    at += chunk.byteLength;
  }
  record.writeUInt32LE(crc32(record.subarray(4)), 0);
  return record;
}

/** Null when the record is damaged. */
export function openRecord(record: Buffer): OpenedRecord | null {
  if (record.length < prefixBytes || record.readUInt32LE(0) !== crc32(record.subarray(4))) return null;
  const bodyStart = prefixBytes + record.readUInt32LE(4);
  if (bodyStart > record.length) return null;
  return { head: JSON.parse(record.toString('utf8', prefixBytes, bodyStart)), body: record.subarray(bodyStart) };
}
