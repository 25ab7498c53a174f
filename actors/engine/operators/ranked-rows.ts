// The first rows of each partition, of input that never deletes: ROW_NUMBER() … with a limit on the number.
//
//   out(p) = the first `most` rows of p in order, each with its number where somebody wants it
//   ∆out   = -(rows that fell out) +(rows that came and stayed);  numbered: -(row, n) +(row', n) for each place that changed
//
// State: the rows that are out, and for each partition the list of them in order. A row that does not get in costs a probe and
// a comparison; one that does moves at most `most` numbers. Cost of a step: O(rows · log most + places moved), whatever was
// there before. The strings of a row are read when its batch is through, so those of rows that came and fell out again are not.
// Ties of the order are broken by all columns (state/row-order.ts); of equal rows the one that came first stays.
// Not here: input with deletions, other functions, ranks with ties (window.ts).

import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Column } from '../../../runtime/batch/column.ts';
import { packed } from '../../../runtime/batch/packed-array.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { RankedLists } from '../state/ranked-lists.ts';
import { RecordTable } from '../state/record-table.ts';
import { layoutOf, type RowLayout } from '../state/row-layout.ts';
import { keyOrder, type OrderKey, type RowOrder, rowOrder } from '../state/row-order.ts';
import { RowOutput } from '../state/row-output.ts';
import { RowSlab } from '../state/row-slab.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { type TextSource, textSource } from '../state/text-source.ts';

export interface RankedRowsShape {
  readonly input: Schema;
  readonly partition: readonly number[];
  readonly order: readonly OrderKey[];
  /** How many rows of a partition are wanted. */
  readonly most: number;
  /** Whether the output has a column for the number behind those of the input. */
  readonly numbered: boolean;
  readonly schema: Schema;
  readonly pool: StringPool;
  readonly hashMask?: number;
}

const blockRows = 1024;
/** So many changes go to the output together. */
const changesMax = 4096;

export class RankedRows implements Operator {
  readonly name = 'ranked rows';
  readonly detail: string;
  readonly passesOn: boolean = false;
  readonly #shape: RankedRowsShape;
  readonly #keyLayout: RowLayout;
  readonly #rowLayout: RowLayout;
  readonly #partitions: RecordTable;
  readonly #lists: RankedLists = new RankedLists();
  readonly #rows: RowSlab;
  readonly #byKeys: RowOrder;
  readonly #byAll: RowOrder;
  readonly #output: RowOutput;
  /** Words of a partition's record behind its key: its list (place, count), and its number among the touched ones + 1. */
  readonly #listAt: number;
  readonly #touchedAt: number;
  /** Words of a row's record behind the row: the step that it came in, and its number among those without strings + 1. */
  readonly #bornAt: number;
  readonly #pendingAt: number;
  readonly #keyScratch: Int32Array;
  readonly #rowScratch: Int32Array;
  readonly #partitionIds: Int32Array = new Int32Array(blockRows);
  #step = 1;
  #touched: Int32Array = new Int32Array(64);
  #touchedCount = 0;
  /** Numbered: for each touched partition where its rows before the step begin in `#before`. */
  #beforeAt: Int32Array = new Int32Array(64);
  #before: Int32Array = new Int32Array(64);
  #beforeCount = 0;
  /** Rows of earlier steps that fell out in this one. */
  #leaving: Int32Array = new Int32Array(64);
  #leavingCount = 0;
  /** Rows of this batch whose strings have not been read: their records, and where they stand in the batch. */
  #pendingIds: Int32Array = new Int32Array(blockRows);
  #pendingRows: Int32Array = new Int32Array(blockRows);
  #pendingCount = 0;
  /** Columns of this batch whose strings are read at its end; null for the others. */
  #late: readonly (TextSource | null)[] = [];
  readonly #changedIds: Int32Array = new Int32Array(changesMax);
  readonly #changedWeights: Int32Array = new Int32Array(changesMax);
  /** Numbers of changed rows, as two words each. */
  readonly #numbers: Int32Array = new Int32Array(2 * changesMax);
  #changed = 0;
  #lends = false;

