// Totals of what lies before a row: how many rows, and for each call that runs from the first row on how many of them count and their sum,
// or the record whose value is the first, least or greatest.
//
//   words of a record   [ rows | groups of equal order keys, first record + 1, last + 1 | for each such call: count, sum (128 bits), or record + 1 ]
//                       of the subtree of its node (state/ordered-rows.ts); groups only where a call counts them (window-groups.ts)
// A total of any beginning of a partition is found in O(log n), so that what lies before a change is not looked at again. Exact: sums of
// integers and short decimals only. Rows count as many times as they weigh, those of no or negative weight not at all. Of equal values the
// first in the order is kept.
import type { OrderedRows, Records } from '../state/ordered-rows.ts';
import type { RowOrder } from '../state/row-order.ts';
import type { StringPool } from '../state/string-pool.ts';
import { type ValueOrder, valueOrder } from '../state/value-order.ts';
import { readNumber, writeNumber } from './window-frames.ts';
import { GroupTotals, groupWords } from './window-groups.ts';
import { isRank, isRunning, keepsRecord } from './window-reach.ts';
import { type Before, isNullAt, takesPart, type WindowColumn } from './window-results.ts';

const wordsOfSum = 5;

/** A call that has totals, by its number, and where they lie behind the number of rows. */
interface Totalled {
  readonly number: number;
  readonly call: WindowColumn;
  readonly at: number;
  /** null: a count and a sum are kept; else a record, and whether the value of one comes before that of another. */
  readonly isBetter: ((words: Int32Array, base: number, other: number) => boolean) | null;
}

/** Where things lie in a record. */
export interface TotalsPlaces {
  readonly weightAt: number;
  readonly nodeAt: number;
  readonly totalsAt: number;
}

export class WindowTotals {
  /** Words of a record that they take. */
  readonly words: number;
  readonly #count: number;
  readonly #totalled: readonly Totalled[];
  readonly #groups: GroupTotals | null;

  constructor(calls: readonly WindowColumn[], pool: StringPool, peerOrder: RowOrder) {
    this.#groups = calls.some((call) => call.function === 'dense_rank') ? new GroupTotals(peerOrder) : null;
    let words = 1 + (this.#groups === null ? 0 : groupWords);
    const totalled: Totalled[] = [];
    for (const [number, call] of calls.entries()) {
      if (!isRunning(call) || isRank(call.function)) continue;
      const isBetter = keepsRecord(call.function) ? betterOf(call, pool) : null;
      totalled.push({ number, call, at: words, isBetter });
      words += isBetter === null ? wordsOfSum : 1;
    }
    this.words = words;
    this.#count = calls.length;
    this.#totalled = totalled;
  }

  /** What a tree calls for the nodes that have changed. */
  measure(table: Records, { weightAt, nodeAt, totalsAt }: TotalsPlaces): (base: number) => void {
    return (base) => {
      const { words, width } = table;
      const weight = Math.max(0, words[base + weightAt]!);
      const left = words[base + nodeAt]!;
      const right = words[base + nodeAt + 1]!;
      const leftAt = left === 0 ? -1 : (left - 1) * width + totalsAt;
      const rightAt = right === 0 ? -1 : (right - 1) * width + totalsAt;
      const of = (place: number, at: number): number => (place < 0 ? 0 : words[place + at]!);
      words[base + totalsAt] = weight + of(leftAt, 0) + of(rightAt, 0);
      this.#groups?.measure(table, base, totalsAt + 1, weight > 0, leftAt, rightAt);
      for (const { call, at, isBetter } of this.#totalled) {
        const takes = weight > 0 && counts(call, words, base);
        if (isBetter !== null) {
          let best = of(leftAt, at);
          for (const other of [takes ? base / width + 1 : 0, of(rightAt, at)]) {
            if (other !== 0 && (best === 0 || isBetter(words, (other - 1) * width, (best - 1) * width))) best = other;
          }
          words[base + totalsAt + at] = best;
          continue;
        }
        const sum = (place: number): bigint => (place < 0 ? 0n : sumAt(words, place + at + 1));
        words[base + totalsAt + at] = (takes ? weight : 0) + of(leftAt, at) + of(rightAt, at);
        const value = takes ? numberOf(call, words, base) * BigInt(weight) : 0n;
        writeNumber(words, base + totalsAt + at + 1, 'i128', value + sum(leftAt) + sum(rightAt));
      }
    };
  }

  /** For each call, totals of the rows of a tree for which `test` holds, given that it holds for all before them. */
  before(
    tree: OrderedRows,
    table: Records,
    { weightAt, totalsAt }: TotalsPlaces,
    test: (base: number) => boolean,
  ): readonly Before[] {
    const { words, width } = table;
    let rows = 0;
    const groups = this.#groups?.begin(table) ?? null;
    const counted = Array.from({ length: this.#count }, () => ({ count: 0, sum: 0n, record: -1 }));
    const offer = ({ number, isBetter }: Totalled, record: number): void => {
      const own = counted[number]!;
      if (record < 0 || isBetter === null) return;
      if (own.record < 0 || isBetter(words, record * width, own.record * width)) own.record = record;
    };
    tree.visitPrefix(
      test,
      (base) => {
        const weight = Math.max(0, words[base + weightAt]!);
        rows += weight;
        if (weight > 0) groups?.addRecord(base);
        for (const total of this.#totalled) {
          const { number, call, isBetter } = total;
          if (weight === 0 || !counts(call, words, base)) continue;
          if (isBetter !== null) offer(total, base / width);
          else {
            counted[number]!.count += weight;
            counted[number]!.sum += numberOf(call, words, base) * BigInt(weight);
          }
        }
      },
      (base) => {
        rows += words[base + totalsAt]!;
        groups?.addTotals(base + totalsAt + 1);
        for (const total of this.#totalled) {
          const own = base + totalsAt + total.at;
          if (total.isBetter !== null) offer(total, words[own]! - 1);
          else {
            counted[total.number]!.count += words[own]!;
            counted[total.number]!.sum += sumAt(words, own + 1);
          }
        }
      },
    );
    return counted.map((own) => ({ rows, groups: groups?.count ?? 0, ...own }));
  }
}

/** Records are offered in their order: the first stays unless another is better. */
function betterOf(
  { function: name, operand }: WindowColumn,
  pool: StringPool,
): (words: Int32Array, base: number, other: number) => boolean {
  if (name === 'first_value' || operand === null) return () => false;
  const order: ValueOrder = valueOrder(operand.type, pool);
  const sign = name === 'min' ? 1 : -1;
  const { offset } = operand;
  return (words, base, other) => sign * order(words, base + offset, words, other + offset) < 0;
}

/** Whether the row at word `base` may be what a call is about. */
function counts(call: WindowColumn, words: Int32Array, base: number): boolean {
  if (call.function !== 'first_value') return takesPart(call, words, base);
  return !call.ignoreNulls || call.operand === null || !isNullAt(words, base, call.operand);
}

function numberOf({ operand, function: name }: WindowColumn, words: Int32Array, base: number): bigint {
  return name === 'count' || operand === null ? 0n : BigInt(readNumber(words, base + operand.offset, operand.storage));
}

function sumAt(words: Int32Array, at: number): bigint {
  return BigInt(readNumber(words, at, 'i128'));
}
