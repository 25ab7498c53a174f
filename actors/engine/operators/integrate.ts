// The content of a relation that nothing else keeps: a multiset of whole rows with weights.
//
//   I(out) = Σ ∆in        state: one record a distinct row, with its weight        cost O(changed rows)
// Emits nothing while it runs; `contents` gives the rows. Rows whose weight falls to 0 are forgotten.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { RecordTable } from '../state/record-table.ts';
import { layoutOf, type RowLayout } from '../state/row-layout.ts';
import { RowOutput } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';

const blockRows = 4096;

export class Integrate implements Operator {
  readonly name = 'integrate';
  readonly detail: string;
  readonly passesOn: boolean = false;
  readonly #layout: RowLayout;
  readonly #table: RecordTable;
  readonly #pool: StringPool;
  readonly #output: RowOutput;
  readonly #scratch: Int32Array;
  readonly #ids: Int32Array = new Int32Array(blockRows);

  constructor(schema: Schema, pool: StringPool, detail: string, hashMask = -1) {
    this.detail = detail;
    this.#layout = layoutOf(schema.fields);
    this.#table = new RecordTable({ keyWords: this.#layout.words, extraWords: 1, hashMask });
    this.#pool = pool;
    this.#output = new RowOutput(
      schema,
      this.#layout.columns.map((place) => ({ source: 0, place })),
      pool,
    );
    this.#scratch = new Int32Array(blockRows * this.#layout.words);
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    const stride = this.#layout.words;
    const target = { words: this.#scratch, stride };
    for (let from = 0; from < batch.rows; from += blockRows) {
      const to = Math.min(batch.rows, from + blockRows);
      encodeRows(batch.columns, this.#layout, { from, to }, target, this.#pool, false);
      this.#table.findOrInsert(this.#scratch, stride, to - from, this.#ids);
      const table = this.#table;
      addWeights(table.words, table.width, stride, this.#ids, batch.weights, from, to - from);
      if (batch.weights !== null) this.#sweep(to - from);
    }
  }

  flush(_emit: Emit): void {}

  readonly contents = (emit: Emit): void => {
    const { words, width } = this.#table;
    const ids = this.#table.ids();
    const weights = new Int32Array(ids.length);
    for (let i = 0; i < ids.length; i++) weights[i] = words[ids[i]! * width + this.#layout.words]!;
    this.#output.append([{ words, stride: width, shift: 0, ids }], weights, ids.length, emit);
    this.#output.finish(emit);
  };

  stateRows(): number {
    return this.#table.live;
  }

  stateBytes(): number {
    return this.#table.stateBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#table.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#table.restore(reader);
  }

  #sweep(count: number): void {
    const table = this.#table;
    const weightAt = this.#layout.words;
    // A row may stand in the block twice but is removed once.
    const gone = new Set<number>();
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!;
      if (table.words[id * table.width + weightAt] === 0) gone.add(id);
    }
    for (const id of gone) table.remove(id);
  }
}

// ── data plane ──

function addWeights(
  words: Int32Array,
  width: number,
  weightAt: number,
  ids: Int32Array,
  weights: Int32Array | null,
  from: number,
  count: number,
): void {
  if (weights === null) for (let i = 0; i < count; i++) words[ids[i]! * width + weightAt]!++;
  else for (let i = 0; i < count; i++) words[ids[i]! * width + weightAt]! += weights[from + i]!;
}
