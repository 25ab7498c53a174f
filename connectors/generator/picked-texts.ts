// A column whose texts are picked from a list: the list once, as a dictionary, and a number for each row.
//
// Texts that stand in the list several times are one entry. One of these a field plan, made when its first batch is; its dictionary is the
// same in every batch, so that who prints or keeps texts knows those of the batch before. Not here: which are picked (column-filler.ts).

import { assert } from '../../runtime/assert.ts';
import type { DictionaryColumn } from '../../runtime/batch/column.ts';
import type { CellValue } from '../../runtime/batch/scalar-values.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';

const encoder = new TextEncoder();

export class PickedTexts {
  readonly #dictionary: DictionaryColumn['dictionary'];
  /** For each value of the list its entry; -1: it is NULL. */
  readonly #entries: Int32Array;

  constructor(values: readonly CellValue[]) {
    const texts: Uint8Array[] = [];
    const known = new Map<string, number>();
    this.#entries = Int32Array.from(values, (value) => {
      if (value === null) return -1;
      assert(
        typeof value === 'string' || value instanceof Uint8Array,
        'what a column of bytes is picked from is bytes',
      );
      const bytes = typeof value === 'string' ? encoder.encode(value) : value;
      const key = Buffer.from(bytes).toString('latin1');
      const entry = known.get(key) ?? texts.push(bytes) - 1;
      known.set(key, entry);
      return entry;
    });
    const offsets = new Int32Array(texts.length + 1);
    for (const [entry, text] of texts.entries()) offsets[entry + 1] = (offsets[entry] ?? 0) + text.length;
    const bytes = new Uint8Array(Buffer.concat(texts));
    this.#dictionary = { identity: this, size: texts.length, offsets, bytes, isLasting: true };
  }

  /** `draws[i]` is the number of row i's value in the list; rows that are NULL already (`validity`, or null) have none. */
  column(type: SqlType, validity: Uint8Array | null, draws: Float64Array, rows: number): DictionaryColumn {
    const codes = new Int32Array(rows);
    const nulls = pick(this.#entries, draws, rows, codes);
    return {
      layout: 'dictionary',
      type,
      validity: nulls === 0 ? validity : withoutPicked(validity, codes, rows),
      codes,
      dictionary: this.#dictionary,
    };
  }
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Returns how many rows are NULL by their value: their code is -1. */
function pick(entries: Int32Array, draws: Float64Array, rows: number, codes: Int32Array): number {
  let nulls = 0;
  for (let row = 0; row < rows; row++) {
    const entry = entries[draws[row]!] ?? -1;
    codes[row] = entry;
    if (entry < 0) nulls++;
  }
  return nulls;
}

/** A bitmap without the rows whose code is -1, which becomes 0. */
function withoutPicked(validity: Uint8Array | null, codes: Int32Array, rows: number): Uint8Array {
  const bits = new Uint8Array((rows + 7) >> 3).fill(255);
  if (validity !== null) bits.set(validity.subarray(0, bits.length));
  for (let row = 0; row < rows; row++) {
    if (codes[row]! >= 0) continue;
    codes[row] = 0;
    bits[row >> 3]! &= ~(1 << (row & 7));
  }
  return bits;
}
