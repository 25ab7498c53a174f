// The rows of each group that have its greatest (or least) value: R ⋈ (SELECT g, MAX(v) … GROUP BY g) ON g = g AND v = max.
//
//   out  = rows whose group and value are not NULL and whose value is the extreme of their group
//   ∆out = changes of rows at the extreme;  where it moved: -(rows that were at the old one) +(rows that are at the new one)
//
// State: all such rows with their weights, chained by group, and for each group its extreme and how many rows are at it.
// Rows that come are fresh until the step ends (state/fresh-rows.ts): those that stay are then put with the others, where they are
// found by their columns. A deletion that finds no row there ends this for its step, as fresh rows may have it.
// Cost: O(changed rows). A group whose extreme was left by all its rows, or passed by others, is looked through once, O(rows of the
// group), as the join would do.
// Not here: values with more than one form, such as floats (the plan sees to it).

import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { packed } from '../../../runtime/batch/packed-array.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { FreshRows } from '../state/fresh-rows.ts';
import { RecordTable } from '../state/record-table.ts';
import { type LayoutColumn, layoutOf, type RowLayout } from '../state/row-layout.ts';
import { RowOutput } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { type ValueOrder, valueOrder } from '../state/value-order.ts';
import { chooseDeletions, doubled, keepThere, moveRows, rowsOf } from './extreme-kernels.ts';
import { Forgetting, type ForgottenKey } from './forgetting.ts';

export interface ExtremeRowsShape {
  /** Of the input and of the output. */
  readonly schema: Schema;
  readonly groups: readonly number[];
  readonly value: number;
  readonly extreme: 'min' | 'max';
  readonly pool: StringPool;
  readonly hashMask?: number;
}

/** Marks of a group in a step. */
const untouched = 0;
const touched = 1;
/** It has rows beyond its extreme. */
const passed = 2;
const moved = 3;

/** In the place of the first fresh row: the group is being forgotten. */
const dropped = -1;

const blockRows = 256;
const changesMax = 4096;
const none: Int32Array = new Int32Array(0);

/** Rows that are on their way to the output. */
interface Changes {
  readonly ids: Int32Array;
  readonly weights: Int32Array;
  count: number;
}

export class ExtremeRows implements Operator {
  readonly name = 'extreme rows';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = false;
  readonly #shape: ExtremeRowsShape;
  readonly #keyLayout: RowLayout;
  readonly #rowLayout: RowLayout;
  readonly #value: LayoutColumn;
  readonly #order: ValueOrder;
  readonly #sign: 1 | -1;
  readonly #groups: RecordTable;
  readonly #rows: RecordTable;
  readonly #fresh: FreshRows;
  /** Whether the rows of this step are looked for by their columns at once. */
  #isEager = false;
  readonly #output: RowOutput;
  /**
   * Words of a group behind its key: first row + 1, rows at the extreme, whether it has one, its mark in a step, first fresh row + 1,
   * the extreme.
   */
  readonly #headAt: number;
  readonly #heldAt: number;
  readonly #hasBestAt: number;
  readonly #markAt: number;
  readonly #freshAt: number;
  readonly #bestAt: number;
  /** Words of a row behind its columns: weight, weight before the step, next and previous + 1, group, touched. */
  readonly #weightAt: number;
  readonly #keyScratch: Int32Array;
  readonly #rowScratch: Int32Array;
  readonly #groupIds: Int32Array = new Int32Array(blockRows);
  readonly #rowIds: Int32Array = new Int32Array(blockRows);
  readonly #kept: Int32Array = new Int32Array(blockRows);
  readonly #weights: Int32Array = new Int32Array(blockRows);
  readonly #deletions: Int32Array;
  #touchedRows: Int32Array = new Int32Array(64);
  #touchedRowCount = 0;
  #touchedGroups: Int32Array = new Int32Array(64);
  #touchedGroupCount = 0;
  readonly #changes: Changes = { ids: new Int32Array(changesMax), weights: new Int32Array(changesMax), count: 0 };
  readonly #freshChanges: Changes = { ids: new Int32Array(changesMax), weights: new Int32Array(changesMax), count: 0 };
  #forgetting: Forgetting | null = null;

