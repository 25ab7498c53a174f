// By which number a row falls to one of several workers: the upper bits of it, spread evenly over them.
//
// Depends on values alone, as the hash of row-key.ts does, so that each thread finds the same owner. That hash scatters keys as dice would: of
// the two dozen auctions that half the bids of a step go to, one worker may have sixteen. Keys of 64 bits, which are mostly numbers that were
// given out one after the other, are multiplied instead, so that those at equal distances fall to the workers in turn: the factors are chosen so
// that no worker gets a long run of keys at a distance of 1 to 10, of a power of two or ten, or of a usual span of time. The numbers of several
// columns are added up. Rows with a key of another kind, such as a text, get the hash of row-key.ts.
// It is part of checkpoints of several workers which rows each of them has: who changes a factor raises the layout of those (circuit.ts).
import { assert } from '../assert.ts';
import type { Column } from './column.ts';
import { hashRows } from './row-key.ts';
import { storageOf } from './sql-type.ts';

/** The numbers of rows 0 .. rows - 1. */
export function ownerHashes(columns: readonly Column[], rows: number): Int32Array {
  if (!columns.every(({ type }) => storageOf(type) === 'i64')) return hashRows(columns, rows);
  const hashes = new Int32Array(rows);
  columns.forEach((column, c) => {
    assert(column.layout === 'fixed', 'a column of 64 bits has fixed layout');
    const { buffer, byteOffset, byteLength } = column.values;
    const words = new Int32Array(buffer, byteOffset, byteLength >> 2);
    const low = lowFactors[c % lowFactors.length]!;
    const high = highFactors[c % highFactors.length]!;
    if (column.validity === null) addLongs(words, rows, low, high, hashes);
    else addNullableLongs(words, column.validity, rows, low, high, hashes);
  });
  return hashes;
}

/** The owner by such a number. At most 65,535 workers. */
export function ownerOf(hash: number, workers: number): number {
  return Math.imul(hash >>> 16, workers) >>> 16;
}

// ── data plane ──

/** By the place of a column in the key. */
const lowFactors = [0xb194bc53, 0x5ce60fe5, 0x7898d01d, 0x3b467a69];
const highFactors = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];
const nullHash = 0x51ed270b;

/** The number of a row with one column of 64 bits that is not NULL, given by its lower and its upper word. */
export function ownerHashOfLong(low: number, high: number): number {
  return (Math.imul(low, 0xb194bc53) + Math.imul(high, 0x9e3779b1)) | 0;
}

/** The same for two such columns. */
export function ownerHashOfLongs(low: number, high: number, otherLow: number, otherHigh: number): number {
  return (ownerHashOfLong(low, high) + Math.imul(otherLow, 0x5ce60fe5) + Math.imul(otherHigh, 0x85ebca6b)) | 0;
}

function addLongs(words: Int32Array, rows: number, low: number, high: number, hashes: Int32Array): void {
  for (let i = 0; i < rows; i++) {
    hashes[i] = (hashes[i]! + Math.imul(words[2 * i]!, low) + Math.imul(words[2 * i + 1]!, high)) | 0;
  }
}

function addNullableLongs(
  words: Int32Array,
  validity: Uint8Array,
  rows: number,
  low: number,
  high: number,
  hashes: Int32Array,
): void {
  for (let i = 0; i < rows; i++) {
    const isNull = (validity[i >> 3]! & (1 << (i & 7))) === 0;
    const hash = isNull ? nullHash : Math.imul(words[2 * i]!, low) + Math.imul(words[2 * i + 1]!, high);
    hashes[i] = (hashes[i]! + hash) | 0;
  }
}
