// Which column a JSON key names.
//
// Unquoted columns match in any case, quoted ones exactly; a key that differs from a quoted column in case only is refused, because it
// is almost surely a mistake. Rows of one source spell and order their keys alike, so the table remembers, as a cache, how each key was
// last spelled and which key came after which: then a key costs one comparison of bytes and no string is made.
import { nearestName } from '../../runtime/nearest-name.ts';
import type { Schema } from '../../runtime/batch/schema.ts';
import { copyUnescaped, skipString } from './json-scan.ts';
import type { Refusal } from './refusal.ts';

/** Answers of `lookup` that are no columns. */
export const keyUnknown = -1;
export const keyRefused = -2;

export class JsonKeys {
  readonly #exact: Map<string, number> = new Map();
  readonly #folded: Map<string, number> = new Map();
  readonly #quotedFolded: Map<string, string> = new Map();
  readonly #names: readonly string[];
  /** `"key"` as last spelled, by column. */
  readonly spellings: Uint8Array[];
  /** The column expected after column c is successors[c + 1]; that of the first key is successors[0]. */
  readonly successors: Int32Array;
  /** Behind the key that `lookup` read, or `~p`. */
  end = 0;

  constructor(schema: Schema) {
    this.#names = schema.fields.map((field) => field.name);
    schema.fields.forEach((field, i) => {
      if (field.quoted === true) {
        this.#exact.set(field.name, i);
        this.#quotedFolded.set(field.name.toLowerCase(), field.name);
      } else this.#folded.set(field.name.toLowerCase(), i);
    });
    this.spellings = schema.fields.map((field) => new TextEncoder().encode(JSON.stringify(field.name)));
    this.successors = Int32Array.from({ length: schema.fields.length + 1 }, (_, i) => (i < schema.fields.length ? i : 0));
  }

  /** Reads the key at `start`; `previous` is the column before it, or -1. */
  lookup(bytes: Uint8Array, start: number, end: number, previous: number, refusal: Refusal): number {
    const stop = start < end && bytes[start] !== 0x22 ? ~start : skipString(bytes, start, end);
    this.end = stop;
    if (stop < 0) return keyUnknown;
    const raw = bytes.subarray(start + 1, stop - 1);
    const escaped = raw.includes(0x5c);
    let text = raw;
    if (escaped) {
      const out = new Uint8Array(raw.length);
      text = out.subarray(0, copyUnescaped(raw, 0, raw.length, out, 0));
    }
    const name = new TextDecoder('utf-8', { ignoreBOM: true }).decode(text);
    const lower = name.toLowerCase();
    const column = this.#exact.get(name) ?? this.#folded.get(lower);
    if (column === undefined) {
      const quoted = this.#quotedFolded.get(lower);
      refusal.set('unknown', -1, start, stop);
      if (quoted !== undefined) {
        refusal.detail = `key "${name}" differs in case from the quoted column "${quoted}"`;
        refusal.suggestion = quoted;
        return keyRefused;
      }
      return keyUnknown;
    }
    this.successors[previous + 1] = column;
    if (!escaped) this.spellings[column] = bytes.slice(start, stop);
    return column;
  }

  /** The nearest column to the unknown key in bytes[start .. end), quotes included. */
  suggest(bytes: Uint8Array, start: number, end: number): string | null {
    return nearestName(new TextDecoder().decode(bytes.subarray(start + 1, end - 1)), this.#names) ?? null;
  }
}
