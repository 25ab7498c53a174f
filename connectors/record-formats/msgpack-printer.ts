// MessagePack as JSON; binary is text in base64, extensions are refused. https://github.com/msgpack/msgpack/blob/master/spec.md
import { base64Length, printBase64 } from './base64.ts';
import { printText, putAscii, putByte, putNumber, putSmall } from './json-bytes.ts';
import { depthMax, StructuredBytesMalformed, type StructuredWalk, sortMembers } from './structured-walk.ts';

// ── data plane ──

/** Prints the value at `start` and returns the position behind it. */
export function printMsgpack(walk: StructuredWalk, start: number, depth: number): number {
  const { bytes, view, output } = walk;
  need(walk, start, 1);
  if (depth > depthMax) throw new StructuredBytesMalformed({ offset: start });
  const head = bytes[start]!;
  const at = start + 1;
  if (head < 0x80) return putSmall(output, head, at);
  if (head < 0x90) return printMap(walk, at, head & 15, depth);
  if (head < 0xa0) return printList(walk, at, head & 15, depth);
  if (head < 0xc0) return textAt(walk, at, head & 31);
  if (head >= 0xe0) return putSmall(output, head - 256, at);
  need(walk, at, widths[head - 0xc0]!);
  switch (head) {
    case 0xc0:
      putAscii(output, 'null');
      return at;
    case 0xc2:
    case 0xc3:
      putAscii(output, head === 0xc3 ? 'true' : 'false');
      return at;
    case 0xc4:
      return bytesAt(walk, at + 1, bytes[at]!);
    case 0xc5:
      return bytesAt(walk, at + 2, view.getUint16(at));
    case 0xc6:
      return bytesAt(walk, at + 4, view.getUint32(at));
    case 0xca:
      putNumber(output, view.getFloat32(at));
      return at + 4;
    case 0xcb:
      putNumber(output, view.getFloat64(at));
      return at + 8;
    case 0xcc:
      return putSmall(output, bytes[at]!, at + 1);
    case 0xcd:
      return putSmall(output, view.getUint16(at), at + 2);
    case 0xce:
      putAscii(output, String(view.getUint32(at)));
      return at + 4;
    case 0xcf:
      putAscii(output, String(view.getBigUint64(at)));
      return at + 8;
    case 0xd0:
      return putSmall(output, view.getInt8(at), at + 1);
    case 0xd1:
      return putSmall(output, view.getInt16(at), at + 2);
    case 0xd2:
      return putSmall(output, view.getInt32(at), at + 4);
    case 0xd3:
      putAscii(output, String(view.getBigInt64(at)));
      return at + 8;
    case 0xd9:
      return textAt(walk, at + 1, bytes[at]!);
    case 0xda:
      return textAt(walk, at + 2, view.getUint16(at));
    case 0xdb:
      return textAt(walk, at + 4, view.getUint32(at));
    case 0xdc:
      return printList(walk, at + 2, view.getUint16(at), depth);
    case 0xdd:
      return printList(walk, at + 4, view.getUint32(at), depth);
    case 0xde:
      return printMap(walk, at + 2, view.getUint16(at), depth);
    case 0xdf:
      return printMap(walk, at + 4, view.getUint32(at), depth);
    default:
      throw new StructuredBytesMalformed({ offset: start });
  }
}

/** Bytes behind the head that have to be there, for heads from 0xc0 on. */
const widths = Uint8Array.of(
  0,
  0,
  0,
  0,
  1,
  2,
  4,
  0,
  0,
  0,
  4,
  8,
  1,
  2,
  4,
  8,
  1,
  2,
  4,
  8,
  0,
  0,
  0,
  0,
  0,
  1,
  2,
  4,
  2,
  4,
  2,
  4,
);

function need(walk: StructuredWalk, at: number, length: number): void {
  if (at + length > walk.end) throw new StructuredBytesMalformed({ offset: at });
}

