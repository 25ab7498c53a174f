// The rows of one side of a join, chained by join key.
//
//   record   [ key record | payload words | weight | next + 1 | previous + 1 ]      chain heads lie in the key table
// Two modes. At first rows are only appended (equal rows make several records) and `previous` is not kept: an insertion
// writes one record at the end of the array and the head of its chain, nothing else. A deletion walks its chain; the first
// one that finds no equal row among `walkMax` switches to the indexed mode for good: equal rows are merged, `previous` is
// kept, and a hash table over (key record, payload) finds the row of a deletion in O(1) however long the chain is.
// The switch costs O(rows) once and is paid for by the insertions before it. Weights may become negative.
// Not here: join keys, outputs (operators/join.ts).
import { type RecordKernels, recordKernels } from './kernel-source.ts';
import type { RecordTable } from './record-table.ts';
import { removeSlot } from './record-table.ts';
import type { SnapshotReader, SnapshotWriter } from './snapshot-codec.ts';
import { growSlots } from './string-pool.ts';

const walkMax = 16;

export class JoinRows {
  readonly width: number;
  readonly payloadWords: number;
  readonly weightAt: number;
  readonly nextAt: number;
  words: Int32Array;
  readonly #keys: RecordTable;
  /** Word of a key record that holds the head of this side's chain (record + 1). */
  readonly #headAt: number;
  readonly #kernels: RecordKernels;
  readonly #hashMask: number;
  /** [records ever used, first free + 1, live records] */
  readonly #header: Int32Array = new Int32Array(3);
  #slots: Int32Array | null = null;
  readonly #probe: Int32Array;
  readonly #found: Int32Array = new Int32Array(1);

  constructor(keys: RecordTable, headAt: number, payloadWords: number, hashMask = -1) {
    this.#keys = keys;
    this.#headAt = headAt;
    this.payloadWords = payloadWords;
    this.weightAt = 1 + payloadWords;
    this.nextAt = 2 + payloadWords;
    this.width = 4 + payloadWords;
    this.words = new Int32Array(16 * this.width);
    this.#kernels = recordKernels(1 + payloadWords);
    this.#hashMask = hashMask;
    this.#probe = new Int32Array(1 + payloadWords);
  }

  get live(): number {
    return this.#header[2]!;
  }

  get stateBytes(): number {
    return this.words.byteLength + (this.#slots?.byteLength ?? 0);
  }

  /**
   * Adds `count` rows: payload at word i * stride + shift of `source`, key record ids[i], weight weights[i].
   * Key records whose chain became empty are appended to `emptied`.
   */
  change(
    source: Int32Array,
    stride: number,
    shift: number,
    ids: Int32Array,
    weights: Int32Array,
    count: number,
    emptied: number[],
  ): void {
    this.#reserve(count);
    if (this.#slots === null && allPositive(weights, count)) {
      const { words, width, payloadWords } = this;
      const keys = this.#keys;
      appendRows(
        words,
        width,
        payloadWords,
        source,
        stride,
        shift,
        ids,
        weights,
        count,
        keys.words,
        keys.width,
        this.#headAt,
        this.#header,
      );
      return;
    }
    for (let i = 0; i < count; i++) this.#changeRow(source, i * stride + shift, ids[i]!, weights[i]!, emptied);
  }

  snapshot(writer: SnapshotWriter): void {
    writer.words(this.#header);
    writer.words(this.words.subarray(0, this.#header[0]! * this.width));
    writer.words(this.#slots ?? new Int32Array(0));
  }

  restore(reader: SnapshotReader): void {
    this.#header.set(reader.words());
    const words = reader.words();
    this.words = words.length === 0 ? new Int32Array(16 * this.width) : words;
    const slots = reader.words();
    this.#slots = slots.length === 0 ? null : slots;
  }

  #changeRow(source: Int32Array, at: number, key: number, weight: number, emptied: number[]): void {
    if (this.#slots === null) {
      if (weight > 0) {
        this.#link(this.#allocate(source, at, key, weight), key);
        return;
      }
      if (this.#walk(source, at, key, weight, emptied)) return;
      this.#index();
    }
    const { words, width, weightAt } = this;
    this.#probe[0] = key;
    for (let k = 0; k < this.payloadWords; k++) this.#probe[1 + k] = source[at + k]!;
    this.#kernels.find(this.#slots!, words, width, this.#probe, 0, 1, this.#found, this.#hashMask);
    const found = this.#found[0]!;
    if (found < 0) {
      const id = this.#allocate(source, at, key, weight);
      this.#link(id, key);
      this.#addSlot(id);
      return;
    }
    const sum = words[found * width + weightAt]! + weight;
    words[found * width + weightAt] = sum;
    if (sum === 0) this.#removeIndexed(found, emptied);
  }

  /** Takes a negative weight from an equal row near the head of the chain, if there is one. */
  #walk(source: Int32Array, at: number, key: number, weight: number, emptied: number[]): boolean {
    const { words, width, payloadWords, weightAt, nextAt } = this;
    const keys = this.#keys;
    const headWord = key * keys.width + this.#headAt;
    let previous = 0;
    let id = keys.words[headWord]!;
    for (let steps = 0; id !== 0 && steps < walkMax; steps++) {
      const base = (id - 1) * width;
      if (equalWords(words, base + 1, source, at, payloadWords)) {
        const sum = words[base + weightAt]! + weight;
        if (sum < 0) return false;
        words[base + weightAt] = sum;
        if (sum > 0) return true;
        const next = words[base + nextAt]!;
        if (previous === 0) keys.words[headWord] = next;
        else words[(previous - 1) * width + nextAt] = next;
        if (previous === 0 && next === 0) emptied.push(key);
        this.#release(id - 1);
        return true;
      }
      previous = id;
      id = words[base + nextAt]!;
    }
    return false;
  }

  #allocate(source: Int32Array, at: number, key: number, weight: number): number {
    const header = this.#header;
    let id = header[1]! - 1;
    if (id >= 0) header[1] = this.words[id * this.width]!;
    else {
      id = header[0]!;
      header[0] = id + 1;
    }
    header[2]!++;
    const { words } = this;
    const base = id * this.width;
    words[base] = key;
    for (let k = 0; k < this.payloadWords; k++) words[base + 1 + k] = source[at + k]!;
    words[base + this.weightAt] = weight;
    return id;
  }

  #link(id: number, key: number): void {
    const keys = this.#keys;
    const headWord = key * keys.width + this.#headAt;
    const head = keys.words[headWord]!;
    const base = id * this.width;
    this.words[base + this.nextAt] = head;
    this.words[base + this.nextAt + 1] = 0;
    if (head !== 0 && this.#slots !== null) this.words[(head - 1) * this.width + this.nextAt + 1] = id + 1;
    keys.words[headWord] = id + 1;
  }

  #release(id: number): void {
    const base = id * this.width;
    this.words.fill(0, base, base + this.width);
    this.words[base] = this.#header[1]!;
    this.#header[1] = id + 1;
    this.#header[2]!--;
  }

  #unlink(id: number, emptied: number[]): void {
    const { words, width, nextAt } = this;
    const base = id * width;
    const next = words[base + nextAt]!;
    const previous = words[base + nextAt + 1]!;
    const key = words[base]!;
    if (next !== 0) words[(next - 1) * width + nextAt + 1] = previous;
    if (previous !== 0) words[(previous - 1) * width + nextAt] = next;
    else {
      this.#keys.words[key * this.#keys.width + this.#headAt] = next;
      if (next === 0) emptied.push(key);
    }
  }

  #removeIndexed(id: number, emptied: number[]): void {
    removeSlot(this.#slots!, this.#kernels.hash(this.words, id * this.width, this.#hashMask), id + 1);
    this.#unlink(id, emptied);
    this.#release(id);
  }

  #addSlot(id: number): void {
    let slots = this.#slots!;
    if (this.live * 4 > slots.length) this.#slots = slots = growSlots(slots);
    const hash = this.#kernels.hash(this.words, id * this.width, this.#hashMask);
    const mask = (slots.length >> 1) - 1;
    let slot = hash & mask;
    while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = id + 1;
  }

