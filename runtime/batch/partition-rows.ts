// Which worker a row belongs to by the values of some of its columns, and the rows of one worker as a batch of their own.
//
// Depends on values alone (owner-hash.ts): the same on every thread, in whatever layout a column is. Columns that nobody reads are not copied: they become empty
// arrays of the same layout, whose bitmap, empty as well, says NULL of every row.

import { allocateValues } from './batch-builder.ts';
import type { ChangeBatch } from './change-batch.ts';
import { presenceBytes } from './change-batch.ts';
import type { Column } from './column.ts';
import { gatherColumn, gatherWeights, type Room } from './gather-column.ts';
import { ownerHashes, ownerHashOfLong, ownerHashOfLongs, ownerOf } from './owner-hash.ts';
import { packed } from './packed-array.ts';
import { isWide } from './row-key.ts';
import { type SqlType, storageOf } from './sql-type.ts';

/** The rows of a batch in the order of their owners: those of worker w are rows[starts[w] .. starts[w + 1]). */
export interface RowOwners {
  readonly rows: Int32Array;
  readonly starts: Int32Array;
}

const newRoom: Room = (make, length) => new make(length);

export function ownersOf(
  batch: ChangeBatch,
  columns: readonly number[],
  workers: number,
  room: Room = newRoom,
): RowOwners {
  const starts = new Int32Array(workers + 2);
  const owners = countedOwners(batch, columns, workers, starts, room);
  const rows = room(Int32Array, batch.rows);
  placeOwners(owners, batch.rows, starts, rows);
  return { rows, starts };
}

/** The owner of each row; counts those of worker w in starts[w + 2], and all before. */
function countedOwners(
  { columns, rows }: ChangeBatch,
  keys: readonly number[],
  workers: number,
  starts: Int32Array,
  room: Room,
): Int32Array {
  const [first, second] = keys;
  const words = first === undefined || keys.length > 2 ? null : longWords(columns[first]!, rows);
  const others = words === null || second === undefined ? words : longWords(columns[second]!, rows);
  if (words !== null && others !== null) {
    const owners = room(Int32Array, rows);
    if (second === undefined) countOwnersOfLongs(words, rows, workers, owners, starts);
    else countOwnersOfPairs(words, others, rows, workers, owners, starts);
    return owners;
  }
  const hashes = ownerHashes(
    packed(keys, (ordinal) => columns[ordinal]!),
    rows,
  );
  countOwners(hashes, rows, workers, starts);
  return hashes;
}

/** The rows of one worker alone. */
export function rowsOf(
  batch: ChangeBatch,
  columns: readonly number[],
  workers: number,
  worker: number,
  room: Room = newRoom,
): Int32Array {
  const owned = room(Int32Array, batch.rows);
  const [first, second] = columns;
  const words = first === undefined || columns.length > 2 ? null : longWords(batch.columns[first]!, batch.rows);
  if (words !== null && second === undefined) {
    return owned.subarray(0, selectOwnedLongs(words, batch.rows, workers, worker, owned));
  }
  const others = words === null ? null : longWords(batch.columns[second!]!, batch.rows);
  if (words !== null && others !== null) {
    return owned.subarray(0, selectOwnedPairs(words, others, batch.rows, workers, worker, owned));
  }
  const hashes = ownerHashes(
    packed(columns, (ordinal) => batch.columns[ordinal]!),
    batch.rows,
  );
  return owned.subarray(0, selectOwned(hashes, batch.rows, workers, worker, owned));
}

/** The words of a column of 64 bits that is never NULL; null: it is another one. */
function longWords(column: Column, rows: number): Int32Array | null {
  if (column.layout !== 'fixed' || column.validity !== null || isWide(column)) return null;
  if (!(column.values instanceof BigInt64Array)) return null;
  return new Int32Array(column.values.buffer, column.values.byteOffset, rows * 2);
}

/**
 * Chosen rows with their weights and presence bits; only the columns in `reads` (null: all) have values. `pointing`: strings are not
 * copied but pointed at where they lie in the batch. `room`: where arrays are put; absent: into memory of their own.
 */
export function pickRows(
  batch: ChangeBatch,
  rows: Int32Array,
  reads: ReadonlySet<number> | null,
  pointing = false,
  room?: Room,
): ChangeBatch {
  const count = rows.length;
  const { schema, weights, presence } = batch;
  const columns = packed(batch.columns, (column, ordinal) =>
    reads === null || reads.has(ordinal) ? pickColumn(column, rows, count, pointing, room) : unreadColumn(column),
  );
  const picked = weights === null ? null : gatherWeights(weights, rows, count, room);
  if (presence === null) return { schema, rows: count, weights: picked, columns, presence: null };
  const width = presenceBytes(batch.columns.length);
  const bits = new Uint8Array(count * width);
  pickBytes(presence, width, rows, bits);
  return { schema, rows: count, weights: picked, columns, presence: bits };
}

