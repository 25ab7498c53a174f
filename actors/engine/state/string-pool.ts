// Every byte string that the state of a circuit holds, numbered from 0 in order of first sight.
//
// One pool serves all operators of a circuit, so that a string is an int32 code once it has entered the state. A string that
// is interned is hashed and has one code: equal codes mean equal bytes, and the other way round, in every index, group and
// join. A string that is carried is only appended: it costs a copy, and the same bytes may have several codes. What nobody
// compares, such as the columns that a join only passes on, is carried. `canonical` gives the one code of a carried string.
// The pool is the dictionary of the columns that come out of state, so a batch that points at it costs no translation at all:
// of interned ones with the pool itself as identity, of carried ones with `carried`, which repeats. An interned code is also
// a carried one.
//
//   bytes    all strings one after the other          offsets  entry c is bytes[offsets[c] .. offsets[c + 1])
//   slots    hash, code + 1 (hash-slots.ts); carried strings have none
//
// Append-only: an entry keeps its code for the life of the pool; strings of deleted rows stay. Small arrays are replaced when
// they grow, large ones grow where they lie, in memory of the kind that threads share (growable-memory.ts), whether other threads
// read them or not. They are never written below `size`, so a column that points at older ones stays right.
// Not here: order of strings across columns of rows (row-order.ts), null handling (row-words.ts).
import type { BytesColumn, Dictionary } from '../../../runtime/batch/column.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { grownMemory } from './growable-memory.ts';
import { HashSlots, homeOf } from './hash-slots.ts';
import type { SnapshotReader, SnapshotWriter } from './snapshot-codec.ts';
import { copyBytes, copyText, equalBytes, hashBytes } from './string-bytes.ts';
import {
  appendEntries,
  hashChosenRows,
  hashRows,
  spanOf,
  sumOfLengths,
  warmEntries,
  warmStrings,
} from './string-kernels.ts';

export const StringsFull: CodedErrorClass<{ readonly bytes: number }> = defineError(
  'state.strings_full',
  { help: 'The distinct strings of one pipeline may take 2 GiB. Keep fewer or shorter strings in views and joins.' },
  (f) => `the distinct strings in the state of the pipeline exceed ${f.bytes} bytes`,
);

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const poolBytesMax = 2 ** 31 - 16;
/** What takes more bytes grows where it lies. */
const copiedBytesMax = 1 << 19;
/** From this length on a view of the string and a call to copy it cost less than a loop over its words. */
const longBytes = 256;
/** Strings that are less of what lies between the first and the last of them are fetched before they are copied. */
const sparsePart = 0.35;
/** From this length on it is worth a code that names nothing to have bytes begin where they are copied fast. */
const alignedBytesMin = 1 << 11;

export class StringPool {
  /** Whether other threads may read what it holds: bytes and offsets lie in shared memory then. */
  readonly isShared: boolean;
  #bytes: Uint8Array;
  #view: DataView;
  #offsets: Int32Array;
  readonly #slots: HashSlots = new HashSlots(1 << 9);
  #size = 0;
  /** Entries that have a slot. */
  #interned = 0;
  #dictionary: Dictionary | null = null;
  #carriedDictionary: Dictionary | null = null;
  /** The identity of columns of carried strings. */
  readonly carried: object = {};
  readonly #memos: WeakMap<object, Int32Array> = new WeakMap();
  readonly #hashMask: number;
  /** Scratch of a block of rows. */
  #hashes: Int32Array = new Int32Array(4096);
  /** Keeps the loads that warm the cache from being optimised away. */
  #warmth = 0;

  /** `hashMask` is for tests: 0 makes every string collide. */
  constructor(hashMask = -1, isShared = false) {
    this.#hashMask = hashMask;
    this.isShared = isShared;
    this.#bytes = new Uint8Array(this.#memory(1 << 12));
    this.#view = new DataView(this.#bytes.buffer);
    this.#offsets = new Int32Array(this.#memory(1 << 10));
  }

