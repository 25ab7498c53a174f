// Pairing heaps whose nodes are records of a table: the extreme of a group that survives the deletion of the extreme.
//
//   node     three words of a record: first child + 1, next sibling + 1, previous + 1 (parent for a first child)
// Insertion is O(1), removal of any node O(log n) amortised. A heap is known by its root (record + 1; 0 = empty), which
// the caller keeps. Values do not change while a node is in a heap. `sign` 1: the smallest on top, -1: the greatest.
import type { ValueOrder } from './value-order.ts';

export interface HeapShape {
  readonly order: ValueOrder;
  readonly sign: 1 | -1;
  readonly width: number;
  /** Where in a record the value lies, and the three words of the node. */
  readonly valueAt: number;
  readonly nodeAt: number;
}

// Scratch of mergeSiblings, empty between calls.
const stack: number[] = [];

/** The root after record `id` has joined. */
export function heapInsert(shape: HeapShape, words: Int32Array, root: number, id: number): number {
  const node = id * shape.width + shape.nodeAt;
  words[node] = 0;
  words[node + 1] = 0;
  words[node + 2] = 0;
  return root === 0 ? id + 1 : meld(shape, words, root, id + 1);
}

/** The root after record `id` has left. */
export function heapRemove(shape: HeapShape, words: Int32Array, root: number, id: number): number {
  const { width, nodeAt } = shape;
  const node = id * width + nodeAt;
  const children = mergeSiblings(shape, words, words[node]!);
  if (root === id + 1) return children;
  const sibling = words[node + 1]!;
  const previous = words[node + 2]!;
  const before = (previous - 1) * width + nodeAt;
  if (words[before] === id + 1) words[before] = sibling;
  else words[before + 1] = sibling;
  if (sibling !== 0) words[(sibling - 1) * width + nodeAt + 2] = previous;
  return children === 0 ? root : meld(shape, words, root, children);
}

// ── data plane ──

function meld(shape: HeapShape, words: Int32Array, a: number, b: number): number {
  const { width, valueAt, nodeAt, order, sign } = shape;
  const swap = sign * order(words, (a - 1) * width + valueAt, words, (b - 1) * width + valueAt) > 0;
  const winner = swap ? b : a;
  const loser = swap ? a : b;
  const top = (winner - 1) * width + nodeAt;
  const below = (loser - 1) * width + nodeAt;
  const child = words[top]!;
  words[below + 1] = child;
  words[below + 2] = winner;
  if (child !== 0) words[(child - 1) * width + nodeAt + 2] = loser;
  words[top] = loser;
  words[top + 1] = 0;
  words[top + 2] = 0;
  return winner;
}

/** Melds a list of siblings, in pairs from the left and then from the right. */
function mergeSiblings(shape: HeapShape, words: Int32Array, first: number): number {
  if (first === 0) return 0;
  const { width, nodeAt } = shape;
  const base = stack.length;
  let next = first;
  while (next !== 0) {
    const a = next;
    const nodeA = (a - 1) * width + nodeAt;
    const b = words[nodeA + 1]!;
    words[nodeA + 1] = 0;
    words[nodeA + 2] = 0;
    if (b === 0) {
      stack.push(a);
      break;
    }
    const nodeB = (b - 1) * width + nodeAt;
    next = words[nodeB + 1]!;
    words[nodeB + 1] = 0;
    words[nodeB + 2] = 0;
    stack.push(meld(shape, words, a, b));
  }
  let root = stack.pop()!;
  while (stack.length > base) root = meld(shape, words, stack.pop()!, root);
  return root;
}
