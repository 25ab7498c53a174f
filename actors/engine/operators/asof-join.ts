// LEFT ASOF JOIN: each left row with the last right row of equal keys whose order is not above its own.
//
//   match(l)  = the greatest r (by its order, then by all columns) with the keys of l and r.order <= l.order, or NULLs
//   ∆out of l = w(l) · (l, match(l))
//   ∆out of r = for each l between r and the right row behind it: -(l, the row before r) +(l, r), or the other way round
//
// State: the rows of each side, in a search tree for each key. Left rows that came since the last change of the right rows of
// their key wait in a chain and are put in order when the next one comes: where the right side rarely changes, as a table of
// names or prices, they are only appended. Left rows that are never deleted are not looked for by their columns, so they need
// no table. A left row whose key or order is NULL matches nothing and is passed on; right rows have neither (the plan sees to it).
// Cost: O(log n) a left row, O(log n + rows between) a right row.
// Batches of the two sides may come in any order: each meets the other side as it is now.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { OrderedRows } from '../state/ordered-rows.ts';
import { RecordTable } from '../state/record-table.ts';
import { layoutOf, type RowLayout } from '../state/row-layout.ts';
import { type RowOrder, rowOrder } from '../state/row-order.ts';
import { RowOutput } from '../state/row-output.ts';
import { RowSlab } from '../state/row-slab.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { type ValueOrder, valueOrder } from '../state/value-order.ts';

export interface AsofInput {
  readonly schema: Schema;
  readonly keys: readonly number[];
  readonly order: number;
  /** Whether rows never go. */
  readonly appendOnly: boolean;
}

export interface AsofShape {
  readonly left: AsofInput;
  readonly right: AsofInput;
  /** Left columns, then right columns. */
  readonly schema: Schema;
  readonly pool: StringPool;
  readonly hashMask?: number;
}

const blockRows = 1024;
/** Matches that are gathered before they are written. */
const matchesMax = 8192;

interface Side<Rows extends RecordTable | RowSlab = RecordTable | RowSlab> {
  readonly input: AsofInput;
  readonly layout: RowLayout;
  readonly table: Rows;
  readonly tree: OrderedRows;
  readonly order: RowOrder;
  /** Word of the order column in a record. */
  readonly orderAt: number;
  /** Word of a key record that holds the root of this side's tree. */
  readonly rootAt: number;
  readonly scratch: Int32Array;
}

export class AsofJoin implements Operator {
  readonly name = 'asof join';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = false;
  readonly #shape: AsofShape;
  readonly #keyLayout: RowLayout;
  readonly #keys: RecordTable;
  readonly #sides: readonly [Side, Side<RecordTable>];
  /** Word of a key record that holds the first left row + 1 that waits to be put in order. */
  readonly #waitingAt: number;
  readonly #values: ValueOrder;
  readonly #output: RowOutput;
  readonly #keyScratch: Int32Array;
  readonly #keyIds: Int32Array = new Int32Array(blockRows);
  readonly #ids: Int32Array = new Int32Array(blockRows);
  readonly #leftIds: Int32Array = new Int32Array(matchesMax);
  readonly #rightIds: Int32Array = new Int32Array(matchesMax);
  readonly #weights: Int32Array = new Int32Array(matchesMax);
  /** Left rows without a match, on their way to the output. */
  readonly #alone: Int32Array = new Int32Array(matchesMax);
  readonly #aloneWeights: Int32Array = new Int32Array(matchesMax);
  #matches = 0;

  constructor(shape: AsofShape) {
    this.#shape = shape;
    const { left, right, schema, pool } = shape;
    const hashMask = shape.hashMask ?? -1;
    this.detail = `${left.keys.map((k, i) => `#${k} = #${right.keys[i]}`).join(', ')} at #${left.order} >= #${right.order}`;
    this.#keyLayout = layoutOf(left.keys.map((k) => ({ ...left.schema.fields[k]!, nullable: false })));
    const keyWords = this.#keyLayout.words;
    this.#keys = new RecordTable({ keyWords, extraWords: 3, hashMask });
    this.#waitingAt = keyWords + 2;
    this.#keyScratch = new Int32Array(blockRows * Math.max(1, keyWords));
    const sideOf = <Rows extends RecordTable | RowSlab>(
      input: AsofInput,
      i: number,
      layout: RowLayout,
      table: Rows,
    ): Side<Rows> => {
      const order = rowOrder(layout, [{ ordinal: input.order, descending: false, nullsFirst: true }], pool);
      const tree = new OrderedRows(table, layout.words + 1, order);
      const orderAt = layout.columns[input.order]!.offset;
      const scratch = new Int32Array(blockRows * layout.words);
      return { input, layout, table, tree, order, orderAt, rootAt: keyWords + i, scratch };
    };
    const tableOf = ({ words }: RowLayout): RecordTable =>
      new RecordTable({ keyWords: words, extraWords: 3, hashMask });
    const leftLayout = layoutOf(left.schema.fields, 0, left.appendOnly ? 'carried' : 'interned');
    const leftRows = left.appendOnly ? new RowSlab(leftLayout.words + 3) : tableOf(leftLayout);
    const rightLayout = layoutOf(right.schema.fields);
    this.#sides = [sideOf(left, 0, leftLayout, leftRows), sideOf(right, 1, rightLayout, tableOf(rightLayout))];
    this.#values = valueOrder(left.schema.fields[left.order]!.type, pool);
    const columns = this.#sides.flatMap(({ layout }, source) => layout.columns.map((place) => ({ source, place })));
    this.#output = new RowOutput(schema, columns, pool);
  }