  /** Switches to the indexed mode: O(rows), once. */
  #index(): void {
    const { words, width, weightAt, nextAt } = this;
    const used = this.#header[0]!;
    let length = 32;
    while (length < this.live * 4) length *= 2;
    this.#slots = new Int32Array(length);
    for (let id = 0; id < used; id++) {
      const next = words[id * width + nextAt]!;
      if (words[id * width + weightAt] !== 0 && next !== 0) words[(next - 1) * width + nextAt + 1] = id + 1;
    }
    for (let id = 0; id < used; id++) {
      const base = id * width;
      const weight = words[base + weightAt]!;
      if (weight === 0) continue;
      for (let k = 0; k <= this.payloadWords; k++) this.#probe[k] = words[base + k]!;
      this.#kernels.find(this.#slots, words, width, this.#probe, 0, 1, this.#found, this.#hashMask);
      const found = this.#found[0]!;
      if (found < 0) {
        this.#addSlot(id);
        continue;
      }
      // Before the switch all weights are positive, so merging never makes a zero.
      words[found * width + weightAt]! += weight;
      this.#unlink(id, []);
      this.#release(id);
    }
  }

  #reserve(count: number): void {
    const needed = (this.#header[0]! + count) * this.width;
    if (needed <= this.words.length) return;
    const grown = new Int32Array(Math.max(needed, this.words.length * 2));
    grown.set(this.words);
    this.words = grown;
  }
}

// ── data plane ──

function allPositive(weights: Int32Array, count: number): boolean {
  for (let i = 0; i < count; i++) if (weights[i]! < 0) return false;
  return true;
}

function equalWords(a: Int32Array, atA: number, b: Int32Array, atB: number, count: number): boolean {
  for (let k = 0; k < count; k++) if (a[atA + k] !== b[atB + k]) return false;
  return true;
}

function appendRows(
  words: Int32Array,
  width: number,
  payloadWords: number,
  source: Int32Array,
  stride: number,
  shift: number,
  ids: Int32Array,
  weights: Int32Array,
  count: number,
  keys: Int32Array,
  keyWidth: number,
  headAt: number,
  header: Int32Array,
): void {
  let used = header[0]!;
  let free = header[1]!;
  for (let i = 0, read = shift; i < count; i++, read += stride) {
    let id = used;
    if (free !== 0) {
      id = free - 1;
      free = words[id * width]!;
    } else used++;
    const base = id * width;
    const key = ids[i]!;
    const head = key * keyWidth + headAt;
    words[base] = key;
    for (let k = 0; k < payloadWords; k++) words[base + 1 + k] = source[read + k]!;
    words[base + payloadWords + 1] = weights[i]!;
    words[base + payloadWords + 2] = keys[head]!;
    words[base + payloadWords + 3] = 0;
    keys[head] = id + 1;
  }
  header[0] = used;
  header[1] = free;
  header[2]! += count;
}
