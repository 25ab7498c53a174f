// The distinct values of each group with their weights, for DISTINCT aggregates and for MIN and MAX that see deletions.
//
//   record   [ group record | value words | a lane: weight, min node (3), max node (3) | … ]     nodes only where needed
// A lane sees some of the rows (FILTER): aggregates over one operand share its records, so that a value is looked up once
// however many of them there are. In a lane a value is present while its weight is positive; `change` tells for each row
// whether its value came (+1), went (-1) or stayed (0), which is the weight that a DISTINCT aggregate sees. Present values
// are in the heaps of their group. A record goes when its weight is 0 in every lane.
// Three words of the group's record belong to a lane: root of the min heap, root of the max heap, values with a weight.
import { type HeapShape, heapInsert, heapRemove } from './pairing-heap.ts';
import { RecordTable } from './record-table.ts';
import { SnapshotDamaged, type SnapshotReader, type SnapshotWriter } from './snapshot-codec.ts';
import type { ValueOrder } from './value-order.ts';

/** The first lane's weight of a record that is about to be removed, so that it is removed once. */
const isLeaving = -0x80000000;

export interface LaneShape {
  readonly min: boolean;
  readonly max: boolean;
  /** Word of a group's record where the three words of this lane begin. */
  readonly groupAt: number;
}

export interface MultisetShape {
  readonly valueWords: number;
  readonly order: ValueOrder;
  readonly lanes: readonly LaneShape[];
  readonly hashMask: number;
}

/** Rows of a block: value i at word i * stride + shift, its group. */
export interface MultisetRows {
  readonly words: Int32Array;
  readonly stride: number;
  readonly shift: number;
  readonly ids: Int32Array;
  readonly count: number;
}

/** What a lane sees of a block, and what becomes of its values. */
export interface LaneRows {
  /** 0: not seen. */
  readonly weights: Int32Array;
  readonly effects: Int32Array;
}

interface Lane {
  readonly weightAt: number;
  readonly groupAt: number;
  readonly min: HeapShape | null;
  readonly max: HeapShape | null;
}

export class ValueMultiset {
  readonly #shape: MultisetShape;
  readonly #table: RecordTable;
  readonly #lanes: readonly Lane[];
  #keys: Int32Array = new Int32Array(0);
  #ids: Int32Array = new Int32Array(0);
  #rowOf: Int32Array = new Int32Array(0);
  /** Records whose weight became 0 in a block. */
  #zeros: Int32Array = new Int32Array(0);
  #zeroCount = 0;

