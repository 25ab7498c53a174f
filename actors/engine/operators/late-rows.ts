// A table with LATENESS: rows that come too late are dropped before the table sees them.
//
//   watermark(c) = greatest value of column c in earlier steps - lateness(c)      a row with c < watermark(c) is late
// The operator is the table itself: it filters what is pushed, and hands everything else to the operator that it wraps. The
// watermark moves when a step ends, so that the order of rows within a step does not matter. A NULL is never late, and late
// rows do not move the watermark. A deletion that gives only the key is judged by the columns of the key.
// State: one value a column with LATENESS. Operators that follow may forget what lies behind the watermark (forgetting.ts).
import { assert } from '../../../runtime/assert.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Column } from '../../../runtime/batch/column.ts';
import { gatherRows } from '../../../runtime/batch/gather-rows.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { ForgottenKey } from './forgetting.ts';
import { KeyedTable } from './keyed-table.ts';

/** A column with LATENESS, in the units in which it is stored. */
export interface LateColumn {
  readonly ordinal: number;
  readonly lateness: number | bigint;
  /** What lies the lateness before a value, where that is no constant distance (`lateness` is 0 then). Never goes back. */
  readonly earlier?: (value: number | bigint) => number | bigint;
  /** Whether deletions give this column: it is of the key, or the table has none. */
  readonly inDeletions: boolean;
  /** Rows wait until others are later by so much: what is held is not settled, however late it would be as a new row. */
  readonly heldBy?: number | bigint;
}

/** Rows whose mark is 1 are late. */
export type ReportLate = (batch: ChangeBatch, late: Uint8Array) => void;

interface Watermark extends LateColumn {
  /** Rows below it are late; null before the first step with a value. */
  below: number | bigint | null;
  /** The greatest value so far. */
  greatest: number | bigint | null;
}

export class LateRows implements Operator {
  readonly name: string;
  readonly detail: string;
  readonly passesOn: boolean;
  readonly contents: Operator['contents'];
  readonly reads: readonly number[];
  readonly #table: Operator;
  readonly #report: ReportLate | null;
  readonly #marks: readonly Watermark[];
  #dropped = 0;
  /** The least and the greatest value of a column of a batch. */
  readonly #bounds: BigInt64Array = new BigInt64Array(2);
  readonly #boundWords: Int32Array = new Int32Array(this.#bounds.buffer);

  /** `report` is told of a batch which of its rows are dropped, and may look at all columns of them. */
  constructor(table: Operator, columns: readonly LateColumn[], schema: Schema, report: ReportLate | null) {
    this.name = table.name;
    this.detail = `${table.detail} with lateness of ${columns.map(({ ordinal }) => ordinal).join(', ')}`;
    this.passesOn = table.passesOn;
    this.contents = table.contents;
    this.reads = report === null ? columns.map(({ ordinal }) => ordinal) : schema.fields.map((_, i) => i);
    this.#report = report;
    this.#table = table;
    this.#marks = columns.map((column) => ({ ...column, below: null, greatest: null }));
  }

  /** Rows dropped since the circuit was made. */
  lateRows(): number {
    return this.#dropped;
  }

  /** Values of the column below this will not come any more; null before the first one. Moves in `flush`. */
  watermark(ordinal: number): number | bigint | null {
    const mark = this.#marks.find((each) => each.ordinal === ordinal);
    if (mark === undefined || mark.below === null || mark.heldBy === undefined) return mark?.below ?? null;
    const { heldBy, lateness } = mark;
    const more = typeof heldBy === 'bigint' ? heldBy - BigInt(lateness) : heldBy - Number(lateness);
    return more > 0 ? minus(mark.below, more) : mark.below;
  }

