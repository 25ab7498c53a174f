// A balanced search tree (treap) over the records of a table: rows in order, for ORDER BY … LIMIT.
//
//   node     two words of a record: left child + 1, right child + 1        0 = none
// Priorities are a hash of the record's number, so the shape depends on the changes alone: a restored tree goes on
// exactly as the original. Insertion and removal are O(log n) expected; `first(n)` costs O(n + log n).
// Rows in the tree are distinct under the order, and do not change while they are in it.
// With `measure` each node also holds totals of its subtree in words of the caller: it is called for every node whose subtree has
// changed, children first, and finds the totals of the whole from its own row and those of its children.
import type { RowOrder } from './row-order.ts';
import type { ValueOrder } from './value-order.ts';

/** Records by number, such as those of a table. */
export interface Records {
  readonly words: Int32Array;
  readonly width: number;
}

/** Levels below the root that are worth a round, and nodes that are under way together. */
const warmLevels = 3;
const warmNodes = 2048;

export class OrderedRows {
  readonly #table: Records;
  readonly #nodeAt: number;
  readonly #order: RowOrder;
  readonly #measure: ((base: number) => void) | null;
  /** First words of nodes whose subtrees have changed, parents first. */
  #path: number[] = [];
  /** Nodes of a visit whose rows and right subtrees are still to come. */
  #stack: number[] = [];
  root = 0;
  readonly #warming: readonly Int32Array[] = [new Int32Array(2 * warmNodes), new Int32Array(2 * warmNodes)];

  constructor(table: Records, nodeAt: number, order: RowOrder, measure: ((base: number) => void) | null = null) {
    this.#table = table;
    this.#nodeAt = nodeAt;
    this.#order = order;
    this.#measure = measure;
  }

