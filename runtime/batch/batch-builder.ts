// The only writer of change batches.
//
// A builder holds one column builder per field. Decoders and kernels write straight into `values`, `offsets` and `bytes`
// after `reserve`, row by row:
//
//   builder.reserve(1)                          room for one more row in every column
//   column.values[row] = …                      fixed; or
//   column.reserveBytes(n); column.bytes.set(…); column.bytesUsed += n;          bytes
//   column.setNull(row)                         instead of a value
//   builder.commitRow(weight)                   the row counts; or  builder.rollbackRow()  it never was
//
// `values`, `offsets` and `bytes` are replaced when they grow (x2): read them again after every reserve.
// Only null bits are written: a bitmap starts as all ones at the first NULL of its column.
// After `finish()` the arrays belong to the batch and the builder starts anew. Where a batch is copied at once, `peek()` shows it and
// `clear()` takes the arrays back for the next one. The caller owns a builder; no sharing.
import { assert } from '../assert.ts';
import type { ChangeBatch } from './change-batch.ts';
import { presenceBytes } from './change-batch.ts';
import type { Column, Values } from './column.ts';
import { copyBytes } from './copy-bytes.ts';
import type { Schema } from './schema.ts';
import { type SqlType, type Storage, storageOf } from './sql-type.ts';

/** What is longer, and may lie in shared memory, is not set. */
const setBytesMax = 4096;

/** The arrays of one column while they are written. */
export class ColumnBuilder {
  readonly type: SqlType;
  readonly storage: Storage;
  /** For `bytes` storage an empty array. */
  values: Values;
  /** For `bytes` storage: offsets[row] is where row begins; committing a row sets offsets[row + 1]. */
  offsets: Int32Array;
  bytes: Uint8Array;
  bytesUsed = 0;
  validity: Uint8Array | null = null;
  #capacity: number;

  constructor(type: SqlType, capacity: number) {
    this.type = type;
    this.storage = storageOf(type);
    this.#capacity = capacity;
    this.values = allocateValues(this.storage, capacity);
    this.offsets = this.storage === 'bytes' ? new Int32Array(capacity + 1) : new Int32Array(0);
    this.bytes = this.storage === 'bytes' ? new Uint8Array(capacity * 8) : new Uint8Array(0);
  }

