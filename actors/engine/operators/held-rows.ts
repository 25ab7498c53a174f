// A table with WATERMARK: its rows wait until a row has come that is later by the watermark, and count as having come then.
//
//   out = rows with c ≤ (greatest c so far) - watermark          ∆out = those that a step has let go
// The operator is the table itself: what the operator that it wraps would emit is held. A row that is late enough already, and one
// whose column is NULL, passes at once; a row that is deleted while it waits is never seen.
// State: that of the table, the rows that wait (FinalRows), and the greatest value.
import { assert } from '../../../runtime/assert.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Column } from '../../../runtime/batch/column.ts';
import { gatherRows } from '../../../runtime/batch/gather-rows.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { FinalRows } from './final-rows.ts';

export interface HeldRowsShape {
  readonly schema: Schema;
  readonly ordinal: number;
  /** In the units in which the column is stored. */
  readonly watermark: number | bigint;
  readonly pool: StringPool;
}

export class HeldRows implements Operator {
  readonly name: string;
  readonly detail: string;
  readonly passesOn: boolean;
  readonly contents: null = null;
  readonly #table: Operator;
  readonly #shape: HeldRowsShape;
  readonly #waiting: FinalRows;
  #greatest: number | bigint | null = null;

  constructor(table: Operator, shape: HeldRowsShape) {
    const { schema, ordinal, pool } = shape;
    this.name = table.name;
    this.detail = `${table.detail} held by ${schema.fields[ordinal]!.name}`;
    this.passesOn = table.passesOn;
    this.#table = table;
    this.#shape = shape;
    this.#waiting = new FinalRows({ schema, ordinal, pool, below: () => this.#below() });
  }

  lend(may: boolean): void {
    this.#table.lend?.(may);
  }

  push(port: number, batch: ChangeBatch, emit: Emit): void {
    this.#table.push(port, batch, (change) => this.#hold(change, emit));
  }

  flush(emit: Emit): void {
    this.#table.flush((change) => this.#hold(change, emit));
    this.#waiting.flush(emit);
  }

  stateRows(): number {
    return this.#table.stateRows() + this.#waiting.stateRows();
  }

  stateBytes(): number {
    return this.#table.stateBytes() + this.#waiting.stateBytes();
  }

  snapshot(writer: SnapshotWriter): void {
    writer.text(this.#greatest === null ? '' : String(this.#greatest));
    this.#waiting.snapshot(writer);
    this.#table.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    const text = reader.text();
    this.#greatest = text === '' ? null : typeof this.#shape.watermark === 'bigint' ? BigInt(text) : Number(text);
    this.#waiting.restore(reader);
    this.#table.restore(reader);
  }

  #hold(change: ChangeBatch, emit: Emit): void {
    const column = change.columns[this.#shape.ordinal]!;
    this.#greatest = greatest(column, change.rows, change.weights, this.#greatest);
    const timeless = rowsOfNull(column, change.rows);
    if (timeless.length === 0) {
      this.#waiting.push(0, change, emit);
      return;
    }
    emit(pick(change, timeless));
    const others = rowsBut(timeless, change.rows);
    if (others.length > 0) this.#waiting.push(0, pick(change, others), emit);
  }

  /** The first value that is still held. */
  #below(): number | bigint | null {
    const most = this.#greatest;
    if (most === null) return null;
    const { watermark } = this.#shape;
    if (typeof most === 'bigint') return most - BigInt(watermark) + 1n;
    const last = most - Number(watermark);
    return Number.isInteger(last) ? last + 1 : last + Math.abs(last) * Number.EPSILON;
  }
}

function pick(batch: ChangeBatch, rows: Int32Array): ChangeBatch {
  const weights = batch.weights === null ? null : rows.map((row) => batch.weights![row]!);
  return gatherRows({ ...batch, presence: null }, rows, rows.length, weights);
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

function greatest(
  column: Column,
  rows: number,
  weights: Int32Array | null,
  before: number | bigint | null,
): number | bigint | null {
  assert(column.layout === 'fixed', 'a column with a watermark has values of fixed width');
  const { values, validity } = column;
  let most = before;
  for (let row = 0; row < rows; row++) {
    if (weights !== null && weights[row]! < 0) continue;
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) continue;
    const value = values[row]!;
    if ((most === null || value > most) && !Number.isNaN(value)) most = value;
  }
  return most;
}

function rowsOfNull(column: Column, rows: number): Int32Array {
  const { validity } = column;
  if (validity === null) return new Int32Array(0);
  const found = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) if ((validity[row >> 3]! & (1 << (row & 7))) === 0) found[count++] = row;
  return found.subarray(0, count);
}

function rowsBut(left: Int32Array, rows: number): Int32Array {
  const found = new Int32Array(rows - left.length);
  let count = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    if (left[at] === row) at++;
    else found[count++] = row;
  }
  return found;
}
