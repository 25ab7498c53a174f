// The distinct values of each group with their weights, for DISTINCT aggregates and for MIN and MAX that see deletions.
//
//   record   [ group record | value words | weight | min node (3) | max node (3) ]        nodes only where they are needed
// A value is present while its weight is positive; `change` tells for each row whether its value came (+1), went (-1) or
// stayed (0), which is the weight that a DISTINCT aggregate sees. Present values are in the heaps of their group.
// Three words of the group's record belong to a multiset: root of the min heap, root of the max heap, records of the group.
import { type HeapShape, heapInsert, heapRemove } from './pairing-heap.ts';
import { RecordTable } from './record-table.ts';
import type { SnapshotReader, SnapshotWriter } from './snapshot-codec.ts';
import type { ValueOrder } from './value-order.ts';

/** The weight of a record that is about to be removed, so that it is removed once. */
const isLeaving = -0x80000000;

export interface MultisetShape {
  readonly valueWords: number;
  readonly order: ValueOrder;
  readonly min: boolean;
  readonly max: boolean;
  /** Word of a group's record where the three words of this multiset begin. */
  readonly groupAt: number;
  readonly hashMask: number;
}

/** Rows of a block: value i at word i * stride + shift, its group, its weight (0: not seen). */
export interface MultisetRows {
  readonly words: Int32Array;
  readonly stride: number;
  readonly shift: number;
  readonly ids: Int32Array;
  readonly weights: Int32Array;
  readonly count: number;
}

export class ValueMultiset {
  readonly #shape: MultisetShape;
  readonly #table: RecordTable;
  readonly #weightAt: number;
  readonly #min: HeapShape | null;
  readonly #max: HeapShape | null;
  #keys: Int32Array = new Int32Array(0);
  #ids: Int32Array = new Int32Array(0);
  #rowOf: Int32Array = new Int32Array(0);
  /** Records whose weight became 0 in a block. */
  #zeros: Int32Array = new Int32Array(0);

  constructor(shape: MultisetShape) {
    this.#shape = shape;
    const keyWords = 1 + shape.valueWords;
    this.#weightAt = keyWords;
    const nodes = (shape.min ? 3 : 0) + (shape.max ? 3 : 0);
    this.#table = new RecordTable({ keyWords, extraWords: 1 + nodes, hashMask: shape.hashMask });
    const { width } = this.#table;
    const heap = { order: shape.order, width, valueAt: 1 };
    this.#min = shape.min ? { ...heap, sign: 1, nodeAt: keyWords + 1 } : null;
    this.#max = shape.max ? { ...heap, sign: -1, nodeAt: keyWords + (shape.min ? 4 : 1) } : null;
  }

  get rows(): number {
    return this.#table.live;
  }

  get stateBytes(): number {
    return this.#table.stateBytes;
  }

  /** Where the values of records lie. */
  get words(): Int32Array {
    return this.#table.words;
  }

  get width(): number {
    return this.#table.width;
  }

  /** The records of the present values of a group, by the root of its min heap. */
  valuesOf(root: number): number[] {
    const { words, width } = this.#table;
    const nodeAt = this.#min!.nodeAt;
    const found: number[] = [];
    const waiting = [root];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next === 0) continue;
      found.push(next - 1);
      const node = (next - 1) * width + nodeAt;
      waiting.push(words[node]!, words[node + 1]!);
    }
    return found;
  }

  weightOf(record: number): number {
    return this.#table.words[record * this.#table.width + this.#weightAt]!;
  }

  /** Applies the rows; effects[i] becomes +1, -1 or 0 as the value of row i came, went or stayed. */
  change(rows: MultisetRows, groups: RecordTable, effects: Int32Array): void {
    const { count, weights } = rows;
    const { valueWords, groupAt } = this.#shape;
    const stride = 1 + valueWords;
    if (this.#ids.length < count) {
      this.#ids = new Int32Array(count);
      this.#rowOf = new Int32Array(count);
      this.#zeros = new Int32Array(count);
      this.#keys = new Int32Array(count * stride);
    }
    let seen = 0;
    for (let i = 0; i < count; i++) {
      effects[i] = 0;
      if (weights[i] === 0) continue;
      const at = seen * stride;
      this.#keys[at] = rows.ids[i]!;
      for (let k = 0; k < valueWords; k++) this.#keys[at + 1 + k] = rows.words[i * rows.stride + rows.shift + k]!;
      this.#rowOf[seen++] = i;
    }
    this.#table.findOrInsert(this.#keys, stride, seen, this.#ids);
    const { words, width } = this.#table;
    const zeros = this.#zeros;
    let zeroCount = 0;
    for (let s = 0; s < seen; s++) {
      const id = this.#ids[s]!;
      const row = this.#rowOf[s]!;
      const at = id * width + this.#weightAt;
      const before = words[at]!;
      const after = before + weights[row]!;
      words[at] = after;
      const group = rows.ids[row]! * groups.width + groupAt;
      if (before <= 0 && after > 0) {
        effects[row] = 1;
        if (this.#min !== null) groups.words[group] = heapInsert(this.#min, words, groups.words[group]!, id);
        if (this.#max !== null) groups.words[group + 1] = heapInsert(this.#max, words, groups.words[group + 1]!, id);
      } else if (before > 0 && after <= 0) {
        effects[row] = -1;
        if (this.#min !== null) groups.words[group] = heapRemove(this.#min, words, groups.words[group]!, id);
        if (this.#max !== null) groups.words[group + 1] = heapRemove(this.#max, words, groups.words[group + 1]!, id);
      }
      if (before === 0) groups.words[group + 2]!++;
      if (after === 0) {
        groups.words[group + 2]!--;
        zeros[zeroCount++] = id;
      }
    }
    // A record may have become 0 several times in a block, or have come back: look again, remove once.
    let removed = 0;
    for (let z = 0; z < zeroCount; z++) {
      const at = zeros[z]! * width + this.#weightAt;
      if (words[at] !== 0) continue;
      words[at] = isLeaving;
      zeros[removed++] = zeros[z]!;
    }
    for (let z = 0; z < removed; z++) this.#table.remove(zeros[z]!);
  }

  snapshot(writer: SnapshotWriter): void {
    this.#table.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#table.restore(reader);
  }
}
