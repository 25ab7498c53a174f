// Rows that may be at the extreme of their group, where a row that is passed by another one never will be: of n rows in any order about
// log n are left of each group. Stands in front of extreme-rows.ts.
//
//   ∆out = rows of ∆in whose group and value are not NULL, without those that are passed by one that came before in their group
//
// Rows are left out of groups that only grow: of all, where the input never deletes; or else of those that begin in a step and are behind the
// watermark when it ends (`settled`), which have no rows that could go. That asks for an input that tells of each row once in a step.
// State: for each group whether it only grows, and its extreme so far. Cost: O(changed rows).
// Not here: which rows are at the extreme, values with more than one form (the plan sees to it).
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { gatherColumn, gatherWeights } from '../../../runtime/batch/gather-column.ts';
import { ScratchRoom } from '../../../runtime/batch/scratch-room.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { RecordTable } from '../state/record-table.ts';
import { layoutOf, type RowLayout } from '../state/row-layout.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import { type ValueOrder, valueOrder } from '../state/value-order.ts';
import { keepThere, moveRows } from './extreme-kernels.ts';
import type { ExtremeRowsShape } from './extreme-rows.ts';
import { Forgetting, type ForgottenKey } from './forgetting.ts';

const blockRows = 256;

/** What is known of a group: nothing; its rows do not go, and its extreme so far is known; they may go. */
const unseen = 0;
const growing = 1;
const changing = 2;

/** Groups are below it whose column of 64 bits at `offset` is. */
interface SettledBound {
  readonly offset: number;
  readonly high: number;
  readonly low: number;
}

const everything: SettledBound = { offset: 0, high: Number.POSITIVE_INFINITY, low: 0 };
const nothing: SettledBound = { offset: 0, high: Number.NEGATIVE_INFINITY, low: 0 };

export class ExtremeCandidates implements Operator {
  readonly name = 'extreme candidates';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = true;
  readonly #shape: ExtremeRowsShape;
  readonly #keyLayout: RowLayout;
  readonly #valueLayout: RowLayout;
  readonly #order: ValueOrder;
  readonly #sign: 1 | -1;
  /** Groups below this, when they are first seen, only grow; null: all do. */
  readonly #settled: ForgottenKey | null;
  /** Words of a group behind its key: what is known of it, and its extreme so far. */
  readonly #groups: RecordTable;
  readonly #keys: Int32Array;
  readonly #values: Int32Array;
  readonly #ids: Int32Array = new Int32Array(blockRows);
  readonly #kept: Int32Array = new Int32Array(blockRows);
  /** Rows of the batch that go on. */
  #chosen: Int32Array = new Int32Array(blockRows);
  #scratch: ScratchRoom | null = null;
  #forgetting: Forgetting | null = null;

  /** `settled`: of a group column of 64 bits; null: the input never deletes. */
  constructor(shape: ExtremeRowsShape, settled: ForgottenKey | null) {
    this.#shape = shape;
    this.#settled = settled;
    const { schema, groups, value, extreme, pool } = shape;
    this.detail = `${extreme} #${value} by ${groups.map((g) => `#${g}`).join(', ')}`;
    this.#keyLayout = layoutOf(groups.map((g) => ({ ...schema.fields[g]!, nullable: false })));
    this.#valueLayout = layoutOf([{ ...schema.fields[value]!, nullable: false }]);
    this.#order = valueOrder(schema.fields[value]!.type, pool);
    this.#sign = extreme === 'max' ? 1 : -1;
    const keyWords = this.#keyLayout.words;
    const valueWords = this.#valueLayout.words;
    this.#groups = new RecordTable({ keyWords, extraWords: 1 + valueWords, hashMask: shape.hashMask ?? -1 });
    this.#keys = new Int32Array(blockRows * Math.max(1, keyWords));
    this.#values = new Int32Array(blockRows * valueWords);
  }

  lend(may: boolean): void {
    this.#scratch = may ? new ScratchRoom() : null;
  }

