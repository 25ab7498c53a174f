// The parts of a partition whose results a step may change, found in its tree around the rows that change.
//
//   order   … ─── read ─┤ reached ── changed ── reached ── changed ── reached ├─ read ─── …        one span
// The tree holds the rows that the step takes away and those that it puts in; rows that neither change count as many times as they weigh.
// What lies between two changed rows in the order before the step or behind it lies between them here, so that a distance in rows that do
// not change is never longer than either. Spans come in order and share no row that is reached. Cost: O(log n) and the rows of a span.
// Not here: how far a change reaches (window-reach.ts), what is computed (window.ts).
import type { OrderedRows, Records } from '../state/ordered-rows.ts';
import type { RowOrder } from '../state/row-order.ts';
import { type RangeKey, readNumber } from './window-frames.ts';
import type { Reach } from './window-reach.ts';

export interface Span {
  /** Records in order. */
  readonly ids: readonly number[];
  /** The results of ids[from .. to) may change; the others are read for them. */
  readonly from: number;
  readonly to: number;
}

export interface ChangingRows {
  readonly records: Records;
  readonly tree: OrderedRows;
  readonly order: RowOrder;
  readonly peerOrder: RowOrder;
  readonly rangeKey: RangeKey | null;
  /** Words of a record: its weight before the step, and behind it. */
  readonly weightAt: number;
  readonly nextAt: number;
}

/** `changed`: records of the tree that change, in order. */
export function changedSpans(rows: ChangingRows, reach: Reach, changed: readonly number[]): readonly Span[] {
  const spans: Span[] = [];
  for (let next = 0; next < changed.length; ) {
    const first = changed[next]!;
    const back = walkBack(rows, reach, first);
    const ids = back.ids.reverse();
    const from = ids.length - back.reached;
    const ahead = walkAhead(rows, reach, first, ids);
    spans.push({ ids, from, to: ahead.to });
    next += ahead.changed;
  }
  return spans;
}

/** How far a walk has come from an edge: rows, and groups of equal order keys, that the step does not change. */
class Distance {
  readonly #rows: ChangingRows;
  readonly #reach: Reach;
  #edge = -1;
  #copies = 0;
  /** Groups that the walk has come to, and a row of the latest. */
  #groups = 0;
  #latest = -1;

  constructor(rows: ChangingRows, reach: Reach, edge: number) {
    this.#rows = rows;
    this.#reach = reach;
    this.restart(edge);
  }

  restart(edge: number): void {
    this.#edge = edge;
    this.#copies = 0;
    this.#groups = 0;
    this.#latest = edge;
  }

  /** Whether the next row of the walk is within what a result reads on one side. */
  isNear(id: number, { rows, keys, groups }: Side): boolean {
    if (this.#copies < rows || isNear(this.#rows, this.#reach, id, this.#edge, keys)) return true;
    return groups > 0 && this.#groupOf(id) <= groups;
  }

  /** The walk has taken a row that does not change. */
  pass(id: number): void {
    const copies = steadyCopies(this.#rows, id);
    this.#copies += copies;
    if (!this.#reach.peers || copies === 0 || this.#isInLatest(id)) return;
    this.#groups++;
    this.#latest = id;
  }

  #groupOf(id: number): number {
    return this.#groups + (steadyCopies(this.#rows, id) === 0 || this.#isInLatest(id) ? 0 : 1);
  }

  #isInLatest(id: number): boolean {
    const { records, peerOrder } = this.#rows;
    return peerOrder(records.words, id * records.width, records.words, this.#latest * records.width) === 0;
  }
}

/** What a result reads on one side of its row. */
interface Side {
  readonly rows: number;
  readonly keys: number | bigint | null;
  readonly groups: number;
}

const behind = (reach: Reach): Side => ({ rows: reach.rowsAfter, keys: reach.keysAfter, groups: reach.groupsAfter });
const before = (reach: Reach): Side => ({ rows: reach.rowsBefore, keys: reach.keysBefore, groups: reach.groupsBefore });

/** The rows before a changed one, nearest first: those that it reaches, then those that they read. */
function walkBack(
  rows: ChangingRows,
  reach: Reach,
  changed: number,
): { readonly ids: number[]; readonly reached: number } {
  const { tree, order, records } = rows;
  const { words, width } = records;
  const ids: number[] = [];
  let reached = 0;
  let isReached = true;
  const distance = new Distance(rows, reach, changed);
  tree.visitBackFrom(
    (base) => order(words, base, words, changed * width) < 0,
    (id) => {
      // What lies before an earlier change is that one's.
      if (isReached && (isChanged(rows, id) || !distance.isNear(id, behind(reach)))) {
        isReached = false;
        distance.restart(ids.at(-1) ?? changed);
      }
      if (!isReached && !distance.isNear(id, before(reach))) return false;
      ids.push(id);
      if (isReached) reached++;
      distance.pass(id);
      return true;
    },
  );
  return { ids, reached };
}

/** Adds a changed row and those behind it: what it and changed rows near to it reach, then what they read. */
function walkAhead(
  rows: ChangingRows,
  reach: Reach,
  first: number,
  ids: number[],
): { readonly to: number; readonly changed: number } {
  const { tree, order, records } = rows;
  const { words, width } = records;
  let changed = 0;
  let to = 0;
  let isReached = true;
  const distance = new Distance(rows, reach, first);
  tree.visitFrom(
    (base) => order(words, base, words, first * width) >= 0,
    (id) => {
      if (isChanged(rows, id)) {
        changed++;
        isReached = true;
        distance.restart(id);
      } else {
        if (isReached && !reach.runs && !distance.isNear(id, before(reach))) {
          isReached = false;
          distance.restart(ids.at(-1)!);
        }
        if (!isReached && !distance.isNear(id, behind(reach))) return false;
        distance.pass(id);
      }
      ids.push(id);
      if (isReached) to = ids.length;
      return true;
    },
  );
  return { to, changed };
}

function isChanged({ records, weightAt, nextAt }: ChangingRows, id: number): boolean {
  const base = id * records.width;
  return records.words[base + weightAt] !== records.words[base + nextAt];
}

function steadyCopies({ records, weightAt, nextAt }: ChangingRows, id: number): number {
  const base = id * records.width;
  const weight = records.words[base + weightAt]!;
  return weight === records.words[base + nextAt] ? weight : 0;
}

/** Whether two rows are peers that are read together, or their order keys are at most `distance` apart. */
function isNear(
  { records, peerOrder, rangeKey }: ChangingRows,
  reach: Reach,
  id: number,
  other: number,
  distance: number | bigint | null,
): boolean {
  const { words, width } = records;
  if (!reach.peers) return false;
  if (peerOrder(words, id * width, words, other * width) === 0) return true;
  if (distance === null || rangeKey === null) return false;
  const { offset, nullWord, nullBit, storage } = rangeKey.place;
  const isNull = (base: number): boolean => nullWord >= 0 && (words[base + nullWord]! & nullBit) !== 0;
  if (isNull(id * width) || isNull(other * width)) return false;
  const a = readNumber(words, id * width + offset, storage);
  const b = readNumber(words, other * width + offset, storage);
  // Both are of the column's kind.
  const apart = typeof a === 'bigint' || typeof b === 'bigint' ? BigInt(a) - BigInt(b) : a - b;
  return (apart < 0 ? -apart : apart) <= distance;
}
