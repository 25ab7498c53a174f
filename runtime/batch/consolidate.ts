// The normal form of a change: equal rows merged into one, rows whose weights cancel dropped.
//
// Rows keep the order of their first appearance among those that are left. Cost O(rows): one hash of each row and a
// probe into a table of this batch.
import type { ChangeBatch } from './change-batch.ts';
import { concatBatches } from './concat-batches.ts';
import { gatherRows } from './gather-rows.ts';
import { hashRows, type RowEquality, rowEquality } from './row-key.ts';
import type { Schema } from './schema.ts';

/** The sum of the batches, or null when it is empty. `hashMask` is for tests: 0 makes every row collide. */
export function consolidate(batches: readonly ChangeBatch[], schema: Schema, hashMask = -1): ChangeBatch | null {
  if (batches.length === 0) return null;
  const whole = concatBatches(batches, schema);
  const { rows, columns } = whole;
  if (rows === 0) return null;
  const hashes = hashRows(columns, rows, true);
  const firsts = new Int32Array(rows);
  const weights = new Int32Array(rows);
  const distinct = mergeRows(hashes, hashMask, rows, whole.weights, rowEquality(columns), firsts, weights);
  const kept = dropZeros(firsts, weights, distinct);
  if (kept === 0) return null;
  if (kept === rows && whole.weights === null) return whole;
  const finalWeights = weights.subarray(0, kept);
  if (kept === rows) return { ...whole, weights: finalWeights };
  return gatherRows(whole, firsts, kept, finalWeights.every((weight) => weight === 1) ? null : finalWeights);
}

// ── data plane ──

/** Writes the first row of each class of equal rows, and the sum of its weights; returns how many classes there are. */
function mergeRows(
  hashes: Int32Array,
  hashMask: number,
  rows: number,
  weights: Int32Array | null,
  equal: RowEquality,
  firsts: Int32Array,
  sums: Int32Array,
): number {
  let size = 16;
  while (size < rows * 2) size *= 2;
  const slots = new Int32Array(size);
  let distinct = 0;
  for (let i = 0; i < rows; i++) {
    const hash = hashes[i]! & hashMask;
    let slot = hash & (size - 1);
    let found = -1;
    for (;;) {
      const entry = slots[slot]! - 1;
      if (entry < 0) break;
      const first = firsts[entry]!;
      if ((hashes[first]! & hashMask) === hash && equal(first, i)) {
        found = entry;
        break;
      }
      slot = (slot + 1) & (size - 1);
    }
    if (found < 0) {
      found = distinct++;
      firsts[found] = i;
      slots[slot] = found + 1;
    }
    sums[found]! += weights === null ? 1 : weights[i]!;
  }
  return distinct;
}

function dropZeros(firsts: Int32Array, sums: Int32Array, distinct: number): number {
  let kept = 0;
  for (let i = 0; i < distinct; i++) {
    if (sums[i] === 0) continue;
    firsts[kept] = firsts[i]!;
    sums[kept++] = sums[i]!;
  }
  return kept;
}
