// What generated code does with texts as bytes of UTF-8: counting their characters, and making other texts of them.
//
// A `TextEditor` belongs to one place of one program and holds one text, until it makes the next. What is not ASCII, where that matters,
// and what is longer than a result may be, goes the way of strings (sql/text-editing.ts), so that both mean and refuse the same.
// Called only by code that expression-text.ts writes.
import { replace } from '../sql/text-editing.ts';
import { decodeText, sameBytes } from './expression-library.ts';

/** Longer results are made as strings, which know how long a result may be. */
const editedBytesMax = 1 << 24;
const encoder = new TextEncoder();

/** Each call says whether the result is another text than the first one given; then it is bytes[0 .. used). */
export class TextEditor {
  bytes: Uint8Array = new Uint8Array(64);
  used = 0;

  /** @throws InvalidArgument as REPLACE does */
  replace(
    text: Uint8Array,
    start: number,
    end: number,
    needle: Uint8Array,
    needleStart: number,
    needleEnd: number,
    other: Uint8Array,
    otherStart: number,
    otherEnd: number,
  ): boolean {
    const needleLength = needleEnd - needleStart;
    if (needleLength === 0) return false;
    let found = findBytes(text, start, end, needle, needleStart, needleEnd);
    if (found < 0) return false;
    const otherLength = otherEnd - otherStart;
    const grown = otherLength - needleLength;
    const count = grown > 0 ? countOccurrences(text, start, end, needle, needleStart, needleEnd) : 0;
    const most = end - start + count * grown;
    if (most > editedBytesMax) {
      const strings = [decodeText(needle, needleStart, needleEnd), decodeText(other, otherStart, otherEnd)] as const;
      this.#set(replace(decodeText(text, start, end), ...strings));
      return true;
    }
    this.#reserve(most);
    const { bytes } = this;
    let at = 0;
    let from = start;
    while (found >= 0) {
      at = appendBytes(text, from, found, bytes, at);
      at = appendBytes(other, otherStart, otherEnd, bytes, at);
      from = found + needleLength;
      found = findBytes(text, from, end, needle, needleStart, needleEnd);
    }
    this.used = appendBytes(text, from, end, bytes, at);
    return true;
  }

  upper(text: Uint8Array, start: number, end: number): boolean {
    this.#reserve(end - start);
    this.used = end - start;
    if (!flipCase(text, start, end, 97, this.bytes)) this.#set(decodeText(text, start, end).toUpperCase());
    return true;
  }

  lower(text: Uint8Array, start: number, end: number): boolean {
    this.#reserve(end - start);
    this.used = end - start;
    if (!flipCase(text, start, end, 65, this.bytes)) this.#set(decodeText(text, start, end).toLowerCase());
    return true;
  }

  #set(text: string): void {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#reserve(text.length * 3);
    this.used = encoder.encodeInto(text, this.bytes).written;
  }

  #reserve(bytes: number): void {
    if (bytes > this.bytes.length) this.bytes = new Uint8Array(Math.max(bytes, this.bytes.length * 2));
  }
}

// ── data plane ──

/** Bytes of UTF-8 that begin a character. */
export function countCharacters(text: Uint8Array, start: number, end: number): number {
  let count = end - start;
  for (let i = start; i < end; i++) count -= (text[i]! & 0xc0) === 0x80 ? 1 : 0;
  return count;
}

/** How often a text that is not empty occurs, from left to right and without overlaps. */
function countOccurrences(
  text: Uint8Array,
  start: number,
  end: number,
  needle: Uint8Array,
  needleStart: number,
  needleEnd: number,
): number {
  let count = 0;
  if (needleEnd - needleStart === 1) {
    const only = needle[needleStart]!;
    for (let i = start; i < end; i++) count += text[i] === only ? 1 : 0;
    return count;
  }
  let at = findBytes(text, start, end, needle, needleStart, needleEnd);
  for (; at >= 0; count++) at = findBytes(text, at + needleEnd - needleStart, end, needle, needleStart, needleEnd);
  return count;
}

/** Where a text that is not empty occurs first; -1: nowhere. No character of UTF-8 begins within another one. */
function findBytes(
  text: Uint8Array,
  start: number,
  end: number,
  needle: Uint8Array,
  needleStart: number,
  needleEnd: number,
): number {
  const first = needle[needleStart]!;
  const last = end - (needleEnd - needleStart);
  for (let i = start; i <= last; i++) {
    if (text[i] === first && sameBytes(needle, needleStart, needleEnd, text, i)) return i;
  }
  return -1;
}

function appendBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  for (let i = start; i < end; i++) to[at++] = from[i]!;
  return at;
}

/** Copies a text with the other case of the 26 letters from `first` on; false: it has characters beyond ASCII. */
function flipCase(from: Uint8Array, start: number, end: number, first: number, to: Uint8Array): boolean {
  for (let i = start, at = 0; i < end; i++, at++) {
    const byte = from[i]!;
    if (byte > 127) return false;
    to[at] = (byte - first) >>> 0 < 26 ? byte ^ 32 : byte;
  }
  return true;
}
