// A filter by the clock: rows come in, or go, when their time has come.
//
//   value op bound     the bound grows with NOW() and with nothing else, and never falls
//   leaving  (> >=)    out = rows whose value lies above the bound: let through at once, taken back when the bound passes them
//   entering (< <=)    out = rows whose value lies below the bound: they wait until it has passed them
//
// State: rows that are still to leave or to enter, with their weights, in the order of their values. What the bound has
// passed is forgotten, for it cannot come back: of a row that has left a deletion is ignored, one of a row that has entered is
// let through. Cost: O(log n) a changed row that is kept, O(1) more a row that the clock passes, nothing for others.
// A NULL passes never. Before the first tick every row waits.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { type Storage, storageOf } from '../../../runtime/batch/sql-type.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { OrderedRows } from '../state/ordered-rows.ts';
import { RecordTable } from '../state/record-table.ts';
import { type LayoutColumn, layoutOf, type RowLayout } from '../state/row-layout.ts';
import { rowOrder } from '../state/row-order.ts';
import { RowOutput } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { readNumber } from './window-frames.ts';

export interface TemporalFilterShape {
  readonly schema: Schema;
  /** The value that is compared. */
  readonly ordinal: number;
  readonly operator: '<' | '<=' | '>' | '>=';
  readonly pool: StringPool;
  /** In the stored units of the value; null before the first tick. Read when a step ends; a step's bound is not below that of the one before. */
  readonly bound: () => number | bigint | null;
  readonly detail: string;
  readonly hashMask?: number;
}

const blockRows = 2048;
const isTouched = 1;
const isKept = 2;

export class TemporalFilter implements Operator {
  readonly name = 'temporal filter';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = false;
  readonly #shape: TemporalFilterShape;
  readonly #leaving: boolean;
  readonly #layout: RowLayout;
  readonly #place: LayoutColumn;
  readonly #storage: Storage;
  readonly #table: RecordTable;
  readonly #tree: OrderedRows;
  readonly #output: RowOutput;
  readonly #scratch: Int32Array;
  readonly #ids: Int32Array = new Int32Array(blockRows);
  #touched: Int32Array = new Int32Array(blockRows);
  #touchedCount = 0;

