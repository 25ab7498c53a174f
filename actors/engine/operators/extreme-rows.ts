// The rows of each group that have its greatest (or least) value: R ⋈ (SELECT g, MAX(v) … GROUP BY g) ON g = g AND v = max.
//
//   out  = rows whose group and value are not NULL and whose value is the extreme of their group
//   ∆out = changes of rows at the extreme;  where it moved: -(rows that were at the old one) +(rows that are at the new one)
//
// State: all such rows with their weights, chained by group, and for each group its extreme and how many rows are at it.
// Cost: O(changed rows). A group whose extreme was left by all its rows, or passed by others, is looked through once, O(rows of the
// group), as the join would do.
// Not here: values with more than one form, such as floats (the plan sees to it).
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { RecordTable } from '../state/record-table.ts';
import { type LayoutColumn, layoutOf, type RowLayout } from '../state/row-layout.ts';
import { RowOutput } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { type ValueOrder, valueOrder } from '../state/value-order.ts';
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

const blockRows = 256;
const changesMax = 4096;

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
  readonly #output: RowOutput;
  /** Words of a group behind its key: first row + 1, rows at the extreme, whether it has one, its mark in a step, the extreme. */
  readonly #headAt: number;
  readonly #heldAt: number;
  readonly #hasBestAt: number;
  readonly #markAt: number;
  readonly #bestAt: number;
  /** Words of a row behind its columns: weight, weight before the step, next and previous + 1, group, touched. */
  readonly #weightAt: number;
  readonly #keyScratch: Int32Array;
  readonly #rowScratch: Int32Array;
  readonly #groupIds: Int32Array = new Int32Array(blockRows);
  readonly #rowIds: Int32Array = new Int32Array(blockRows);
  readonly #kept: Int32Array = new Int32Array(blockRows);
  #touchedRows: Int32Array = new Int32Array(64);
  #touchedRowCount = 0;
  #touchedGroups: Int32Array = new Int32Array(64);
  #touchedGroupCount = 0;
  readonly #changedIds: Int32Array = new Int32Array(changesMax);
  readonly #changedWeights: Int32Array = new Int32Array(changesMax);
  #changed = 0;
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
    this.#bestAt = keyWords + 4;
    this.#groups = new RecordTable({ keyWords, extraWords: 4 + this.#value.words, hashMask });
    this.#weightAt = this.#rowLayout.words;
    this.#rows = new RecordTable({ keyWords: this.#weightAt, extraWords: 6, hashMask });
    const columns = this.#rowLayout.columns.map((place) => ({ source: 0, place }));
    this.#output = new RowOutput(schema, columns, pool);
    this.#keyScratch = new Int32Array(blockRows * Math.max(1, keyWords));
    this.#rowScratch = new Int32Array(blockRows * this.#rowLayout.words);
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    const { pool, groups, value } = this.#shape;
    const keys = groups.map((ordinal) => batch.columns[ordinal]!);
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
      this.#rows.findOrInsert(this.#rowScratch, rowWords, count, this.#rowIds);
      for (let i = 0; i < count; i++) {
        const weight = batch.weights === null ? 1 : batch.weights[from + this.#kept[i]!]!;
        this.#apply(this.#rowIds[i]!, this.#groupIds[i]!, weight);
      }
    }
  }

  lend(may: boolean): void {
    this.#output.lend(may);
  }

  flush(emit: Emit): void {
    const { words: groups, width } = this.#groups;
    this.#noteTouched();
    for (let t = 0; t < this.#touchedGroupCount; t++) {
      const base = this.#touchedGroups[t]! * width;
      if (groups[base + this.#markAt] === passed || groups[base + this.#heldAt] === 0) this.#moveExtreme(base, emit);
    }
    this.#emitTouched(emit);
    this.#write(emit);
    this.#output.finish(emit);
    this.#release();
    if (this.#forgetting !== null) this.#forget(this.#forgetting);
  }

  /** Rows of old groups go. Between two steps. */
  forget(key: ForgottenKey): void {
    this.#forgetting = new Forgetting(key);
  }

  stateRows(): number {
    return this.#rows.live;
  }

  stateBytes(): number {
    return this.#rows.stateBytes + this.#groups.stateBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#groups.snapshot(writer);
    this.#rows.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#groups.restore(reader);
    this.#rows.restore(reader);
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
      const markAt = group * this.#groups.width + this.#markAt;
      if (this.#groups.words[markAt] === untouched) {
        this.#groups.words[markAt] = touched;
        if (this.#touchedGroupCount === this.#touchedGroups.length) this.#touchedGroups = doubled(this.#touchedGroups);
        this.#touchedGroups[this.#touchedGroupCount++] = group;
      }
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
    groups[base + this.#markAt] = moved;
    groups[base + this.#heldAt] = 0;
    groups[base + this.#hasBestAt] = best < 0 ? 0 : 1;
    if (best < 0) return;
    for (let k = 0; k < valueWords; k++) groups[base + this.#bestAt + k] = words[best * width + offset + k]!;
    for (let row = groups[base + this.#headAt]! - 1; row >= 0; ) {
      const at = row * width + this.#weightAt;
      if (words[at]! > 0 && this.#compare(row, base) === 0) {
        groups[base + this.#heldAt]!++;
        this.#change(row, words[at]!, emit);
      }
      row = words[at + 2]! - 1;
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
      if (groups.words[base + this.#headAt] === 0) groups.remove(this.#touchedGroups[t]!);
    }
    this.#touchedRowCount = 0;
    this.#touchedGroupCount = 0;
  }

  #forget(forgetting: Forgetting): void {
    const gone = forgetting.due(this.stateRows(), this.#groups, this.#keyLayout.columns);
    if (gone.length === 0) return;
    this.#rows.removeAll(rowsOf(gone, this.#groups, this.#headAt, this.#rows, this.#weightAt + 2));
    this.#groups.removeAll(gone);
    forgetting.done(this.stateRows());
  }

  #change(row: number, weight: number, emit: Emit): void {
    if (this.#changed === changesMax) this.#write(emit);
    this.#changedIds[this.#changed] = row;
    this.#changedWeights[this.#changed++] = weight;
  }

  #write(emit: Emit): void {
    const { words, width } = this.#rows;
    const rows = { words, stride: width, shift: 0, ids: this.#changedIds };
    this.#output.append([rows], this.#changedWeights, this.#changed, emit);
    this.#changed = 0;
  }
}

// ── data plane ──

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(array.length * 2);
  grown.set(array);
  return grown;
}

/** The rows in the chains of groups, in ascending order. */
function rowsOf(gone: Int32Array, groups: RecordTable, headAt: number, rows: RecordTable, nextAt: number): Int32Array {
  const { words, width } = rows;
  const isGone = new Uint8Array(words.length / width);
  let found = 0;
  for (let i = 0; i < gone.length; i++) {
    let row = groups.words[gone[i]! * groups.width + headAt]! - 1;
    while (row >= 0) {
      isGone[row] = 1;
      found++;
      row = words[row * width + nextAt]! - 1;
    }
  }
  const ids = new Int32Array(found);
  let at = 0;
  for (let row = 0; row < isGone.length; row++) if (isGone[row] !== 0) ids[at++] = row;
  return ids;
}

/** Writes the positions of the rows of a block that are NULL in no bitmap; returns how many there are. */
function keepThere(validities: readonly Uint8Array[], from: number, count: number, kept: Int32Array): number {
  if (validities.length === 0) {
    for (let i = 0; i < count; i++) kept[i] = i;
    return count;
  }
  let found = 0;
  for (let i = 0; i < count; i++) {
    const row = from + i;
    let there = 1;
    for (let v = 0; v < validities.length; v++) there &= validities[v]![row >> 3]! >> (row & 7);
    if (there !== 0) kept[found++] = i;
  }
  return found;
}

function moveRows(words: Int32Array, stride: number, kept: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const from = kept[i]! * stride;
    for (let k = 0; k < stride; k++) words[i * stride + k] = words[from + k]!;
  }
}
