// ORDER BY … LIMIT … OFFSET: the rows of a window of the order, kept up to date.
//
//   out  = rows at positions [offset, offset + limit) of the order, counted with their weights
//   ∆out = -(window as it was) +(window as it is)                                    not linear
//
// State: all distinct rows with their weights in a search tree, so that a row comes back when one above it is deleted; of
// input that never deletes only the first offset + limit rows. Also the window as it was emitted.
// Cost: O(log n) a changed row, and in `flush` O(offset + limit) if anything changed.
// Ties are broken by the remaining columns (state/row-order.ts).
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { OrderedRows } from '../state/ordered-rows.ts';
import { RecordTable } from '../state/record-table.ts';
import { layoutOf, type RowLayout } from '../state/row-layout.ts';
import { type OrderKey, type RowOrder, rowOrder } from '../state/row-order.ts';
import { RowOutput } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';

export interface TopShape {
  readonly schema: Schema;
  readonly keys: readonly OrderKey[];
  readonly limit: number | null;
  readonly offset: number;
  readonly appendOnly: boolean;
  readonly pool: StringPool;
  readonly hashMask?: number;
}

const blockRows = 4096;

/** Rows in order, each with its weight in the window. */
interface Window {
  readonly words: Int32Array;
  readonly weights: Int32Array;
  readonly rows: number;
}

export class Top implements Operator {
  readonly name = 'top';
  readonly detail: string;
  readonly passesOn: boolean = false;
  readonly #shape: TopShape;
  readonly #layout: RowLayout;
  readonly #table: RecordTable;
  readonly #order: RowOrder;
  readonly #tree: OrderedRows;
  readonly #output: RowOutput;
  readonly #scratch: Int32Array;
  readonly #ids: Int32Array = new Int32Array(blockRows);
  #window: Window = { words: new Int32Array(0), weights: new Int32Array(0), rows: 0 };
  #changed = false;

  constructor(shape: TopShape) {
    this.#shape = shape;
    const { schema, keys, pool } = shape;
    this.detail = `${shape.limit === null ? '' : `limit ${shape.limit} `}offset ${shape.offset}`;
    this.#layout = layoutOf(schema.fields);
    // Behind the row: its weight, and two words of the tree.
    const keyWords = this.#layout.words;
    this.#table = new RecordTable({ keyWords, extraWords: 3, hashMask: shape.hashMask ?? -1 });
    this.#order = rowOrder(this.#layout, keys, pool);
    this.#tree = new OrderedRows(this.#table, keyWords + 1, this.#order);
    const columns = this.#layout.columns.map((place) => ({ source: 0, place }));
    this.#output = new RowOutput(schema, columns, pool);
    this.#scratch = new Int32Array(blockRows * keyWords);
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    if (batch.rows > 0) this.#changed = true;
    const stride = this.#layout.words;
    for (let from = 0; from < batch.rows; from += blockRows) {
      const to = Math.min(batch.rows, from + blockRows);
      encodeRows(batch.columns, this.#layout, { from, to }, { words: this.#scratch, stride }, this.#shape.pool, true);
      this.#table.findOrInsert(this.#scratch, stride, to - from, this.#ids);
      this.#apply(batch.weights, from, to - from);
    }
  }

  flush(emit: Emit): void {
    if (!this.#changed) return;
    this.#changed = false;
    const before = this.#window;
    const after = this.#readWindow();
    this.#window = after;
    this.#emitDifference(before, after, emit);
    this.#output.finish(emit);
  }

  readonly contents = (emit: Emit): void => {
    const { words, weights, rows } = this.#window;
    this.#output.append([{ words, stride: this.#layout.words, shift: 0, ids: null }], weights, rows, emit);
    this.#output.finish(emit);
  };

  stateRows(): number {
    return this.#table.live;
  }

  stateBytes(): number {
    return this.#table.stateBytes + this.#window.words.byteLength;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#table.snapshot(writer);
    writer.number(this.#tree.root);
    writer.number(this.#window.rows);
    writer.words(this.#window.words);
    writer.words(this.#window.weights);
  }

  restore(reader: SnapshotReader): void {
    this.#table.restore(reader);
    this.#tree.root = reader.number();
    const rows = reader.number();
    this.#window = { rows, words: reader.words(), weights: reader.words() };
  }

  #apply(weights: Int32Array | null, from: number, count: number): void {
    const { words, width } = this.#table;
    const weightAt = this.#layout.words;
    const gone: number[] = [];
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!;
      const at = id * width + weightAt;
      const before = words[at]!;
      const after = before + (weights === null ? 1 : weights[from + i]!);
      words[at] = after;
      if (before <= 0 && after > 0) this.#tree.insert(id);
      else if (before > 0 && after <= 0) this.#tree.remove(id);
      if (after === 0) gone.push(id);
    }
    if (gone.length > 0) for (const id of new Set(gone)) if (words[id * width + weightAt] === 0) this.#table.remove(id);
  }

  #readWindow(): Window {
    const { limit, offset, appendOnly } = this.#shape;
    const end = limit === null ? Number.POSITIVE_INFINITY : offset + limit;
    const ids: number[] = [];
    const weights: number[] = [];
    let position = 0;
    const { words, width } = this.#table;
    const stride = this.#layout.words;
    const beyond: number[] = [];
    this.#tree.visit((id) => {
      if (position >= end) {
        if (appendOnly) beyond.push(id);
        return appendOnly;
      }
      const weight = words[id * width + stride]!;
      const from = Math.max(position, offset);
      position += weight;
      const inside = Math.min(position, end) - from;
      if (inside > 0) {
        ids.push(id);
        weights.push(inside);
      }
      return position < end || appendOnly;
    });
    for (const id of beyond) {
      this.#tree.remove(id);
      this.#table.remove(id);
    }
    const rows = new Int32Array(ids.length * stride);
    for (let r = 0; r < ids.length; r++) {
      for (let k = 0; k < stride; k++) rows[r * stride + k] = words[ids[r]! * width + k]!;
    }
    return { words: rows, weights: Int32Array.from(weights), rows: ids.length };
  }

  /** Both windows are in order: one walk over both finds what left, what came and what changed its weight. */
  #emitDifference(before: Window, after: Window, emit: Emit): void {
    const stride = this.#layout.words;
    const rows = new Int32Array((before.rows + after.rows) * stride);
    const weights = new Int32Array(before.rows + after.rows);
    let made = 0;
    const take = (window: Window, row: number, weight: number): void => {
      if (weight === 0) return;
      for (let k = 0; k < stride; k++) rows[made * stride + k] = window.words[row * stride + k]!;
      weights[made++] = weight;
    };
    let b = 0;
    let a = 0;
    while (b < before.rows || a < after.rows) {
      const compared =
        b >= before.rows ? 1 : a >= after.rows ? -1 : this.#order(before.words, b * stride, after.words, a * stride);
      if (compared < 0) take(before, b, -before.weights[b++]!);
      else if (compared > 0) take(after, a, after.weights[a++]!);
      else take(after, a, after.weights[a++]! - before.weights[b++]!);
    }
    this.#output.append([{ words: rows, stride, shift: 0, ids: null }], weights, made, emit);
  }
}
