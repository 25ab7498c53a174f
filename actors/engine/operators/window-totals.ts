// Totals of what lies before a row: how many rows, and for each call that runs from the first row on how many of them count and their sum.
//
//   words of a record   [ rows | for each such call: count, sum (128 bits) ]       of the subtree of its node (state/ordered-rows.ts)
// A total of any beginning of a partition is found in O(log n), so that what lies before a change is not looked at again. Exact: sums of
// integers and decimals only. Rows count as many times as they weigh, those of no or negative weight not at all.
import type { OrderedRows, Records } from '../state/ordered-rows.ts';
import { readNumber, writeNumber } from './window-frames.ts';
import { isRunning } from './window-reach.ts';
import { type Before, takesPart, type WindowColumn } from './window-results.ts';

const wordsOfCall = 5;

export class WindowTotals {
  /** Words of a record that they take. */
  readonly words: number;
  readonly #calls: readonly WindowColumn[];
  /** Numbers of the calls that have a count and a sum. */
  readonly #summed: readonly number[];

  constructor(calls: readonly WindowColumn[]) {
    this.#calls = calls;
    const summed = [...calls.keys()].filter((c) => isRunning(calls[c]!) && hasTotals(calls[c]!));
    this.#summed = summed;
    this.words = 1 + summed.length * wordsOfCall;
  }

  /** What a tree calls for the nodes that have changed. `at`: where the totals lie in a record. */
  measure(table: Records, weightAt: number, nodeAt: number, at: number): (base: number) => void {
    return (base) => {
      const { words, width } = table;
      const weight = Math.max(0, words[base + weightAt]!);
      const left = words[base + nodeAt]!;
      const right = words[base + nodeAt + 1]!;
      const leftAt = left === 0 ? -1 : (left - 1) * width + at;
      const rightAt = right === 0 ? -1 : (right - 1) * width + at;
      const rows = (place: number): number => (place < 0 ? 0 : words[place]!);
      words[base + at] = weight + rows(leftAt) + rows(rightAt);
      for (let k = 0; k < this.#summed.length; k++) {
        const call = this.#calls[this.#summed[k]!]!;
        const own = 1 + k * wordsOfCall;
        const takes = weight > 0 && takesPart(call, words, base);
        const count = (place: number): number => (place < 0 ? 0 : words[place + own]!);
        const sum = (place: number): bigint => (place < 0 ? 0n : sumAt(words, place + own + 1));
        words[base + at + own] = (takes ? weight : 0) + count(leftAt) + count(rightAt);
        const value = takes ? numberOf(call, words, base) * BigInt(weight) : 0n;
        writeNumber(words, base + at + own + 1, 'i128', value + sum(leftAt) + sum(rightAt));
      }
    };
  }

  /** For each call, totals of the rows of a tree for which `test` holds, given that it holds for all before them. */
  before(
    tree: OrderedRows,
    table: Records,
    weightAt: number,
    at: number,
    test: (base: number) => boolean,
  ): readonly Before[] {
    const { words } = table;
    let rows = 0;
    const counts = this.#calls.map(() => 0);
    const sums = this.#calls.map(() => 0n);
    tree.visitPrefix(
      test,
      (base) => {
        const weight = Math.max(0, words[base + weightAt]!);
        rows += weight;
        for (const c of this.#summed) {
          const call = this.#calls[c]!;
          if (weight === 0 || !takesPart(call, words, base)) continue;
          counts[c]! += weight;
          sums[c]! += numberOf(call, words, base) * BigInt(weight);
        }
      },
      (base) => {
        rows += words[base + at]!;
        for (let k = 0; k < this.#summed.length; k++) {
          const c = this.#summed[k]!;
          const own = base + at + 1 + k * wordsOfCall;
          counts[c]! += words[own]!;
          sums[c]! += sumAt(words, own + 1);
        }
      },
    );
    return this.#calls.map((_, c) => ({ rows, count: counts[c]!, sum: sums[c]! }));
  }
}

function hasTotals({ function: name }: WindowColumn): boolean {
  return name === 'count' || name === 'sum' || name === 'avg';
}

function numberOf({ operand, function: name }: WindowColumn, words: Int32Array, base: number): bigint {
  return name === 'count' || operand === null ? 0n : BigInt(readNumber(words, base + operand.offset, operand.storage));
}

function sumAt(words: Int32Array, at: number): bigint {
  return BigInt(readNumber(words, at, 'i128'));
}
