// Which column a JSON key names.
//
// Unquoted columns match in any case, quoted ones exactly; a key that differs from a quoted column in case only is refused, because it
// is almost surely a mistake. Rows of one source spell and order their keys alike, so the table remembers, as a cache, how each key was
// last spelled and which key came after which: then a key costs one comparison of bytes and no string is made.

import type { Schema } from '../../runtime/batch/schema.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { copyUnescaped, skipColon, skipString } from './json-scan.ts';
import type { Refusal } from './refusal.ts';

/** Answers of `lookup` that are no columns. */
export const keyUnknown = -1;
export const keyRefused = -2;

export class JsonKeys {
  readonly #exact: Map<string, number> = new Map();
  readonly #folded: Map<string, number> = new Map();
  readonly #quotedFolded: Map<string, string> = new Map();
  readonly #names: readonly string[];
  /** What came before the value when column c was last given: the key, the colon, and white space around it. */
  readonly spellings: KeySpelling[];
  /** The column expected after column c is successors[c + 1]; that of the first key is successors[0]. */
  readonly successors: Int32Array;
  /** Behind the key that `lookup` read, and where its value begins; `~p` when the grammar is broken. */
  end = 0;
  valueStart = 0;

  constructor(schema: Schema) {
    this.#names = schema.fields.map((field) => field.name);
    schema.fields.forEach((field, i) => {
      if (field.quoted === true) {
        this.#exact.set(field.name, i);
        this.#quotedFolded.set(field.name.toLowerCase(), field.name);
      } else this.#folded.set(field.name.toLowerCase(), i);
    });
    this.spellings = schema.fields.map((field) => spell(new TextEncoder().encode(`${JSON.stringify(field.name)}:`)));
    this.successors = Int32Array.from({ length: schema.fields.length + 1 }, (_, i) =>
      i < schema.fields.length ? i : 0,
    );
  }

  /** Reads the key at `start` and its colon; `previous` is the column before it, or -1. */
  lookup(bytes: Uint8Array, start: number, end: number, previous: number, refusal: Refusal): number {
    const stop = start < end && bytes[start] !== 0x22 ? ~start : skipString(bytes, start, end);
    this.end = stop;
    this.valueStart = stop < 0 ? stop : skipColon(bytes, stop, end);
    if (this.valueStart < 0) return keyUnknown;
    const column = this.#findSpelled(bytes, start, stop) ?? this.#findNamed(bytes, start, stop, refusal);
    if (column >= 0) {
      this.successors[previous + 1] = column;
      this.spellings[column] = spell(bytes.slice(start, this.valueStart));
    }
    return column;
  }

  /** The column whose key was last spelled like this one. */
  #findSpelled(bytes: Uint8Array, start: number, end: number): number | undefined {
    for (let c = 0; c < this.spellings.length; c++) {
      const known = this.spellings[c]!.bytes;
      let k = 1;
      while (start + k < end && bytes[start + k] === known[k]) k++;
      if (start + k === end) return c;
    }
    return undefined;
  }

  #findNamed(bytes: Uint8Array, start: number, end: number, refusal: Refusal): number {
    const raw = bytes.subarray(start + 1, end - 1);
    const out = new Uint8Array(raw.length);
    const text = raw.includes(0x5c) ? out.subarray(0, copyUnescaped(raw, 0, raw.length, out, 0)) : raw;
    const name = new TextDecoder('utf-8', { ignoreBOM: true }).decode(text);
    const lower = name.toLowerCase();
    const column = this.#exact.get(name) ?? this.#folded.get(lower);
    if (column !== undefined) return column;
    const quoted = this.#quotedFolded.get(lower);
    refusal.set('unknown', -1, start, end);
    if (quoted === undefined) return keyUnknown;
    refusal.detail = `key "${name}" differs in case from the quoted column "${quoted}"`;
    refusal.suggestion = quoted;
    return keyRefused;
  }

  /** The nearest column to the unknown key in bytes[start .. end), quotes included. */
  suggest(bytes: Uint8Array, start: number, end: number): string | null {
    return nearestName(new TextDecoder().decode(bytes.subarray(start + 1, end - 1)), this.#names) ?? null;
  }
}

/** The bytes before a value, and the same as words of four (the last may overlap the one before), for comparison. */
export interface KeySpelling {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

function spell(bytes: Uint8Array): KeySpelling {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = new Int32Array((bytes.length + 3) >> 2);
  for (let w = 0; w < words.length; w++) {
    words[w] = bytes.length < 4 ? 0 : view.getInt32(Math.min(w * 4, bytes.length - 4), true);
  }
  return { bytes, words };
}

// ── data plane ──

/** Where the value begins when the bytes at `start` spell `spelling`; else 0. */
export function matchSpelling(view: DataView, start: number, end: number, spelling: KeySpelling): number {
  const words = spelling.words;
  const length = spelling.bytes.length;
  // Strictly before the end: a value follows.
  if (start + length >= end || length < 4) return 0;
  const last = words.length - 1;
  for (let w = 0; w < last; w++) if (view.getInt32(start + 4 * w, true) !== words[w]) return 0;
  return view.getInt32(start + length - 4, true) === words[last] ? start + length : 0;
}
