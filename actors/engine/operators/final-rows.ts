// emit_final: rows wait until nothing can change them any more.
//
//   out = rows whose column lies below the watermark          ∆out = those that it has passed, in the step in which it does
// State: the rows that wait, with their weights, in the order of the column. A change of a row that is below the watermark
// already passes at once. A row whose column is NULL is never final. Cost: O(log n) a changed row, O(1) more a row that leaves.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { OrderedRows } from '../state/ordered-rows.ts';
import { RecordTable } from '../state/record-table.ts';
import { type LayoutColumn, layoutOf, type RowLayout } from '../state/row-layout.ts';
import { rowOrder } from '../state/row-order.ts';
import { RowOutput } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { readNumber } from './window-frames.ts';

export interface FinalRowsShape {
  readonly schema: Schema;
  readonly ordinal: number;
  readonly pool: StringPool;
  /** The watermark in the stored units of the column; null: nothing is final yet. Read when a step ends. */
  readonly below: () => number | bigint | null;
  readonly hashMask?: number;
}

const blockRows = 2048;

export class FinalRows implements Operator {
  readonly name = 'final rows';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = false;
  readonly #shape: FinalRowsShape;
  readonly #layout: RowLayout;
  readonly #place: LayoutColumn;
  readonly #table: RecordTable;
  readonly #tree: OrderedRows;
  readonly #output: RowOutput;
  readonly #scratch: Int32Array;
  readonly #ids: Int32Array = new Int32Array(blockRows);

  constructor(shape: FinalRowsShape) {
    this.#shape = shape;
    const { schema, ordinal, pool } = shape;
    this.detail = `by ${schema.fields[ordinal]!.name}`;
    this.#layout = layoutOf(schema.fields);
    this.#place = this.#layout.columns[ordinal]!;
    const { words } = this.#layout;
    this.#table = new RecordTable({ keyWords: words, extraWords: 3, hashMask: shape.hashMask ?? -1 });
    const order = rowOrder(this.#layout, [{ ordinal, descending: false, nullsFirst: false }], pool);
    this.#tree = new OrderedRows(this.#table, words + 1, order);
    this.#output = new RowOutput(
      schema,
      this.#layout.columns.map((place) => ({ source: 0, place })),
      pool,
    );
    this.#scratch = new Int32Array(blockRows * words);
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    const stride = this.#layout.words;
    for (let from = 0; from < batch.rows; from += blockRows) {
      const to = Math.min(batch.rows, from + blockRows);
      encodeRows(batch.columns, this.#layout, { from, to }, { words: this.#scratch, stride }, this.#shape.pool, true);
      this.#table.findOrInsert(this.#scratch, stride, to - from, this.#ids);
      this.#apply(batch.weights, from, to - from);
    }
  }

  flush(emit: Emit): void {
    const below = this.#shape.below();
    if (below === null) return;
    const { words, width } = this.#table;
    const { offset, storage, nullWord, nullBit } = this.#place;
    const ids: number[] = [];
    this.#tree.visit((id) => {
      const base = id * width;
      if (nullWord >= 0 && (words[base + nullWord]! & nullBit) !== 0) return false;
      if (readNumber(words, base + offset, storage) >= below) return false;
      ids.push(id);
      return true;
    });
    if (ids.length === 0) return;
    const weights = Int32Array.from(ids, (id) => words[id * width + this.#layout.words]!);
    this.#output.append([{ words, stride: width, shift: 0, ids: Int32Array.from(ids) }], weights, ids.length, emit);
    this.#output.finish(emit);
    for (const id of ids) {
      this.#tree.remove(id);
      this.#table.remove(id);
    }
  }

  stateRows(): number {
    return this.#table.live;
  }

  stateBytes(): number {
    return this.#table.stateBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#table.snapshot(writer);
    writer.number(this.#tree.root);
  }

  restore(reader: SnapshotReader): void {
    this.#table.restore(reader);
    this.#tree.root = reader.number();
  }

  #apply(weights: Int32Array | null, from: number, count: number): void {
    const { words, width } = this.#table;
    const gone = new Set<number>();
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!;
      const at = id * width + this.#layout.words;
      const before = words[at]!;
      const after = before + (weights === null ? 1 : weights[from + i]!);
      words[at] = after;
      if (before === 0 && after !== 0) this.#tree.insert(id);
      else if (before !== 0 && after === 0) this.#tree.remove(id);
      if (after === 0) gone.add(id);
    }
    for (const id of gone) if (words[id * width + this.#layout.words] === 0) this.#table.remove(id);
  }
}
