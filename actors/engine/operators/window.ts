// Window functions: the rows of each partition in order, each with what the functions give for it.
//
//   out  = ∪ over partitions of (row, f1, f2, …) for each row in order
//   ∆out = for each touched partition: -(rows as they were) +(rows as they are), where they differ        not linear
//
// State: all distinct rows with their weights, and a search tree of them for each partition. Cost: O(log n) a changed row, and
// in `flush` O(rows) for each touched partition; with a limit on a rank O(limit) instead, and of input that never deletes only
// the rows within the limit are kept.
// Equal rows are told apart by their position alone. Ties of the order are broken by all columns (state/row-order.ts).
// A result that does not fit its type is reported in `flush`; if that does not throw, it is NULL.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { OrderedRows } from '../state/ordered-rows.ts';
import { RecordTable } from '../state/record-table.ts';
import { type LayoutColumn, layoutOf, type RowLayout } from '../state/row-layout.ts';
import { keyOrder, type OrderKey, type RowOrder, rowOrder } from '../state/row-order.ts';
import { RowOutput } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { framesOf, peersOf, type RangeKey, type SortedRows } from './window-frames.ts';
import { type WindowColumn, writeResults } from './window-results.ts';

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
/** So many changes go to the output together. */
const changesMax = 1024;

/** What a partition gives: `count` records of a row and its results. */
interface Results {
  readonly words: Int32Array;
  readonly count: number;
}

const nothing: Results = { words: new Int32Array(0), count: 0 };

