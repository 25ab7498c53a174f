// A hash table of records: each has a key of some words, and words behind it that belong to the caller.
//
//   words    record r begins at word r * width: [ key words | extra words | padding to an even number ]
//   slots    hash of the key, record + 1 (hash-slots.ts)
//   free     records that were removed, chained through their first word (record + 1; 0 = end)
//   direct   records of small keys by the key itself (kernel-source.ts): a memory of probes, never larger than a few words
//            for each record, and not part of snapshots
//   run      small keys that follow one another in records that do: a range, in which a key says where its record is
// Record numbers are dense and stable until `remove`. Extra words are 0 when a record is new. The width is even, so that
// `doubles` (the same memory as 64-bit floats) can hold sums and counts beside the key.
// Arrays are replaced when they grow (x2): read `words` and `doubles` again after `findOrInsert`. A hash selects a slot,
// equality of all key words decides. `hashMask` is for tests: 0 makes every key collide.
import { asDoubles, grownWords } from './grown-words.ts';
import { HashSlots } from './hash-slots.ts';
import { type RecordKernels, recordKernels, smallKeyWordsMax } from './kernel-source.ts';
import type { SnapshotReader, SnapshotWriter } from './snapshot-codec.ts';

export interface RecordTableShape {
  readonly keyWords: number;
  readonly extraWords: number;
  readonly hashMask?: number;
}

/** Where in the header the run lies. */
const runAt = 4;

export class RecordTable {
  readonly keyWords: number;
  /** Words of a record. */
  readonly width: number;
  words: Int32Array;
  doubles: Float64Array;
  readonly #kernels: RecordKernels;
  readonly #hashMask: number;
  readonly #slots: HashSlots = new HashSlots();
  #direct: Int32Array = new Int32Array(64);
  /** Scratch of the kernel. */
  #pending: Int32Array = new Int32Array(16);
  #hashes: Int32Array = new Int32Array(16);
  /** [records ever used, first free + 1, live records, greatest small key that was probed for, run: first key, its record, length, shift] */
  readonly #header: Int32Array = new Int32Array(8);

  constructor(shape: RecordTableShape) {
    this.keyWords = shape.keyWords;
    this.width = Math.max(2, (shape.keyWords + shape.extraWords + 1) & -2);
    this.#hashMask = shape.hashMask ?? -1;
    this.#kernels = recordKernels(shape.keyWords);
    this.words = new Int32Array(8 * this.width);
    this.doubles = asDoubles(this.words);
  }

  /** Records in the table. */
  get live(): number {
    return this.#header[2]!;
  }

  get stateBytes(): number {
    return this.words.byteLength + this.#slots.stateBytes + this.#direct.byteLength;
  }