  /** Makes room for `rows` rows in all. */
  grow(rows: number): void {
    if (rows <= this.#capacity) return;
    const capacity = Math.max(rows, this.#capacity * 2);
    if (this.storage === 'bytes') {
      const offsets = new Int32Array(capacity + 1);
      offsets.set(this.offsets);
      this.offsets = offsets;
    } else {
      const values = allocateValues(this.storage, capacity);
      copyValues(this.values, values);
      this.values = values;
    }
    if (this.validity !== null) this.validity = growBitmap(this.validity, capacity);
    this.#capacity = capacity;
  }

  /** Makes room for `length` more bytes behind `bytesUsed`. */
  reserveBytes(length: number): void {
    const needed = this.bytesUsed + length;
    if (needed <= this.bytes.length) return;
    assert(needed < 2 ** 31, 'the bytes of one column of a batch stay below 2 GiB');
    const bytes = new Uint8Array(Math.max(needed, Math.min(this.bytes.length * 2, 2 ** 31 - 1)));
    bytes.set(this.bytes.subarray(0, this.bytesUsed));
    this.bytes = bytes;
  }

  /** Appends source[start .. end) as the bytes (or further bytes) of the current row. */
  appendBytes(source: Uint8Array, start: number, end: number): void {
    this.reserveBytes(end - start);
    const target = this.bytes;
    let at = this.bytesUsed;
    if (end - start < 24) for (let i = start; i < end; i++) target[at++] = source[i]!;
    else if (end - start > setBytesMax) copyBytes(target, at, source.subarray(start, end));
    else target.set(source.subarray(start, end), at);
    this.bytesUsed += end - start;
  }

  /** Marks row `row` as NULL. */
  setNull(row: number): void {
    let validity = this.validity;
    if (validity === null) {
      validity = new Uint8Array((this.#capacity + 7) >> 3).fill(255);
      this.validity = validity;
    }
    validity[row >> 3]! &= ~(1 << (row & 7));
  }

  /** Makes row `row` as if nothing had been written to it. */
  clearRow(row: number): void {
    if (this.validity !== null) this.validity[row >> 3]! |= 1 << (row & 7);
    if (this.storage === 'bytes') this.bytesUsed = this.offsets[row]!;
  }

  /** Forgets `rows` rows and keeps the arrays. */
  clear(rows: number): void {
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = this.values;
    const width = this.storage === 'i128' ? 2 : 1;
    // What stands under a NULL is zero in a new builder, so it is here.
    if (this.storage !== 'bytes') new Uint8Array(buffer, byteOffset, rows * width * BYTES_PER_ELEMENT).fill(0);
    this.bytesUsed = 0;
    this.validity = null;
  }

  /** The column of `rows` rows, over the arrays of the builder. */
  finish(rows: number): Column {
    const validity = this.validity === null ? null : this.validity.subarray(0, (rows + 7) >> 3);
    if (this.storage === 'bytes') {
      const offsets = this.offsets.subarray(0, rows + 1);
      return { layout: 'bytes', type: this.type, validity, offsets, bytes: this.bytes.subarray(0, this.bytesUsed) };
    }
    const width = this.storage === 'i128' ? 2 : 1;
    return { layout: 'fixed', type: this.type, validity, values: this.values.subarray(0, rows * width) };
  }
}

/** Builds one batch after another for one schema. */
export class BatchBuilder {
  readonly schema: Schema;
  columns: readonly ColumnBuilder[];
  /** Committed rows. The row being written has this number. */
  rows = 0;
  #capacity: number;
  #weights: Int32Array | null = null;
  #presence: Uint8Array | null = null;

  constructor(schema: Schema, capacityRows = 1024) {
    this.schema = schema;
    this.#capacity = Math.max(8, capacityRows);
    this.columns = schema.fields.map((field) => new ColumnBuilder(field.type, this.#capacity));
  }

  /** Bytes held by the variable-width columns so far; with `rows` the measure of how full the builder is. */
  get bytesUsed(): number {
    let bytes = 0;
    for (const column of this.columns) bytes += column.bytesUsed;
    return bytes;
  }

  /** Makes room for `rows` more rows in every column. */
  reserve(rows: number): void {
    const needed = this.rows + rows;
    if (needed <= this.#capacity) return;
    this.#capacity = Math.max(needed, this.#capacity * 2);
    for (const column of this.columns) column.grow(this.#capacity);
    if (this.#weights !== null) {
      const weights = new Int32Array(this.#capacity).fill(1);
      weights.set(this.#weights.subarray(0, this.rows));
      this.#weights = weights;
    }
    if (this.#presence !== null) {
      const presence = new Uint8Array(this.#capacity * presenceBytes(this.columns.length)).fill(255);
      presence.set(this.#presence);
      this.#presence = presence;
    }
  }

  /** Counts the row that has been written to every column. */
  commitRow(weight = 1): void {
    const row = this.rows;
    assert(weight !== 0, 'a row of a batch has a weight');
    for (const column of this.columns) {
      if (column.storage === 'bytes') column.offsets[row + 1] = column.bytesUsed;
    }
    if (weight !== 1) this.setWeight(row, weight);
    this.rows = row + 1;
  }

  /** Forgets what was written since the last committed row. */
  rollbackRow(): void {
    for (const column of this.columns) column.clearRow(this.rows);
    if (this.#presence !== null) {
      const width = presenceBytes(this.columns.length);
      this.#presence.fill(255, this.rows * width, (this.rows + 1) * width);
    }
  }

  /** Forgets every row from `rows` on, for input that is all or nothing. */
  rollbackTo(rows: number): void {
    for (let row = this.rows; row >= rows; row--) {
      this.rows = row;
      this.rollbackRow();
      if (this.#weights !== null && row < this.#weights.length) this.#weights[row] = 1;
    }
  }

  /** Sets the weight of a row (committed or current). Kernels that commit many rows use `commitRows`. */
  setWeight(row: number, weight: number): void {
    if (this.#weights === null) this.#weights = new Int32Array(this.#capacity).fill(1);
    this.#weights[row] = weight;
  }

  /** Says that the current row is a partial update that does not write `column`. */
  setAbsent(column: number): void {
    const width = presenceBytes(this.columns.length);
    if (this.#presence === null) this.#presence = new Uint8Array(this.#capacity * width).fill(255);
    this.#presence[this.rows * width + (column >> 3)]! &= ~(1 << (column & 7));
  }

  /** Counts `rows` rows that a kernel has written to every column, offsets included. `weights` null: all +1. */
  commitRows(rows: number, weights: Int32Array | null): void {
    assert(this.rows + rows <= this.#capacity, 'rows were reserved before they are committed');
    if (weights !== null) {
      if (this.#weights === null) this.#weights = new Int32Array(this.#capacity).fill(1);
      this.#weights.set(weights.subarray(0, rows), this.rows);
    }
    this.rows += rows;
  }

  /** The rows so far as a batch. The builder starts anew, empty, with arrays of its own. */
  finish(): ChangeBatch {
    const batch = this.peek();
    this.columns = this.schema.fields.map((field) => new ColumnBuilder(field.type, this.#capacity));
    this.rows = 0;
    this.#weights = null;
    this.#presence = null;
    return batch;
  }

  /** The rows so far as a batch over the builder's arrays: whole until anything is written, or cleared. */
  peek(): ChangeBatch {
    const rows = this.rows;
    return {
      schema: this.schema,
      rows,
      weights: this.#weights === null ? null : this.#weights.subarray(0, rows),
      columns: this.columns.map((column) => column.finish(rows)),
      presence: this.#presence === null ? null : this.#presence.subarray(0, rows * presenceBytes(this.columns.length)),
    };
  }

  /** Forgets every row and keeps the arrays with the room that they have: nobody reads a batch of `peek` any more. */
  clear(): void {
    for (const column of this.columns) column.clear(this.rows);
    this.rows = 0;
    this.#weights = null;
    this.#presence = null;
  }
}

/** Zeroed values of `rows` rows of a storage; none for `bytes`, whose rows are offsets or codes. */
export function allocateValues(storage: Storage, rows: number): Values {
  switch (storage) {
    case 'bool':
      return new Uint8Array(rows);
    case 'i8':
      return new Int8Array(rows);
    case 'i16':
      return new Int16Array(rows);
    case 'i32':
      return new Int32Array(rows);
    case 'i64':
      return new BigInt64Array(rows);
    case 'i128':
      return new BigInt64Array(rows * 2);
    case 'f32':
      return new Float32Array(rows);
    case 'f64':
      return new Float64Array(rows);
    case 'bytes':
      return new Uint8Array(0);
  }
}

function copyValues(from: Values, to: Values): void {
  // SAFETY: both arrays were allocated for the same storage, so they are of the same class.
  (to as Uint8Array).set(from as Uint8Array);
}

function growBitmap(bitmap: Uint8Array, rows: number): Uint8Array {
  const grown = new Uint8Array((rows + 7) >> 3).fill(255);
  grown.set(bitmap);
  return grown;
}
