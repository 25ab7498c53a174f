// The strings of one column that nobody compares, on their way into the state: carried, unless they keep coming again.
//
// To carry a string costs a copy, to intern it a hash and a probe of a table that is larger than any cache; but strings that
// come again are worth interning, or the state would hold each as often as it came. So some rows are interned as a sample, and
// what most of the sample turns out to be decides on the others. Where a set of n strings comes again and again, the sample has
// seen them all after a multiple of n rows, so what was carried until then is bounded by a multiple of what interning keeps.
// Which is chosen is not part of a snapshot: an interned code is a carried one as well.
import type { BytesColumn } from '../../../runtime/batch/column.ts';
import type { StringPool } from './string-pool.ts';

/** Rows that are interned before anything is carried. */
const firstRows = 2048;
/** Then one run of rows out of so many. */
const sampleEvery = 32;
/** The sample forgets half of itself when it has so many rows, so that it follows a column that changes. */
const sampleMax = 65_536;

export class CarriedTexts {
  #runs = 0;
  #sampled = 0;
  #fresh = 0;

  /** Writes codes of rows [from, to), as `StringPool.internColumn` does. */
  write(
    column: BytesColumn,
    from: number,
    to: number,
    target: Int32Array,
    stride: number,
    offset: number,
    pool: StringPool,
  ): void {
    if (!this.#isSample()) {
      pool.carryColumn(column, from, to, target, stride, offset);
      return;
    }
    const before = pool.interned;
    pool.internColumn(column, from, to, target, stride, offset);
    this.#note(to - from, pool.interned - before);
  }

  /** Writes codes of rows[0 .. count): that of row i to target[ids[i] * stride + offset]. */
  writeRows(
    column: BytesColumn,
    rows: Int32Array,
    count: number,
    target: Int32Array,
    ids: Int32Array,
    stride: number,
    offset: number,
    pool: StringPool,
  ): void {
    if (!this.#isSample()) {
      pool.carryRows(column, rows, count, target, ids, stride, offset);
      return;
    }
    const before = pool.interned;
    pool.internRows(column, rows, count, target, ids, stride, offset);
    this.#note(count, pool.interned - before);
  }

  #isSample(): boolean {
    const repeat = this.#fresh * 2 <= this.#sampled;
    return repeat || this.#sampled < firstRows || this.#runs++ % sampleEvery === 0;
  }

  #note(rows: number, fresh: number): void {
    this.#sampled += rows;
    this.#fresh += fresh;
    if (this.#sampled < sampleMax) return;
    // Whole numbers: a half would give objects of this class another shape, and all code that reads layouts would be compiled anew.
    this.#sampled >>= 1;
    this.#fresh >>= 1;
  }
}