  constructor(shape: RankedRowsShape) {
    this.#shape = shape;
    const { input, partition, order, schema, pool } = shape;
    this.detail = `first ${shape.most} by ${partition.map((p) => `#${p}`).join(', ') || 'nothing'}`;
    this.#keyLayout = layoutOf(partition.map((p) => input.fields[p]!));
    const keyWords = this.#keyLayout.words;
    this.#listAt = keyWords;
    this.#touchedAt = keyWords + 2;
    this.#partitions = new RecordTable({ keyWords, extraWords: 3, hashMask: shape.hashMask ?? -1 });
    const carried = layoutOf(input.fields, 0, 'carried');
    // What rows are ordered by is compared before the strings of a row are read.
    const sorts = order.map(({ ordinal }) => ordinal);
    const columns = carried.columns.map((place, c) => (sorts.includes(c) ? { ...place, carried: null } : place));
    this.#rowLayout = { ...carried, columns };
    this.#bornAt = carried.words;
    this.#pendingAt = carried.words + 1;
    this.#rows = new RowSlab(carried.words + 2);
    this.#byKeys = keyOrder(this.#rowLayout, order, pool);
    this.#byAll = rowOrder(this.#rowLayout, order, pool);
    const places = columns.map((place) => ({ source: 0, place }));
    const [number] = layoutOf([{ type: { kind: 'BIGINT' }, nullable: false }]).columns;
    this.#output = new RowOutput(schema, shape.numbered ? [...places, { source: 1, place: number! }] : places, pool);
    this.#keyScratch = new Int32Array(blockRows * Math.max(1, keyWords));
    this.#rowScratch = new Int32Array(blockRows * Math.max(1, carried.words));
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    const { pool, partition } = this.#shape;
    const keyWords = this.#keyLayout.words;
    const rowWords = this.#rowLayout.words;
    const keys = packed(partition, (ordinal) => batch.columns[ordinal]!);
    this.#late = packed(batch.columns, (column, c) =>
      this.#rowLayout.columns[c]!.carried !== null ? textSource(column) : null,
    );
    const early = packed(batch.columns, (column, c): Column | null => (this.#late[c] === null ? column : null));
    for (let from = 0; from < batch.rows; from += blockRows) {
      const to = Math.min(batch.rows, from + blockRows);
      encodeRows(keys, this.#keyLayout, { from, to }, { words: this.#keyScratch, stride: keyWords }, pool, true);
      this.#partitions.findOrInsert(this.#keyScratch, keyWords, to - from, this.#partitionIds);
      encodeRows(early, this.#rowLayout, { from, to }, { words: this.#rowScratch, stride: rowWords }, pool, true);
      this.#block(batch, from, to - from);
    }
    this.#readPending();
    this.#late = [];
  }

  lend(may: boolean): void {
    this.#lends = may;
    this.#output.lend(may);
  }

  flush(emit: Emit): void {
    if (this.#touchedCount === 0) return;
    for (let i = 0; i < this.#leavingCount && !this.#shape.numbered; i++) this.#change(this.#leaving[i]!, -1, 0, emit);
    const { words, width } = this.#partitions;
    for (let t = 0; t < this.#touchedCount; t++) {
      const base = this.#touched[t]! * width;
      words[base + this.#touchedAt] = 0;
      if (this.#shape.numbered) this.#emitPlaces(t, words, base + this.#listAt, emit);
      else this.#emitBorn(words, base + this.#listAt, emit);
    }
    this.#write(emit);
    this.#output.finish(emit);
    for (let i = 0; i < this.#leavingCount; i++) this.#rows.release(this.#leaving[i]!);
    this.#touchedCount = 0;
    this.#beforeCount = 0;
    this.#leavingCount = 0;
    this.#step = (this.#step + 1) | 0;
  }

  readonly contents = (emit: Emit): void => {
    // Who asks for the content keeps it.
    this.#output.lend(false);
    const { words, width } = this.#partitions;
    for (const partition of this.#partitions.ids()) {
      const list = partition * width + this.#listAt;
      for (let at = 0; at < words[list + 1]!; at++) this.#change(this.#lists.get(words, list, at), 1, at, emit);
    }
    this.#write(emit);
    this.#output.finish(emit);
    this.#output.lend(this.#lends);
  };

  stateRows(): number {
    return this.#rows.live;
  }

  stateBytes(): number {
    return this.#rows.stateBytes + this.#partitions.stateBytes + this.#lists.stateBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    writer.number(this.#step);
    this.#partitions.snapshot(writer);
    this.#lists.snapshot(writer);
    this.#rows.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#step = reader.number();
    this.#partitions.restore(reader);
    this.#lists.restore(reader);
    this.#rows.restore(reader);
  }

  #block(batch: ChangeBatch, from: number, count: number): void {
    const { weights } = batch;
    const { most } = this.#shape;
    const ids = this.#partitionIds;
    for (let i = 0; i < count; i++) {
      let weight = weights === null ? 1 : Math.min(weights[from + i]!, most);
      while (weight > 0 && this.#insert(ids[i]!, i, from + i)) weight--;
    }
  }

  /** Puts row `i` of the block in its place; false when it has none. */
  #insert(partition: number, i: number, batchRow: number): boolean {
    const { words, width } = this.#partitions;
    const lists = this.#lists;
    const { most } = this.#shape;
    const list = partition * width + this.#listAt;
    const count = words[list + 1]!;
    const scratch = this.#rowScratch;
    const own = i * this.#rowLayout.words;
    const rows = this.#rows;
    let id = -1;
    let low = 0;
    let high = count;
    // Most rows come in order or do not get in: the last place is looked at first.
    let middle = count - 1;
    while (low < high) {
      const other = lists.get(words, list, middle);
      let compared = this.#byKeys(scratch, own, rows.words, other * rows.width);
      if (compared === 0) {
        if (id < 0) id = this.#record(own, batchRow);
        this.#complete(id);
        this.#complete(other);
        compared = this.#byAll(rows.words, id * rows.width, rows.words, other * rows.width);
      }
      if (compared < 0) high = middle;
      else low = middle + 1;
      middle = (low + high) >> 1;
    }
    if (low === most) {
      if (id >= 0) rows.release(id);
      return false;
    }
    if (words[partition * width + this.#touchedAt] === 0) this.#touch(partition);
    if (id < 0) id = this.#record(own, batchRow);
    if (count < most) lists.insert(words, list, low, id);
    else {
      const last = lists.get(words, list, count - 1);
      lists.replace(words, list, low, id);
      this.#leave(last);
    }
    return true;
  }

  /** A record for the row at word `own` of the scratch, without the strings that are read late. */
  #record(own: number, batchRow: number): number {
    const rows = this.#rows;
    rows.reserve(1);
    const id = rows.allocate();
    copyWords(this.#rowScratch, own, rows.words, id * rows.width, this.#rowLayout.words);
    const pending = this.#pendingCount++;
    if (pending === this.#pendingIds.length) {
      this.#pendingIds = doubled(this.#pendingIds);
      this.#pendingRows = doubled(this.#pendingRows);
    }
    this.#pendingIds[pending] = id;
    this.#pendingRows[pending] = batchRow;
    rows.words[id * rows.width + this.#bornAt] = this.#step;
    rows.words[id * rows.width + this.#pendingAt] = pending + 1;
    return id;
  }

  #leave(id: number): void {
    const { words, width } = this.#rows;
    if (words[id * width + this.#bornAt] === this.#step) {
      this.#rows.release(id);
      // Nobody reads its strings, unless the record is given out again.
      words[id * width + this.#pendingAt] = 0;
      return;
    }
    if (this.#leavingCount === this.#leaving.length) this.#leaving = doubled(this.#leaving);
    this.#leaving[this.#leavingCount++] = id;
  }

  #touch(partition: number): void {
    const { words, width } = this.#partitions;
    const touched = this.#touchedCount++;
    if (touched + 1 >= this.#touched.length) {
      this.#touched = doubled(this.#touched);
      this.#beforeAt = doubled(this.#beforeAt);
    }
    this.#touched[touched] = partition;
    words[partition * width + this.#touchedAt] = touched + 1;
    if (!this.#shape.numbered) return;
    const list = partition * width + this.#listAt;
    const count = words[list + 1]!;
    while (this.#beforeCount + count > this.#before.length) this.#before = doubled(this.#before);
    for (let at = 0; at < count; at++) this.#before[this.#beforeCount++] = this.#lists.get(words, list, at);
    this.#beforeAt[touched + 1] = this.#beforeCount;
  }

  /** Reads the strings of one record now. */
  #complete(id: number): void {
    const { words, width } = this.#rows;
    const at = id * width + this.#pendingAt;
    const pending = words[at]! - 1;
    if (pending < 0) return;
    words[at] = 0;
    this.#readStrings(this.#pendingRows.subarray(pending, pending + 1), Int32Array.of(id), 1);
  }

  /** Reads the strings of the rows of the batch that have not fallen out again. */
  #readPending(): void {
    const { words, width } = this.#rows;
    const ids = this.#pendingIds;
    const kept = keepPending(ids, this.#pendingRows, this.#pendingCount, words, width, this.#pendingAt);
    this.#pendingCount = 0;
    this.#readStrings(this.#pendingRows, ids, kept);
  }

  #readStrings(batchRows: Int32Array, ids: Int32Array, count: number): void {
    const { words, width } = this.#rows;
    const { columns } = this.#rowLayout;
    for (let c = 0; c < columns.length; c++) {
      const source = this.#late[c];
      if (source === null || source === undefined) continue;
      const { strings, codes, validity } = source;
      const { carried, offset, nullWord, nullBit } = columns[c]!;
      const at = codes === null ? batchRows : chosenCodes(codes, batchRows, count);
      carried!.writeRows(strings, at, count, words, ids, width, offset, this.#shape.pool);
      if (validity === null) continue;
      markNulls(validity, batchRows, count, words, ids, width, offset, nullWord, nullBit);
    }
  }

  /** What came into the list of a partition in this step. */
  #emitBorn(owner: Int32Array, list: number, emit: Emit): void {
    const { words, width } = this.#rows;
    const count = owner[list + 1]!;
    for (let at = 0; at < count; at++) {
      const id = this.#lists.get(owner, list, at);
      if (words[id * width + this.#bornAt] === this.#step) this.#change(id, 1, at, emit);
    }
  }

  /** The places of a partition that another row took. */
  #emitPlaces(touched: number, owner: Int32Array, list: number, emit: Emit): void {
    const count = owner[list + 1]!;
    const first = touched === 0 ? 0 : this.#beforeAt[touched]!;
    const before = this.#beforeAt[touched + 1]! - first;
    for (let at = 0; at < count; at++) {
      const id = this.#lists.get(owner, list, at);
      if (at < before) {
        const was = this.#before[first + at]!;
        if (was === id) continue;
        this.#change(was, -1, at, emit);
      }
      this.#change(id, 1, at, emit);
    }
  }

  #change(id: number, weight: number, at: number, emit: Emit): void {
    if (this.#changed === changesMax) this.#write(emit);
    const i = this.#changed++;
    this.#changedIds[i] = id;
    this.#changedWeights[i] = weight;
    this.#numbers[2 * i] = at + 1;
  }

  #write(emit: Emit): void {
    const { words, width } = this.#rows;
    const rows = { words, stride: width, shift: 0, ids: this.#changedIds };
    const numbers = { words: this.#numbers, stride: 2, shift: 0, ids: null };
    this.#output.append([rows, numbers], this.#changedWeights, this.#changed, emit);
    this.#changed = 0;
  }
}

// ── data plane ── Loops over the rows of a batch.

function chosenCodes(codes: Int32Array, rows: Int32Array, count: number): Int32Array {
  const chosen = new Int32Array(count);
  for (let i = 0; i < count; i++) chosen[i] = codes[rows[i]!]!;
  return chosen;
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(array.length * 2);
  grown.set(array);
  return grown;
}

function copyWords(from: Int32Array, at: number, to: Int32Array, target: number, count: number): void {
  for (let k = 0; k < count; k++) to[target + k] = from[at + k]!;
}

/** Moves the records that still wait for their strings to the front, and ends their wait. */
function keepPending(
  ids: Int32Array,
  rows: Int32Array,
  count: number,
  words: Int32Array,
  width: number,
  pendingAt: number,
): number {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const id = ids[i]!;
    if (words[id * width + pendingAt] !== i + 1) continue;
    words[id * width + pendingAt] = 0;
    ids[kept] = id;
    rows[kept++] = rows[i]!;
  }
  return kept;
}

function markNulls(
  validity: Uint8Array,
  rows: Int32Array,
  count: number,
  words: Int32Array,
  ids: Int32Array,
  width: number,
  offset: number,
  nullWord: number,
  nullBit: number,
): void {
  for (let i = 0; i < count; i++) {
    if ((validity[rows[i]! >> 3]! & (1 << (rows[i]! & 7))) !== 0) continue;
    words[ids[i]! * width + offset] = 0;
    words[ids[i]! * width + nullWord]! |= nullBit;
  }
}