  get size(): number {
    return this.#size;
  }

  /** How many of its entries are interned. */
  get interned(): number {
    return this.#interned;
  }

  get stateBytes(): number {
    return this.#bytes.length + this.#offsets.byteLength + this.#slots.stateBytes;
  }

  /** The pool as a dictionary; valid for every code given out so far. */
  dictionary(): Dictionary {
    const size = this.#size;
    if (this.#dictionary === null || this.#dictionary.size !== size) {
      const used = this.#offsets[size]!;
      const offsets = this.#offsets.subarray(0, size + 1);
      const bytes = this.#bytes.subarray(0, used);
      this.#dictionary = { identity: this, size, offsets, bytes, isShared: this.isShared, isLasting: true };
    }
    return this.#dictionary;
  }

  /** The same for codes of carried strings. */
  carriedDictionary(): Dictionary {
    if (this.#carriedDictionary === null || this.#carriedDictionary.size !== this.#size) {
      this.#carriedDictionary = { ...this.dictionary(), identity: this.carried, repeats: true };
    }
    return this.#carriedDictionary;
  }

  /** The code that the string of a carried one has, or has from now on, among the interned. */
  canonical(code: number): number {
    const start = this.#offsets[code]!;
    const length = this.#offsets[code + 1]! - start;
    const hash = hashBytes(this.#view, this.#bytes, start, start + length) & this.#hashMask;
    this.#slots.reserve(this.#interned + 1, 1);
    const { slots, homes } = this.#slots;
    let slot = homeOf(homes, hash);
    for (;;) {
      const known = slots[slot + 1]! - 1;
      if (known < 0) break;
      if (known === code) return code;
      if (slots[slot] === hash) {
        const at = this.#offsets[known]!;
        if (
          this.#offsets[known + 1]! - at === length &&
          equalBytes(this.#view, this.#bytes, at, this.#view, this.#bytes, start, length)
        )
          return known;
      }
      slot += 2;
    }
    this.#index(code, hash, slot);
    return code;
  }

  /** Appends rows [from, to) of a bytes column as they are, and writes their codes as `internColumn` does. */
  carryColumn(column: BytesColumn, from: number, to: number, target: Int32Array, stride: number, offset: number): void {
    const { offsets, bytes, validity } = column;
    const start = offsets[from]!;
    const end = offsets[to]!;
    // Bytes that lie as those of the pool do, by words, are copied several times as fast.
    const gap = end - start < alignedBytesMin ? 0 : (bytes.byteOffset + start - this.#offsets[this.#size]!) & 7;
    this.#room(end - start + gap, to - from + 1);
    if (gap > 0) {
      this.#offsets[this.#size + 1] = this.#offsets[this.#size]! + gap;
      this.#size++;
    }
    const first = this.#size;
    const at = this.#offsets[first]!;
    this.#bytes.set(bytes.subarray(start, end), at);
    appendEntries(offsets, from, to, validity, at - start, this.#offsets, first, target, stride, offset);
    this.#size = first + (to - from);
  }

  /** Appends rows[0 .. count) of a bytes column, and writes the code of row i to target[ids[i] * stride + offset]. */
  carryRows(
    column: BytesColumn,
    rows: Int32Array,
    count: number,
    target: Int32Array,
    ids: Int32Array,
    stride: number,
    offset: number,
  ): void {
    const { offsets, bytes } = column;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = sumOfLengths(offsets, rows, count);
    this.#room(length, count);
    // Where most lies between the strings, nothing is fetched in advance: they are touched side by side.
    if (length < sparsePart * spanOf(offsets, rows, count)) this.#warmth ^= warmStrings(offsets, bytes, rows, count);
    const own = this.#offsets;
    let code = this.#size;
    let at = own[code]!;
    const isText = column.type.kind === 'VARCHAR' || column.type.kind === 'CHAR';
    for (let i = 0; i < count; i++) {
      const start = offsets[rows[i]!]!;
      const size = offsets[rows[i]! + 1]! - start;
      if (size >= longBytes) this.#bytes.set(bytes.subarray(start, start + size), at);
      else if (isText) copyText(view, bytes, start, size, this.#view, this.#bytes, at);
      else copyBytes(view, bytes, start, size, this.#view, this.#bytes, at);
      at += size;
      target[ids[i]! * stride + offset] = code++;
      own[code] = at;
    }
    this.#size = code;
  }

  /** Writes the codes of rows[0 .. count) of a bytes column: that of row i to target[ids[i] * stride + offset]. */
  internRows(
    column: BytesColumn,
    rows: Int32Array,
    count: number,
    target: Int32Array,
    ids: Int32Array,
    stride: number,
    offset: number,
  ): void {
    const { offsets, bytes } = column;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (count > this.#hashes.length) this.#hashes = new Int32Array(count);
    const hashes = this.#hashes;
    hashChosenRows(view, bytes, offsets, rows, count, this.#hashMask, hashes);
    this.#makeReady(count);
    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      const code = this.#internHashed(bytes, view, offsets[row]!, offsets[row + 1]!, hashes[i]!);
      target[ids[i]! * stride + offset] = code;
    }
  }

  /** The code of source[start .. end), given out now if it is new. `view` covers the same bytes as `source`. */
  intern(source: Uint8Array, view: DataView, start: number, end: number): number {
    const hash = hashBytes(view, source, start, end) & this.#hashMask;
    this.#slots.reserve(this.#interned + 1, 1);
    return this.#internHashed(source, view, start, end, hash);
  }

  /** There is a slot for it, if it is new. */
  #internHashed(source: Uint8Array, view: DataView, start: number, end: number, hash: number): number {
    const length = end - start;
    const { slots, homes } = this.#slots;
    let slot = homeOf(homes, hash);
    for (;;) {
      const code = slots[slot + 1]! - 1;
      if (code < 0) break;
      if (slots[slot] === hash) {
        const at = this.#offsets[code]!;
        if (
          this.#offsets[code + 1]! - at === length &&
          equalBytes(this.#view, this.#bytes, at, view, source, start, length)
        )
          return code;
      }
      slot += 2;
    }
    return this.#append(source, view, start, length, hash, slot);
  }

  /** Codes of another dictionary as codes of this pool, + 1; 0 = not translated yet. Filled by the caller's kernel. */
  memoOf(dictionary: Dictionary): Int32Array {
    let memo = this.#memos.get(dictionary.identity);
    if (memo === undefined || memo.length < dictionary.size) {
      const grown = new Int32Array(memo === undefined ? dictionary.size : Math.max(dictionary.size, memo.length * 2));
      if (memo !== undefined) grown.set(memo);
      memo = grown;
      this.#memos.set(dictionary.identity, memo);
    }
    return memo;
  }

  /** Writes the codes of rows [from, to) of a bytes column to target[(row - from) * stride + offset]. */
  internColumn(
    column: BytesColumn,
    from: number,
    to: number,
    target: Int32Array,
    stride: number,
    offset: number,
  ): void {
    const { offsets, bytes, validity } = column;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const count = to - from;
    if (count > this.#hashes.length) this.#hashes = new Int32Array(count);
    const hashes = this.#hashes;
    hashRows(view, bytes, offsets, from, count, this.#hashMask, hashes);
    this.#makeReady(count);
    let at = offset;
    for (let i = 0, row = from; i < count; i++, row++, at += stride) {
      if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) target[at] = 0;
      else target[at] = this.#internHashed(bytes, view, offsets[row]!, offsets[row + 1]!, hashes[i]!);
    }
  }

  /** An entry as text. */
  text(code: number): string {
    return decoder.decode(this.#bytes.subarray(this.#offsets[code]!, this.#offsets[code + 1]!));
  }

  /** Bytewise order of two entries: negative, 0 or positive. */
  compare(a: number, b: number): number {
    if (a === b) return 0;
    const bytes = this.#bytes;
    let i = this.#offsets[a]!;
    let j = this.#offsets[b]!;
    const endA = this.#offsets[a + 1]!;
    const endB = this.#offsets[b + 1]!;
    while (i < endA && j < endB) {
      const difference = bytes[i++]! - bytes[j++]!;
      if (difference !== 0) return difference;
    }
    return endA - i - (endB - j);
  }

  snapshot(writer: SnapshotWriter): void {
    writer.number(this.#size);
    writer.bytes(this.#bytes.subarray(0, this.#offsets[this.#size]!));
    writer.words(this.#offsets.subarray(0, this.#size + 1));
    this.#slots.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#size = reader.number();
    const bytes = reader.bytes();
    this.#bytes = new Uint8Array(this.#memory(bytes.length));
    this.#bytes.set(bytes);
    this.#view = new DataView(this.#bytes.buffer);
    const offsets = reader.words();
    this.#offsets = new Int32Array(this.#memory(offsets.byteLength));
    this.#offsets.set(offsets);
    this.#slots.restore(reader);
    this.#interned = this.#slots.entries;
    this.#dictionary = null;
    this.#carriedDictionary = null;
  }

  #memory(bytes: number): ArrayBufferLike {
    return this.isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  }

  #append(source: Uint8Array, view: DataView, start: number, length: number, hash: number, slot: number): number {
    this.#room(length, 1);
    const code = this.#size;
    const at = this.#offsets[code]!;
    if (length < longBytes) copyBytes(view, source, start, length, this.#view, this.#bytes, at);
    else this.#bytes.set(source.subarray(start, start + length), at);
    this.#offsets[code + 1] = at + length;
    this.#size = code + 1;
    this.#index(code, hash, slot);
    return code;
  }

  /** Makes room for the strings of a block, of which the hashes are known, and has those fetched that are there. */
  #makeReady(count: number): void {
    this.#slots.reserve(this.#interned + count, count);
    // A string that is known costs three loads, each from where the one before says: they are under way for many at a time.
    if (!this.#slots.isLarge) return;
    this.#warmth ^= warmEntries(this.#slots, this.#offsets, this.#bytes, this.#hashes, count);
  }

  /** Gives an entry its slot. */
  #index(code: number, hash: number, slot: number): void {
    const { slots } = this.#slots;
    slots[slot] = hash;
    slots[slot + 1] = code + 1;
    this.#interned++;
  }

  /** Makes room for more entries. */
  #room(length: number, entries: number): void {
    const at = this.#offsets[this.#size]!;
    if (at + length > this.#bytes.length) {
      if (at + length > poolBytesMax) throw new StringsFull({ bytes: poolBytesMax });
      const bytes = Math.min(poolBytesMax, Math.max(at + length, this.#bytes.length * 2, 64));
      const memory = this.#grown(this.#bytes, at, bytes);
      this.#bytes = new Uint8Array(memory, 0, bytes);
      this.#view = new DataView(memory, 0, bytes);
    }
    const needed = this.#size + entries + 1;
    if (needed <= this.#offsets.length) return;
    const length32 = Math.max(needed, this.#offsets.length * 2);
    this.#offsets = new Int32Array(this.#grown(this.#offsets, this.#offsets.byteLength, length32 * 4), 0, length32);
  }

  /** Memory of `bytes` that begins with the first `used` ones of an array. */
  #grown({ buffer }: Uint8Array | Int32Array, used: number, bytes: number): ArrayBufferLike {
    const inPlace = bytes > copiedBytesMax ? grownMemory(buffer, used, bytes) : null;
    if (inPlace !== null) return inPlace;
    const memory = this.#memory(bytes);
    new Uint8Array(memory).set(new Uint8Array(buffer, 0, used));
    return memory;
  }
}