  push(port: number, batch: ChangeBatch, emit: Emit): void {
    const side = this.#sides[port]!;
    for (let from = 0; from < batch.rows; from += blockRows) {
      const to = Math.min(batch.rows, from + blockRows);
      this.#load(side, batch, from, to);
      if (port === 0) this.#left(batch, from, to - from, emit);
      else this.#right(batch, from, to - from, emit);
    }
    this.#write(emit);
    this.#output.finish(emit);
  }

  flush(_emit: Emit): void {}

  stateRows(): number {
    return this.#sides[0].table.live + this.#sides[1].table.live;
  }

  stateBytes(): number {
    return this.#keys.stateBytes + this.#sides[0].table.stateBytes + this.#sides[1].table.stateBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#keys.snapshot(writer);
    for (const { table } of this.#sides) table.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#keys.restore(reader);
    for (const { table } of this.#sides) table.restore(reader);
  }

  /** Fills the ids of the rows of a block, and of their keys. */
  #load(side: Side, batch: ChangeBatch, from: number, to: number): void {
    const { pool } = this.#shape;
    const { layout, input, scratch } = side;
    const keyWords = this.#keyLayout.words;
    encodeRows(batch.columns, layout, { from, to }, { words: scratch, stride: layout.words }, pool, true);
    const keys = input.keys.map((ordinal) => batch.columns[ordinal]!);
    encodeRows(keys, this.#keyLayout, { from, to }, { words: this.#keyScratch, stride: keyWords }, pool, true);
    const { table } = side;
    if (table instanceof RecordTable) table.findOrInsert(scratch, layout.words, to - from, this.#ids);
    else {
      table.reserve(to - from);
      table.append(scratch, layout.words, to - from, this.#ids);
    }
    this.#keys.findOrInsert(this.#keyScratch, keyWords, to - from, this.#keyIds);
  }

  #left(batch: ChangeBatch, from: number, count: number, emit: Emit): void {
    const [left] = this.#sides;
    const { weights } = batch;
    const nullable = [...left.input.keys, left.input.order]
      .map((ordinal) => batch.columns[ordinal]!.validity)
      .filter((validity) => validity !== null);
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!;
      const key = this.#keyIds[i]!;
      const weight = weights === null ? 1 : weights[from + i]!;
      const isNull = nullable.length > 0 && nullable.some((validity) => isNullAt(validity, from + i));
      this.#add(id, isNull ? -1 : this.#matchOf(id, key), weight, emit);
      const at = id * left.table.width + left.layout.words;
      const before = left.table.words[at]!;
      left.table.words[at] = before + weight;
      if (isNull) continue;
      if (before === 0 && before + weight !== 0) this.#wait(id, key);
      else if (before !== 0 && before + weight === 0) {
        this.#putInOrder(key);
        left.tree.root = this.#keys.words[key * this.#keys.width + left.rootAt]!;
        left.tree.remove(id);
        this.#keys.words[key * this.#keys.width + left.rootAt] = left.tree.root;
      }
    }
    this.#write(emit);
    this.#sweep(left, count);
    this.#releaseKeys(count);
  }

  #wait(id: number, key: number): void {
    const { table, layout } = this.#sides[0];
    const at = key * this.#keys.width + this.#waitingAt;
    table.words[id * table.width + layout.words + 1] = this.#keys.words[at]!;
    this.#keys.words[at] = id + 1;
  }

  /** Puts the left rows of a key in order that have waited for it. */
  #putInOrder(key: number): void {
    const { table, layout, tree, rootAt } = this.#sides[0];
    const { words } = this.#keys;
    const base = key * this.#keys.width;
    let waiting = words[base + this.#waitingAt]!;
    if (waiting === 0) return;
    words[base + this.#waitingAt] = 0;
    tree.root = words[base + rootAt]!;
    while (waiting !== 0) {
      const next = table.words[(waiting - 1) * table.width + layout.words + 1]!;
      tree.insert(waiting - 1);
      waiting = next;
    }
    words[base + rootAt] = tree.root;
  }

  #right(batch: ChangeBatch, from: number, count: number, emit: Emit): void {
    const [, right] = this.#sides;
    const { weights } = batch;
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!;
      const key = this.#keyIds[i]!;
      const at = id * right.table.width + right.layout.words;
      const before = right.table.words[at]!;
      const after = before + (weights === null ? 1 : weights[from + i]!);
      right.table.words[at] = after;
      if (before > 0 === after > 0) continue;
      const rootAt = key * this.#keys.width + right.rootAt;
      right.tree.root = this.#keys.words[rootAt]!;
      if (after <= 0) right.tree.remove(id);
      this.#moveMatches(id, key, after > 0, emit);
      if (after > 0) right.tree.insert(id);
      this.#keys.words[rootAt] = right.tree.root;
    }
    this.#write(emit);
    this.#sweep(right, count);
    this.#releaseKeys(count);
  }

