// Records of words, written as the columns of a batch: the way out of state.
//
// A column of the output takes its values from one of several sources (own record, matched record, finished aggregates),
// each an array of records and the numbers of the records to take. `append` gathers a run of rows; whenever the batch has
// `batchRowsMax` rows it is emitted and a new one begun. Strings come out as codes of the pool.
// A source of `null` stands for NULL in every row (the missing side of an outer join).
// Batches are made of fresh arrays, unless `lend` says that whoever receives them is done with them when `emit` returns:
// then the same arrays, small enough for the cache, are filled again and again.
// The caller appends to every column before it appends the weights, which ends the run.

import { assert } from '../../../runtime/assert.ts';
import { allocateValues } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Column, Values } from '../../../runtime/batch/column.ts';
import { packed } from '../../../runtime/batch/packed-array.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { type Storage, storageOf } from '../../../runtime/batch/sql-type.ts';
import type { LayoutColumn } from './row-layout.ts';
import type { StringPool } from './string-pool.ts';

export type Emit = (batch: ChangeBatch) => void;

/** The most rows of a batch that comes out of state. */
export const batchRowsMax = 65_536;
/** The most rows of a batch that is only lent. */
const lentRowsMax = 4096;

/** Records to take: the columns of record ids[i] begin at word ids[i] * stride + shift; `ids` null: records 0, 1, 2, … */
export interface RecordSource {
  readonly words: Int32Array;
  readonly stride: number;
  readonly shift: number;
  readonly ids: Int32Array | null;
}

/** From which source (by position) a column of the output comes, and where it lies in its records. */
export interface OutputColumn {
  readonly source: number;
  readonly place: LayoutColumn;
}

export class RowOutput {
  readonly schema: Schema;
  readonly #columns: readonly OutputColumn[];
  readonly #pool: StringPool;
  readonly #storages: readonly Storage[];
  #values: Values[] = [];
  #validity: (Uint8Array | null)[] = [];
  #weights: Int32Array = new Int32Array(0);
  #capacity = 0;
  #rows = 0;
  readonly #rowsMax: number;
  #lent = false;

  /** `rowsMax` is for outputs that had better come in one piece. */
  constructor(schema: Schema, columns: readonly OutputColumn[], pool: StringPool, rowsMax: number = batchRowsMax) {
    assert(columns.length === schema.fields.length, 'an output has a source for each field');
    this.schema = schema;
    this.#rowsMax = rowsMax;
    this.#columns = columns;
    this.#pool = pool;
    this.#storages = schema.fields.map((field) => storageOf(field.type));
  }