  constructor(shape: MultisetShape) {
    this.#shape = shape;
    const keyWords = 1 + shape.valueWords;
    const wordsOf = (lane: LaneShape): number => 1 + (lane.min ? 3 : 0) + (lane.max ? 3 : 0);
    const extraWords = shape.lanes.reduce((words, lane) => words + wordsOf(lane), 0);
    this.#table = new RecordTable({ keyWords, extraWords, hashMask: shape.hashMask });
    const { width } = this.#table;
    const heap = { order: shape.order, width, valueAt: 1 };
    let next = keyWords;
    this.#lanes = shape.lanes.map((lane) => {
      const weightAt = next;
      next += wordsOf(lane);
      return {
        weightAt,
        groupAt: lane.groupAt,
        min: lane.min ? { ...heap, sign: 1, nodeAt: weightAt + 1 } : null,
        max: lane.max ? { ...heap, sign: -1, nodeAt: weightAt + (lane.min ? 4 : 1) } : null,
      };
    });
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

  /** The records of the values of a group that are present in a lane, by the root of its min heap. */
  valuesOf(lane: number, root: number): number[] {
    const { words, width } = this.#table;
    const nodeAt = this.#lanes[lane]!.min!.nodeAt;
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

  weightOf(lane: number, record: number): number {
    return this.#table.words[record * this.#table.width + this.#lanes[lane]!.weightAt]!;
  }

  /** Applies the rows to every lane; effects[i] of a lane becomes +1, -1 or 0 as the value of row i came, went or stayed. */
  change(rows: MultisetRows, seenBy: readonly LaneRows[], groups: RecordTable): void {
    const seen = this.#find(rows, seenBy);
    this.#zeroCount = 0;
    for (let l = 0; l < this.#lanes.length; l++) this.#changeLane(this.#lanes[l]!, rows.ids, seenBy[l]!, seen, groups);
    if (this.#zeroCount > 0) this.#sweep();
  }

  /** Forgets all values of groups, whose records go as well: their heaps are left as they are. O(values of all groups). */
  forget(groups: Int32Array): void {
    if (groups.length === 0) return;
    const { words, width } = this.#table;
    const isGone = new Uint8Array(groups.at(-1)! + 1);
    for (let i = 0; i < groups.length; i++) isGone[groups[i]!] = 1;
    const ids = this.#table.ids();
    let kept = 0;
    for (let i = 0; i < ids.length; i++) if (isGone[words[ids[i]! * width]!] === 1) ids[kept++] = ids[i]!;
    this.#table.removeAll(ids.subarray(0, kept));
  }

  /** Finds the records of the rows that any lane sees; returns how many there are. */
  #find(rows: MultisetRows, seenBy: readonly LaneRows[]): number {
    const { count, ids, words, stride, shift } = rows;
    const { valueWords } = this.#shape;
    const keyWords = 1 + valueWords;
    if (this.#ids.length < count) {
      this.#ids = new Int32Array(count);
      this.#rowOf = new Int32Array(count);
      this.#keys = new Int32Array(count * keyWords);
      this.#zeros = new Int32Array(count * this.#lanes.length);
    }
    const rowOf = this.#rowOf;
    const seen =
      seenBy.length === 1 ? selectSeen(seenBy[0]!.weights, count, rowOf) : selectSeenByAny(seenBy, count, rowOf);
    if (seen > 0) loadKeys(words, stride, shift, ids, rowOf, seen, this.#keys, valueWords);
    this.#table.findOrInsert(this.#keys, keyWords, seen, this.#ids);
    return seen;
  }

  #changeLane(
    lane: Lane,
    groupOf: Int32Array,
    { weights, effects }: LaneRows,
    seen: number,
    groups: RecordTable,
  ): void {
    const { words, width } = this.#table;
    const { weightAt, groupAt, min, max } = lane;
    const ids = this.#ids;
    const rowOf = this.#rowOf;
    const zeros = this.#zeros;
    effects.fill(0);
    for (let s = 0; s < seen; s++) {
      const row = rowOf[s]!;
      const weight = weights[row]!;
      if (weight === 0) continue;
      const id = ids[s]!;
      const at = id * width + weightAt;
      const before = words[at]!;
      const after = before + weight;
      words[at] = after;
      if (before > 0 && after > 0) continue;
      const group = groupOf[row]! * groups.width + groupAt;
      if (before <= 0 && after > 0) {
        effects[row] = 1;
        if (min !== null) groups.words[group] = heapInsert(min, words, groups.words[group]!, id);
        if (max !== null) groups.words[group + 1] = heapInsert(max, words, groups.words[group + 1]!, id);
      } else if (before > 0 && after <= 0) {
        effects[row] = -1;
        if (min !== null) groups.words[group] = heapRemove(min, words, groups.words[group]!, id);
        if (max !== null) groups.words[group + 1] = heapRemove(max, words, groups.words[group + 1]!, id);
      }
      if (before === 0) groups.words[group + 2]!++;
      if (after === 0) {
        groups.words[group + 2]!--;
        zeros[this.#zeroCount++] = id;
      }
    }
  }

  /** Removes records without a weight. One may have become 0 several times in a block, or have come back. */
  #sweep(): void {
    const { words, width } = this.#table;
    const zeros = this.#zeros;
    const first = this.#lanes[0]!.weightAt;
    let removed = 0;
    for (let z = 0; z < this.#zeroCount; z++) {
      const record = zeros[z]! * width;
      if (!this.#lanes.every((lane) => words[record + lane.weightAt] === 0)) continue;
      words[record + first] = isLeaving;
      zeros[removed++] = zeros[z]!;
    }
    for (let z = 0; z < removed; z++) this.#table.remove(zeros[z]!);
  }

  snapshot(writer: SnapshotWriter): void {
    writer.number(this.#lanes.length);
    this.#table.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    const lanes = reader.number();
    if (lanes !== this.#lanes.length)
      throw new SnapshotDamaged({ detail: `values have ${lanes} lanes, not ${this.#lanes.length}` });
    this.#table.restore(reader);
  }
}

// ── data plane ──

function selectSeen(weights: Int32Array, count: number, rowOf: Int32Array): number {
  let seen = 0;
  for (let i = 0; i < count; i++) if (weights[i] !== 0) rowOf[seen++] = i;
  return seen;
}

function selectSeenByAny(seenBy: readonly LaneRows[], count: number, rowOf: Int32Array): number {
  let seen = 0;
  for (let i = 0; i < count; i++) {
    let any = 0;
    for (let l = 0; l < seenBy.length; l++) any |= seenBy[l]!.weights[i]!;
    if (any !== 0) rowOf[seen++] = i;
  }
  return seen;
}

function loadKeys(
  words: Int32Array,
  stride: number,
  shift: number,
  ids: Int32Array,
  rowOf: Int32Array,
  seen: number,
  keys: Int32Array,
  valueWords: number,
): void {
  let to = 0;
  for (let s = 0; s < seen; s++) {
    const row = rowOf[s]!;
    const read = row * stride + shift;
    keys[to++] = ids[row]!;
    for (let k = 0; k < valueWords; k++) keys[to++] = words[read + k]!;
  }
}