export class Window implements Operator {
  readonly name = 'window';
  readonly detail: string;
  readonly passesOn: boolean = false;
  readonly #shape: WindowShape;
  readonly #keyLayout: RowLayout;
  readonly #rowLayout: RowLayout;
  readonly #resultPlaces: readonly LayoutColumn[];
  readonly #stride: number;
  readonly #partitions: RecordTable;
  readonly #rows: RecordTable;
  readonly #tree: OrderedRows;
  readonly #order: RowOrder;
  readonly #peerOrder: RowOrder;
  readonly #rangeKey: RangeKey | null;
  readonly #calls: readonly WindowColumn[];
  readonly #output: RowOutput;
  /** Words of a partition's record behind its key: the root of its tree, and its number among the touched ones + 1. */
  readonly #rootAt: number;
  readonly #touchedAt: number;
  readonly #keyScratch: Int32Array;
  readonly #rowScratch: Int32Array;
  readonly #partitionIds: Int32Array = new Int32Array(blockRows);
  readonly #rowIds: Int32Array = new Int32Array(blockRows);
  readonly #touched: { readonly partition: number; readonly before: Results }[] = [];
  /** Changes of several partitions on their way to the output: most partitions have a few only. */
  #changes: Int32Array = new Int32Array(0);
  #weights: Int32Array = new Int32Array(0);
  #changed = 0;
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
    this.#rows = new RecordTable({ keyWords: rowWords, extraWords: 3, hashMask });
    this.#order = rowOrder(this.#rowLayout, order, pool);
    this.#peerOrder = keyOrder(this.#rowLayout, order, pool);
    this.#tree = new OrderedRows(this.#rows, rowWords + 1, this.#order);
    const results = layoutOf(
      schema.fields.slice(input.fields.length).map((field) => ({ type: field.type, nullable: true })),
      rowWords,
    );
    this.#resultPlaces = results.columns;
    this.#stride = rowWords + results.words;
    const [first] = order;
    this.#rangeKey =
      first === undefined ? null : { place: this.#rowLayout.columns[first.ordinal]!, descending: first.descending };
    const columnAt = (ordinal: number | null): LayoutColumn | null =>
      ordinal === null ? null : this.#rowLayout.columns[ordinal]!;
    this.#calls = calls.map((call) => ({
      ...call,
      operand: columnAt(call.operand),
      filter: columnAt(call.filter),
      fallback: columnAt(call.fallback),
    }));
    const places = [...this.#rowLayout.columns, ...results.columns].map((place) => ({ source: 0, place }));
    this.#output = new RowOutput(schema, places, pool);
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
      this.#warm(to - from);
      for (let i = 0; i < to - from; i++) this.#touch(this.#partitionIds[i]!);
      this.#rows.findOrInsert(this.#rowScratch, rowWords, to - from, this.#rowIds);
      this.#apply(batch.weights, from, to - from);
    }
  }

  flush(emit: Emit): void {
    for (const { partition, before } of this.#touched) {
      const base = partition * this.#partitions.width;
      this.#partitions.words[base + this.#touchedAt] = 0;
      const root = this.#partitions.words[base + this.#rootAt]!;
      this.#emitDifference(before, this.#compute(root, true), emit);
      if (this.#shape.appendOnly && this.#shape.limit !== null) this.#forgetBeyond(base + this.#rootAt);
      if (root === 0) this.#partitions.remove(partition);
    }
    this.#touched.length = 0;
    this.#writeChanges(emit);
    this.#output.finish(emit);
  }

  readonly contents = (emit: Emit): void => {
    for (const partition of this.#partitions.ids()) {
      const root = this.#partitions.words[partition * this.#partitions.width + this.#rootAt]!;
      const { words, count } = this.#compute(root, false);
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

  /** Has the rows of a block's partitions fetched side by side: a tree is one load after the other. */
  #warm(count: number): void {
    const { words, width } = this.#partitions;
    const roots = this.#rowIds;
    let open = 0;
    for (let i = 0; i < count; i++) {
      const root = words[this.#partitionIds[i]! * width + this.#rootAt]!;
      roots[open] = root;
      open += root === 0 ? 0 : 1;
    }
    this.#warmth ^= this.#tree.warm(roots, open);
  }

  /** Notes what a partition gives before the step changes it. */
  #touch(partition: number): void {
    const { words, width } = this.#partitions;
    const base = partition * width;
    if (words[base + this.#touchedAt] !== 0) return;
    const before = this.#compute(words[base + this.#rootAt]!, false);
    words[base + this.#touchedAt] = this.#touched.push({ partition, before });
  }

  #apply(weights: Int32Array | null, from: number, count: number): void {
    const table = this.#rows;
    const weightAt = this.#rowLayout.words;
    const gone = new Set<number>();
    for (let i = 0; i < count; i++) {
      const id = this.#rowIds[i]!;
      const at = id * table.width + weightAt;
      const before = table.words[at]!;
      const after = before + (weights === null ? 1 : weights[from + i]!);
      table.words[at] = after;
      if (after === 0) gone.add(id);
      if (before > 0 === after > 0) continue;
      const rootAt = this.#partitionIds[i]! * this.#partitions.width + this.#rootAt;
      this.#tree.root = this.#partitions.words[rootAt]!;
      if (after > 0) this.#tree.insert(id);
      else this.#tree.remove(id);
      this.#partitions.words[rootAt] = this.#tree.root;
    }
    for (const id of gone) if (table.words[id * table.width + weightAt] === 0) table.remove(id);
  }

  /** The rows of a partition with their results. */
  #compute(root: number, tell: boolean): Results {
    if (root === 0) return nothing;
    const rows = this.#sorted(root);
    const { count } = rows;
    const stride = this.#stride;
    const rowWords = this.#rowLayout.words;
    const words = new Int32Array(count * stride);
    copyRows(rows.words, rows.width, rows.ids, count, rowWords, words, stride);
    const peers = peersOf(rows, this.#peerOrder);
    for (let c = 0; c < this.#calls.length; c++) {
      const call = this.#calls[c]!;
      const frames = needsFrame(call) ? framesOf(call.frame, rows, peers, this.#rangeKey) : null;
      const target = { words, stride, place: this.#resultPlaces[c]! };
      const failed = writeResults(call, rows, peers, frames, target, this.#shape.pool);
      if (tell) for (const position of failed) this.#shape.fail(c, this.#rowAt(rows, position));
    }
    return { words, count };
  }

  /** Records of a partition in order, each as often as its weight says, up to the limit on a rank. */
  #sorted(root: number): SortedRows {
    const { words, width } = this.#rows;
    const weightAt = this.#rowLayout.words;
    const { limit } = this.#shape;
    const most = limit?.most ?? Number.POSITIVE_INFINITY;
    const ranking = limit === null ? 'row_number' : this.#calls[limit.call]!.function;
    const ids: number[] = [];
    let last = -1;
    let run = 0;
    this.#tree.root = root;
    this.#tree.visit((id) => {
      if (last < 0 || this.#peerOrder(words, last * width, words, id * width) !== 0) {
        run++;
        if ((ranking === 'dense_rank' ? run : ids.length + 1) > most) return false;
      }
      if (ranking === 'row_number' && ids.length >= most) return false;
      last = id;
      let weight = words[id * width + weightAt]!;
      if (ranking === 'row_number') weight = Math.min(weight, most - ids.length);
      for (let k = 0; k < weight; k++) ids.push(id);
      return true;
    });
    return { words, width, ids: Int32Array.from(ids), count: ids.length };
  }

  /** Forgets the rows of a partition that are beyond the limit. */
  #forgetBeyond(rootAt: number): void {
    const root = this.#partitions.words[rootAt]!;
    if (root === 0) return;
    const { ids, count } = this.#sorted(root);
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
    this.#partitions.words[rootAt] = this.#tree.root;
  }

  #rowAt(rows: SortedRows, position: number): ChangeBatch {
    const schema = this.#shape.input;
    const output = new RowOutput(
      schema,
      this.#rowLayout.columns.map((place) => ({ source: 0, place })),
      this.#shape.pool,
    );
    let row: ChangeBatch = { schema, rows: 1, weights: null, columns: [], presence: null };
    const take = (batch: ChangeBatch): void => {
      row = batch;
    };
    const ids = rows.ids.slice(position, position + 1);
    output.append([{ words: rows.words, stride: rows.width, shift: 0, ids }], null, 1, take);
    output.finish(take);
    return row;
  }

  /** Both are in order: one walk finds what left, what came and whose results changed. */
  #emitDifference(before: Results, after: Results, emit: Emit): void {
    const stride = this.#stride;
    const most = before.count + after.count;
    if (this.#changed + most > this.#weights.length) this.#writeChanges(emit);
    if (this.#weights.length < most) {
      const room = Math.max(most, changesMax);
      this.#changes = new Int32Array(room * stride);
      this.#weights = new Int32Array(room);
    }
    const changes = this.#changes;
    const weights = this.#weights;
    let made = this.#changed;
    const take = ({ words }: Results, row: number, weight: number): void => {
      const read = row * stride;
      const write = made * stride;
      for (let k = 0; k < stride; k++) changes[write + k] = words[read + k]!;
      weights[made++] = weight;
    };
    let b = 0;
    let a = 0;
    while (b < before.count || a < after.count) {
      const compared =
        b >= before.count ? 1 : a >= after.count ? -1 : this.#order(before.words, b * stride, after.words, a * stride);
      if (compared < 0) take(before, b++, -1);
      else if (compared > 0) take(after, a++, 1);
      else {
        if (!sameWords(before.words, b * stride, after.words, a * stride, stride)) {
          take(before, b, -1);
          take(after, a, 1);
        }
        b++;
        a++;
      }
    }
    this.#changed = made;
  }

  #writeChanges(emit: Emit): void {
    const source = { words: this.#changes, stride: this.#stride, shift: 0, ids: null };
    this.#output.append([source], this.#weights, this.#changed, emit);
    this.#changed = 0;
  }
}

function needsFrame({ function: name }: WindowColumn): boolean {
  return !['row_number', 'rank', 'dense_rank', 'lag', 'lead'].includes(name);
}

// ── data plane ──

function copyRows(
  rows: Int32Array,
  width: number,
  ids: Int32Array,
  count: number,
  rowWords: number,
  out: Int32Array,
  stride: number,
): void {
  for (let i = 0; i < count; i++) {
    const read = ids[i]! * width;
    const write = i * stride;
    for (let k = 0; k < rowWords; k++) out[write + k] = rows[read + k]!;
  }
}

function sameWords(a: Int32Array, atA: number, b: Int32Array, atB: number, count: number): boolean {
  for (let k = 0; k < count; k++) if (a[atA + k] !== b[atB + k]) return false;
  return true;
}
