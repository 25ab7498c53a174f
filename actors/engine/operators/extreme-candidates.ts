// Of rows that only come, those that may be at the extreme of their group: the others are below one that came before them, for ever.
//
//   ∆out = rows of ∆in whose group and value are not NULL and whose value is not passed by any that came before in their group
//
// Stands in front of extreme-rows.ts where its input never deletes: of n rows in any order about log n are left of each group.
// State: the extreme of each group so far. Cost: O(changed rows).
// Not here: which of them are at the extreme, values with more than one form (the plan sees to it).
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

export class ExtremeCandidates implements Operator {
  readonly name = 'extreme candidates';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = false;
  readonly #shape: ExtremeRowsShape;
  readonly #keyLayout: RowLayout;
  readonly #valueLayout: RowLayout;
  readonly #order: ValueOrder;
  readonly #sign: 1 | -1;
  /** Words of a group behind its key: whether it has an extreme, and that. */
  readonly #groups: RecordTable;
  readonly #keys: Int32Array;
  readonly #values: Int32Array;
  readonly #ids: Int32Array = new Int32Array(blockRows);
  readonly #kept: Int32Array = new Int32Array(blockRows);
  /** Rows of the batch that go on. */
  #chosen: Int32Array = new Int32Array(blockRows);
  #scratch: ScratchRoom | null = null;
  #forgetting: Forgetting | null = null;

  constructor(shape: ExtremeRowsShape) {
    this.#shape = shape;
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
      const { words, width } = this.#groups;
      for (let i = 0; i < count; i++) {
        const at = this.#ids[i]! * width + keyWords;
        if (words[at] === 1 && this.#sign * this.#order(this.#values, i * valueWords, words, at + 1) < 0) continue;
        words[at] = 1;
        for (let k = 0; k < valueWords; k++) words[at + 1 + k] = this.#values[i * valueWords + k]!;
        this.#chosen[rows++] = from + this.#kept[i]!;
      }
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

  #chosenOf(batch: ChangeBatch, rows: number): ChangeBatch {
    if (rows === batch.rows) return batch;
    this.#scratch?.clear();
    const room = this.#scratch?.room;
    const columns = batch.columns.map((column) => gatherColumn(column, this.#chosen, rows, room));
    const weights = batch.weights === null ? null : gatherWeights(batch.weights, this.#chosen, rows, room);
    return { ...batch, rows, weights, columns };
  }
}
