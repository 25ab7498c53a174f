// Window functions: the rows of each partition in order, each with what the functions give for it.
//
//   out  = ∪ over partitions of (row, f1, f2, …) for each row in order
//   ∆out = for each touched partition: -(rows as they were) +(rows as they are), where they differ        not linear
//
// State: all distinct rows with their weights, and a search tree of them for each partition; where calls run from the first row on, totals
// of each subtree. Cost: O(log n) a changed row and, in `flush`, the rows that it reaches (window-reach.ts): those near to it, or, for calls
// that run, those behind it. Where a call has to see all rows, and in partitions of a few, O(rows) for each touched partition; with a limit
// on a rank O(limit) instead, and of input that never deletes only the rows within the limit are kept.
// Equal rows are told apart by their position alone. Ties of the order are broken by all columns (state/row-order.ts).
// A result that does not fit its type is reported in `flush`; if that does not throw, it is NULL.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { grownWords } from '../state/grown-words.ts';
import { OrderedRows } from '../state/ordered-rows.ts';
import { RecordTable } from '../state/record-table.ts';
import { type LayoutColumn, layoutOf, type RowLayout } from '../state/row-layout.ts';
import { keyOrder, type OrderKey, type RowOrder, rowOrder } from '../state/row-order.ts';
import { RowOutput } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { PendingRows } from './pending-rows.ts';
import { noResults, type Results, WindowChanges } from './window-changes.ts';
import { WindowComputation } from './window-computation.ts';
import type { RangeKey, SortedRows } from './window-frames.ts';
import { type Reach, reachOf } from './window-reach.ts';
import type { WindowColumn } from './window-results.ts';
import { changedSpans, type Span } from './window-spans.ts';
import { type TotalsPlaces, WindowTotals } from './window-totals.ts';

/** A call whose operands are ordinals of the input. */
export interface WindowShapeCall extends Omit<WindowColumn, 'operand' | 'filter' | 'fallback'> {
  readonly operand: number | null;
  readonly filter: number | null;
  readonly fallback: number | null;
}

export interface WindowShape {
  readonly input: Schema;
  readonly partition: readonly number[];
  readonly order: readonly OrderKey[];
  readonly calls: readonly WindowShapeCall[];
  /** Only rows are wanted whose number or rank, as this call gives it, is at most `most`. */
  readonly limit: { readonly call: number; readonly most: number } | null;
  /** Whether rows never go: those beyond the limit are forgotten then. */
  readonly appendOnly: boolean;
  /** Columns of the input, then a column for each call. */
  readonly schema: Schema;
  readonly pool: StringPool;
  /** Called with the number of the call whose result does not fit. */
  readonly fail: (call: number, row: ChangeBatch) => void;
  readonly hashMask?: number;
}

const blockRows = 2048;
/** A partition of so many rows is looked at as a whole. */
const fewRows = 16;
/** Memory for the results of so many rows is used again and again. */
const roomRows = 256;

export class Window implements Operator {
  readonly name = 'window';
  readonly detail: string;
  readonly passesOn: boolean = false;
  readonly #shape: WindowShape;
  readonly #keyLayout: RowLayout;
  readonly #rowLayout: RowLayout;
  readonly #stride: number;
  readonly #partitions: RecordTable;
  readonly #rows: RecordTable;
  readonly #tree: OrderedRows;
  readonly #order: RowOrder;
  readonly #peerOrder: RowOrder;
  readonly #rangeKey: RangeKey | null;
  readonly #calls: readonly WindowColumn[];
  /** null: partitions are looked at as a whole. */
  readonly #reach: Reach | null;
  readonly #totals: WindowTotals | null;
  /** Words of a row's record: its weight, the one that it has when the step ends, its node in the tree, totals of that. */
  readonly #weightAt: number;
  readonly #nextAt: number;
  readonly #totalsPlaces: TotalsPlaces;
  readonly #output: RowOutput;
  readonly #changes: WindowChanges;
  readonly #computation: WindowComputation;
  /** Words of a partition's record behind its key: the root of its tree, and its number among the touched ones + 1. */
  readonly #rootAt: number;
  readonly #touchedAt: number;
  readonly #keyScratch: Int32Array;
  readonly #rowScratch: Int32Array;
  readonly #partitionIds: Int32Array = new Int32Array(blockRows);
  readonly #rowIds: Int32Array = new Int32Array(blockRows);
  /** Partitions with pending changes; their numbers here are those of the groups of `#pending`. */
  readonly #touched: number[] = [];
  readonly #pending: PendingRows = new PendingRows();
  /** Scratch for partitions of few rows: records in order, results before and behind a change. */
  #sortedIds: Int32Array = new Int32Array(64);
  readonly #rooms: readonly [Int32Array, Int32Array];
  /** Keeps the loads that warm the cache from being optimised away. */
  #warmth = 0;

