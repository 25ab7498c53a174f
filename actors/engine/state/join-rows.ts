// The rows of one side of a join, chained by join key.
//
// At first rows are only appended, each with weight +1 (unit-rows.ts): an insertion writes one short record and the head of
// its chain, nothing else. The first change that this form cannot hold, a weight above 1 or the deletion of a row that is
// not near the head of its chain, switches to the indexed form for good (indexed-rows.ts). The switch costs O(rows) once
// and is paid for by the insertions before it.
// Chain heads lie in the key table; only this class and the two forms write them.
// Not here: join keys, outputs (operators/join.ts).
import { IndexedRows } from './indexed-rows.ts';
import type { RecordTable } from './record-table.ts';
import type { SnapshotReader, SnapshotWriter } from './snapshot-codec.ts';
import { type PayloadBound, UnitRows } from './unit-rows.ts';

/** Pairs of a block of rows and the rows they match, and what is needed to go on where `pairs` were full. */
export interface MatchedPairs {
  /** Numbers of the rows of the block. */
  readonly rows: Int32Array;
  readonly weights: Int32Array;
  /** The payload of the matched rows, pair after pair. */
  staged: Int32Array;
  /** [next row of the block, next record of its chain + 1 or -1, pairs written] */
  readonly cursor: Int32Array;
  /** Chain heads of the block's rows. */
  readonly heads: Int32Array;
}

export class JoinRows {
  readonly payloadWords: number;
  readonly #keys: RecordTable;
  readonly #headAt: number;
  readonly #hashMask: number;
  readonly #chunkBits: number | null;
  #unit: UnitRows | null;
  #indexed: IndexedRows | null = null;
  readonly #oneKey: Int32Array = new Int32Array(1);
  /** Keeps the loads that warm the cache from being optimised away. */
  #warmth = 0;

  /** `hashMask` and `chunkBits` are for tests: colliding hashes, small chunks. */
  constructor(keys: RecordTable, headAt: number, payloadWords: number, hashMask = -1, chunkBits: number | null = null) {
    this.#keys = keys;
    this.#headAt = headAt;
    this.payloadWords = payloadWords;
    this.#hashMask = hashMask;
    this.#chunkBits = chunkBits;
    this.#unit = new UnitRows(keys, headAt, payloadWords, chunkBits);
  }

  get live(): number {
    return this.#unit?.live ?? this.#indexed!.live;
  }