  /** The right row that a left row matches, -1 for none. */
  #matchOf(id: number, key: number): number {
    const [left, right] = this.#sides;
    const { tree, orderAt } = right;
    tree.root = this.#keys.words[key * this.#keys.width + right.rootAt]!;
    const own = id * left.table.width + left.orderAt;
    return tree.lastNotAbove(this.#values, orderAt, left.table.words, own);
  }

  /** The left rows between a right row and the next one move to it, or from it to the one before. It is not in the tree. */
  #moveMatches(id: number, key: number, comes: boolean, emit: Emit): void {
    const [left, right] = this.#sides;
    const { words, width } = right.table;
    const own = id * width;
    const previous = right.tree.lastWhere((base) => right.order(words, base, words, own) < 0);
    const next = right.tree.firstWhere((base) => right.order(words, base, words, own) > 0);
    this.#putInOrder(key);
    left.tree.root = this.#keys.words[key * this.#keys.width + left.rootAt]!;
    const { words: rows, width: rowWidth } = left.table;
    const nextAt = next * width + right.orderAt;
    left.tree.visitFrom(
      (base) => this.#values(rows, base + left.orderAt, words, own + right.orderAt) >= 0,
      (row) => {
        const base = row * rowWidth;
        if (next >= 0 && this.#values(rows, base + left.orderAt, words, nextAt) >= 0) return false;
        const weight = rows[base + left.layout.words]!;
        this.#add(row, previous, comes ? -weight : weight, emit);
        this.#add(row, id, comes ? weight : -weight, emit);
        return true;
      },
    );
  }

  #add(leftId: number, rightId: number, weight: number, emit: Emit): void {
    if (this.#matches === matchesMax) this.#write(emit);
    const at = this.#matches++;
    this.#leftIds[at] = leftId;
    this.#rightIds[at] = rightId;
    this.#weights[at] = weight;
  }

  /** Writes the gathered rows: those with a match, then those without. */
  #write(emit: Emit): void {
    const count = this.#matches;
    this.#matches = 0;
    const [left, right] = this.#sides;
    const { words, width: stride } = left.table;
    const matched = splitMatches(this.#leftIds, this.#rightIds, this.#weights, count, this.#alone, this.#aloneWeights);
    if (matched > 0) {
      const own = { words, stride, shift: 0, ids: this.#leftIds };
      const other = { words: right.table.words, stride: right.table.width, shift: 0, ids: this.#rightIds };
      this.#output.append([own, other], this.#weights, matched, emit);
    }
    if (matched === count) return;
    const own = { words, stride, shift: 0, ids: this.#alone };
    this.#output.append([own, null], this.#aloneWeights, count - matched, emit);
  }

  /** Forgets rows of the block whose weight is 0. */
  #sweep({ table, layout }: Side, count: number): void {
    if (!(table instanceof RecordTable)) return;
    const gone = new Set<number>();
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!;
      if (table.words[id * table.width + layout.words] === 0) gone.add(id);
    }
    for (const id of gone) table.remove(id);
  }

  /** Forgets keys of the block that neither side has any more. */
  #releaseKeys(count: number): void {
    const table = this.#keys;
    const keyWords = this.#keyLayout.words;
    const gone = new Set<number>();
    for (let i = 0; i < count; i++) {
      const base = this.#keyIds[i]! * table.width;
      const at = base + keyWords;
      if ((table.words[at]! | table.words[at + 1]! | table.words[at + 2]!) === 0) gone.add(this.#keyIds[i]!);
    }
    for (const id of gone) table.remove(id);
  }
}

// ── data plane ──

/** Moves the pairs with a match to the front and the left rows without one to arrays of their own; returns how many matched. */
function splitMatches(
  leftIds: Int32Array,
  rightIds: Int32Array,
  weights: Int32Array,
  count: number,
  alone: Int32Array,
  aloneWeights: Int32Array,
): number {
  let matched = 0;
  let others = 0;
  for (let i = 0; i < count; i++) {
    if (rightIds[i]! < 0) {
      alone[others] = leftIds[i]!;
      aloneWeights[others++] = weights[i]!;
      continue;
    }
    leftIds[matched] = leftIds[i]!;
    rightIds[matched] = rightIds[i]!;
    weights[matched++] = weights[i]!;
  }
  return matched;
}

function isNullAt(validity: Uint8Array | null, row: number): boolean {
  return validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0;
}