  constructor(shape: WindowShape) {
    this.#shape = shape;
    const { input, partition, order, calls, schema, pool } = shape;
    const hashMask = shape.hashMask ?? -1;
    const names = calls.map((call) => call.function).join(', ');
    const limit = shape.limit === null ? '' : ` at most ${shape.limit.most}`;
    this.detail = `${names}${limit} by ${partition.map((p) => `#${p}`).join(', ') || 'nothing'}`;
    this.#keyLayout = layoutOf(partition.map((p) => input.fields[p]!));
    const keyWords = this.#keyLayout.words;
    this.#rootAt = keyWords;
    this.#touchedAt = keyWords + 1;
    this.#partitions = new RecordTable({ keyWords, extraWords: 2, hashMask });
    this.#rowLayout = layoutOf(input.fields);
    const rowWords = this.#rowLayout.words;
    const columnAt = (ordinal: number | null): LayoutColumn | null =>
      ordinal === null ? null : this.#rowLayout.columns[ordinal]!;
    this.#calls = calls.map((call) => ({
      ...call,
      operand: columnAt(call.operand),
      filter: columnAt(call.filter),
      fallback: columnAt(call.fallback),
    }));
    const [first] = order;
    this.#rangeKey =
      first === undefined ? null : { place: this.#rowLayout.columns[first.ordinal]!, descending: first.descending };
    this.#reach = shape.limit === null ? reachOf(this.#calls, this.#rangeKey) : null;
    this.#totals =
      this.#reach?.runs === true ? new WindowTotals(this.#calls, pool, keyOrder(this.#rowLayout, order, pool)) : null;
    this.#weightAt = rowWords;
    this.#nextAt = rowWords + 1;
    const nodeAt = rowWords + 2;
    this.#totalsPlaces = { weightAt: rowWords, nodeAt, totalsAt: rowWords + 4 };
    this.#rows = new RecordTable({ keyWords: rowWords, extraWords: 4 + (this.#totals?.words ?? 0), hashMask });
    this.#order = rowOrder(this.#rowLayout, order, pool);
    this.#peerOrder = keyOrder(this.#rowLayout, order, pool);
    const measure = this.#totals?.measure(this.#rows, this.#totalsPlaces) ?? null;
    this.#tree = new OrderedRows(this.#rows, nodeAt, this.#order, measure);
    const results = layoutOf(
      schema.fields.slice(input.fields.length).map((field) => ({ type: field.type, nullable: true })),
      rowWords,
    );
    this.#stride = rowWords + results.words;
    const places = [...this.#rowLayout.columns, ...results.columns].map((place) => ({ source: 0, place }));
    this.#output = new RowOutput(schema, places, pool);
    this.#computation = new WindowComputation({
      input,
      layout: this.#rowLayout,
      calls: this.#calls,
      results: results.columns,
      stride: this.#stride,
      peerOrder: this.#peerOrder,
      rangeKey: this.#rangeKey,
      pool,
      fail: shape.fail,
    });
    this.#rooms = [new Int32Array(roomRows * this.#stride), new Int32Array(roomRows * this.#stride)];
    this.#changes = new WindowChanges(this.#stride, this.#order, this.#output);
    this.#keyScratch = new Int32Array(blockRows * Math.max(1, keyWords));
    this.#rowScratch = new Int32Array(blockRows * Math.max(1, rowWords));
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    const { pool, partition } = this.#shape;
    const keyWords = this.#keyLayout.words;
    const rowWords = this.#rowLayout.words;
    const keys = partition.map((ordinal) => batch.columns[ordinal]!);
    for (let from = 0; from < batch.rows; from += blockRows) {
      const to = Math.min(batch.rows, from + blockRows);
      encodeRows(keys, this.#keyLayout, { from, to }, { words: this.#keyScratch, stride: keyWords }, pool, true);
      encodeRows(
        batch.columns,
        this.#rowLayout,
        { from, to },
        { words: this.#rowScratch, stride: rowWords },
        pool,
        true,
      );
      this.#partitions.findOrInsert(this.#keyScratch, keyWords, to - from, this.#partitionIds);
      this.#rows.findOrInsert(this.#rowScratch, rowWords, to - from, this.#rowIds);
      this.#note(batch.weights, from, to - from);
    }
  }

  flush(emit: Emit): void {
    const { ids, starts } = this.#pending.byGroup(this.#touched.length);
    for (let group = 0; group < this.#touched.length; group++) {
      if (group % blockRows === 0) this.#warm(group);
      const partition = this.#touched[group]!;
      const base = partition * this.#partitions.width;
      this.#partitions.words[base + this.#touchedAt] = 0;
      this.#tree.root = this.#partitions.words[base + this.#rootAt]!;
      const touched = this.#inOrder(ids.subarray(starts[group]!, starts[group + 1]!));
      const changed = touched.filter((id) => this.#wordOf(id, this.#weightAt) !== this.#wordOf(id, this.#nextAt));
      if (changed.length > 0) {
        if (this.#reach === null || this.#hasFewRows()) this.#changeWhole(changed, emit);
        else this.#changeSpans(this.#reach, changed, emit);
      }
      for (const id of touched) if (this.#wordOf(id, this.#weightAt) === 0) this.#rows.remove(id);
      if (this.#shape.appendOnly && this.#shape.limit !== null) this.#forgetBeyond();
      this.#partitions.words[base + this.#rootAt] = this.#tree.root;
      if (this.#tree.root === 0) this.#partitions.remove(partition);
    }
    this.#touched.length = 0;
    this.#changes.write(emit);
    this.#output.finish(emit);
  }

  readonly contents = (emit: Emit): void => {
    for (const partition of this.#partitions.ids()) {
      const root = this.#partitions.words[partition * this.#partitions.width + this.#rootAt]!;
      this.#tree.root = root;
      const { words, count } = this.#resultsOfAll(false);
      this.#output.append([{ words, stride: this.#stride, shift: 0, ids: null }], null, count, emit);
    }
    this.#output.finish(emit);
  };

  stateRows(): number {
    return this.#rows.live;
  }

  stateBytes(): number {
    return this.#rows.stateBytes + this.#partitions.stateBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#partitions.snapshot(writer);
    this.#rows.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#partitions.restore(reader);
    this.#rows.restore(reader);
  }

  /** Has the rows of the next block of touched partitions fetched side by side: a tree is one load after the other. */
  #warm(from: number): void {
    const { words, width } = this.#partitions;
    const count = Math.min(blockRows, this.#touched.length - from);
    const roots = this.#rowIds;
    let open = 0;
    for (let i = 0; i < count; i++) {
      const root = words[this.#touched[from + i]! * width + this.#rootAt]!;
      roots[open] = root;
      open += root === 0 ? 0 : 1;
    }
    this.#warmth ^= this.#tree.warm(roots, open);
  }

  #wordOf(id: number, at: number): number {
    return this.#rows.words[id * this.#rows.width + at]!;
  }

  /** Counts what comes with each row into the weight that it will have, and keeps the row for `flush`. */
  #note(weights: Int32Array | null, from: number, count: number): void {
    const { words, width } = this.#rows;
    const partitions = this.#partitions;
    for (let i = 0; i < count; i++) {
      const id = this.#rowIds[i]!;
      words[id * width + this.#nextAt]! += weights === null ? 1 : weights[from + i]!;
      const partition = this.#partitionIds[i]!;
      const touchedAt = partition * partitions.width + this.#touchedAt;
      if (partitions.words[touchedAt] === 0) partitions.words[touchedAt] = this.#touched.push(partition);
      this.#pending.add(partitions.words[touchedAt]! - 1, id);
    }
  }

  /** Records of a partition in order, each once. */
  #inOrder(ids: Int32Array): number[] {
    const { words, width } = this.#rows;
    const sorted = ids.length === 1 ? ids : ids.slice().sort((a, b) => this.#order(words, a * width, words, b * width));
    const once: number[] = [];
    for (const id of sorted) if (once.at(-1) !== id) once.push(id);
    return once;
  }

  #hasFewRows(): boolean {
    let rows = 0;
    this.#tree.visit(() => ++rows <= fewRows);
    return rows <= fewRows;
  }

  // ── a partition as a whole ──

  #changeWhole(changed: readonly number[], emit: Emit): void {
    const before = this.#resultsOfAll(false);
    for (const id of changed) {
      const wasIn = this.#wordOf(id, this.#weightAt) > 0;
      this.#takeNext(id);
      const isIn = this.#wordOf(id, this.#weightAt) > 0;
      if (isIn && !wasIn) this.#tree.insert(id);
      else if (wasIn && !isIn) this.#tree.remove(id);
      else if (isIn && this.#totals !== null) this.#tree.measureAgain(id);
    }
    this.#changes.add(before, this.#resultsOfAll(true), emit);
  }

  /** Of a small partition they are good until the next ones of the same kind, told or not, are made. */
  #resultsOfAll(tell: boolean): Results {
    if (this.#tree.root === 0) return noResults;
    const rows = this.#sorted();
    return this.#computation.results(rows, null, tell ? { from: 0, to: rows.count } : null, this.#rooms[tell ? 1 : 0]);
  }

  // ── the parts of it that the changes reach ──

  #changeSpans(reach: Reach, changed: readonly number[], emit: Emit): void {
    const tree = this.#tree;
    // Rows to come are in the tree from here on, with no weight; those that go stay until the end.
    for (const id of changed) if (this.#wordOf(id, this.#weightAt) <= 0) tree.insert(id);
    const spans = changedSpans(
      {
        records: this.#rows,
        tree,
        order: this.#order,
        peerOrder: this.#peerOrder,
        rangeKey: this.#rangeKey,
        weightAt: this.#weightAt,
        nextAt: this.#nextAt,
      },
      reach,
      changed,
    );
    const before = spans.map((span) => this.#resultsOf(span, false));
    for (const id of changed) {
      this.#takeNext(id);
      if (this.#totals !== null) tree.measureAgain(id);
    }
    for (let s = 0; s < spans.length; s++) this.#changes.add(before[s]!, this.#resultsOf(spans[s]!, true), emit);
    for (const id of changed) if (this.#wordOf(id, this.#weightAt) <= 0) tree.remove(id);
  }

  #resultsOf({ ids, from, to }: Span, tell: boolean): Results {
    const { words, width } = this.#rows;
    const copies: number[] = [];
    let begin = 0;
    let end = 0;
    for (let k = 0; k < ids.length; k++) {
      if (k === from) begin = copies.length;
      for (let n = this.#wordOf(ids[k]!, this.#weightAt); n > 0; n--) copies.push(ids[k]!);
      if (k === to - 1) end = copies.length;
    }
    const first = ids[0]! * width;
    const before = this.#totals?.before(
      this.#tree,
      this.#rows,
      this.#totalsPlaces,
      (base) => this.#order(words, base, words, first) < 0,
    );
    const rows = { words, width, ids: Int32Array.from(copies), count: copies.length };
    const results = this.#computation.results(rows, before ?? null, tell ? { from: begin, to: end } : null);
    return { words: results.words.subarray(begin * this.#stride, end * this.#stride), count: end - begin };
  }

  #takeNext(id: number): void {
    const { words, width } = this.#rows;
    words[id * width + this.#weightAt] = words[id * width + this.#nextAt]!;
  }

  /** Records of a partition in order, each as often as its weight says, up to the limit on a rank: good until they are asked for again. */
  #sorted(): SortedRows {
    const { words, width } = this.#rows;
    const weightAt = this.#weightAt;
    const { limit } = this.#shape;
    const most = limit?.most ?? Number.POSITIVE_INFINITY;
    const ranking = limit === null ? 'row_number' : this.#calls[limit.call]!.function;
    let ids = this.#sortedIds;
    let count = 0;
    let last = -1;
    let run = 0;
    this.#tree.visit((id) => {
      if (last < 0 || this.#peerOrder(words, last * width, words, id * width) !== 0) {
        run++;
        if ((ranking === 'dense_rank' ? run : count + 1) > most) return false;
      }
      if (ranking === 'row_number' && count >= most) return false;
      last = id;
      let weight = words[id * width + weightAt]!;
      if (ranking === 'row_number') weight = Math.min(weight, most - count);
      if (count + weight > ids.length) ids = grownWords(ids, count + weight);
      for (let k = 0; k < weight; k++) ids[count++] = id;
      return true;
    });
    if (ids.length <= roomRows) this.#sortedIds = ids;
    return { words, width, ids, count };
  }

  /** Forgets the rows of the partition that are beyond the limit. */
  #forgetBeyond(): void {
    if (this.#tree.root === 0) return;
    const { ids, count } = this.#sorted();
    const last = count === 0 ? -1 : ids[count - 1]!;
    const beyond: number[] = [];
    let isBeyond = last < 0;
    this.#tree.visit((id) => {
      if (isBeyond) beyond.push(id);
      else if (id === last) isBeyond = true;
      return true;
    });
    for (const id of beyond) {
      this.#tree.remove(id);
      this.#rows.remove(id);
    }
  }
}