  /** Old keys of a table with a primary key go: nothing comes for them any more. */
  forget(key: ForgottenKey): void {
    if (this.#table instanceof KeyedTable) this.#table.forget(key);
  }

  lend(may: boolean): void {
    this.#table.lend?.(may);
  }

  push(port: number, batch: ChangeBatch, emit: Emit): void {
    if (this.#allInTime(batch)) {
      this.#table.push(port, batch, emit);
      return;
    }
    const late = new Uint8Array(batch.rows);
    for (const mark of this.#marks) {
      if (mark.below !== null) {
        const weights = mark.inDeletions ? null : batch.weights;
        markLate(batch.columns[mark.ordinal]!, batch.rows, mark.below, weights, late);
      }
    }
    for (const mark of this.#marks) {
      const weights = mark.inDeletions ? null : batch.weights;
      mark.greatest = greatest(batch.columns[mark.ordinal]!, batch.rows, weights, late, mark.greatest);
    }
    if (!late.includes(1)) {
      this.#table.push(port, batch, emit);
      return;
    }
    this.#report?.(batch, late);
    const kept = keptRows(late);
    this.#dropped += batch.rows - kept.length;
    if (kept.length > 0) this.#table.push(port, pick(batch, kept), emit);
  }

  /**
   * The most usual batch, in one pass: insertions whose times are 64 bits wide and never NULL. Where none of them is late, the greatest
   * values are noted. False: rows have to be looked at one by one, and nothing has been noted.
   */
  #allInTime({ rows, weights, columns }: ChangeBatch): boolean {
    if (weights !== null || rows === 0) return false;
    const found: bigint[] = [];
    for (const { ordinal, below } of this.#marks) {
      const column = columns[ordinal]!;
      if (column.layout !== 'fixed' || column.validity !== null || !(column.values instanceof BigInt64Array))
        return false;
      const { buffer, byteOffset } = column.values;
      writeBounds(new Int32Array(buffer, byteOffset, rows * 2), rows, this.#boundWords);
      if (below !== null && this.#bounds[0]! < below) return false;
      found.push(this.#bounds[1]!);
    }
    this.#marks.forEach((mark, i) => {
      if (mark.greatest === null || found[i]! > mark.greatest) mark.greatest = found[i]!;
    });
    return true;
  }

  flush(emit: Emit): void {
    for (const mark of this.#marks) {
      if (mark.greatest !== null) mark.below = before(mark, mark.greatest);
    }
    this.#table.flush(emit);
  }

  stateRows(): number {
    return this.#table.stateRows();
  }

  stateBytes(): number {
    return this.#table.stateBytes();
  }

  snapshot(writer: SnapshotWriter): void {
    for (const { greatest: value } of this.#marks) writer.text(value === null ? '' : String(value));
    this.#table.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    for (const mark of this.#marks) {
      const text = reader.text();
      mark.greatest = text === '' ? null : typeof mark.lateness === 'bigint' ? BigInt(text) : Number(text);
      mark.below = mark.greatest === null ? null : before(mark, mark.greatest);
    }
    this.#table.restore(reader);
  }
}

function before({ earlier, lateness }: LateColumn, value: number | bigint): number | bigint {
  return earlier === undefined ? minus(value, lateness) : earlier(value);
}

function minus(value: number | bigint, lateness: number | bigint): number | bigint {
  if (typeof value === 'bigint') return value - BigInt(lateness);
  return value - Number(lateness);
}

function pick(batch: ChangeBatch, kept: Int32Array): ChangeBatch {
  const { weights, presence, columns } = batch;
  const keptWeights = weights === null ? null : kept.map((row) => weights[row]!);
  const picked = gatherRows({ ...batch, presence: null }, kept, kept.length, keptWeights);
  if (presence === null) return picked;
  const bytes = (columns.length + 7) >> 3;
  const keptPresence = new Uint8Array(kept.length * bytes);
  for (let i = 0; i < kept.length; i++) {
    keptPresence.set(presence.subarray(kept[i]! * bytes, (kept[i]! + 1) * bytes), i * bytes);
  }
  return { ...picked, presence: keptPresence };
}

// ── data plane ──

function keptRows(late: Uint8Array): Int32Array {
  const kept = new Int32Array(late.length);
  let count = 0;
  for (let row = 0; row < late.length; row++) if (late[row] === 0) kept[count++] = row;
  return kept.subarray(0, count);
}

/** Marks the rows below `below`; with `weights` only those that are insertions. */
function markLate(
  column: Column,
  rows: number,
  below: number | bigint,
  weights: Int32Array | null,
  late: Uint8Array,
): void {
  assert(column.layout === 'fixed', 'a column with lateness has values of fixed width');
  const { values, validity } = column;
  for (let row = 0; row < rows; row++) {
    if (weights !== null && weights[row]! < 0) continue;
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) continue;
    if (values[row]! < below) late[row] = 1;
  }
}

/** The greatest of `before` and the values of rows that are not late. */
function greatest(
  column: Column,
  rows: number,
  weights: Int32Array | null,
  late: Uint8Array,
  before: number | bigint | null,
): number | bigint | null {
  assert(column.layout === 'fixed', 'a column with lateness has values of fixed width');
  const { values, validity } = column;
  let most = before;
  for (let row = 0; row < rows; row++) {
    if (late[row] !== 0 || (weights !== null && weights[row]! < 0)) continue;
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) continue;
    const value = values[row]!;
    // NaN is no time to wait for.
    if ((most === null || value > most) && !Number.isNaN(value)) most = value;
  }
  return most;
}

/** The least of values of 64 bits as words 0 and 1, the greatest as words 2 and 3. */
function writeBounds(words: Int32Array, rows: number, bounds: Int32Array): void {
  let leastHigh = words[1]!;
  let leastLow = words[0]! >>> 0;
  let mostHigh = leastHigh;
  let mostLow = leastLow;
  for (let i = 1; i < rows; i++) {
    const high = words[2 * i + 1]!;
    const low = words[2 * i]! >>> 0;
    if (high > mostHigh || (high === mostHigh && low > mostLow)) {
      mostHigh = high;
      mostLow = low;
    } else if (high < leastHigh || (high === leastHigh && low < leastLow)) {
      leastHigh = high;
      leastLow = low;
    }
  }
  bounds[0] = leastLow | 0;
  bounds[1] = leastHigh;
  bounds[2] = mostLow | 0;
  bounds[3] = mostHigh;
}
