// Where top-level JSON values end, without reading them.
//
// Legal JSON has no raw line break inside a string, so a closer, a line break and an opener with only white space between them can only
// lie between two top-level values: searching for that from the end of the bytes finds the last border at the cost of one
// record. From there on, or from where the last call stopped when there is no such border, brackets are counted forward; what was
// counted is remembered, so that a value of any size is walked once. Text outside of values ends at its line break, and a line
// break inside a string, which only a broken record has, ends the counting of that record.
import type { Splitter } from '../sdk/format.ts';

export class JsonSplitter implements Splitter {
  /** Bytes of the rest that have been counted, and the depth and string state behind them. */
  #counted = 0;
  #depth = 0;
  #inString = false;
  #border = 0;
  /** Bytes at the end that were not counted: the backslash of an escape that is cut in two. */
  #uncounted = 0;

  split(bytes: Uint8Array): number {
    const end = bytes.length;
    if (end < this.#counted) this.reset();
    let border = findBorder(bytes, Math.max(0, this.#counted - 1));
    if (border > 0) this.#count(bytes, border, end, 0, false, border);
    else this.#count(bytes, this.#counted, end, this.#depth, this.#inString, 0);
    border = this.#border;
    this.#counted = end - border - this.#uncounted;
    return border;
  }

  reset(): void {
    this.#counted = 0;
    this.#depth = 0;
    this.#inString = false;
  }

  resume(): void {
    this.reset();
  }

  /** Counts brackets in [start .. end); leaves the last border at or after `border` in #border. */
  #count(
    bytes: Uint8Array,
    start: number,
    end: number,
    depthBefore: number,
    inStringBefore: boolean,
    border: number,
  ): void {
    let depth = depthBefore;
    let inString = inStringBefore;
    let last = border;
    let i = start;
    while (i < end) {
      if (inString) {
        let byte = bytes[i]!;
        while (byte !== 0x22 && byte !== 0x5c && byte !== 0x0a) {
          if (++i >= end) break;
          byte = bytes[i]!;
        }
        if (i >= end) break;
        if (byte === 0x5c) {
          // An escape that is cut in two is counted again with its second half.
          if (i + 1 >= end) break;
          i += 2;
          continue;
        }
        inString = false;
        i++;
        if (byte === 0x0a) {
          depth = 0;
          last = i;
        }
        continue;
      }
      const byte = bytes[i++]!;
      if (byte === 0x22) inString = depth > 0;
      else if (byte === 0x7b || byte === 0x5b) depth++;
      else if (byte === 0x7d || byte === 0x5d) {
        if (depth > 0 && --depth === 0) last = i;
      } else if (byte === 0x0a && depth === 0) last = i;
    }
    this.#border = last;
    this.#depth = depth;
    this.#inString = inString;
    this.#uncounted = i < end ? end - i : 0;
  }
}

// ── data plane ──

/** The last line break in [lowest .. from], or -1. Lines are short, so a loop beats a native call for each. */
function lastLineBreak(bytes: Uint8Array, from: number, lowest: number): number {
  let at = from;
  while (at >= lowest && bytes[at] !== 10) at--;
  return at < lowest ? -1 : at;
}

/** The last position behind a closer and a line break and before an opener, if the line break is at `lowest` or later; else 0. */
function findBorder(bytes: Uint8Array, lowest: number): number {
  for (let at = lastLineBreak(bytes, bytes.length - 1, lowest); at >= 0; at = lastLineBreak(bytes, at - 1, lowest)) {
    let next = at + 1;
    while (next < bytes.length && bytes[next]! <= 0x20) next++;
    if (next >= bytes.length || (bytes[next] !== 0x7b && bytes[next] !== 0x5b)) continue;
    let previous = at - 1;
    while (previous >= 0 && bytes[previous]! <= 0x20) previous--;
    if (previous >= 0 && (bytes[previous] === 0x7d || bytes[previous] === 0x5d)) return at + 1;
  }
  return 0;
}