  /** Touches the upper nodes of trees, level by level, those of all trees side by side. */
  warm(roots: Int32Array, count: number): number {
    const { words, width } = this.#table;
    let nodes = roots;
    let open = Math.min(count, warmNodes);
    for (let level = 0; level < warmLevels && open > 0; level++) {
      const next = this.#warming[level & 1]!;
      open = Math.min(warmNodes, childrenOf(words, width, this.#nodeAt, nodes, open, next));
      nodes = next;
    }
    return open;
  }

  insert(id: number): void {
    const { words, width } = this.#table;
    const nodeAt = this.#nodeAt;
    const own = id * width;
    const rank = priority(id);
    // Descend to the first node of lower priority; the new node takes its place and splits what was there.
    let parent = -1;
    let current = this.root;
    while (current !== 0 && priority(current - 1) >= rank) {
      const base = (current - 1) * width;
      if (this.#measure !== null) this.#path.push(base);
      parent = base + nodeAt + (this.#order(words, own, words, base) < 0 ? 0 : 1);
      current = words[parent]!;
    }
    if (parent < 0) this.root = id + 1;
    else words[parent] = id + 1;
    if (this.#measure !== null) this.#path.push(own);
    let leftHole = own + nodeAt;
    let rightHole = own + nodeAt + 1;
    while (current !== 0) {
      const base = (current - 1) * width;
      if (this.#measure !== null) this.#path.push(base);
      if (this.#order(words, base, words, own) < 0) {
        words[leftHole] = current;
        leftHole = base + nodeAt + 1;
        current = words[leftHole]!;
      } else {
        words[rightHole] = current;
        rightHole = base + nodeAt;
        current = words[rightHole]!;
      }
    }
    words[leftHole] = 0;
    words[rightHole] = 0;
    this.#measurePath();
  }

  remove(id: number): void {
    const { words, width } = this.#table;
    const nodeAt = this.#nodeAt;
    const own = id * width;
    let parent = -1;
    let current = this.root;
    while (current !== id + 1) {
      const base = (current - 1) * width;
      if (this.#measure !== null) this.#path.push(base);
      parent = base + nodeAt + (this.#order(words, own, words, base) < 0 ? 0 : 1);
      current = words[parent]!;
    }
    let left = words[own + nodeAt]!;
    let right = words[own + nodeAt + 1]!;
    // Join the two subtrees in the place of the node.
    for (;;) {
      const takeLeft = right === 0 || (left !== 0 && priority(left - 1) >= priority(right - 1));
      const next = takeLeft ? left : right;
      if (parent < 0) this.root = next;
      else words[parent] = next;
      if (next === 0) break;
      if (this.#measure !== null) this.#path.push((next - 1) * width);
      parent = (next - 1) * width + nodeAt + (takeLeft ? 1 : 0);
      if (takeLeft) left = words[parent]!;
      else right = words[parent]!;
    }
    this.#measurePath();
  }

  /** What the totals of a record that is in the tree are made from has changed. */
  measureAgain(id: number): void {
    const { words, width } = this.#table;
    const own = id * width;
    let current = this.root;
    while (current !== id + 1) {
      const base = (current - 1) * width;
      this.#path.push(base);
      current = words[base + this.#nodeAt + (this.#order(words, own, words, base) < 0 ? 0 : 1)]!;
    }
    this.#path.push(own);
    this.#measurePath();
  }

  /**
   * The records for which `test` holds, given that it holds for all before them, in O(log n) pieces: single records, and subtrees of which
   * the first word of their uppermost node is told.
   */
  visitPrefix(test: (base: number) => boolean, record: (base: number) => void, subtree: (base: number) => void): void {
    const { words, width } = this.#table;
    let current = this.root;
    while (current !== 0) {
      const base = (current - 1) * width;
      const left = words[base + this.#nodeAt]!;
      if (test(base)) {
        if (left !== 0) subtree((left - 1) * width);
        record(base);
        current = words[base + this.#nodeAt + 1]!;
      } else current = left;
    }
  }

  /** The last record whose value at `offset` is not above that at word `at` of `other`; -1 for none. */
  lastNotAbove(order: ValueOrder, offset: number, other: Int32Array, at: number): number {
    const { words, width } = this.#table;
    const nodeAt = this.#nodeAt;
    let found = -1;
    let current = this.root;
    while (current !== 0) {
      const base = (current - 1) * width;
      const holds = order(words, base + offset, other, at) <= 0;
      if (holds) found = current - 1;
      current = words[base + nodeAt + (holds ? 1 : 0)]!;
    }
    return found;
  }

  /** The last record for which `test` holds, given that it holds for all before it; -1 for none. `test` gets its first word. */
  lastWhere(test: (base: number) => boolean): number {
    const { words, width } = this.#table;
    let found = -1;
    let current = this.root;
    while (current !== 0) {
      const base = (current - 1) * width;
      const holds = test(base);
      if (holds) found = current - 1;
      current = words[base + this.#nodeAt + (holds ? 1 : 0)]!;
    }
    return found;
  }

  /** The first record for which `test` holds, given that it holds for all behind it; -1 for none. */
  firstWhere(test: (base: number) => boolean): number {
    const { words, width } = this.#table;
    let found = -1;
    let current = this.root;
    while (current !== 0) {
      const base = (current - 1) * width;
      const holds = test(base);
      if (holds) found = current - 1;
      current = words[base + this.#nodeAt + (holds ? 0 : 1)]!;
    }
    return found;
  }

  /** Calls for the records from the first one for which `test` holds, in order, until it is told to stop. */
  visitFrom(test: (base: number) => boolean, see: (id: number) => boolean): void {
    this.#visit(0, test, see);
  }

  /** Calls for the records from the last one for which `test` holds, backwards, until it is told to stop. */
  visitBackFrom(test: (base: number) => boolean, see: (id: number) => boolean): void {
    this.#visit(1, test, see);
  }

  /** `back`: the side on which records lie that come before another one on this way, 0 for the left and 1 for the right. */
  #visit(back: 0 | 1, test: (base: number) => boolean, see: (id: number) => boolean): void {
    const { words, width } = this.#table;
    const backAt = this.#nodeAt + back;
    const onAt = this.#nodeAt + 1 - back;
    const stack: number[] = [];
    let current = this.root;
    while (current !== 0) {
      const base = (current - 1) * width;
      const holds = test(base);
      if (holds) stack.push(current);
      current = words[base + (holds ? backAt : onAt)]!;
    }
    while (stack.length > 0) {
      const top = stack.pop()!;
      if (!see(top - 1)) return;
      current = words[(top - 1) * width + onAt]!;
      while (current !== 0) {
        stack.push(current);
        current = words[(current - 1) * width + backAt]!;
      }
    }
  }

  /** Calls for the records in order until it is told to stop. */
  visit(see: (id: number) => boolean): void {
    const { words, width } = this.#table;
    const nodeAt = this.#nodeAt;
    // Kept from one visit to the next, but for visits within this one.
    const stack = this.#stack;
    this.#stack = [];
    let depth = 0;
    let current = this.root;
    while (current !== 0 || depth > 0) {
      while (current !== 0) {
        stack[depth++] = current;
        current = words[(current - 1) * width + nodeAt]!;
      }
      const top = stack[--depth]!;
      if (!see(top - 1)) break;
      current = words[(top - 1) * width + nodeAt + 1]!;
    }
    this.#stack = stack;
  }

  #measurePath(): void {
    const measure = this.#measure;
    if (measure === null) return;
    const path = this.#path;
    for (let i = path.length - 1; i >= 0; i--) measure(path[i]!);
    path.length = 0;
  }
}

// ── data plane ──

/** Writes the children of nodes, both + 1, and returns how many there are. */
function childrenOf(
  words: Int32Array,
  width: number,
  nodeAt: number,
  nodes: Int32Array,
  count: number,
  out: Int32Array,
): number {
  let found = 0;
  for (let i = 0; i < count; i++) {
    const at = (nodes[i]! - 1) * width + nodeAt;
    const left = words[at]!;
    const right = words[at + 1]!;
    out[found] = left;
    found += left === 0 ? 0 : 1;
    out[found] = right;
    found += right === 0 ? 0 : 1;
  }
  return found;
}

function priority(id: number): number {
  let h = Math.imul(id + 1, 0x9e3779b1);
  h ^= h >>> 15;
  h = Math.imul(h, 0x85ebca77);
  return h ^ (h >>> 13);
}