function pickColumn(
  column: Column,
  rows: Int32Array,
  count: number,
  pointing: boolean,
  room: Room | undefined,
): Column {
  if (!pointing || column.layout !== 'bytes' || column.validity !== null)
    return gatherColumn(column, rows, count, room);
  const { type, offsets, bytes } = column;
  const dictionary = { identity: column, size: offsets.length - 1, offsets, bytes, repeats: true };
  return { layout: 'dictionary', type, validity: null, codes: rows, dictionary };
}

const noBytes = new Uint8Array(0);
const noWords = new Int32Array(0);
const oneOffset = new Int32Array(1);

/** A column in the layout of another that has no values. */
export function unreadColumn(column: Column): Column {
  return unreadOf(column.type, column.layout);
}

export function unreadOf(type: SqlType, layout: Column['layout']): Column {
  const validity = noBytes;
  switch (layout) {
    case 'fixed':
      return { layout, type, validity, values: allocateValues(storageOf(type), 0) };
    case 'bytes':
      return { layout, type, validity, offsets: oneOffset, bytes: noBytes };
    case 'dictionary': {
      const dictionary = { identity: noWords, size: 0, offsets: oneOffset, bytes: noBytes };
      return { layout, type, validity, codes: noWords, dictionary };
    }
  }
}

/** Whether a column of a row is one without values. */
export function isUnread(column: Column): boolean {
  return column.validity !== null && column.validity.length === 0;
}

// ── data plane ──

function countOwners(hashes: Int32Array, rows: number, workers: number, starts: Int32Array): void {
  for (let i = 0; i < rows; i++) {
    const owner = ownerOf(hashes[i]!, workers);
    hashes[i] = owner;
    starts[owner + 2]!++;
  }
  for (let w = 2; w < starts.length; w++) starts[w]! += starts[w - 1]!;
}

/** As ownerHashes has it for one column of 64 bits, in one pass. */
function countOwnersOfLongs(
  words: Int32Array,
  rows: number,
  workers: number,
  owners: Int32Array,
  starts: Int32Array,
): void {
  for (let i = 0; i < rows; i++) {
    const owner = ownerOf(ownerHashOfLong(words[2 * i]!, words[2 * i + 1]!), workers);
    owners[i] = owner;
    starts[owner + 2]!++;
  }
  for (let w = 2; w < starts.length; w++) starts[w]! += starts[w - 1]!;
}

/** The same for two columns of 64 bits. */
function countOwnersOfPairs(
  words: Int32Array,
  others: Int32Array,
  rows: number,
  workers: number,
  owners: Int32Array,
  starts: Int32Array,
): void {
  for (let i = 0; i < rows; i++) {
    const hash = ownerHashOfLongs(words[2 * i]!, words[2 * i + 1]!, others[2 * i]!, others[2 * i + 1]!);
    const owner = ownerOf(hash, workers);
    owners[i] = owner;
    starts[owner + 2]!++;
  }
  for (let w = 2; w < starts.length; w++) starts[w]! += starts[w - 1]!;
}

/** Begins with the start of worker w in starts[w + 1], and ends with that of w in starts[w]. */
function placeOwners(owners: Int32Array, rows: number, starts: Int32Array, out: Int32Array): void {
  for (let i = 0; i < rows; i++) out[starts[owners[i]! + 1]!++] = i;
}

// Whether a row is the worker's own is as good as drawn: counting by arithmetic costs a third of what guessed branches do.

function selectOwned(hashes: Int32Array, rows: number, workers: number, worker: number, out: Int32Array): number {
  let count = 0;
  for (let i = 0; i < rows; i++) {
    out[count] = i;
    const owner = ownerOf(hashes[i]!, workers);
    count += ((owner ^ worker) - 1) >>> 31;
  }
  return count;
}

/** As ownerHashes has it for one column of 64 bits, in one pass. */
function selectOwnedLongs(words: Int32Array, rows: number, workers: number, worker: number, out: Int32Array): number {
  let count = 0;
  for (let i = 0; i < rows; i++) {
    out[count] = i;
    const owner = ownerOf(ownerHashOfLong(words[2 * i]!, words[2 * i + 1]!), workers);
    count += ((owner ^ worker) - 1) >>> 31;
  }
  return count;
}

/** The same for two columns of 64 bits. */
function selectOwnedPairs(
  words: Int32Array,
  others: Int32Array,
  rows: number,
  workers: number,
  worker: number,
  out: Int32Array,
): number {
  let count = 0;
  for (let i = 0; i < rows; i++) {
    out[count] = i;
    const hash = ownerHashOfLongs(words[2 * i]!, words[2 * i + 1]!, others[2 * i]!, others[2 * i + 1]!);
    const owner = ownerOf(hash, workers);
    count += ((owner ^ worker) - 1) >>> 31;
  }
  return count;
}

function pickBytes(from: Uint8Array, width: number, rows: Int32Array, to: Uint8Array): void {
  for (let i = 0; i < rows.length; i++) {
    for (let k = 0; k < width; k++) to[i * width + k] = from[rows[i]! * width + k]!;
  }
}
