// google.protobuf.Struct as JSON. https://protobuf.dev/reference/protobuf/google.protobuf/#struct
import { printText, putAscii, putByte, putNumber } from './json-bytes.ts';
import { depthMax, StructuredBytesMalformed, type StructuredWalk, sortMembers } from './structured-walk.ts';

// ── data plane ──

/** Struct: entries of field 1, each { name 1, value 2 }. */
export function printStruct(walk: StructuredWalk, start: number, end: number, depth: number): void {
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
    printText(bytes, output, sorted[i]!, sorted[i + 1]!);
    putByte(output, 0x3a);
    printValue(walk, sorted[i + 2]!, sorted[i + 3]!, depth + 1);
  }
  putByte(output, 0x7d);
}

/** Value: null 1, double 2, string 3, bool 4, Struct 5, ListValue 6; the last field that is there counts. */
function printValue(walk: StructuredWalk, start: number, end: number, depth: number): void {
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
      printText(bytes, output, from, to);
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
function fieldBody(walk: StructuredWalk, tag: number, at: number, end: number): readonly [number, number] {
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