  constructor(shape: TemporalFilterShape) {
    const { schema, ordinal, pool } = shape;
    this.detail = shape.detail;
    this.#shape = shape;
    this.#leaving = shape.operator === '>' || shape.operator === '>=';
    this.#storage = storageOf(schema.fields[ordinal]!.type);
    this.#layout = layoutOf(schema.fields);
    this.#place = this.#layout.columns[ordinal]!;
    const { words } = this.#layout;
    // Behind a row: its weight, the change of this step, whether it is touched and kept, its node of the tree.
    this.#table = new RecordTable({ keyWords: words, extraWords: 5, hashMask: shape.hashMask ?? -1 });
    const order = rowOrder(this.#layout, [{ ordinal, descending: false, nullsFirst: false }], pool);
    this.#tree = new OrderedRows(this.#table, words + 3, order);
    const columns = this.#layout.columns.map((place) => ({ source: 0, place }));
    this.#output = new RowOutput(schema, columns, pool);
    this.#scratch = new Int32Array(blockRows * words);
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    const stride = this.#layout.words;
    for (let from = 0; from < batch.rows; from += blockRows) {
      const to = Math.min(batch.rows, from + blockRows);
      encodeRows(batch.columns, this.#layout, { from, to }, { words: this.#scratch, stride }, this.#shape.pool, true);
      this.#table.findOrInsert(this.#scratch, stride, to - from, this.#ids);
      if (this.#touched.length < this.#touchedCount + to - from) {
        const larger = new Int32Array(2 * this.#touched.length + to - from);
        larger.set(this.#touched);
        this.#touched = larger;
      }
      const { words, width } = this.#table;
      this.#touchedCount = noteChanges(
        words,
        width,
        stride,
        this.#ids,
        batch.weights,
        from,
        to - from,
        this.#touched,
        this.#touchedCount,
      );
    }
  }

  flush(emit: Emit): void {
    const bound = this.#shape.bound();
    // A row that has never passed is not taken back either, so what is touched goes on waiting for the first tick.
    if (bound === null) return;
    const ids: number[] = [];
    const weights: number[] = [];
    const gone: number[] = [];
    this.#settle(bound, ids, weights, gone);
    this.#sweep(bound, ids, weights, gone);
    if (ids.length > 0) {
      const { words, width } = this.#table;
      const rows = { words, stride: width, shift: 0, ids: Int32Array.from(ids) };
      this.#output.append([rows], Int32Array.from(weights), ids.length, emit);
      this.#output.finish(emit);
    }
    for (const id of gone) this.#table.remove(id);
  }

  stateRows(): number {
    return this.#table.live;
  }

  stateBytes(): number {
    return this.#table.stateBytes + this.#touched.byteLength;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#table.snapshot(writer);
    writer.number(this.#tree.root);
    writer.words(this.#touched.subarray(0, this.#touchedCount));
  }

  restore(reader: SnapshotReader): void {
    this.#table.restore(reader);
    this.#tree.root = reader.number();
    this.#touched = Int32Array.from(reader.words());
    this.#touchedCount = this.#touched.length;
  }

  /** What this step changed: let through, kept, or forgotten. */
  #settle(bound: number | bigint, ids: number[], weights: number[], gone: number[]): void {
    const { words, width } = this.#table;
    const weightAt = this.#layout.words;
    const { nullWord, nullBit } = this.#place;
    for (let i = 0; i < this.#touchedCount; i++) {
      const id = this.#touched[i]!;
      const base = id * width;
      const at = base + weightAt;
      const change = words[at + 1]!;
      const wasKept = (words[at + 2]! & isKept) !== 0;
      words[at + 1] = 0;
      words[at + 2] = wasKept ? isKept : 0;
      const isNull = nullWord >= 0 && (words[base + nullWord]! & nullBit) !== 0;
      if (!wasKept && (isNull || this.#isPassed(base, bound))) {
        // Left before it came, or has entered long ago.
        if (!isNull && !this.#leaving && change !== 0) emitted(ids, weights, id, change);
        gone.push(id);
        continue;
      }
      const total = words[at]! + change;
      if (this.#leaving && change !== 0 && !this.#isPassed(base, bound)) emitted(ids, weights, id, change);
      // What has been let through and is passed now is taken back by the sweep, as it was.
      if (!this.#leaving || !this.#isPassed(base, bound)) words[at] = total;
      if (words[at] === 0) {
        if (wasKept) this.#tree.remove(id);
        gone.push(id);
      } else if (!wasKept) {
        words[at + 2] = isKept;
        this.#tree.insert(id);
      }
    }
    this.#touchedCount = 0;
  }

  /** What the bound has passed since the step before. */
  #sweep(bound: number | bigint, ids: number[], weights: number[], gone: number[]): void {
    const { words, width } = this.#table;
    const weightAt = this.#layout.words;
    const passed: number[] = [];
    this.#tree.visit((id) => {
      if (!this.#isPassed(id * width, bound)) return false;
      passed.push(id);
      return true;
    });
    for (const id of passed) {
      const weight = words[id * width + weightAt]!;
      emitted(ids, weights, id, this.#leaving ? -weight : weight);
      this.#tree.remove(id);
      gone.push(id);
    }
  }

  /** Whether the clock has done with the row: it has left, or it has entered. */
  #isPassed(base: number, bound: number | bigint): boolean {
    const value = readNumber(this.#table.words, base + this.#place.offset, this.#storage);
    const { operator } = this.#shape;
    return operator === '<' || operator === '>=' ? value < bound : value <= bound;
  }
}

function emitted(ids: number[], weights: number[], id: number, weight: number): void {
  ids.push(id);
  weights.push(weight);
}

// ── data plane ──
// Weights are summed where the rows lie; each row is listed once in a step.

function noteChanges(
  words: Int32Array,
  width: number,
  weightAt: number,
  ids: Int32Array,
  weights: Int32Array | null,
  from: number,
  count: number,
  touched: Int32Array,
  touchedCount: number,
): number {
  let listed = touchedCount;
  for (let i = 0; i < count; i++) {
    const at = ids[i]! * width + weightAt;
    words[at + 1] = words[at + 1]! + (weights === null ? 1 : weights[from + i]!);
    if ((words[at + 2]! & isTouched) !== 0) continue;
    words[at + 2] = words[at + 2]! | isTouched;
    touched[listed++] = ids[i]!;
  }
  return listed;
}