  push(_port: number, batch: ChangeBatch, emit: Emit): void {
    const { groups, value, pool } = this.#shape;
    const keys = groups.map((ordinal) => batch.columns[ordinal]!);
    const values = [batch.columns[value]!];
    const optional = [...keys, ...values].flatMap(({ validity }) => (validity === null ? [] : [validity]));
    const keyWords = this.#keyLayout.words;
    const valueWords = this.#valueLayout.words;
    if (batch.rows > this.#chosen.length) this.#chosen = new Int32Array(batch.rows);
    const bound = this.#bound();
    let rows = 0;
    for (let from = 0; from < batch.rows; from += blockRows) {
      const range = { from, to: Math.min(batch.rows, from + blockRows) };
      encodeRows(keys, this.#keyLayout, range, { words: this.#keys, stride: keyWords }, pool, false);
      encodeRows(values, this.#valueLayout, range, { words: this.#values, stride: valueWords }, pool, false);
      const count = keepThere(optional, from, range.to - from, this.#kept);
      if (count < range.to - from) {
        moveRows(this.#keys, keyWords, this.#kept, count);
        moveRows(this.#values, valueWords, this.#kept, count);
      }
      this.#groups.findOrInsert(this.#keys, keyWords, count, this.#ids);
      const state = { words: this.#groups.words, width: this.#groups.width, keyWords };
      const scratch = { values: this.#values, valueWords, kept: this.#kept };
      rows = choose(state, bound, this.#order, this.#sign, this.#ids, scratch, count, from, this.#chosen, rows);
    }
    if (rows > 0) emit(this.#chosenOf(batch, rows));
  }

  flush(_emit: Emit): void {
    const gone = this.#forgetting?.due(this.#groups.live, this.#groups, this.#keyLayout.columns);
    if (gone === undefined || gone.length === 0) return;
    this.#groups.removeAll(gone);
    this.#forgetting?.done(this.#groups.live);
  }

  /** Groups behind a watermark go. Between two steps. */
  forget(key: ForgottenKey): void {
    this.#forgetting = new Forgetting(key);
  }

  stateRows(): number {
    return this.#groups.live;
  }

  stateBytes(): number {
    return this.#groups.stateBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#groups.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#groups.restore(reader);
  }

  #bound(): SettledBound {
    if (this.#settled === null) return everything;
    const below = this.#settled.below();
    if (below === null) return nothing;
    const { offset } = this.#keyLayout.columns[this.#settled.position]!;
    const bits = BigInt(below);
    return { offset, high: Number(BigInt.asIntN(32, bits >> 32n)), low: Number(BigInt.asUintN(32, bits)) };
  }

  #chosenOf(batch: ChangeBatch, rows: number): ChangeBatch {
    if (rows === batch.rows) return batch;
    this.#scratch?.clear();
    const room = this.#scratch?.room;
    const columns = batch.columns.map((column) => gatherColumn(column, this.#chosen, rows, room));
    const weights = batch.weights === null ? null : gatherWeights(batch.weights, this.#chosen, rows, room);
    return { ...batch, rows, weights, columns };
  }
}

// ── data plane ──

interface GroupState {
  readonly words: Int32Array;
  readonly width: number;
  readonly keyWords: number;
}

/** Of a block: the values of its rows, and the positions of the rows. */
interface BlockRows {
  readonly values: Int32Array;
  readonly valueWords: number;
  readonly kept: Int32Array;
}

/** Writes the rows of a block that go on to `chosen`, from `rows` on; returns how many there are then. */
function choose(
  { words, width, keyWords }: GroupState,
  { offset, high, low }: SettledBound,
  order: ValueOrder,
  sign: 1 | -1,
  ids: Int32Array,
  { values, valueWords, kept }: BlockRows,
  count: number,
  from: number,
  chosen: Int32Array,
  rows: number,
): number {
  for (let i = 0; i < count; i++) {
    const at = ids[i]! * width + keyWords;
    if (words[at] === unseen) words[at] = isBelow(words, at - keyWords + offset, high, low) ? growing : changing;
    else if (words[at] === growing && sign * order(values, i * valueWords, words, at + 1) < 0) continue;
    for (let k = 0; k < valueWords; k++) words[at + 1 + k] = values[i * valueWords + k]!;
    chosen[rows++] = from + kept[i]!;
  }
  return rows;
}

function isBelow(words: Int32Array, at: number, high: number, low: number): boolean {
  const own = words[at + 1]!;
  return own < high || (own === high && words[at]! >>> 0 < low);
}
