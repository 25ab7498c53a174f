// How many groups of rows with equal order keys there are in a part of a partition: the part of the totals of a tree that DENSE_RANK needs.
//
//   three words of a record   [ groups | first record + 1 | last record + 1 ]     of the rows of its subtree that have a weight
// Two neighbouring parts have as many groups as both together, less one where the last row of one equals the first of the other.
// Not here: the tree (state/ordered-rows.ts), the other totals (window-totals.ts).
import type { Records } from '../state/ordered-rows.ts';
import type { RowOrder } from '../state/row-order.ts';

/** Words of a record that they take. */
export const groupWords = 3;

export class GroupTotals {
  readonly #order: RowOrder;

  /** `order`: by the order keys alone. */
  constructor(order: RowOrder) {
    this.#order = order;
  }

  /** Makes the totals of the node at word `base` of its row and its children, whose totals begin at words `leftAt` and `rightAt` less 1; -1: none. */
  measure(table: Records, base: number, totalsAt: number, counts: boolean, leftAt: number, rightAt: number): void {
    const { words, width } = table;
    const run = this.begin(table);
    if (leftAt >= 0) run.addTotals(leftAt + 1);
    if (counts) run.addRecord(base);
    if (rightAt >= 0) run.addTotals(rightAt + 1);
    words[base + totalsAt] = run.count;
    words[base + totalsAt + 1] = run.first < 0 ? 0 : run.first / width + 1;
    words[base + totalsAt + 2] = run.last < 0 ? 0 : run.last / width + 1;
  }

  /** A count over parts that are told in order. */
  begin(table: Records): GroupCount {
    return new GroupCount(table, this.#order);
  }
}

export class GroupCount {
  readonly #table: Records;
  readonly #order: RowOrder;
  count = 0;
  /** First words of the first and the last row; -1: there is none. */
  first = -1;
  last = -1;

  constructor(table: Records, order: RowOrder) {
    this.#table = table;
    this.#order = order;
  }

  addRecord(base: number): void {
    this.#add(1, base, base);
  }

  /** The totals at word `at`. */
  addTotals(at: number): void {
    const { words, width } = this.#table;
    const groups = words[at]!;
    if (groups > 0) this.#add(groups, (words[at + 1]! - 1) * width, (words[at + 2]! - 1) * width);
  }

  #add(groups: number, first: number, last: number): void {
    const { words } = this.#table;
    const goesOn = this.last >= 0 && this.#order(words, this.last, words, first) === 0;
    this.count += groups - (goesOn ? 1 : 0);
    if (this.first < 0) this.first = first;
    this.last = last;
  }
}
