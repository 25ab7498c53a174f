// Structured data of a record as JSON, straight from the bytes in which it lies: google.protobuf.Struct or MessagePack. Names are sorted
// by their bytes; the spelling is that of exact-json.ts. No objects and no strings are made but for numbers that are no small integers.

import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { JsonUnencodable, printJsonNumber } from '../sdk/exact-json.ts';
import { dataShape } from '../sdk/record-batch.ts';
import { base64Length, printBase64 } from './base64.ts';
import type { PrintedBytes } from './printed-bytes.ts';

export const StructuredBytesMalformed: CodedErrorClass<{ readonly offset: number }> = defineError(
  'record.structured_bytes_malformed',
  { help: 'The connector that made the record has written structured data that cannot be read.' },
  (f) => `structured data of a record is malformed at byte ${f.offset}`,
);

const depthMax = 200;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Appends bytes[start .. end), which hold structured data in the given shape. @throws a coded error; then nothing counts. */
export function printStructured(
  bytes: Uint8Array,
  start: number,
  end: number,
  shape: number,
  output: PrintedBytes,
): void {
  const walk: Walk = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), end, output };
  if (shape === dataShape.struct) printStruct(walk, start, end, 0);
  else if (printMsgpack(walk, start, 0) !== end) throw new StructuredBytesMalformed({ offset: end });
}

interface Walk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly end: number;
  readonly output: PrintedBytes;
}

/** Where the members of an object lie: name start, name end, value start, value end; four numbers a member. */
function sortMembers(bytes: Uint8Array, members: readonly number[]): readonly number[] {
  const count = members.length / 4;
  let isSorted = true;
  for (let i = 1; i < count && isSorted; i++) {
    isSorted = compareNames(bytes, members[4 * i - 4]!, members[4 * i - 3]!, members[4 * i]!, members[4 * i + 1]!) < 0;
  }
  if (isSorted) return members;
  const order = Array.from({ length: count }, (_, i) => i);
  order.sort(
    (a, b) => compareNames(bytes, members[4 * a]!, members[4 * a + 1]!, members[4 * b]!, members[4 * b + 1]!) || a - b,
  );
  // Of a name that comes twice the last counts, as for every reader of such maps.
  const kept = order.filter((member, i) => {
    const next = order[i + 1];
    if (next === undefined) return true;
    return (
      compareNames(
        bytes,
        members[4 * member]!,
        members[4 * member + 1]!,
        members[4 * next]!,
        members[4 * next + 1]!,
      ) !== 0
    );
  });
  return kept.flatMap((member) => members.slice(4 * member, 4 * member + 4));
}

// ── data plane ──