  /** Says that about `rows` rows are coming, so that arrays are not grown step by step. */
  expect(rows: number): void {
    const wanted = Math.min(this.#limit, rows);
    if (this.#rows === 0 && wanted > this.#capacity) this.#grow(wanted);
  }

  /** Whether receivers are done with a batch, and all its arrays, when `emit` returns. Not within a batch. */
  lend(may: boolean): void {
    assert(this.#rows === 0, 'batches are lent or not from their first row on');
    if (may === this.#lent) return;
    this.#lent = may;
    this.#capacity = 0;
  }

  /** Appends `count` rows. `weights` null: all +1. Emits every batch that becomes full. */
  append(sources: readonly (RecordSource | null)[], weights: Int32Array | null, count: number, emit: Emit): void {
    let from = 0;
    while (from < count) {
      const room = this.#room(count - from);
      for (let c = 0; c < this.#columns.length; c++) {
        const column = this.#columns[c]!;
        const source = sources[column.source] ?? null;
        if (source === null) this.#appendNulls(c, room);
        else this.#appendColumn(c, column.place, source, from, room);
      }
      if (weights === null) this.#weights.fill(1, this.#rows, this.#rows + room);
      else for (let i = 0; i < room; i++) this.#weights[this.#rows + i] = weights[from + i]!;
      this.#rows += room;
      from += room;
      if (this.#rows === this.#limit) this.finish(emit);
    }
  }

  /** Emits what is left, if anything. */
  finish(emit: Emit): void {
    const rows = this.#rows;
    if (rows === 0) return;
    const columns = packed(this.schema.fields, (field, c): Column => {
      const bitmap = this.#validity[c]!;
      const validity = bitmap === null ? null : bitmap.subarray(0, (rows + 7) >> 3);
      const storage = this.#storages[c]!;
      const values = this.#values[c]!.subarray(0, rows * (storage === 'i128' ? 2 : 1));
      // SAFETY: the values of a column of bytes storage were allocated as Int32Array, for codes.
      if (storage === 'bytes') {
        const codes = values as Int32Array;
        const { carried } = this.#columns[c]!.place;
        const dictionary = carried === null ? this.#pool.dictionary() : this.#pool.carriedDictionary();
        return { layout: 'dictionary', type: field.type, validity, codes, dictionary };
      }
      return { layout: 'fixed', type: field.type, validity, values };
    });
    const weights = allOne(this.#weights, rows) ? null : this.#weights.subarray(0, rows);
    this.#rows = 0;
    if (this.#lent) this.#validity.fill(null);
    else this.#capacity = 0;
    emit({ schema: this.schema, rows, weights, columns, presence: null });
  }

  get #limit(): number {
    return this.#lent ? lentRowsMax : this.#rowsMax;
  }

  #room(wanted: number): number {
    const limit = this.#limit;
    const needed = Math.min(limit, this.#rows + wanted);
    if (needed > this.#capacity) this.#grow(Math.min(limit, Math.max(needed, this.#capacity * 2, 16)));
    return Math.min(wanted, this.#capacity - this.#rows);
  }

  #grow(capacity: number): void {
    const fresh = this.#rows === 0;
    this.#values = packed(this.#storages, (storage, c): Values => {
      // Strings come out as codes.
      const values = allocateValues(storage === 'bytes' ? 'i32' : storage, capacity);
      // SAFETY: both arrays were allocated for the same storage.
      if (!fresh) (values as Uint8Array).set(this.#values[c] as Uint8Array);
      return values;
    });
    this.#validity = packed(this.#storages, (_, c) => {
      const bitmap = fresh ? null : this.#validity[c]!;
      if (bitmap === null) return null;
      const grown = new Uint8Array((capacity + 7) >> 3).fill(255);
      grown.set(bitmap);
      return grown;
    });
    const weights = new Int32Array(capacity);
    if (!fresh) weights.set(this.#weights);
    this.#weights = weights;
    this.#capacity = capacity;
  }

  #bitmap(c: number): Uint8Array {
    return (this.#validity[c] ??= new Uint8Array((this.#capacity + 7) >> 3).fill(255));
  }

  #appendNulls(c: number, count: number): void {
    const validity = this.#bitmap(c);
    for (let row = this.#rows, end = row + count; row < end; row++) validity[row >> 3]! &= ~(1 << (row & 7));
  }

  #appendColumn(c: number, place: LayoutColumn, source: RecordSource, from: number, count: number): void {
    const { words, stride, ids } = source;
    const at = this.#rows;
    const values = this.#values[c]!;
    const offset = place.offset + source.shift;
    const nullWord = place.nullWord + source.shift;
    // SAFETY (casts below): the class of `values` follows from the storage.
    switch (this.#storages[c]!) {
      case 'bool':
        gatherU8(words, stride, offset, ids, from, count, values as Uint8Array, at);
        break;
      case 'i8':
        gatherI8(words, stride, offset, ids, from, count, values as Int8Array, at);
        break;
      case 'i16':
        gatherI16(words, stride, offset, ids, from, count, values as Int16Array, at);
        break;
      case 'i32':
      case 'f32':
      case 'bytes':
        gatherWord(words, stride, offset, ids, from, count, wordView(values), at);
        break;
      case 'i64':
      case 'f64':
        gatherTwoWords(words, stride, offset, ids, from, count, wordView(values), at);
        break;
      case 'i128':
        gatherFourWords(words, stride, offset, ids, from, count, wordView(values), at);
        break;
    }
    if (place.nullWord < 0) return;
    if (!anyNull(words, stride, nullWord, place.nullBit, ids, from, count)) return;
    gatherValidity(words, stride, nullWord, place.nullBit, ids, from, count, this.#bitmap(c), at);
  }
}

function wordView(values: Values): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.byteLength >> 2);
}

// ── data plane ── One loop for each width, with and without record numbers.

function allOne(weights: Int32Array, rows: number): boolean {
  for (let i = 0; i < rows; i++) if (weights[i] !== 1) return false;
  return true;
}

function gatherU8(
  words: Int32Array,
  stride: number,
  offset: number,
  ids: Int32Array | null,
  from: number,
  count: number,
  out: Uint8Array,
  at: number,
): void {
  for (let i = 0; i < count; i++) out[at + i] = words[(ids === null ? from + i : ids[from + i]!) * stride + offset]!;
}

function gatherI8(
  words: Int32Array,
  stride: number,
  offset: number,
  ids: Int32Array | null,
  from: number,
  count: number,
  out: Int8Array,
  at: number,
): void {
  for (let i = 0; i < count; i++) out[at + i] = words[(ids === null ? from + i : ids[from + i]!) * stride + offset]!;
}

function gatherI16(
  words: Int32Array,
  stride: number,
  offset: number,
  ids: Int32Array | null,
  from: number,
  count: number,
  out: Int16Array,
  at: number,
): void {
  for (let i = 0; i < count; i++) out[at + i] = words[(ids === null ? from + i : ids[from + i]!) * stride + offset]!;
}

function gatherWord(
  words: Int32Array,
  stride: number,
  offset: number,
  ids: Int32Array | null,
  from: number,
  count: number,
  out: Int32Array,
  at: number,
): void {
  if (ids === null) {
    let read = from * stride + offset;
    for (let i = 0; i < count; i++, read += stride) out[at + i] = words[read]!;
    return;
  }
  for (let i = 0; i < count; i++) out[at + i] = words[ids[from + i]! * stride + offset]!;
}

function gatherTwoWords(
  words: Int32Array,
  stride: number,
  offset: number,
  ids: Int32Array | null,
  from: number,
  count: number,
  out: Int32Array,
  at: number,
): void {
  let write = 2 * at;
  for (let i = 0; i < count; i++, write += 2) {
    const read = (ids === null ? from + i : ids[from + i]!) * stride + offset;
    out[write] = words[read]!;
    out[write + 1] = words[read + 1]!;
  }
}

function gatherFourWords(
  words: Int32Array,
  stride: number,
  offset: number,
  ids: Int32Array | null,
  from: number,
  count: number,
  out: Int32Array,
  at: number,
): void {
  let write = 4 * at;
  for (let i = 0; i < count; i++, write += 4) {
    const read = (ids === null ? from + i : ids[from + i]!) * stride + offset;
    out[write] = words[read]!;
    out[write + 1] = words[read + 1]!;
    out[write + 2] = words[read + 2]!;
    out[write + 3] = words[read + 3]!;
  }
}

function anyNull(
  words: Int32Array,
  stride: number,
  nullWord: number,
  nullBit: number,
  ids: Int32Array | null,
  from: number,
  count: number,
): boolean {
  for (let i = 0; i < count; i++) {
    if ((words[(ids === null ? from + i : ids[from + i]!) * stride + nullWord]! & nullBit) !== 0) return true;
  }
  return false;
}

function gatherValidity(
  words: Int32Array,
  stride: number,
  nullWord: number,
  nullBit: number,
  ids: Int32Array | null,
  from: number,
  count: number,
  validity: Uint8Array,
  at: number,
): void {
  for (let i = 0; i < count; i++) {
    if ((words[(ids === null ? from + i : ids[from + i]!) * stride + nullWord]! & nullBit) !== 0)
      validity[(at + i) >> 3]! &= ~(1 << ((at + i) & 7));
  }
}
