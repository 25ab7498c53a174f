// What the results of some rows were and what they are, made into changes of the output.
//
// Both lists are in order: one walk finds what left, what came and whose results changed. Changes of several partitions go to the output
// together, as most partitions have a few only.
import type { Emit } from '../circuit/operator.ts';
import type { RowOrder } from '../state/row-order.ts';
import type { RowOutput } from '../state/row-output.ts';

/** `count` records of a row and its results. */
export interface Results {
  readonly words: Int32Array;
  readonly count: number;
}

export const noResults: Results = { words: new Int32Array(0), count: 0 };

/** So many changes go to the output together. */
const changesMax = 1024;

export class WindowChanges {
  readonly #stride: number;
  readonly #order: RowOrder;
  readonly #output: RowOutput;
  #changes: Int32Array = new Int32Array(0);
  #weights: Int32Array = new Int32Array(0);
  #changed = 0;

  constructor(stride: number, order: RowOrder, output: RowOutput) {
    this.#stride = stride;
    this.#order = order;
    this.#output = output;
  }

  add(before: Results, after: Results, emit: Emit): void {
    const stride = this.#stride;
    const most = before.count + after.count;
    if (this.#changed + most > this.#weights.length) this.write(emit);
    if (this.#weights.length < most) {
      const room = Math.max(most, changesMax);
      this.#changes = new Int32Array(room * stride);
      this.#weights = new Int32Array(room);
    }
    const changes = this.#changes;
    const weights = this.#weights;
    let made = this.#changed;
    let b = 0;
    let a = 0;
    while (b < before.count || a < after.count) {
      const compared =
        b >= before.count ? 1 : a >= after.count ? -1 : this.#order(before.words, b * stride, after.words, a * stride);
      const isSame = compared === 0 && sameWords(before.words, b * stride, after.words, a * stride, stride);
      if (compared <= 0) {
        if (!isSame) {
          copyWords(before.words, b * stride, changes, made * stride, stride);
          weights[made++] = -1;
        }
        b++;
      }
      if (compared >= 0) {
        if (!isSame) {
          copyWords(after.words, a * stride, changes, made * stride, stride);
          weights[made++] = 1;
        }
        a++;
      }
    }
    this.#changed = made;
  }

  /** Gives what has been added to the output. */
  write(emit: Emit): void {
    const source = { words: this.#changes, stride: this.#stride, shift: 0, ids: null };
    this.#output.append([source], this.#weights, this.#changed, emit);
    this.#changed = 0;
  }
}

// ── data plane ──

function copyWords(from: Int32Array, read: number, to: Int32Array, write: number, count: number): void {
  for (let k = 0; k < count; k++) to[write + k] = from[read + k]!;
}

function sameWords(a: Int32Array, atA: number, b: Int32Array, atB: number, count: number): boolean {
  for (let k = 0; k < count; k++) if (a[atA + k] !== b[atB + k]) return false;
  return true;
}