function textAt(walk: StructuredWalk, at: number, length: number): number {
  need(walk, at, length);
  printText(walk.bytes, walk.output, at, at + length);
  return at + length;
}

function bytesAt(walk: StructuredWalk, at: number, length: number): number {
  need(walk, at, length);
  const { output } = walk;
  output.reserve(base64Length(length) + 2);
  output.bytes[output.length] = 0x22;
  const end = printBase64(walk.bytes, at, at + length, output.view, output.length + 1);
  output.bytes[end] = 0x22;
  output.length = end + 1;
  return at + length;
}

function printList(walk: StructuredWalk, start: number, count: number, depth: number): number {
  let at = start;
  putByte(walk.output, 0x5b);
  for (let i = 0; i < count; i++) {
    if (i > 0) putByte(walk.output, 0x2c);
    at = printMsgpack(walk, at, depth + 1);
  }
  putByte(walk.output, 0x5d);
  return at;
}

function printMap(walk: StructuredWalk, start: number, count: number, depth: number): number {
  const { bytes, output } = walk;
  const members: number[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const [name, nameEnd] = nameAt(walk, at);
    const behind = skipMsgpack(walk, nameEnd, depth + 1);
    members.push(name, nameEnd, nameEnd, behind);
    at = behind;
  }
  const sorted = sortMembers(bytes, members);
  putByte(output, 0x7b);
  for (let i = 0; i < sorted.length; i += 4) {
    if (i > 0) putByte(output, 0x2c);
    printText(bytes, output, sorted[i]!, sorted[i + 1]!);
    putByte(output, 0x3a);
    printMsgpack(walk, sorted[i + 2]!, depth + 1);
  }
  putByte(output, 0x7d);
  return at;
}

function nameAt(walk: StructuredWalk, at: number): readonly [number, number] {
  need(walk, at, 1);
  const head = walk.bytes[at]!;
  let start = at + 1;
  let length = head & 31;
  if (head === 0xd9 || head === 0xda || head === 0xdb) {
    const width = 1 << (head - 0xd9);
    need(walk, start, width);
    length = width === 1 ? walk.bytes[start]! : width === 2 ? walk.view.getUint16(start) : walk.view.getUint32(start);
    start += width;
  } else if (head < 0xa0 || head >= 0xc0) throw new StructuredBytesMalformed({ offset: at });
  need(walk, start, length);
  return [start, start + length];
}

/** The position behind the value at `start`. */
function skipMsgpack(walk: StructuredWalk, start: number, depth: number): number {
  const { bytes, view } = walk;
  need(walk, start, 1);
  if (depth > depthMax) throw new StructuredBytesMalformed({ offset: start });
  const head = bytes[start]!;
  const at = start + 1;
  if (head < 0x80 || head >= 0xe0) return at;
  if (head < 0x90) return skipMany(walk, at, (head & 15) * 2, depth);
  if (head < 0xa0) return skipMany(walk, at, head & 15, depth);
  if (head < 0xc0) return at + (head & 31);
  const width = widths[head - 0xc0]!;
  need(walk, at, width);
  if (head === 0xc4 || head === 0xd9) return at + 1 + bytes[at]!;
  if (head === 0xc5 || head === 0xda) return at + 2 + view.getUint16(at);
  if (head === 0xc6 || head === 0xdb) return at + 4 + view.getUint32(at);
  if (head === 0xdc) return skipMany(walk, at + 2, view.getUint16(at), depth);
  if (head === 0xdd) return skipMany(walk, at + 4, view.getUint32(at), depth);
  if (head === 0xde) return skipMany(walk, at + 2, view.getUint16(at) * 2, depth);
  if (head === 0xdf) return skipMany(walk, at + 4, view.getUint32(at) * 2, depth);
  return at + width;
}

function skipMany(walk: StructuredWalk, start: number, count: number, depth: number): number {
  let at = start;
  for (let i = 0; i < count; i++) at = skipMsgpack(walk, at, depth + 1);
  return at;
}