  constructor(shape: ExtremeRowsShape) {
    this.#shape = shape;
    const { schema, groups, pool } = shape;
    const hashMask = shape.hashMask ?? -1;
    this.detail = `${shape.extreme} #${shape.value} by ${groups.map((g) => `#${g}`).join(', ')}`;
    this.#keyLayout = layoutOf(groups.map((g) => ({ ...schema.fields[g]!, nullable: false })));
    this.#rowLayout = layoutOf(schema.fields);
    this.#value = this.#rowLayout.columns[shape.value]!;
    this.#order = valueOrder(this.#value.type, pool);
    this.#sign = shape.extreme === 'max' ? 1 : -1;
    const keyWords = this.#keyLayout.words;
    this.#headAt = keyWords;
    this.#heldAt = keyWords + 1;
    this.#hasBestAt = keyWords + 2;
    this.#markAt = keyWords + 3;
    this.#freshAt = keyWords + 4;
    this.#bestAt = keyWords + 5;
    this.#groups = new RecordTable({ keyWords, extraWords: 5 + this.#value.words, hashMask });
    this.#weightAt = this.#rowLayout.words;
    this.#rows = new RecordTable({ keyWords: this.#weightAt, extraWords: 6, hashMask });
    this.#fresh = new FreshRows(this.#weightAt);
    const columns = this.#rowLayout.columns.map((place) => ({ source: 0, place }));
    this.#output = new RowOutput(schema, columns, pool);
    this.#keyScratch = new Int32Array(blockRows * Math.max(1, keyWords));
    this.#rowScratch = new Int32Array(blockRows * this.#rowLayout.words);
    this.#deletions = new Int32Array(blockRows * this.#rowLayout.words);
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    const { pool, groups, value } = this.#shape;
    const keys = packed(groups, (ordinal) => batch.columns[ordinal]!);
    const optional = [...keys, batch.columns[value]!].flatMap(({ validity }) => (validity === null ? [] : [validity]));
    const keyWords = this.#keyLayout.words;
    const rowWords = this.#rowLayout.words;
    for (let from = 0; from < batch.rows; from += blockRows) {
      const to = Math.min(batch.rows, from + blockRows);
      encodeRows(keys, this.#keyLayout, { from, to }, { words: this.#keyScratch, stride: keyWords }, pool, false);
      encodeRows(
        batch.columns,
        this.#rowLayout,
        { from, to },
        { words: this.#rowScratch, stride: rowWords },
        pool,
        false,
      );
      const count = keepThere(optional, from, to - from, this.#kept);
      if (count < to - from) {
        moveRows(this.#keyScratch, keyWords, this.#kept, count);
        moveRows(this.#rowScratch, rowWords, this.#kept, count);
      }
      this.#groups.findOrInsert(this.#keyScratch, keyWords, count, this.#groupIds);
      if (batch.weights === null) this.#weights.fill(1, 0, count);
      else for (let i = 0; i < count; i++) this.#weights[i] = batch.weights[from + this.#kept[i]!]!;
      if (!this.#isEager) this.#takeFresh(count);
      else this.#takeIndexed(this.#rowScratch, rowWords, this.#groupIds, this.#weights, count);
    }
  }

  lend(may: boolean): void {
    this.#output.lend(may);
  }

  flush(emit: Emit): void {
    const { words: groups, width } = this.#groups;
    this.#noteTouched();
    this.#noteFresh();
    for (let t = 0; t < this.#touchedGroupCount; t++) {
      const base = this.#touchedGroups[t]! * width;
      if (groups[base + this.#markAt] === passed || groups[base + this.#heldAt] === 0) this.#moveExtreme(base, emit);
    }
    this.#emitTouched(emit);
    this.#emitFresh(emit);
    this.#write(this.#changes, this.#rows, emit);
    this.#write(this.#freshChanges, this.#fresh, emit);
    this.#output.finish(emit);
    this.#release();
    const gone = this.#forgetting?.due(this.stateRows(), this.#groups, this.#keyLayout.columns) ?? none;
    this.#settle(gone);
    if (gone.length > 0) this.#forget(gone);
    this.#isEager = false;
  }

  /** Rows of old groups go. Between two steps. */
  forget(key: ForgottenKey): void {
    this.#forgetting = new Forgetting(key);
  }

  stateRows(): number {
    return this.#rows.live + this.#fresh.count;
  }

  stateBytes(): number {
    return this.#rows.stateBytes + this.#groups.stateBytes + this.#fresh.stateBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#groups.snapshot(writer);
    this.#rows.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#groups.restore(reader);
    this.#rows.restore(reader);
  }

  /** Takes a block: what comes is fresh, what goes is looked for among the rows of earlier steps. */
  #takeFresh(count: number): void {
    const weights = this.#weights;
    const rowWords = this.#rowLayout.words;
    const gone = chooseDeletions(this.#rowScratch, rowWords, weights, count, this.#deletions);
    if (gone > 0) {
      this.#rows.find(this.#deletions, rowWords, gone, this.#rowIds);
      if (this.#rowIds.subarray(0, gone).includes(-1)) {
        this.#indexFresh();
        this.#takeIndexed(this.#rowScratch, rowWords, this.#groupIds, weights, count);
        return;
      }
    }
    const fresh = this.#fresh;
    fresh.reserve(count);
    let deletion = 0;
    let isShort = false;
    for (let i = 0; i < count; i++) {
      const group = this.#groupIds[i]!;
      if (weights[i]! <= 0) {
        const row = this.#rowIds[deletion++]!;
        this.#apply(row, group, weights[i]!);
        if (this.#rows.words[row * this.#rows.width + this.#weightAt]! < 0) isShort = true;
        continue;
      }
      const { words, width } = this.#groups;
      const headAt = group * width + this.#freshAt;
      words[headAt] = fresh.append(this.#rowScratch, i * rowWords, weights[i]!, words[headAt]!, group) + 1;
      this.#touchGroup(group);
    }
    if (isShort) this.#indexFresh();
  }

  /** Takes rows of `stride` words, each to where it is found by its columns. */
  #takeIndexed(source: Int32Array, stride: number, groups: Int32Array, weights: Int32Array, count: number): void {
    this.#rows.findOrInsert(source, stride, count, this.#rowIds);
    for (let i = 0; i < count; i++) this.#apply(this.#rowIds[i]!, groups[i]!, weights[i]!);
  }

  /** From here on the rows of the step are with those of earlier ones. */
  #indexFresh(): void {
    this.#isEager = true;
    const fresh = this.#fresh;
    const groups = this.#groups;
    const [owners, weights] = [new Int32Array(blockRows), new Int32Array(blockRows)];
    for (let from = 0; from < fresh.count; from += blockRows) {
      const count = Math.min(blockRows, fresh.count - from);
      for (let i = 0; i < count; i++) {
        owners[i] = fresh.groupOf(from + i);
        weights[i] = fresh.weightOf(from + i);
        groups.words[owners[i]! * groups.width + this.#freshAt] = 0;
      }
      this.#takeIndexed(fresh.words.subarray(from * fresh.width), fresh.width, owners, weights, count);
    }
    fresh.clear();
  }

  #touchGroup(group: number): void {
    const markAt = group * this.#groups.width + this.#markAt;
    if (this.#groups.words[markAt] !== untouched) return;
    this.#groups.words[markAt] = touched;
    if (this.#touchedGroupCount === this.#touchedGroups.length) this.#touchedGroups = doubled(this.#touchedGroups);
    this.#touchedGroups[this.#touchedGroupCount++] = group;
  }

  #apply(row: number, group: number, weight: number): void {
    const { words, width } = this.#rows;
    const at = row * width + this.#weightAt;
    if (words[at + 5] === 0) {
      words[at + 5] = 1;
      words[at + 1] = words[at]!;
      if (words[at + 4] === 0) this.#link(row, group);
      if (this.#touchedRowCount === this.#touchedRows.length) this.#touchedRows = doubled(this.#touchedRows);
      this.#touchedRows[this.#touchedRowCount++] = row;
      this.#touchGroup(group);
    }
    words[at]! += weight;
  }

  /** Puts a new row in front of the rows of its group. */
  #link(row: number, group: number): void {
    const { words, width } = this.#rows;
    const at = row * width + this.#weightAt;
    const headAt = group * this.#groups.width + this.#headAt;
    const head = this.#groups.words[headAt]!;
    words[at + 2] = head;
    words[at + 3] = 0;
    words[at + 4] = group + 1;
    if (head !== 0) words[(head - 1) * width + this.#weightAt + 3] = row + 1;
    this.#groups.words[headAt] = row + 1;
  }

  #unlink(row: number): void {
    const { words, width } = this.#rows;
    const at = row * width + this.#weightAt;
    const next = words[at + 2]!;
    const previous = words[at + 3]!;
    if (next !== 0) words[(next - 1) * width + this.#weightAt + 3] = previous;
    if (previous !== 0) words[(previous - 1) * width + this.#weightAt + 2] = next;
    else this.#groups.words[(words[at + 4]! - 1) * this.#groups.width + this.#headAt] = next;
  }

  /** How a row's value compares with the extreme of its group: positive where it passes it. */
  #compare(row: number, groupBase: number): number {
    const { words, width } = this.#rows;
    const { offset } = this.#value;
    return this.#sign * this.#order(words, row * width + offset, this.#groups.words, groupBase + this.#bestAt);
  }

  /** Counts the rows that came to the extreme of their group and left it, and marks groups that have rows beyond theirs. */
  #noteTouched(): void {
    const { words, width } = this.#rows;
    const { words: groups, width: groupWidth } = this.#groups;
    for (let t = 0; t < this.#touchedRowCount; t++) {
      const row = this.#touchedRows[t]!;
      const at = row * width + this.#weightAt;
      const is = words[at]! > 0;
      const base = (words[at + 4]! - 1) * groupWidth;
      const compared = groups[base + this.#hasBestAt] === 0 ? 1 : this.#compare(row, base);
      if (compared > 0 && is) groups[base + this.#markAt] = passed;
      else if (compared === 0 && is !== words[at + 1]! > 0) groups[base + this.#heldAt]! += is ? 1 : -1;
    }
  }

  /** How a fresh row's value compares with the extreme of its group. */
  #compareFresh(row: number, groupBase: number): number {
    const { words, width } = this.#fresh;
    const { offset } = this.#value;
    return this.#sign * this.#order(words, row * width + offset, this.#groups.words, groupBase + this.#bestAt);
  }

  /** The same as for touched rows; all fresh ones have come. */
  #noteFresh(): void {
    const { words: groups, width } = this.#groups;
    for (let row = 0; row < this.#fresh.count; row++) {
      const base = this.#fresh.groupOf(row) * width;
      if (groups[base + this.#markAt] === passed) continue;
      const compared = groups[base + this.#hasBestAt] === 0 ? 1 : this.#compareFresh(row, base);
      if (compared > 0) groups[base + this.#markAt] = passed;
      else if (compared === 0) groups[base + this.#heldAt]!++;
    }
  }

  /** Gives a group its new extreme; tells of the rows that were at the old one and those that are at the new one. */
  #moveExtreme(base: number, emit: Emit): void {
    const groups = this.#groups.words;
    const { words, width } = this.#rows;
    const { offset, words: valueWords } = this.#value;
    const order = this.#order;
    const hadBest = groups[base + this.#hasBestAt] === 1;
    let best = -1;
    for (let row = groups[base + this.#headAt]! - 1; row >= 0; ) {
      const at = row * width + this.#weightAt;
      const own = row * width + offset;
      const before = words[at + 5] === 1 ? words[at + 1]! : words[at]!;
      if (hadBest && before > 0 && this.#compare(row, base) === 0) this.#change(row, -before, emit);
      if (words[at]! > 0 && (best < 0 || this.#sign * order(words, own, words, best * width + offset) > 0)) best = row;
      row = words[at + 2]! - 1;
    }
    const fresh = this.#fresh;
    let freshBest = -1;
    for (let row = groups[base + this.#freshAt]! - 1; row >= 0; row = fresh.nextOf(row) - 1) {
      const own = row * fresh.width + offset;
      const other = freshBest * fresh.width + offset;
      if (freshBest < 0 || this.#sign * order(fresh.words, own, fresh.words, other) > 0) freshBest = row;
    }
    groups[base + this.#markAt] = moved;
    groups[base + this.#heldAt] = 0;
    groups[base + this.#hasBestAt] = best < 0 && freshBest < 0 ? 0 : 1;
    if (best < 0 && freshBest < 0) return;
    const [at, freshAt] = [best * width + offset, freshBest * fresh.width + offset];
    const isFresh = best < 0 || (freshBest >= 0 && this.#sign * order(fresh.words, freshAt, words, at) > 0);
    for (let k = 0; k < valueWords; k++) {
      groups[base + this.#bestAt + k] = isFresh ? fresh.words[freshAt + k]! : words[at + k]!;
    }
    for (let row = groups[base + this.#headAt]! - 1; row >= 0; ) {
      const own = row * width + this.#weightAt;
      if (words[own]! > 0 && this.#compare(row, base) === 0) {
        groups[base + this.#heldAt]!++;
        this.#change(row, words[own]!, emit);
      }
      row = words[own + 2]! - 1;
    }
    for (let row = groups[base + this.#freshAt]! - 1; row >= 0; row = fresh.nextOf(row) - 1) {
      if (this.#compareFresh(row, base) !== 0) continue;
      groups[base + this.#heldAt]!++;
      this.#changeFresh(row, emit);
    }
  }

  /** Tells of changed rows at extremes that stayed. */
  #emitTouched(emit: Emit): void {
    const { words, width } = this.#rows;
    const { words: groups, width: groupWidth } = this.#groups;
    for (let t = 0; t < this.#touchedRowCount; t++) {
      const row = this.#touchedRows[t]!;
      const at = row * width + this.#weightAt;
      const base = (words[at + 4]! - 1) * groupWidth;
      if (groups[base + this.#markAt] === moved || this.#compare(row, base) !== 0) continue;
      const change = Math.max(0, words[at]!) - Math.max(0, words[at + 1]!);
      if (change !== 0) this.#change(row, change, emit);
    }
  }

  /** The same of fresh rows. */
  #emitFresh(emit: Emit): void {
    const { words: groups, width } = this.#groups;
    for (let row = 0; row < this.#fresh.count; row++) {
      const base = this.#fresh.groupOf(row) * width;
      if (groups[base + this.#markAt] === moved || this.#compareFresh(row, base) !== 0) continue;
      this.#changeFresh(row, emit);
    }
  }

  /** Ends the marks of a step, and forgets rows without weight and groups without rows. */
  #release(): void {
    const rows = this.#rows;
    for (let t = 0; t < this.#touchedRowCount; t++) {
      const row = this.#touchedRows[t]!;
      const at = row * rows.width + this.#weightAt;
      rows.words[at + 5] = 0;
      if (rows.words[at] !== 0) continue;
      this.#unlink(row);
      rows.remove(row);
    }
    const groups = this.#groups;
    for (let t = 0; t < this.#touchedGroupCount; t++) {
      const base = this.#touchedGroups[t]! * groups.width;
      groups.words[base + this.#markAt] = untouched;
      const isEmpty = groups.words[base + this.#headAt] === 0 && groups.words[base + this.#freshAt] === 0;
      if (isEmpty) groups.remove(this.#touchedGroups[t]!);
    }
    this.#touchedRowCount = 0;
    this.#touchedGroupCount = 0;
  }

  /** Puts the fresh rows with those of earlier steps, but for those of groups that go. */
  #settle(gone: Int32Array): void {
    const fresh = this.#fresh;
    if (fresh.count === 0) return;
    const rows = this.#rows;
    const groups = this.#groups;
    for (let i = 0; i < gone.length; i++) groups.words[gone[i]! * groups.width + this.#freshAt] = dropped;
    if (gone.length > 0) fresh.keep(groups.words, groups.width, this.#freshAt, dropped);
    for (let from = 0; from < fresh.count; from += blockRows) {
      const count = Math.min(blockRows, fresh.count - from);
      rows.findOrInsert(fresh.words.subarray(from * fresh.width), fresh.width, count, this.#rowIds);
      for (let i = 0; i < count; i++) {
        const row = this.#rowIds[i]!;
        const group = fresh.groupOf(from + i);
        const at = row * rows.width + this.#weightAt;
        const base = group * groups.width;
        groups.words[base + this.#freshAt] = 0;
        // An equal row that is there was counted as another one.
        if (rows.words[at] !== 0 && this.#compare(row, base) === 0) groups.words[base + this.#heldAt]!--;
        if (rows.words[at + 4] === 0) this.#link(row, group);
        rows.words[at]! += fresh.weightOf(from + i);
      }
    }
    fresh.clear();
  }

  #forget(gone: Int32Array): void {
    const rows = this.#rows;
    if (rows.live > 0) rows.removeAll(rowsOf(gone, this.#groups, this.#headAt, rows, this.#weightAt + 2));
    this.#groups.removeAll(gone);
    this.#forgetting!.done(this.stateRows());
  }

  #change(row: number, weight: number, emit: Emit): void {
    const changes = this.#changes;
    if (changes.count === changesMax) this.#write(changes, this.#rows, emit);
    changes.ids[changes.count] = row;
    changes.weights[changes.count++] = weight;
  }

  #changeFresh(row: number, emit: Emit): void {
    const changes = this.#freshChanges;
    if (changes.count === changesMax) this.#write(changes, this.#fresh, emit);
    changes.ids[changes.count] = row;
    changes.weights[changes.count++] = this.#fresh.weightOf(row);
  }

  #write(changes: Changes, { words, width }: RecordTable | FreshRows, emit: Emit): void {
    const rows = { words, stride: width, shift: 0, ids: changes.ids };
    this.#output.append([rows], changes.weights, changes.count, emit);
    changes.count = 0;
  }
}
