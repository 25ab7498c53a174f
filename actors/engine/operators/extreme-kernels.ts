// Loops over the rows of a block and over chains, for extreme-rows.ts.
//
// Blocks are records of words, a row after the other; chains are linked by a word of a record that holds the next one + 1.
import type { RecordTable } from '../state/record-table.ts';

// ── data plane ──

/** Copies the rows of a block that have no positive weight; returns how many there are. */
export function chooseDeletions(
  rows: Int32Array,
  rowWords: number,
  weights: Int32Array,
  count: number,
  out: Int32Array,
): number {
  let found = 0;
  for (let i = 0; i < count; i++) {
    if (weights[i]! > 0) continue;
    for (let k = 0; k < rowWords; k++) out[found * rowWords + k] = rows[i * rowWords + k]!;
    found++;
  }
  return found;
}

export function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(array.length * 2);
  grown.set(array);
  return grown;
}

/** The rows in the chains of groups, in ascending order. */
export function rowsOf(
  gone: Int32Array,
  groups: RecordTable,
  headAt: number,
  rows: RecordTable,
  nextAt: number,
): Int32Array {
  const { words, width } = rows;
  const isGone = new Uint8Array(words.length / width);
  let found = 0;
  for (let i = 0; i < gone.length; i++) {
    let row = groups.words[gone[i]! * groups.width + headAt]! - 1;
    while (row >= 0) {
      isGone[row] = 1;
      found++;
      row = words[row * width + nextAt]! - 1;
    }
  }
  const ids = new Int32Array(found);
  let at = 0;
  for (let row = 0; row < isGone.length; row++) if (isGone[row] !== 0) ids[at++] = row;
  return ids;
}

/** Writes the positions of the rows of a block that are NULL in no bitmap; returns how many there are. */
export function keepThere(validities: readonly Uint8Array[], from: number, count: number, kept: Int32Array): number {
  if (validities.length === 0) {
    for (let i = 0; i < count; i++) kept[i] = i;
    return count;
  }
  let found = 0;
  for (let i = 0; i < count; i++) {
    const row = from + i;
    let there = 1;
    for (let v = 0; v < validities.length; v++) there &= validities[v]![row >> 3]! >> (row & 7);
    if (there !== 0) kept[found++] = i;
  }
  return found;
}

export function moveRows(words: Int32Array, stride: number, kept: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const from = kept[i]! * stride;
    for (let k = 0; k < stride; k++) words[i * stride + k] = words[from + k]!;
  }
}
