// GROUP BY with aggregates, and DISTINCT, which is a GROUP BY without aggregates.
//
//   out(g) = (g, a1, …) for every group with rows;  without group columns exactly one row, also over no input
//   ∆out   = for each touched group: -(row as it was) +(row as it is), where they differ          not linear
//
// State: one record a group (key, cells; operators/aggregate-cells.ts) and multisets for DISTINCT, MIN and MAX.
// Cost: O(changed rows), O(log n) more for a value that enters or leaves a MIN/MAX multiset; and in `flush`
// O(touched groups). The old result of a group is computed when a step first touches it, before its cells change.
// A result that does not fit its type is reported once in `flush`; if that does not throw, the group has no row.
// A NULL in a group column is a value like any other; NaN equals NaN, -0 equals 0.
// Not here: expressions in groups or operands (a row program stands in front).

import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { packed } from '../../../runtime/batch/packed-array.ts';
import { makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { RecordTable, warmLongRecords } from '../state/record-table.ts';
import { type LayoutColumn, layoutOf, type RowLayout } from '../state/row-layout.ts';
import { RowOutput } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { AggregateCells, type AggregateColumn, blockRowsMax } from './aggregate-cells.ts';
import { type ResultKernel, resultKernel } from './aggregate-kernel-source.ts';
import { plainResult, type ResultWriter, resultWriter } from './aggregate-results.ts';
import { Forgetting, type ForgottenKey } from './forgetting.ts';

export interface AggregateShape {
  readonly input: Schema;
  /** Ordinals of the group columns. */
  readonly groups: readonly number[];
  readonly aggregates: readonly AggregateColumn[];
  /** Group columns, then aggregates. */
  readonly schema: Schema;
  readonly appendOnly: boolean;
  readonly pool: StringPool;
  /** Called with the number of the aggregate whose result does not fit, and a batch with the one row of group columns. */
  readonly fail: (aggregate: number, group: ChangeBatch) => void;
  readonly hashMask?: number;
}

/** Groups that are flushed at a time: their records stay in the cache from the first pass to the last. */
const flushRows = 512;
/** The change of a step is one batch up to here, so that who collects it has nothing to concatenate. */
const changeRowsMax = 1 << 20;

export class Aggregate implements Operator {
  readonly name: string;
  readonly detail: string;
  readonly passesOn: boolean = false;
  readonly #shape: AggregateShape;
  readonly #keyLayout: RowLayout;
  readonly #resultLayout: RowLayout;
  readonly #table: RecordTable;
  readonly #cells: AggregateCells;
  readonly #writers: readonly ResultWriter[];
  /** Makes all results at once, where each is a count or a sum of integers. */
  readonly #resultsOf: ResultKernel | null;
  readonly #operandShift: ReadonlyMap<number, number>;
  readonly #operands: readonly { readonly ordinal: number; readonly layout: RowLayout; readonly shift: number }[];
  readonly #context: { readonly groups: RecordTable; readonly shiftOf: (operand: number) => number };
  readonly #output: RowOutput;
  /** Word of a record: 0, or the number of the group in this step's list of touched groups + 1. */
  readonly #touchedAt: number;
  readonly #rowCountAt: number;
  readonly #stride: number;
  readonly #scratch: Int32Array;
  readonly #ids: Int32Array = new Int32Array(blockRowsMax);
  readonly #weights: Int32Array = new Int32Array(blockRowsMax);
  #touched: Int32Array = new Int32Array(blockRowsMax);
  #touchedCount = 0;
  /** Results as they were when the step began, `#resultStride` words each; the last word says whether there was a row. */
  #before: Int32Array;
  readonly #resultStride: number;
  /** Scratch of a flush, and of failures by position in it or in the list of touched groups. */
  readonly #results: Int32Array;
  readonly #rows: Int32Array;
  readonly #rowWeights: Int32Array = new Int32Array(2 * flushRows);
  readonly #failed: Uint16Array = new Uint16Array(Math.max(blockRowsMax, flushRows));
  /** Keeps the loads that warm the cache from being optimised away. */
  #warmth = 0;
  #started = false;
  #forgetting: Forgetting | null = null;

  constructor(shape: AggregateShape) {
    this.#shape = shape;
    const { input, groups, aggregates, schema, pool } = shape;
    this.name = aggregates.length === 0 ? 'distinct' : 'aggregate';
    this.detail = `by ${groups.map((g) => input.fields[g]!.name).join(', ') || 'nothing'}`;
    const hashMask = shape.hashMask ?? -1;
    this.#keyLayout = layoutOf(groups.map((g) => input.fields[g]!));
    const keyWords = this.#keyLayout.words;
    this.#touchedAt = keyWords;
    this.#rowCountAt = (keyWords + 2) >> 1;
    this.#cells = new AggregateCells(this.#rowCountAt + 1, this.#rowCountAt, aggregates, {
      pool,
      appendOnly: shape.appendOnly,
      hashMask,
    });
    this.#table = new RecordTable({ keyWords, extraWords: this.#cells.end * 2 - keyWords, hashMask });
    this.#resultLayout = layoutOf(schema.fields.slice(groups.length));
    this.#writers = aggregates.map((call, i) => resultWriter(call, i, this.#resultLayout.columns[i]!, this.#cells));
    this.#resultStride = this.#resultLayout.words + 1;
    const plain = aggregates.map((call, i) => plainResult(call, this.#resultLayout.columns[i]!, this.#cells));
    this.#resultsOf = plain.every((result) => result !== null)
      ? resultKernel(this.#table.width >> 1, this.#rowCountAt, groups.length === 0, plain)
      : null;
    this.#before = new Int32Array(blockRowsMax * this.#resultStride);
    this.#results = new Int32Array(flushRows * this.#resultStride);
    this.#rows = new Int32Array(2 * flushRows * (keyWords + this.#resultStride));
    let shift = keyWords;
    this.#operands = operandOrdinals(aggregates).map((ordinal) => {
      const layout = layoutOf([{ type: input.fields[ordinal]!.type, nullable: false }], shift);
      const operand = { ordinal, layout, shift };
      shift += layout.words;
      return operand;
    });
    this.#stride = Math.max(1, shift);
    this.#operandShift = new Map(this.#operands.map((operand) => [operand.ordinal, operand.shift]));
    this.#scratch = new Int32Array(blockRowsMax * this.#stride);
    this.#context = { groups: this.#table, shiftOf: (operand) => this.#operandShift.get(operand)! };
    this.#output = new RowOutput(schema, this.#outputColumns(), pool, changeRowsMax);
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    if (!this.#started) this.#start();
    for (let from = 0; from < batch.rows; from += blockRowsMax) {
      this.#block(batch, from, Math.min(batch.rows, from + blockRowsMax));
    }
  }

  flush(emit: Emit): void {
    if (!this.#started) this.#start();
    const count = this.#touchedCount;
    this.#output.expect(2 * count);
    for (let from = 0; from < count; from += flushRows) this.#flushRange(from, Math.min(count, from + flushRows), emit);
    this.#output.finish(emit);
    this.#touchedCount = 0;
    if (this.#forgetting !== null) this.#forget(this.#forgetting);
  }

  /** Old groups go, and with them `contents` is less than the output. Between two steps. */
  forget(group: ForgottenKey): void {
    this.#forgetting = new Forgetting(group);
  }

  readonly contents = (emit: Emit): void => {
    const ids = this.#table.ids();
    const keyWords = this.#keyLayout.words;
    const stride = this.#resultStride;
    for (let from = 0; from < ids.length; from += flushRows) {
      const part = ids.subarray(from, Math.min(ids.length, from + flushRows));
      this.#results.fill(0, 0, part.length * stride);
      this.#writeResults(part, this.#results, null);
      const { words, width } = this.#table;
      const made = writePresent(words, width, keyWords, part, this.#results, stride, this.#rows);
      this.#output.append(
        [{ words: this.#rows, stride: keyWords + stride - 1, shift: 0, ids: null }],
        null,
        made,
        emit,
      );
    }
    this.#output.finish(emit);
  };

  stateRows(): number {
    return this.#table.live + this.#cells.valueRows;
  }

  stateBytes(): number {
    return this.#table.stateBytes + this.#cells.valueBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    writer.number(this.#started ? 1 : 0);
    this.#table.snapshot(writer);
    this.#cells.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#started = reader.number() === 1;
    this.#table.restore(reader);
    this.#cells.restore(reader);
  }

  #outputColumns(): readonly { readonly source: number; readonly place: LayoutColumn }[] {
    const keyWords = this.#keyLayout.words;
    const results = this.#resultLayout.columns.map((place) => ({
      ...place,
      offset: place.offset + keyWords,
      nullWord: place.nullWord < 0 ? -1 : place.nullWord + keyWords,
    }));
    return [...this.#keyLayout.columns, ...results].map((place) => ({ source: 0, place }));
  }

  /** Without group columns there is one group from the first step on, and it had no row before. */
  #start(): void {
    this.#started = true;
    if (this.#shape.groups.length > 0) return;
    this.#table.findOrInsert(this.#scratch, 0, 1, this.#ids);
    this.#touch(1, true);
  }

  #block(batch: ChangeBatch, from: number, to: number): void {
    const count = to - from;
    const { pool, groups } = this.#shape;
    const target = { words: this.#scratch, stride: this.#stride };
    encodeRows(
      packed(groups, (g) => batch.columns[g]!),
      this.#keyLayout,
      { from, to },
      target,
      pool,
      true,
    );
    for (const { ordinal, layout } of this.#operands) {
      encodeRows([batch.columns[ordinal]!], layout, { from, to }, target, pool, true);
    }
    if (batch.weights === null) this.#weights.fill(1, 0, count);
    else this.#weights.set(batch.weights.subarray(from, to));
    this.#table.findOrInsert(this.#scratch, this.#stride, count, this.#ids);
    this.#touch(count, false);
    const { words, stride } = target;
    this.#cells.add({ batch, from, count, words, stride, ids: this.#ids, weights: this.#weights }, this.#context);
  }

  /** Notes the groups of a block that are new in this step, with their results as they are before the block. */
  #touch(count: number, absent: boolean): void {
    const first = this.#touchedCount;
    if (first + count > this.#touched.length) {
      const size = Math.max(first + count, this.#touched.length * 2);
      const touched = new Int32Array(size);
      touched.set(this.#touched);
      this.#touched = touched;
      const before = new Int32Array(size * this.#resultStride);
      before.set(this.#before);
      this.#before = before;
    }
    const table = this.#table;
    // A record may lie on two cache lines: the mark is on one of them, the last sum on the other.
    const { words, width } = table;
    this.#warmth ^= warmLongRecords(words, width, this.#touchedAt, width - 1, this.#ids, count);
    const last = noteTouched(table.words, table.width, this.#touchedAt, this.#ids, count, this.#touched, first);
    this.#touchedCount = last;
    if (last === first) return;
    this.#before.fill(0, first * this.#resultStride, last * this.#resultStride);
    if (absent) return;
    const before = this.#before.subarray(first * this.#resultStride, last * this.#resultStride);
    this.#writeResults(this.#touched.subarray(first, last), before, null);
  }

  #flushRange(from: number, to: number, emit: Emit): void {
    const table = this.#table;
    const keyWords = this.#keyLayout.words;
    const stride = this.#resultStride;
    const touched = this.#touched.subarray(from, to);
    const results = this.#results;
    results.fill(0, 0, touched.length * stride);
    this.#writeResults(touched, results, this.#shape.fail);
    const before = this.#before.subarray(from * stride, to * stride);
    const rows = this.#rows;
    const weights = this.#rowWeights;
    const { words, width } = table;
    const made = writeChanges(words, width, keyWords, this.#touchedAt, touched, before, results, stride, rows, weights);
    this.#output.append([{ words: rows, stride: keyWords + stride - 1, shift: 0, ids: null }], weights, made, emit);
    this.#release(touched);
  }

  #forget(forgetting: Forgetting): void {
    const table = this.#table;
    const gone = forgetting.due(this.stateRows(), table, this.#keyLayout.columns);
    if (gone.length === 0) return;
    this.#cells.forget(gone);
    table.removeAll(gone);
    forgetting.done(this.stateRows());
  }

  /** Forgets groups without rows. */
  #release(touched: Int32Array): void {
    if (this.#shape.groups.length === 0) return;
    const table = this.#table;
    const { lanes } = this.#cells;
    for (let t = 0; t < touched.length; t++) {
      const id = touched[t]!;
      if (table.doubles[id * (table.width >> 1) + this.#rowCountAt] !== 0) continue;
      // Rows of opposite weight may leave values behind although the count is 0; such a group has to stay.
      if (lanes.every((cell) => table.words[id * table.width + cell.at * 2 + 2] === 0)) table.remove(id);
    }
  }

  /** Writes the results of `ids`, at most a block, to the records of `words`, which are 0 before. */
  #writeResults(ids: Int32Array, words: Int32Array, fail: AggregateShape['fail'] | null): void {
    const table = this.#table;
    const stride = this.#resultStride;
    const failed = this.#failed;
    const to = ids.length;
    // The writers branch on what they load; both ends of the records are fetched for them side by side.
    const last = table.width - 1;
    this.#warmth ^= warmLongRecords(table.words, table.width, 0, last, ids, to);
    if (this.#resultsOf !== null) {
      if (this.#resultsOf(table.doubles, ids, to, words, stride)) return;
      words.fill(0, 0, to * stride);
    }
    failed.fill(0, 0, to);
    const target = { words, stride, ids, from: 0, to, failed };
    for (const write of this.#writers) write(table, target);
    const always = this.#shape.groups.length === 0;
    markPresent(table.doubles, table.width >> 1, this.#rowCountAt, ids, to, always, words, stride, failed);
    if (fail === null) return;
    for (let t = 0; t < to; t++) if (failed[t] !== 0) fail(failed[t]! - 1, this.#groupRow(ids[t]!));
  }

  #groupRow(id: number): ChangeBatch {
    const schema = makeSchema(this.#shape.schema.fields.slice(0, this.#shape.groups.length));
    const columns = this.#keyLayout.columns.map((place) => ({ source: 0, place }));
    const output = new RowOutput(schema, columns, this.#shape.pool);
    let row: ChangeBatch = { schema, rows: 1, weights: null, columns: [], presence: null };
    const source = { words: this.#table.words, stride: this.#table.width, shift: 0, ids: Int32Array.of(id) };
    const take = (batch: ChangeBatch): void => {
      row = batch;
    };
    output.append([source], null, 1, take);
    output.finish(take);
    return row;
  }
}

function operandOrdinals(aggregates: readonly AggregateColumn[]): readonly number[] {
  // COUNT without DISTINCT looks at the validity of its operand, never at its value.
  const needing = aggregates.filter((call) => call.operand !== null && (call.function !== 'count' || call.distinct));
  return [...new Set(needing.map((call) => call.operand!))];
}

// ── data plane ──

function noteTouched(
  words: Int32Array,
  width: number,
  touchedAt: number,
  ids: Int32Array,
  count: number,
  touched: Int32Array,
  first: number,
): number {
  let next = first;
  for (let i = 0; i < count; i++) {
    const id = ids[i]!;
    if (words[id * width + touchedAt] !== 0) continue;
    touched[next++] = id;
    words[id * width + touchedAt] = next;
  }
  return next;
}

/** Sets the last word of each result: 1 when the group has a row. A failed result is as no row. */
function markPresent(
  doubles: Float64Array,
  width: number,
  rowCountAt: number,
  ids: Int32Array,
  to: number,
  always: boolean,
  words: Int32Array,
  stride: number,
  failed: Uint16Array,
): void {
  for (let t = 0; t < to; t++) {
    const present = always || doubles[ids[t]! * width + rowCountAt]! > 0;
    if (!present) failed[t] = 0;
    words[t * stride + stride - 1] = present && failed[t] === 0 ? 1 : 0;
  }
}

function writePresent(
  words: Int32Array,
  width: number,
  keyWords: number,
  ids: Int32Array,
  results: Int32Array,
  stride: number,
  rows: Int32Array,
): number {
  const rowWords = keyWords + stride - 1;
  let made = 0;
  for (let t = 0; t < ids.length; t++) {
    if (results[t * stride + stride - 1] === 0) continue;
    copyRow(words, ids[t]! * width, keyWords, results, t * stride, stride - 1, rows, made * rowWords);
    made++;
  }
  return made;
}

/** Compares the results of touched groups and writes -old +new, side by side, where they differ. Ends their mark. */
function writeChanges(
  words: Int32Array,
  width: number,
  keyWords: number,
  touchedAt: number,
  touched: Int32Array,
  before: Int32Array,
  after: Int32Array,
  stride: number,
  rows: Int32Array,
  weights: Int32Array,
): number {
  const rowWords = keyWords + stride - 1;
  let made = 0;
  for (let t = 0; t < touched.length; t++) {
    const group = touched[t]! * width;
    words[group + touchedAt] = 0;
    const result = t * stride;
    const was = before[result + stride - 1]!;
    const is = after[result + stride - 1]!;
    let same = was === is;
    if (was !== 0) for (let k = 0; same && k < stride - 1; k++) same = before[result + k] === after[result + k];
    if (same) continue;
    if (was !== 0) {
      copyRow(words, group, keyWords, before, result, stride - 1, rows, made * rowWords);
      weights[made++] = -1;
    }
    if (is !== 0) {
      copyRow(words, group, keyWords, after, result, stride - 1, rows, made * rowWords);
      weights[made++] = 1;
    }
  }
  return made;
}

function copyRow(
  words: Int32Array,
  group: number,
  keyWords: number,
  results: Int32Array,
  result: number,
  resultWords: number,
  rows: Int32Array,
  at: number,
): void {
  for (let k = 0; k < keyWords; k++) rows[at + k] = words[group + k]!;
  for (let k = 0; k < resultWords; k++) rows[at + keyWords + k] = results[result + k]!;
}
