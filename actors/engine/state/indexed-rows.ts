// The rows of one side of a join with any weights: equal rows are merged, and each is found at once.
//
//   record   [ key record | payload words | weight | next + 1 | previous + 1 ]      chain heads lie in the key table
// A hash table over (key record, payload) finds the row of a deletion in O(1) however long its chain is; `previous` takes it
// out of the chain. Weights may become negative; a record whose weight becomes 0 is forgotten.
// A change of a row waits for its slot, its record and the records beside it in the chain; `change` has them fetched for
// all rows of a block side by side before it changes the first.
// Not here: sides that only grow (unit-rows.ts), when to switch (join-rows.ts).
import { grownWords } from './grown-words.ts';
import { HashSlots, homeOf } from './hash-slots.ts';
import { type JoinKernels, type JoinRecordForm, joinKernels } from './join-kernel-source.ts';
import { type RecordKernels, recordKernels } from './kernel-source.ts';
import type { RecordTable } from './record-table.ts';
import { clearWords } from './record-table.ts';
import type { SnapshotReader, SnapshotWriter } from './snapshot-codec.ts';
import { isBelow, type PayloadBound, type UnitRows } from './unit-rows.ts';

/** All records lie in one chunk. */
const chunkBits = 31;
/** Chains that are walked side by side. */
const takeOverRows = 256;

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
  readonly #slots: HashSlots = new HashSlots();
  /** Keys (key record, payload) and hashes of a block, and scratch. */
  #probe: Int32Array;
  #hashes: Int32Array = new Int32Array(1);
  #guesses: Int32Array = new Int32Array(1);
  /** Keeps the loads that warm the cache from being optimised away. */
  #warmth = 0;

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
    return this.words.byteLength + this.#slots.stateBytes;
  }

  /** Takes over all rows of a side that only grew; its chain heads then point to records of this one. O(rows). */
  takeOver(rows: UnitRows): void {
    const keys = this.#keys;
    const { nextAt } = rows.form;
    this.reserve(rows.live);
    this.#room(takeOverRows);
    // Insertions leave no chain empty.
    const emptied: number[] = [];
    // A chain is one load after the other; those of many keys are walked side by side, a record of each at a time.
    const ids = keys.ids();
    const heads = new Int32Array(takeOverRows);
    for (let from = 0; from < ids.length; from += takeOverRows) {
      const part = ids.slice(from, from + takeOverRows);
      let open = part.length;
      for (let i = 0; i < open; i++) {
        const headWord = part[i]! * keys.width + this.#headAt;
        heads[i] = keys.words[headWord]!;
        keys.words[headWord] = 0;
      }
      while (open > 0) {
        let loaded = 0;
        let kept = 0;
        for (let i = 0; i < open; i++) {
          const record = heads[i]! - 1;
          if (record < 0) continue;
          const words = rows.chunkOf(record);
          const base = rows.baseOf(record);
          this.#load(words, base, part[i]!, loaded++);
          part[kept] = part[i]!;
          heads[kept++] = words[base + nextAt]!;
        }
        open = kept;
        this.#warmth ^= warmRows(this.#slots, this.words, this.form.width, 0, this.#hashes, loaded, this.#guesses);
        for (let i = 0; i < loaded; i++) this.#changeRow(i, 1, emptied);
      }
    }
  }

  /** Makes room for a block of `count` rows. */
  #room(count: number): void {
    if (count <= this.#hashes.length) return;
    this.#probe = new Int32Array(count * (1 + this.form.payloadWords));
    this.#hashes = new Int32Array(count);
    this.#guesses = new Int32Array(count);
  }

  /** Makes room for `count` more records. */
  reserve(count: number): void {
    this.#slots.reserve(this.live + count, count);
    const needed = (this.#header[0]! + count) * this.form.width;
    if (needed > this.words.length) this.words = grownWords(this.words, needed);
  }

  /** Adds weights[i] to row i of [from, to): payload at word i * stride + shift of `source`, key record ids[i]. */
  change(
    source: Int32Array,
    stride: number,
    shift: number,
    ids: Int32Array,
    weights: Int32Array,
    from: number,
    to: number,
    emptied: number[],
  ): void {
    const count = to - from;
    this.reserve(count);
    this.#room(count);
    for (let i = 0; i < count; i++) this.#load(source, (from + i) * stride + shift, ids[from + i]!, i);
    const { width, nextAt } = this.form;
    this.#warmth ^= warmRows(this.#slots, this.words, width, nextAt, this.#hashes, count, this.#guesses);
    for (let i = 0; i < count; i++) this.#changeRow(i, weights[from + i]!, emptied);
  }

  /** Makes a row number `i` of the block. */
  #load(source: Int32Array, at: number, key: number, i: number): void {
    const { payloadWords } = this.form;
    const probe = this.#probe;
    const to = i * (1 + payloadWords);
    probe[to] = key;
    for (let k = 0; k < payloadWords; k++) probe[to + 1 + k] = source[at + k]!;
    this.#hashes[i] = this.#records.hash(probe, to, this.#hashMask);
  }

  /** Adds `weight` to row `i` of the block; there is room for one more record. */
  #changeRow(i: number, weight: number, emptied: number[]): void {
    const { words } = this;
    const { width, weightAt, payloadWords } = this.form;
    const at = i * (1 + payloadWords);
    const hash = this.#hashes[i]!;
    const { slots, homes } = this.#slots;
    const found = this.#records.findHashed(slots, words, width, this.#probe, at, hash, homes);
    if (found < 0) {
      const id = this.#allocate(at, weight);
      this.#link(id, this.#probe[at]!);
      this.#addSlot(id, hash);
      return;
    }
    const sum = words[found * width + weightAt]! + weight;
    words[found * width + weightAt] = sum;
    if (sum === 0) this.#remove(found, hash, emptied);
  }

  /** Removes all rows of keys; O(size) when they are most of the rows, for which nothing is looked up. */
  drop(keys: Int32Array): void {
    const { words } = this;
    const { width, nextAt } = this.form;
    const header = this.#header;
    const isGone = new Uint8Array(header[0]!);
    let found = 0;
    for (let i = 0; i < keys.length; i++) {
      const headWord = keys[i]! * this.#keys.width + this.#headAt;
      for (let record = this.#keys.words[headWord]!; record !== 0; record = words[(record - 1) * width + nextAt]!) {
        isGone[record - 1] = 1;
        found++;
      }
      this.#keys.words[headWord] = 0;
    }
    if (found === 0) return;
    const most = found * 2 >= this.live;
    // From the last one on, so that new records fill the gaps in the order in which they lie.
    for (let id = isGone.length - 1; id >= 0; id--) {
      if (isGone[id] === 0) continue;
      const base = id * width;
      if (!most) this.#slots.remove(this.#records.hash(words, base, this.#hashMask), id + 1);
      clearWords(words, base, width);
      words[base] = header[1]!;
      header[1] = id + 1;
    }
    header[2]! -= found;
    if (most) this.#slots.removeAll(isGone);
  }

  /** Drops the rows that are below a bound; writes the key records whose chain became empty, and returns how many there are. O(rows). */
  dropBelow(bound: PayloadBound, emptied: Int32Array): number {
    const { words } = this;
    const { width, weightAt, payloadAt } = this.form;
    const header = this.#header;
    const isGone = new Uint8Array(header[0]!);
    let found = 0;
    for (let id = 0, base = 0; id < isGone.length; id++, base += width) {
      // A free record has no weight.
      if (words[base + weightAt] === 0 || !isBelow(words, base + payloadAt, bound)) continue;
      isGone[id] = 1;
      found++;
    }
    if (found === 0) return 0;
    const most = found * 2 >= this.live;
    const keys: number[] = [];
    // From the last one on, so that new records fill the gaps in the order in which they lie.
    for (let id = isGone.length - 1; id >= 0; id--) {
      if (isGone[id] === 0) continue;
      const base = id * width;
      if (!most) this.#slots.remove(this.#records.hash(words, base, this.#hashMask), id + 1);
      this.#unlink(id, keys);
      clearWords(words, base, width);
      words[base] = header[1]!;
      header[1] = id + 1;
    }
    header[2]! -= found;
    if (most) this.#slots.removeAll(isGone);
    emptied.set(keys);
    emptied.subarray(0, keys.length).sort();
    return keys.length;
  }

  weightOf(id: number): number {
    return this.words[id * this.form.width + this.form.weightAt]!;
  }

  snapshot(writer: SnapshotWriter): void {
    writer.words(this.#header);
    writer.words(this.words.subarray(0, this.#header[0]! * this.form.width));
    this.#slots.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#header.set(reader.words());
    const words = reader.words();
    this.words = words.length === 0 ? new Int32Array(16 * this.form.width) : words;
    this.#slots.restore(reader);
  }

  /** A record for the key at word `at` of the block's keys. */
  #allocate(at: number, weight: number): number {
    const header = this.#header;
    const { words } = this;
    const probe = this.#probe;
    const { width, weightAt, payloadWords } = this.form;
    let id = header[1]! - 1;
    if (id >= 0) header[1] = words[id * width]!;
    else {
      id = header[0]!;
      header[0] = id + 1;
    }
    header[2]!++;
    const base = id * width;
    for (let k = 0; k <= payloadWords; k++) words[base + k] = probe[at + k]!;
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

  #remove(id: number, hash: number, emptied: number[]): void {
    this.#slots.remove(hash, id + 1);
    this.#unlink(id, emptied);
    const { words } = this;
    const { width } = this.form;
    const base = id * width;
    clearWords(words, base, width);
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

  #addSlot(id: number, hash: number): void {
    const { slots, homes } = this.#slots;
    let at = homeOf(homes, hash);
    while (slots[at + 1] !== 0) at += 2;
    slots[at] = hash;
    slots[at + 1] = id + 1;
  }
}

// ── data plane ──

/**
 * Touches the slot of each hash, the record that it names and the records before and behind that one in its chain, by
 * loops that do not branch on what they load from afar, so that many loads are under way. Which record a slot names is
 * judged by the hash alone.
 */
function warmRows(
  { slots, homes }: HashSlots,
  words: Int32Array,
  width: number,
  nextAt: number,
  hashes: Int32Array,
  count: number,
  guesses: Int32Array,
): number {
  let warmth = 0;
  let i = 0;
  for (; i < count - 3; i += 4) {
    warmth ^= slots[homeOf(homes, hashes[i]!)]! ^ slots[homeOf(homes, hashes[i + 1]!)]!;
    warmth ^= slots[homeOf(homes, hashes[i + 2]!)]! ^ slots[homeOf(homes, hashes[i + 3]!)]!;
  }
  for (i = 0; i < count; i++) {
    const hash = hashes[i]!;
    let slot = homeOf(homes, hash);
    while (slots[slot + 1] !== 0 && slots[slot] !== hash) slot += 2;
    const record = slots[slot + 1]!;
    guesses[i] = record === 0 ? 0 : record - 1;
  }
  for (i = 0; i < count - 3; i += 4) {
    warmth ^= words[guesses[i]! * width + nextAt]! ^ words[guesses[i + 1]! * width + nextAt]!;
    warmth ^= words[guesses[i + 2]! * width + nextAt]! ^ words[guesses[i + 3]! * width + nextAt]!;
  }
  for (i = 0; i < count - 1; i += 2) {
    const at0 = guesses[i]! * width + nextAt;
    const at1 = guesses[i + 1]! * width + nextAt;
    const next0 = words[at0]!;
    const next1 = words[at1]!;
    const previous0 = words[at0 + 1]!;
    const previous1 = words[at1 + 1]!;
    warmth ^= words[(next0 === 0 ? 0 : next0 - 1) * width]! ^ words[(next1 === 0 ? 0 : next1 - 1) * width]!;
    warmth ^=
      words[(previous0 === 0 ? 0 : previous0 - 1) * width]! ^ words[(previous1 === 0 ? 0 : previous1 - 1) * width]!;
  }
  return warmth;
}
