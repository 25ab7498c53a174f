// The grammar of JSON (RFC 8259) over bytes: where tokens and values end, nothing stored.
//
// Every function takes a position and the end of the bytes and returns the position behind what it read, or `~p` (negative)
// when the grammar, or UTF-8 inside a string, is broken at byte p. What passes here passes JSON.parse, and the reverse, save that
// invalid UTF-8 is an error. Nesting is bounded by memory only: containers are remembered as bits, not on the call stack.

import { hexDigit } from '../../runtime/batch/text-uuid.ts';
import { findInvalidUtf8, writeCodePoint } from './utf8.ts';

// ── data plane ──

export function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return i;
    i++;
  }
  return i;
}

/** Skips a string; `start` is at its opening quote. */
export function skipString(bytes: Uint8Array, start: number, end: number): number {
  let ascii = true;
  let i = start + 1;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte === 0x22) {
      if (!ascii) {
        const invalid = findInvalidUtf8(bytes, start, i);
        if (invalid >= 0) return ~invalid;
      }
      return i + 1;
    }
    if (byte < 0x20) return ~i;
    if (byte >= 0x80) ascii = false;
    if (byte === 0x5c) {
      i = skipEscape(bytes, i, end);
      if (i < 0) return i;
    } else i++;
  }
  return ~end;
}

/** Skips an escape; `start` is at its backslash. */
function skipEscape(bytes: Uint8Array, start: number, end: number): number {
  if (start + 1 >= end) return ~end;
  switch (bytes[start + 1]!) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return start + 2;
    case 0x75:
      for (let i = start + 2; i < start + 6; i++) {
        if (i >= end) return ~end;
        if (hexDigit(bytes[i]!) < 0) return ~i;
      }
      return start + 6;
    default:
      return ~(start + 1);
  }
}

/** Skips a number; `start` is at its sign or first digit. */
export function skipNumber(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  if (i < end && bytes[i] === 0x2d) i++;
  if (i >= end) return ~end;
  const zero = bytes[i] === 48;
  const first = i;
  i = skipDigits(bytes, i, end);
  if (i === first || (zero && i > first + 1)) return ~first;
  if (i < end && bytes[i] === 0x2e) {
    const digits = i + 1;
    i = skipDigits(bytes, digits, end);
    if (i === digits) return ~i;
  }
  if (i < end && (bytes[i]! | 0x20) === 0x65) {
    i++;
    if (i < end && (bytes[i] === 0x2b || bytes[i] === 0x2d)) i++;
    const digits = i;
    i = skipDigits(bytes, digits, end);
    if (i === digits) return ~i;
  }
  return i;
}

function skipDigits(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte < 48 || byte > 57) break;
    i++;
  }
  return i;
}

/** Skips `true`, `false` or `null`. */
export function skipName(bytes: Uint8Array, start: number, end: number): number {
  const name = bytes[start] === 0x74 ? trueName : bytes[start] === 0x66 ? falseName : nullName;
  for (let i = 0; i < name.length; i++) {
    if (start + i >= end) return ~end;
    if (bytes[start + i] !== name[i]) return ~(start + i);
  }
  return start + name.length;
}

const trueName = Uint8Array.of(0x74, 0x72, 0x75, 0x65);
const falseName = Uint8Array.of(0x66, 0x61, 0x6c, 0x73, 0x65);
const nullName = Uint8Array.of(0x6e, 0x75, 0x6c, 0x6c);

/** Skips any value; `start` is at its first byte. */
export function skipValue(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return ~end;
  const byte = bytes[start]!;
  if (byte === 0x22) return skipString(bytes, start, end);
  if (byte === 0x7b || byte === 0x5b) return skipContainer(bytes, start, end);
  if (byte === 0x2d || (byte >= 48 && byte <= 57)) return skipNumber(bytes, start, end);
  return skipName(bytes, start, end);
}