  /** Writes the record of each of `count` keys to `ids`; new keys get a record. */
  findOrInsert(keys: Int32Array, stride: number, count: number, ids: Int32Array): void {
    this.#reserve(count);
    const { slots, homes } = this.#slots;
    this.#kernels.findOrInsert(
      slots,
      this.words,
      this.width,
      keys,
      stride,
      count,
      ids,
      this.#header,
      this.#hashMask,
      this.#direct,
      this.#pending,
      this.#hashes,
      homes,
    );
  }

  /** Writes the record of each of `count` keys to `ids`, -1 where there is none. */
  find(keys: Int32Array, stride: number, count: number, ids: Int32Array): void {
    const { slots, homes } = this.#slots;
    this.#kernels.find(slots, this.words, this.width, keys, stride, count, ids, this.#hashMask, homes);
  }

  /** Forgets a record; its number will be given out again. */
  remove(id: number): void {
    const at = id * this.width;
    if (this.#hasSmallKeys) forgetSmall(this.words[at]!, id, this.#direct, this.#header);
    this.#slots.remove(this.#kernels.hash(this.words, at, this.#hashMask), id + 1);
    clearWords(this.words, at, this.width);
    this.words[at] = this.#header[1]!;
    this.#header[1] = id + 1;
    this.#header[2]!--;
  }

  /** Forgets records, given in ascending order; O(size) when they are most of them, for which nothing is looked up. */
  removeAll(gone: Int32Array): void {
    if (gone.length * 2 < this.live) {
      for (let i = 0; i < gone.length; i++) this.remove(gone[i]!);
      return;
    }
    const header = this.#header;
    const isGone = new Uint8Array(header[0]!);
    freeRecords(this.words, this.width, gone, isGone, header, this.#hasSmallKeys ? this.#direct : null);
    header[2]! -= gone.length;
    this.#slots.removeAll(isGone);
  }

  /** The numbers of all records, in ascending order. O(size). */
  ids(): Int32Array {
    const used = new Uint8Array(this.#header[0]!);
    this.#slots.mark(used);
    const ids = new Int32Array(this.live);
    writeUsed(used, ids);
    return ids;
  }

  snapshot(writer: SnapshotWriter): void {
    writer.words(this.#header.subarray(0, runAt));
    writer.words(this.words.subarray(0, this.#header[0]! * this.width));
    this.#slots.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#header.set(reader.words());
    const words = reader.words();
    this.words = new Int32Array(Math.max(words.length, 8 * this.width));
    this.words.set(words);
    this.doubles = asDoubles(this.words);
    this.#slots.restore(reader);
    this.#direct = new Int32Array(64);
    // Without free records they lie in the order in which their keys came.
    if (this.#hasSmallKeys && this.#header[1] === 0) noteRun(words, this.width, this.keyWords, this.#header);
    else this.#header.fill(0, runAt);
  }

  get #hasSmallKeys(): boolean {
    return this.keyWords > 0 && this.keyWords <= smallKeyWordsMax;
  }

  #reserve(count: number): void {
    if (count > this.#pending.length) {
      this.#pending = new Int32Array(count);
      this.#hashes = new Int32Array(count);
    }
    const used = this.#header[0]! + count;
    const live = this.#header[2]! + count;
    if (used * this.width > this.words.length) {
      this.words = grownWords(this.words, used * this.width);
      this.doubles = asDoubles(this.words);
    }
    this.#slots.reserve(live, count);
    const greatest = this.#header[3]!;
    if (greatest < this.#direct.length) return;
    this.#header[3] = 0;
    // Only where keys are dense: a sparse key is found by its hash. Those of the run need no room.
    if (greatest >= 4 * (this.live - this.#header[runAt + 2]!) + 1024) return;
    this.#direct = grownWords(this.#direct, 2 ** (32 - Math.clz32(greatest)));
  }
}

// ── data plane ──

function writeUsed(used: Uint8Array, ids: Int32Array): void {
  let found = 0;
  for (let id = 0; id < used.length; id++) if (used[id] !== 0) ids[found++] = id;
}

/** Chains records to the free ones; `direct`: of small keys, else null. */
function freeRecords(
  words: Int32Array,
  width: number,
  gone: Int32Array,
  isGone: Uint8Array,
  header: Int32Array,
  direct: Int32Array | null,
): void {
  // From the last one on, so that new records fill the gaps in the order in which they lie.
  for (let i = gone.length - 1; i >= 0; i--) {
    const id = gone[i]!;
    const at = id * width;
    isGone[id] = 1;
    if (direct !== null) forgetSmall(words[at]!, id, direct, header);
    clearWords(words, at, width);
    words[at] = header[1]!;
    header[1] = id + 1;
  }
}

/** Of a record that goes: `key` is the first word of its key, which may be a small one. */
function forgetSmall(key: number, id: number, direct: Int32Array, header: Int32Array): void {
  if (key >= 0 && key < direct.length && direct[key] === id + 1) direct[key] = 0;
  const before = id - header[runAt + 1]!;
  const length = header[runAt + 2]!;
  if (before < 0 || before >= length) return;
  // The longer part stays a run; the keys of the other one are probed for.
  if (before * 2 >= length) header[runAt + 2] = before;
  else {
    header[runAt] = header[runAt]! + (before + 1) * 2 ** header[runAt + 3]!;
    header[runAt + 1] = id + 1;
    header[runAt + 2] = length - before - 1;
  }
}

/** Finds the run that the first records are, if they are one. */
function noteRun(words: Int32Array, width: number, keyWords: number, header: Int32Array): void {
  const first = words[0] ?? -1;
  const gap = words.length > width ? words[width]! - first : 1;
  const distance = gap > 0 && (gap & (gap - 1)) === 0 ? gap : 1;
  let length = 0;
  for (let at = 0; at < words.length && first >= 0; at += width, length++) {
    if (words[at] !== first + length * distance) break;
    let others = 0;
    for (let k = 1; k < keyWords; k++) others |= words[at + k]!;
    if (others !== 0) break;
  }
  header[runAt] = first;
  header[runAt + 1] = 0;
  header[runAt + 2] = length;
  header[runAt + 3] = 31 - Math.clz32(distance);
}

/** A call of fill() costs more than the few words of a record. */
export function clearWords(words: Int32Array, at: number, count: number): void {
  for (let k = 0; k < count; k++) words[at + k] = 0;
}

/**
 * Touches a word of each record without a branch, so that their cache lines are fetched side by side. Four at a time: the
 * fewer instructions lie between two loads, the more of them are under way.
 */
export function warmRecords(words: Int32Array, width: number, offset: number, ids: Int32Array, count: number): number {
  let a = 0;
  let b = 0;
  let i = 0;
  for (; i < count - 3; i += 4) {
    a ^= words[ids[i]! * width + offset]! ^ words[ids[i + 1]! * width + offset]!;
    b ^= words[ids[i + 2]! * width + offset]! ^ words[ids[i + 3]! * width + offset]!;
  }
  for (; i < count; i++) a ^= words[ids[i]! * width + offset]!;
  return a ^ b;
}

/** The same for a record that lies on two cache lines: touches the words at both offsets. */
export function warmLongRecords(
  words: Int32Array,
  width: number,
  first: number,
  last: number,
  ids: Int32Array,
  count: number,
): number {
  let a = 0;
  let b = 0;
  let i = 0;
  for (; i < count - 3; i += 4) {
    const at0 = ids[i]! * width;
    const at1 = ids[i + 1]! * width;
    const at2 = ids[i + 2]! * width;
    const at3 = ids[i + 3]! * width;
    a ^= words[at0 + first]! ^ words[at1 + first]! ^ words[at2 + first]! ^ words[at3 + first]!;
    b ^= words[at0 + last]! ^ words[at1 + last]! ^ words[at2 + last]! ^ words[at3 + last]!;
  }
  for (; i < count; i++) a ^= words[ids[i]! * width + first]! ^ words[ids[i]! * width + last]!;
  return a ^ b;
}