  get stateBytes(): number {
    return this.#unit?.stateBytes ?? this.#indexed!.stateBytes;
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
    const unit = this.#unit;
    if (unit !== null && allOne(weights, count)) {
      unit.append(source, stride, shift, ids, count);
      return;
    }
    let done = 0;
    while (done < count && this.#changeUnit(source, done * stride + shift, ids[done]!, weights[done]!, emptied)) done++;
    if (done === count) return;
    this.#index();
    this.#indexed!.change(source, stride, shift, ids, weights, done, count, emptied);
  }

  /** Fetches the chain heads of a block's rows, and starts its pairs. */
  startMatch(ids: Int32Array, count: number, pairs: MatchedPairs): void {
    const keys = this.#keys;
    const { cursor, heads } = pairs;
    cursor[0] = 0;
    cursor[1] = -1;
    const { width, chunkBits } = this.#unit?.form ?? this.#indexed!.form;
    const found = gatherHeads(keys.words, keys.width, this.#headAt, ids, count, heads);
    if (found === 0) {
      cursor[0] = count;
      return;
    }
    const words = this.#flatWords();
    if (words !== null) this.#warmth ^= warmHeads(words, width, heads, count);
    else this.#warmth ^= warmChunkHeads(this.#unit!.chunks, chunkBits, width, heads, count);
  }

  /** Writes pairs from the cursor on, as many as there is room for. */
  match(weights: Int32Array, count: number, pairs: MatchedPairs): void {
    const { rows, weights: out, cursor, heads } = pairs;
    const length = rows.length * this.payloadWords;
    if (pairs.staged.length < length) pairs.staged = new Int32Array(length);
    const words = this.#flatWords();
    const { kernels } = this.#unit ?? this.#indexed!;
    if (words !== null) kernels.match(words, heads, weights, count, rows, pairs.staged, out, cursor);
    else kernels.matchChunks(this.#unit!.chunks, heads, weights, count, rows, pairs.staged, out, cursor);
  }

  /** Removes all rows of keys. */
  drop(keys: Int32Array): void {
    if (this.#unit === null) this.#indexed!.drop(keys);
    else for (let i = 0; i < keys.length; i++) this.#unit.drop(keys[i]!);
  }

  /**
   * Drops rows that are below a bound, if it finds most of them to be. Writes the key records whose chain became empty, in ascending order, to `emptied`, which
   * has room for all keys, and returns how many there are. O(rows).
   */
  dropBelow(bound: PayloadBound, emptied: Int32Array): number {
    if (this.#unit?.isOrdered === false) this.#index();
    return (this.#unit ?? this.#indexed!).dropBelow(bound, emptied);
  }

  /** The first record + 1 of a key's chain. */
  headOf(key: number): number {
    return this.#keys.words[key * this.#keys.width + this.#headAt]!;
  }

  /** The record + 1 that follows a record, 0 at the end. */
  nextOf(id: number): number {
    const unit = this.#unit;
    if (unit !== null) return unit.chunkOf(id)[unit.baseOf(id) + unit.form.nextAt]!;
    const { words, form } = this.#indexed!;
    return words[id * form.width + form.nextAt]!;
  }

  weightOf(id: number): number {
    return this.#indexed === null ? 1 : this.#indexed.weightOf(id);
  }

  /** Copies the payload of records ids[0 .. count) to `staged`, one after the other. */
  stage(ids: Int32Array, count: number, staged: Int32Array): void {
    const { kernels } = this.#unit ?? this.#indexed!;
    kernels.stage(this.#unit?.chunks ?? [this.#indexed!.words], ids, count, staged);
  }

  snapshot(writer: SnapshotWriter): void {
    writer.number(this.#unit === null ? 1 : 0);
    (this.#unit ?? this.#indexed!).snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    const indexed = reader.number() === 1;
    const { payloadWords } = this;
    this.#unit = indexed ? null : new UnitRows(this.#keys, this.#headAt, payloadWords, this.#chunkBits);
    this.#indexed = indexed ? new IndexedRows(this.#keys, this.#headAt, payloadWords, this.#hashMask) : null;
    (this.#unit ?? this.#indexed!).restore(reader);
  }

  /** Changes a row while rows are in the unit form; false when it needs the indexed one. */
  #changeUnit(source: Int32Array, at: number, key: number, weight: number, emptied: number[]): boolean {
    const unit = this.#unit;
    if (unit === null) return false;
    if (weight === 1) {
      this.#oneKey[0] = key;
      unit.append(source, 0, at, this.#oneKey, 1);
      return true;
    }
    if (weight >= 0 || !unit.take(source, at, key, -weight)) return false;
    if (this.headOf(key) === 0) emptied.push(key);
    return true;
  }

  #index(): void {
    const unit = this.#unit;
    if (unit === null) return;
    this.#indexed = new IndexedRows(this.#keys, this.#headAt, this.payloadWords, this.#hashMask);
    this.#indexed.takeOver(unit);
    this.#unit = null;
  }

  /** All records, where they lie in one array. */
  #flatWords(): Int32Array | null {
    const unit = this.#unit;
    if (unit === null) return this.#indexed!.words;
    return unit.chunks.length === 1 ? unit.chunks[0]! : null;
  }
}

// ── data plane ──

function allOne(weights: Int32Array, count: number): boolean {
  for (let i = 0; i < count; i++) if (weights[i] !== 1) return false;
  return true;
}

/** Returns 0 when no chain has a record. */
function gatherHeads(
  keys: Int32Array,
  keyWidth: number,
  headAt: number,
  ids: Int32Array,
  count: number,
  heads: Int32Array,
): number {
  let any = 0;
  let i = 0;
  // Four at a time, so that more loads are under way.
  for (; i < count - 3; i += 4) {
    const head0 = keys[ids[i]! * keyWidth + headAt]!;
    const head1 = keys[ids[i + 1]! * keyWidth + headAt]!;
    const head2 = keys[ids[i + 2]! * keyWidth + headAt]!;
    const head3 = keys[ids[i + 3]! * keyWidth + headAt]!;
    heads[i] = head0;
    heads[i + 1] = head1;
    heads[i + 2] = head2;
    heads[i + 3] = head3;
    any |= head0 | head1 | head2 | head3;
  }
  for (; i < count; i++) {
    const head = keys[ids[i]! * keyWidth + headAt]!;
    heads[i] = head;
    any |= head;
  }
  return any;
}

/** Fetches the first records of chains by a loop without branches, many at a time. */
function warmHeads(words: Int32Array, width: number, heads: Int32Array, count: number): number {
  let a = 0;
  let b = 0;
  let i = 0;
  for (; i < count - 3; i += 4) {
    const head0 = heads[i]!;
    const head1 = heads[i + 1]!;
    const head2 = heads[i + 2]!;
    const head3 = heads[i + 3]!;
    a ^= words[(head0 === 0 ? 0 : head0 - 1) * width]! ^ words[(head1 === 0 ? 0 : head1 - 1) * width]!;
    b ^= words[(head2 === 0 ? 0 : head2 - 1) * width]! ^ words[(head3 === 0 ? 0 : head3 - 1) * width]!;
  }
  for (; i < count; i++) {
    const head = heads[i]!;
    a ^= words[(head === 0 ? 0 : head - 1) * width]!;
  }
  return a ^ b;
}

/** The same where records lie in chunks. */
function warmChunkHeads(
  chunks: readonly Int32Array[],
  chunkBits: number,
  width: number,
  heads: Int32Array,
  count: number,
): number {
  const mask = 2 ** chunkBits - 1;
  let a = 0;
  let b = 0;
  let i = 0;
  for (; i < count - 1; i += 2) {
    const at0 = heads[i] === 0 ? 0 : heads[i]! - 1;
    const at1 = heads[i + 1] === 0 ? 0 : heads[i + 1]! - 1;
    a ^= chunks[at0 >>> chunkBits]![(at0 & mask) * width]!;
    b ^= chunks[at1 >>> chunkBits]![(at1 & mask) * width]!;
  }
  for (; i < count; i++) {
    const at = heads[i] === 0 ? 0 : heads[i]! - 1;
    a ^= chunks[at >>> chunkBits]![(at & mask) * width]!;
  }
  return a ^ b;
}