function compareNames(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): number {
  const length = Math.min(aEnd - a, bEnd - b);
  for (let i = 0; i < length; i++) {
    const difference = bytes[a + i]! - bytes[b + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - a - (bEnd - b);
}

/** Struct: entries of field 1, each { name 1, value 2 }. */
function printStruct(walk: Walk, start: number, end: number, depth: number): void {
  if (depth > depthMax) throw new StructuredBytesMalformed({ offset: start });
  const { bytes, output } = walk;
  const members: number[] = [];
  for (let at = start; at < end; ) {
    const [tag, afterTag] = readVarint(bytes, at, end);
    const [bodyStart, bodyEnd] = fieldBody(walk, tag, afterTag, end);
    at = bodyEnd;
    if (tag !== 0x0a) continue;
    let [name, nameEnd, value, valueEnd] = [bodyStart, bodyStart, bodyStart, bodyStart];
    for (let inner = bodyStart; inner < bodyEnd; ) {
      const [innerTag, behind] = readVarint(bytes, inner, bodyEnd);
      const [partStart, partEnd] = fieldBody(walk, innerTag, behind, bodyEnd);
      if (innerTag === 0x0a) [name, nameEnd] = [partStart, partEnd];
      else if (innerTag === 0x12) [value, valueEnd] = [partStart, partEnd];
      inner = partEnd;
    }
    members.push(name, nameEnd, value, valueEnd);
  }
  const sorted = sortMembers(bytes, members);
  putByte(output, 0x7b);
  for (let i = 0; i < sorted.length; i += 4) {
    if (i > 0) putByte(output, 0x2c);
    printText(walk, sorted[i]!, sorted[i + 1]!);
    putByte(output, 0x3a);
    printValue(walk, sorted[i + 2]!, sorted[i + 3]!, depth + 1);
  }
  putByte(output, 0x7d);
}

/** Value: null 1, double 2, string 3, bool 4, Struct 5, ListValue 6; the last field that is there counts. */
function printValue(walk: Walk, start: number, end: number, depth: number): void {
  const { bytes, output } = walk;
  let kind = 0x08;
  let [from, to] = [start, start];
  for (let at = start; at < end; ) {
    const [tag, behind] = readVarint(bytes, at, end);
    const [bodyStart, bodyEnd] = fieldBody(walk, tag, behind, end);
    if (tag === 0x08 || tag === 0x11 || tag === 0x1a || tag === 0x20 || tag === 0x2a || tag === 0x32) {
      [kind, from, to] = [tag, bodyStart, bodyEnd];
    }
    at = bodyEnd;
  }
  switch (kind) {
    case 0x11:
      putNumber(output, walk.view.getFloat64(from, true));
      return;
    case 0x1a:
      printText(walk, from, to);
      return;
    case 0x20:
      putAscii(output, readVarint(bytes, from, to)[0] !== 0 ? 'true' : 'false');
      return;
    case 0x2a:
      printStruct(walk, from, to, depth);
      return;
    case 0x32: {
      putByte(output, 0x5b);
      let isFirst = true;
      for (let at = from; at < to; ) {
        const [tag, behind] = readVarint(bytes, at, to);
        const [bodyStart, bodyEnd] = fieldBody(walk, tag, behind, to);
        at = bodyEnd;
        if (tag !== 0x0a) continue;
        if (!isFirst) putByte(output, 0x2c);
        isFirst = false;
        printValue(walk, bodyStart, bodyEnd, depth + 1);
      }
      putByte(output, 0x5d);
      return;
    }
    default:
      putAscii(output, 'null');
  }
}

/** Where the content of a field begins and where the next field does. */
function fieldBody(walk: Walk, tag: number, at: number, end: number): readonly [number, number] {
  let [start, stop] = [at, at];
  switch (tag & 7) {
    case 0:
      stop = readVarint(walk.bytes, at, end)[1];
      break;
    case 1:
      stop = at + 8;
      break;
    case 2: {
      const [length, behind] = readVarint(walk.bytes, at, end);
      start = behind;
      stop = behind + length;
      break;
    }
    case 5:
      stop = at + 4;
      break;
    default:
      throw new StructuredBytesMalformed({ offset: at });
  }
  if (stop > end) throw new StructuredBytesMalformed({ offset: at });
  return [start, stop];
}

function readVarint(bytes: Uint8Array, start: number, end: number): readonly [number, number] {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end && at < start + 10; at++) {
    const byte = bytes[at]!;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) return [value, at + 1];
  }
  throw new StructuredBytesMalformed({ offset: start });
}

/** Prints the value at `start` and returns the position behind it. */
function printMsgpack(walk: Walk, start: number, depth: number): number {
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

function need(walk: Walk, at: number, length: number): void {
  if (at + length > walk.end) throw new StructuredBytesMalformed({ offset: at });
}

function textAt(walk: Walk, at: number, length: number): number {
  need(walk, at, length);
  printText(walk, at, at + length);
  return at + length;
}

function bytesAt(walk: Walk, at: number, length: number): number {
  need(walk, at, length);
  const { output } = walk;
  output.reserve(base64Length(length) + 2);
  output.bytes[output.length] = 0x22;
  const end = printBase64(walk.bytes, at, at + length, output.view, output.length + 1);
  output.bytes[end] = 0x22;
  output.length = end + 1;
  return at + length;
}

function printList(walk: Walk, start: number, count: number, depth: number): number {
  let at = start;
  putByte(walk.output, 0x5b);
  for (let i = 0; i < count; i++) {
    if (i > 0) putByte(walk.output, 0x2c);
    at = printMsgpack(walk, at, depth + 1);
  }
  putByte(walk.output, 0x5d);
  return at;
}

function printMap(walk: Walk, start: number, count: number, depth: number): number {
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
    printText(walk, sorted[i]!, sorted[i + 1]!);
    putByte(output, 0x3a);
    printMsgpack(walk, sorted[i + 2]!, depth + 1);
  }
  putByte(output, 0x7d);
  return at;
}

