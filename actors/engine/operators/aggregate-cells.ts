// What an aggregate keeps of a group: cells in the record of the group, and multisets of values beside it.
//
//   count     number of rows seen (sum of weights)                      one double
//   sum       exact integer or decimal sum, or compensated float sum    2 to 5 doubles       (state/exact-sum.ts)
//   values    multiset of values: DISTINCT, and MIN/MAX with deletions  roots in two doubles (state/value-multiset.ts)
//   extreme   MIN or MAX of input that only grows                       the value and a mark
// Calls that need the same cell share it: AVG(x), SUM(x) and COUNT(x) keep one sum and one count. "Seen" are the rows whose
// FILTER is true and whose operand is not NULL; with DISTINCT a row has the weight by which its value came or went.
// Not here: what is made of cells (aggregate-results.ts), groups and their changes (aggregate.ts).
import { assert } from '../../../runtime/assert.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { type SqlType, type Storage, storageOf } from '../../../runtime/batch/sql-type.ts';
import {
  addFloat,
  addFourWords,
  addTwoWords,
  addWords,
  carry,
  doublesOfFloatSum,
  limbsOfDecimal,
  limbsOfTwoWords,
  limbsOfWord,
  weightMax,
} from '../state/exact-sum.ts';
import type { RecordTable } from '../state/record-table.ts';
import { wordsOf } from '../state/row-layout.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { ValueMultiset } from '../state/value-multiset.ts';
import { type ValueOrder, valueOrder } from '../state/value-order.ts';
import { type AddKernel, addKernel } from './aggregate-kernel-source.ts';

/** An aggregate over columns of its input. */
export interface AggregateColumn {
  /** The operand of array_agg is the JSON text of an element, never NULL. */
  readonly function: 'count' | 'sum' | 'min' | 'max' | 'avg' | 'array_agg';
  /** Ordinal of the operand, null for COUNT(*). */
  readonly operand: number | null;
  readonly operandType: SqlType | null;
  readonly operandNullable: boolean;
  readonly distinct: boolean;
  /** Ordinal of a BOOLEAN column, or null. */
  readonly filter: number | null;
  readonly type: SqlType;
}

/** A block of rows on its way into the cells. Operand columns lie in `words` at their shift. */
export interface CellRows {
  readonly batch: ChangeBatch;
  readonly from: number;
  readonly count: number;
  readonly words: Int32Array;
  readonly stride: number;
  readonly ids: Int32Array;
  /** Weights of all rows of the block. */
  readonly weights: Int32Array;
}

export interface CellContext {
  readonly groups: RecordTable;
  /** Word shift of an operand in a block's records. */
  readonly shiftOf: (operand: number) => number;
}

export interface CellPlan {
  readonly pool: StringPool;
  /** Whether the input never deletes. */
  readonly appendOnly: boolean;
  readonly hashMask: number;
}

type CellKind = 'count' | 'sum' | 'extreme' | 'values';

/** One cell: where it lies and of which rows. */
export interface Cell {
  readonly kind: CellKind;
  readonly operand: number | null;
  readonly filter: number | null;
  readonly distinct: boolean;
  readonly storage: Storage | null;
  /** Double of a group's record (counted from its start) at which the cell begins. */
  readonly at: number;
  readonly doubles: number;
  readonly sign: 1 | -1;
  readonly order: ValueOrder | null;
  readonly multiset: ValueMultiset | null;
  /** Lane of the multiset, which belongs to all cells over one operand. */
  readonly lane: number;
}

/** The records of the groups of a block stay in the first cache between the passes over it. */
export const blockRowsMax = 256;

/** Three words of a group's record belong to a lane of a multiset. */
const doublesOfLane = 2;

/** The cells of all aggregates of a node. */
export class AggregateCells {
  readonly #plan: CellPlan;
  readonly #cells: Cell[] = [];
  readonly #rowCountAt: number;
  #next: number;
  readonly #active: Map<string, Int32Array> = new Map();
  /** Each multiset with the cells of its lanes. */
  readonly #values: Map<ValueMultiset, Cell[]> = new Map();
  /** Adds to all cells at once, where counts and sums of integers are all there is; made when it is first needed. */
  #addAll: AddKernel | null | undefined;
  #singles: Float32Array = new Float32Array(0);

