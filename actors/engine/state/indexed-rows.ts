// The rows of one side of a join with any weights: equal rows are merged, and each is found at once.
//
//   record   [ key record | payload words | weight | next + 1 | previous + 1 ]      chain heads lie in the key table
// A hash table over (key record, payload) finds the row of a deletion in O(1) however long its chain is; `previous` takes it
// out of the chain. Weights may become negative; a record whose weight becomes 0 is forgotten.
// Not here: sides that only grow (unit-rows.ts), when to switch (join-rows.ts).
import { type JoinKernels, type JoinRecordForm, joinKernels } from './join-kernel-source.ts';
import { type RecordKernels, recordKernels } from './kernel-source.ts';
import type { RecordTable } from './record-table.ts';
import { removeSlot } from './record-table.ts';
import type { SnapshotReader, SnapshotWriter } from './snapshot-codec.ts';
import { growSlots } from './string-pool.ts';
import type { UnitRows } from './unit-rows.ts';

/** All records lie in one chunk. */
const chunkBits = 31;

export class IndexedRows {
  readonly form: JoinRecordForm;
  readonly kernels: JoinKernels;
  words: Int32Array;
  readonly #keys: RecordTable;
  /** Word of a key record that holds the head of this side's chain (record + 1). */
  readonly #headAt: number;
  readonly #records: RecordKernels;
  readonly #hashMask: number;
  /** [records ever used, first free + 1, live records] */
  readonly #header: Int32Array = new Int32Array(3);
  #slots: Int32Array = new Int32Array(32);
  readonly #probe: Int32Array;
  readonly #found: Int32Array = new Int32Array(1);

  constructor(keys: RecordTable, headAt: number, payloadWords: number, hashMask: number) {
    this.#keys = keys;
    this.#headAt = headAt;
    const weightAt = 1 + payloadWords;
    this.form = { payloadWords, width: 4 + payloadWords, payloadAt: 1, weightAt, nextAt: weightAt + 1, chunkBits };
    this.kernels = joinKernels(this.form);
    this.words = new Int32Array(16 * this.form.width);
    this.#records = recordKernels(1 + payloadWords);
    this.#hashMask = hashMask;
    this.#probe = new Int32Array(1 + payloadWords);
  }

  get live(): number {
    return this.#header[2]!;
  }

  get stateBytes(): number {
    return this.words.byteLength + this.#slots.byteLength;
  }

  /** Takes over all rows of a side that only grew; its chain heads then point to records of this one. O(rows). */
  takeOver(rows: UnitRows): void {
    const keys = this.#keys;
    const { nextAt } = rows.form;
    this.reserve(rows.live);
    // Insertions leave no chain empty.
    const emptied: number[] = [];
    for (const key of keys.ids()) {
      const headWord = key * keys.width + this.#headAt;
      let record = keys.words[headWord]!;
      keys.words[headWord] = 0;
      while (record !== 0) {
        const words = rows.chunkOf(record - 1);
        const base = rows.baseOf(record - 1);
        this.changeRow(words, base, key, 1, emptied);
        record = words[base + nextAt]!;
      }
    }
  }

  /** Makes room for `count` more records. */
  reserve(count: number): void {
    const needed = (this.#header[0]! + count) * this.form.width;
    if (needed > this.words.length) {
      const grown = new Int32Array(Math.max(needed, this.words.length * 2));
      grown.set(this.words);
      this.words = grown;
    }
  }

  /** Adds `weight` to the row with the payload at source[at ..]; there is room for one more record. */
  changeRow(source: Int32Array, at: number, key: number, weight: number, emptied: number[]): void {
    const { words } = this;
    const { width, weightAt, payloadWords } = this.form;
    this.#probe[0] = key;
    for (let k = 0; k < payloadWords; k++) this.#probe[1 + k] = source[at + k]!;
    this.#records.find(this.#slots, words, width, this.#probe, 0, 1, this.#found, this.#hashMask);
    const found = this.#found[0]!;
    if (found < 0) {
      const id = this.#allocate(source, at, key, weight);
      this.#link(id, key);
      this.#addSlot(id);
      return;
    }
    const sum = words[found * width + weightAt]! + weight;
    words[found * width + weightAt] = sum;
    if (sum === 0) this.#remove(found, emptied);
  }

  weightOf(id: number): number {
    return this.words[id * this.form.width + this.form.weightAt]!;
  }

  snapshot(writer: SnapshotWriter): void {
    writer.words(this.#header);
    writer.words(this.words.subarray(0, this.#header[0]! * this.form.width));
    writer.words(this.#slots);
  }

  restore(reader: SnapshotReader): void {
    this.#header.set(reader.words());
    const words = reader.words();
    this.words = words.length === 0 ? new Int32Array(16 * this.form.width) : words;
    this.#slots = reader.words();
  }

  #allocate(source: Int32Array, at: number, key: number, weight: number): number {
    const header = this.#header;
    const { words } = this;
    const { width, weightAt, payloadWords } = this.form;
    let id = header[1]! - 1;
    if (id >= 0) header[1] = words[id * width]!;
    else {
      id = header[0]!;
      header[0] = id + 1;
    }
    header[2]!++;
    const base = id * width;
    words[base] = key;
    for (let k = 0; k < payloadWords; k++) words[base + 1 + k] = source[at + k]!;
    words[base + weightAt] = weight;
    return id;
  }

  #link(id: number, key: number): void {
    const keys = this.#keys;
    const { words } = this;
    const { width, nextAt } = this.form;
    const headWord = key * keys.width + this.#headAt;
    const head = keys.words[headWord]!;
    const base = id * width;
    words[base + nextAt] = head;
    words[base + nextAt + 1] = 0;
    if (head !== 0) words[(head - 1) * width + nextAt + 1] = id + 1;
    keys.words[headWord] = id + 1;
  }

  #remove(id: number, emptied: number[]): void {
    removeSlot(this.#slots, this.#records.hash(this.words, id * this.form.width, this.#hashMask), id + 1);
    this.#unlink(id, emptied);
    const { words } = this;
    const { width } = this.form;
    const base = id * width;
    words.fill(0, base, base + width);
    words[base] = this.#header[1]!;
    this.#header[1] = id + 1;
    this.#header[2]!--;
  }

  #unlink(id: number, emptied: number[]): void {
    const { words } = this;
    const { width, nextAt } = this.form;
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

  #addSlot(id: number): void {
    if (this.live * 4 > this.#slots.length) this.#slots = growSlots(this.#slots);
    const slots = this.#slots;
    const hash = this.#records.hash(this.words, id * this.form.width, this.#hashMask);
    const mask = (slots.length >> 1) - 1;
    let slot = hash & mask;
    while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = id + 1;
  }
}