function skipContainer(bytes: Uint8Array, start: number, end: number): number {
  // Bit d of `objects` tells whether the container at depth d is an object.
  let objects = new Uint8Array(32);
  let depth = -1;
  let i = start;
  for (;;) {
    // A value is expected at i.
    if (i >= end) return ~end;
    const byte = bytes[i]!;
    if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth >> 3 >= objects.length) {
        const grown = new Uint8Array(objects.length * 2);
        grown.set(objects);
        objects = grown;
      }
      if (byte === 0x7b) objects[depth >> 3]! |= 1 << (depth & 7);
      else objects[depth >> 3]! &= ~(1 << (depth & 7));
      i = skipSpace(bytes, i + 1, end);
      if (i >= end) return ~end;
      if (bytes[i] !== byte + 2) {
        if (byte === 0x7b) {
          i = skipKey(bytes, i, end);
          if (i < 0) return i;
        }
        continue;
      }
      // An empty container: its closer is handled below like any other.
    } else {
      i = skipValue(bytes, i, end);
      if (i < 0) return i;
      i = skipSpace(bytes, i, end);
    }
    // A comma or a closer is expected at i.
    for (;;) {
      if (i >= end) return ~end;
      const isObject = (objects[depth >> 3]! & (1 << (depth & 7))) !== 0;
      if (bytes[i] === 0x2c) {
        i = skipSpace(bytes, i + 1, end);
        if (isObject) {
          i = skipKey(bytes, i, end);
          if (i < 0) return i;
        }
        break;
      }
      if (bytes[i] !== (isObject ? 0x7d : 0x5d)) return ~i;
      i++;
      depth--;
      if (depth < 0) return i;
      i = skipSpace(bytes, i, end);
    }
  }
}

/** Skips a key, the colon and white space around it. */
function skipKey(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return ~end;
  if (bytes[start] !== 0x22) return ~start;
  const keyEnd = skipString(bytes, start, end);
  return keyEnd < 0 ? keyEnd : skipColon(bytes, keyEnd, end);
}

/** Skips a colon and white space around it. */
export function skipColon(bytes: Uint8Array, start: number, end: number): number {
  const colon = skipSpace(bytes, start, end);
  if (colon >= end) return ~end;
  return bytes[colon] === 0x3a ? skipSpace(bytes, colon + 1, end) : ~colon;
}

/** Copies a valid value without white space outside of strings; returns the position behind the copy. */
export function copyCompact(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let to = at;
  let inString = false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (inString) {
      out[to++] = byte;
      if (byte === 0x5c) out[to++] = bytes[++i]!;
      else if (byte === 0x22) inString = false;
    } else if (byte > 0x20) {
      out[to++] = byte;
      inString = byte === 0x22;
    }
  }
  return to;
}

/** Decodes the inside of a valid string, quotes excluded, to UTF-8; never longer than its source. */
export function copyUnescaped(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let to = at;
  let i = start;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte !== 0x5c) {
      out[to++] = byte;
      i++;
      continue;
    }
    const letter = bytes[i + 1]!;
    if (letter !== 0x75) {
      out[to++] = unescaped(letter);
      i += 2;
      continue;
    }
    let code = hexOf(bytes, i + 2);
    i += 6;
    if (code >= 0xd800 && code <= 0xdbff && i + 6 <= end && bytes[i] === 0x5c && bytes[i + 1] === 0x75) {
      const low = hexOf(bytes, i + 2);
      if (low >= 0xdc00 && low <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        i += 6;
      }
    }
    to = writeCodePoint(code, out, to);
  }
  return to;
}

function unescaped(letter: number): number {
  switch (letter) {
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
    default:
      return letter;
  }
}

function hexOf(bytes: Uint8Array, at: number): number {
  const high = (hexDigit(bytes[at]!) << 4) | hexDigit(bytes[at + 1]!);
  return (high << 8) | (hexDigit(bytes[at + 2]!) << 4) | hexDigit(bytes[at + 3]!);
}