  /** Cells begin at double `firstDouble`; `rowCountAt` is the double that counts all rows of the group. */
  constructor(firstDouble: number, rowCountAt: number, calls: readonly AggregateColumn[], plan: CellPlan) {
    this.#plan = plan;
    this.#next = firstDouble;
    this.#rowCountAt = rowCountAt;
    // A multiset is made once for an operand, for all who need it; so what is needed of it has to be known first.
    for (const call of calls) if (this.#needsValues(call)) this.#addValues(call.operand!, calls);
    for (const call of calls) this.#addCells(call);
  }

  get pool(): StringPool {
    return this.#plan.pool;
  }

  /** Doubles of a group's record that the cells take. */
  get end(): number {
    return this.#next;
  }

  /** The double that counts the rows which a call sees. */
  countAt(call: AggregateColumn): number {
    if (call.filter === null && !call.distinct && (call.operand === null || !call.operandNullable))
      return this.#rowCountAt;
    return this.#get('count', call).at;
  }

  sumOf(call: AggregateColumn): Cell {
    return this.#get('sum', call);
  }

  extremeOf(call: AggregateColumn): Cell {
    return this.#needsValues(call) ? this.#get('values', call) : this.#get('extreme', call);
  }

  /** Forgets the values of groups. */
  forget(groups: Int32Array): void {
    for (const multiset of this.#values.keys()) multiset.forget(groups);
  }

  /** The lanes of multisets, for the question whether a group may be forgotten. */
  get lanes(): readonly Cell[] {
    return [...this.#values.values()].flat();
  }

  /** Values that are kept beside the groups, and their bytes. */
  get valueRows(): number {
    return [...this.#values.keys()].reduce((rows, multiset) => rows + multiset.rows, 0);
  }

  get valueBytes(): number {
    return [...this.#values.keys()].reduce((bytes, multiset) => bytes + multiset.stateBytes, 0);
  }

  /** Applies a block of rows to the cells of their groups. */
  add(rows: CellRows, context: CellContext): void {
    const { groups } = context;
    if (this.#addAll === undefined) this.#addAll = this.#kernel(context);
    if (this.#addAll !== null && this.#seesAll(rows)) {
      this.#addAll(rows.ids, rows.weights, rows.count, groups.doubles, rows.words, rows.stride, carry);
      return;
    }
    addCounts(rows.ids, rows.weights, rows.count, groups.doubles, groups.width >> 1, this.#rowCountAt);
    for (const [multiset, lanes] of this.#values) {
      const shift = context.shiftOf(lanes[0]!.operand!);
      const seenBy = lanes.map((cell) => ({
        weights: this.#activeWeights(cell, rows),
        effects: this.#weightsFor(`d${cell.operand}/${cell.filter}`),
      }));
      const { words, stride, ids, count } = rows;
      multiset.change({ words, stride, shift, ids, count }, seenBy, groups);
    }
    for (const cell of this.#cells) {
      if (cell.kind === 'values') continue;
      const weights = cell.distinct
        ? this.#weightsFor(`d${cell.operand}/${cell.filter}`)
        : this.#activeWeights(cell, rows);
      this.#addTo(cell, rows, context, weights);
    }
  }

  #kernel(context: CellContext): AddKernel | null {
    const cells = this.#cells;
    const isPlain = (cell: Cell): boolean =>
      !cell.distinct &&
      cell.filter === null &&
      (cell.kind === 'count' || (cell.kind === 'sum' && isWords(cell.storage!)));
    if (!cells.every(isPlain)) return null;
    const counts = cells.filter((cell) => cell.kind === 'count').map((cell) => cell.at);
    const sums = cells
      .filter((cell) => cell.kind === 'sum')
      .map(({ at, storage, operand }) => ({ at, limbs: limbsOf(storage!), shift: context.shiftOf(operand!) }));
    return addKernel(context.groups.width >> 1, [this.#rowCountAt, ...counts], sums);
  }

  /** Whether no operand of the block is NULL and no weight is great. */
  #seesAll({ batch, weights, count }: CellRows): boolean {
    for (const { operand } of this.#cells)
      if (operand !== null && batch.columns[operand]!.validity !== null) return false;
    return batch.weights === null || areSmall(weights, count);
  }

  snapshot(writer: SnapshotWriter): void {
    for (const multiset of this.#values.keys()) multiset.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    for (const multiset of this.#values.keys()) multiset.restore(reader);
  }

  #needsValues(call: AggregateColumn): boolean {
    const extreme = call.function === 'min' || call.function === 'max';
    if (call.function === 'array_agg') return true;
    return extreme ? !this.#plan.appendOnly : call.distinct;
  }

  #addValues(operand: number, calls: readonly AggregateColumn[]): void {
    const over = calls.filter((call) => call.operand === operand && this.#needsValues(call));
    const lanes = [...new Set(over.map((call) => call.filter))].map((filter) => {
      const names = over.filter((call) => call.filter === filter).map((call) => call.function);
      // The heap is also how the values of a group are found.
      const min = names.includes('array_agg') || (!this.#plan.appendOnly && names.includes('min'));
      return { filter, min, max: !this.#plan.appendOnly && names.includes('max') };
    });
    const [call] = over;
    if (call === undefined || this.#find('values', call) !== undefined) return;
    const storage = storageOf(call.operandType!);
    const order = valueOrder(call.operandType!, this.#plan.pool);
    const multiset = new ValueMultiset({
      valueWords: wordsOf(storage),
      order,
      lanes: lanes.map(({ min, max }, lane) => ({ min, max, groupAt: (this.#next + lane * doublesOfLane) * 2 })),
      hashMask: this.#plan.hashMask,
    });
    lanes.forEach(({ filter }, lane) => {
      this.#push('values', { ...call, filter, distinct: true }, storage, doublesOfLane, order, multiset, lane);
    });
    this.#values.set(
      multiset,
      this.#cells.filter((cell) => cell.multiset === multiset),
    );
  }

  #addCells(call: AggregateColumn): void {
    const storage = call.operandType === null ? null : storageOf(call.operandType);
    if (call.function === 'min' || call.function === 'max') {
      if (this.#plan.appendOnly) {
        if (this.#find('extreme', call) === undefined)
          this.#push(
            'extreme',
            call,
            storage,
            (wordsOf(storage!) >> 1) + 1,
            valueOrder(call.operandType!, this.#plan.pool),
            null,
          );
      }
      return;
    }
    if (call.function === 'array_agg') return;
    if (call.function === 'sum' || call.function === 'avg') {
      if (this.#find('sum', call) === undefined) this.#push('sum', call, storage, doublesOfSum(storage!), null, null);
    }
    this.#addCount(call);
  }

  #addCount(call: AggregateColumn): void {
    const plain = call.filter === null && !call.distinct && (call.operand === null || !call.operandNullable);
    if (!plain && this.#find('count', call) === undefined) this.#push('count', call, null, 1, null, null);
  }

  #push(
    kind: CellKind,
    call: AggregateColumn,
    storage: Storage | null,
    doubles: number,
    order: ValueOrder | null,
    multiset: ValueMultiset | null,
    lane = 0,
  ): void {
    const sign = call.function === 'max' ? -1 : 1;
    const { operand, filter, distinct } = call;
    this.#cells.push({
      kind,
      operand,
      filter,
      distinct,
      storage,
      at: this.#next,
      doubles,
      sign,
      order,
      multiset,
      lane,
    });
    this.#next += doubles;
  }

  #find(kind: CellKind, call: AggregateColumn): Cell | undefined {
    const sign = call.function === 'max' ? -1 : 1;
    return this.#cells.find(
      (cell) =>
        cell.kind === kind &&
        cell.operand === call.operand &&
        cell.filter === call.filter &&
        (kind === 'values' || cell.distinct === call.distinct) &&
        (kind !== 'extreme' || cell.sign === sign),
    );
  }

  #get(kind: CellKind, call: AggregateColumn): Cell {
    const cell = this.#find(kind, call);
    assert(cell !== undefined, 'an aggregate has its cells');
    return cell;
  }

  #weightsFor(key: string): Int32Array {
    let weights = this.#active.get(key);
    if (weights === undefined) this.#active.set(key, (weights = new Int32Array(blockRowsMax)));
    return weights;
  }

  /** Weights of the rows that a cell sees, 0 for the others. */
  #activeWeights(cell: Cell, rows: CellRows): Int32Array {
    const operand = cell.operand === null ? null : rows.batch.columns[cell.operand]!;
    const filter = cell.filter === null ? null : rows.batch.columns[cell.filter]!;
    const nulls = operand?.validity ?? null;
    if (nulls === null && filter === null) return rows.weights;
    const out = this.#weightsFor(`${cell.operand}/${cell.filter}`);
    out.set(rows.weights.subarray(0, rows.count));
    if (nulls !== null) clearNulls(nulls, rows.from, rows.count, out);
    if (filter !== null) {
      assert(filter.layout === 'fixed', 'a filter is a BOOLEAN column');
      // SAFETY: BOOLEAN is stored as bytes.
      clearFalse(filter.values as Uint8Array, rows.from, rows.count, out);
      if (filter.validity !== null) clearNulls(filter.validity, rows.from, rows.count, out);
    }
    return out;
  }

  #addTo(cell: Cell, rows: CellRows, context: CellContext, weights: Int32Array): void {
    const { words, stride, ids, count } = rows;
    const { groups } = context;
    const width = groups.width >> 1;
    const { doubles } = groups;
    if (cell.kind === 'count') {
      addCounts(ids, weights, count, doubles, width, cell.at);
      return;
    }
    const shift = context.shiftOf(cell.operand!);
    if (cell.kind === 'extreme') {
      this.#addExtreme(cell, rows, groups, shift, weights);
      return;
    }
    switch (cell.storage!) {
      case 'f64':
        addDoubles(words, stride, shift, ids, weights, count, doubles, width, cell.at);
        break;
      case 'f32':
        if (this.#singles.buffer !== words.buffer) this.#singles = new Float32Array(words.buffer);
        addSingles(this.#singles, stride, shift, ids, weights, count, doubles, width, cell.at);
        break;
      case 'i64':
        addTwoWords(words, stride, shift, ids, weights, count, doubles, width, cell.at);
        break;
      case 'i128':
        addFourWords(words, stride, shift, ids, weights, count, doubles, width, cell.at);
        break;
      default:
        addWords(words, stride, shift, ids, weights, count, doubles, width, cell.at);
    }
  }

  /** Only for input that never deletes. The last word of the cell is 1 once the group has a value. */
  #addExtreme(cell: Cell, rows: CellRows, groups: RecordTable, shift: number, weights: Int32Array): void {
    const { words, stride, ids, count } = rows;
    const size = wordsOf(cell.storage!);
    const order = cell.order!;
    const { sign } = cell;
    const seen = markOf(cell);
    for (let i = 0; i < count; i++) {
      const weight = weights[i]!;
      if (weight === 0) continue;
      const group = ids[i]! * groups.width;
      const at = group + cell.at * 2;
      const read = i * stride + shift;
      if (groups.words[group + seen] === 0 || sign * order(words, read, groups.words, at) < 0) {
        for (let k = 0; k < size; k++) groups.words[at + k] = words[read + k]!;
        groups.words[group + seen] = 1;
      }
    }
  }
}

/** The word of a group's record that says whether an `extreme` cell has a value. */
export function markOf(cell: Cell): number {
  return (cell.at + cell.doubles) * 2 - 1;
}

/** Doubles that a sum over values of this storage takes. */
function doublesOfSum(storage: Storage): number {
  if (storage === 'f32' || storage === 'f64') return doublesOfFloatSum;
  return limbsOf(storage);
}

function isWords(storage: Storage): boolean {
  return storage !== 'f32' && storage !== 'f64' && storage !== 'i128' && storage !== 'bytes';
}

/** Limbs of an exact sum over values of this storage. */
export function limbsOf(storage: Storage): number {
  if (storage === 'i128') return limbsOfDecimal;
  return storage === 'i64' ? limbsOfTwoWords : limbsOfWord;
}

// ── data plane ──

function areSmall(weights: Int32Array, count: number): boolean {
  for (let i = 0; i < count; i++) if (weights[i]! > weightMax || weights[i]! < -weightMax) return false;
  return true;
}

function addCounts(
  ids: Int32Array,
  weights: Int32Array,
  count: number,
  doubles: Float64Array,
  width: number,
  cell: number,
): void {
  for (let i = 0; i < count; i++) doubles[ids[i]! * width + cell]! += weights[i]!;
}

const pair: Int32Array = new Int32Array(2);
const pairAsDouble: Float64Array = new Float64Array(pair.buffer);

function addDoubles(
  words: Int32Array,
  stride: number,
  shift: number,
  ids: Int32Array,
  weights: Int32Array,
  count: number,
  doubles: Float64Array,
  width: number,
  cell: number,
): void {
  for (let i = 0, read = shift; i < count; i++, read += stride) {
    const weight = weights[i]!;
    if (weight === 0) continue;
    pair[0] = words[read]!;
    pair[1] = words[read + 1]!;
    addFloat(doubles, ids[i]! * width + cell, pairAsDouble[0]!, weight);
  }
}

function addSingles(
  singles: Float32Array,
  stride: number,
  shift: number,
  ids: Int32Array,
  weights: Int32Array,
  count: number,
  doubles: Float64Array,
  width: number,
  cell: number,
): void {
  for (let i = 0, read = shift; i < count; i++, read += stride) {
    const weight = weights[i]!;
    if (weight !== 0) addFloat(doubles, ids[i]! * width + cell, singles[read]!, weight);
  }
}

function clearNulls(validity: Uint8Array, from: number, count: number, weights: Int32Array): void {
  for (let i = 0, row = from; i < count; i++, row++) if ((validity[row >> 3]! & (1 << (row & 7))) === 0) weights[i] = 0;
}

function clearFalse(values: Uint8Array, from: number, count: number, weights: Int32Array): void {
  for (let i = 0; i < count; i++) if (values[from + i] === 0) weights[i] = 0;
}
