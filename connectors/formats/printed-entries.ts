// The entries of a dictionary as a text format spells them, each printed once however many rows have it.
//
// Entries never change, so while the same dictionary comes again only new ones are printed. It pays where entries repeat in the batch: for
// other columns `take(null)`. One for each column of an encoder, which owns it.

import type { Dictionary } from '../../runtime/batch/column.ts';
import { OutputBytes } from './output-bytes.ts';

/** Prints bytes[start .. end) behind the first `at` of `output`, for which it makes room. Returns the position behind it. */
export type PrintEntry = (bytes: Uint8Array, start: number, end: number, output: OutputBytes, at: number) => number;

export class PrintedEntries {
  readonly #print: PrintEntry;
  #identity: object | null = null;
  #size = 0;
  /** Entry i is output.bytes[offsets[i] .. offsets[i + 1]). */
  readonly output: OutputBytes = new OutputBytes();
  offsets: Int32Array = new Int32Array(1);
  active = false;

  constructor(print: PrintEntry) {
    this.#print = print;
  }

  /** Null, or a dictionary with more entries than the batch has rows: rows print their texts themselves. */
  take(dictionary: Dictionary | null, rows: number): void {
    this.active = dictionary !== null && dictionary.size <= rows;
    if (dictionary === null || !this.active) return;
    if (this.#identity !== dictionary.identity) {
      this.#identity = dictionary.identity;
      this.#size = 0;
    }
    if (this.offsets.length <= dictionary.size) {
      const grown = new Int32Array(dictionary.size * 2 + 1);
      grown.set(this.offsets);
      this.offsets = grown;
    }
    let at = this.offsets[this.#size]!;
    for (; this.#size < dictionary.size; this.#size++) {
      const start = dictionary.offsets[this.#size]!;
      const end = dictionary.offsets[this.#size + 1]!;
      at = this.#print(dictionary.bytes, start, end, this.output, at);
      this.offsets[this.#size + 1] = at;
    }
  }
}