function nameAt(walk: Walk, at: number): readonly [number, number] {
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
function skipMsgpack(walk: Walk, start: number, depth: number): number {
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

function skipMany(walk: Walk, start: number, count: number, depth: number): number {
  let at = start;
  for (let i = 0; i < count; i++) at = skipMsgpack(walk, at, depth + 1);
  return at;
}

/** A text in quotes. What is not plain ASCII goes through exact-json's rules byte by byte. */
function printText(walk: Walk, start: number, end: number): void {
  const { bytes, output } = walk;
  output.reserve((end - start) * 6 + 2);
  const out = output.bytes;
  let at = output.length;
  out[at++] = 0x22;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) {
      output.length = at;
      printUnicode(walk, i, end);
      return;
    }
    if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c && byte !== 0x3c && byte !== 0x3e && byte !== 0x26)
      out[at++] = byte;
    else at = printEscape(byte, out, at);
  }
  out[at++] = 0x22;
  output.length = at;
}

/** The rest of a text from its first byte that is no ASCII, and the closing quote. U+2028 and U+2029 are escaped, too. */
function printUnicode(walk: Walk, start: number, end: number): void {
  const { output } = walk;
  const text = decoder.decode(walk.bytes.subarray(start, end));
  for (const letter of text) {
    const code = letter.codePointAt(0)!;
    output.reserve(8);
    if (code === 0x2028 || code === 0x2029) putAscii(output, code === 0x2028 ? '\\u2028' : '\\u2029');
    else if (code >= 0x80) output.appendText(letter);
    else if (code >= 0x20 && !/["\\<>&]/.test(letter)) putByte(output, code);
    else output.length = printEscape(code, output.bytes, output.length);
  }
  putByte(output, 0x22);
}

function printEscape(byte: number, out: Uint8Array, at: number): number {
  out[at] = 0x5c;
  const letter =
    byte === 0x22 || byte === 0x5c ? byte : byte === 10 ? 0x6e : byte === 13 ? 0x72 : byte === 9 ? 0x74 : 0;
  if (letter !== 0) {
    out[at + 1] = letter;
    return at + 2;
  }
  const low = byte & 15;
  out[at + 1] = 0x75;
  out[at + 2] = 0x30;
  out[at + 3] = 0x30;
  out[at + 4] = 0x30 + (byte >> 4);
  out[at + 5] = low < 10 ? 0x30 + low : 0x57 + low;
  return at + 6;
}

function putByte(output: PrintedBytes, byte: number): void {
  output.reserve(1);
  output.bytes[output.length++] = byte;
}

function putAscii(output: PrintedBytes, text: string): void {
  output.reserve(text.length);
  for (let i = 0; i < text.length; i++) output.bytes[output.length + i] = text.charCodeAt(i);
  output.length += text.length;
}

function putNumber(output: PrintedBytes, value: number): void {
  if (value - value !== 0) throw new JsonUnencodable({ value: String(value) });
  if (value === (value | 0) && (value !== 0 || 1 / value > 0)) putSmall(output, value, 0);
  else putAscii(output, printJsonNumber(value));
}

/** An integer of 32 bits; answers with `behind`. */
function putSmall(output: PrintedBytes, value: number, behind: number): number {
  output.reserve(12);
  const out = output.bytes;
  let at = output.length;
  let left = value;
  if (left < 0) {
    out[at++] = 0x2d;
    left = -left;
  }
  let digits = 1;
  for (let bound = 10; bound <= left && digits < 10; bound *= 10) digits++;
  for (let i = at + digits - 1; i >= at; i--) {
    const rest = Math.floor(left / 10);
    out[i] = 0x30 + left - rest * 10;
    left = rest;
  }
  output.length = at + digits;
  return behind;
}
