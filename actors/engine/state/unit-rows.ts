// The rows of one side of a join while each of them has weight +1 and deletions find their row near the head of a chain.
//
//   record   [ payload words | next + 1 ]        chain heads lie in the key table; equal rows are several records
//   chunk    2^chunkBits records, so many that nearly every side has one; the last one grows where it lies (grown-words.ts)
// Nothing is kept that such a side does not need: the key of a record is the one whose chain it is in. What it cannot hold
// goes to indexed-rows.ts, to which join-rows.ts switches. A removed record is chained to the free ones by its next word.
// Not here: weights, deletions of rows deep in a chain.
import { assert } from '../../../runtime/assert.ts';
import { grownWords } from './grown-words.ts';
import { type JoinKernels, type JoinRecordForm, joinKernels } from './join-kernel-source.ts';
import type { RecordTable } from './record-table.ts';
import type { SnapshotReader, SnapshotWriter } from './snapshot-codec.ts';

const walkMax = 16;
const orderedAt = 3;
/** A chunk takes at most so many words. */
const chunkWordsMax = 2 ** 29;

/** A 64-bit column of the payload and the value below which rows go; NULL is not below. */
export interface PayloadBound {
  readonly offset: number;
  readonly nullWord: number;
  readonly nullBit: number;
  readonly high: number;
  readonly low: number;
}

export class UnitRows {
  readonly form: JoinRecordForm;
  readonly kernels: JoinKernels;
  readonly chunks: Int32Array[];
  readonly #keys: RecordTable;
  /** Word of a key record that holds the head of this side's chain (record + 1). */
  readonly #headAt: number;
  /** [records ever used, first free + 1, live records, whether none was taken out: numbers are in the order in which rows came] */
  readonly #header: Int32Array = Int32Array.of(0, 0, 0, 1);

  /** Of a record's number the part that counts within its chunk. */
  readonly #recordMask: number;

  /** `chunkBitsWanted` is for tests; null: as many as fit. */
  constructor(keys: RecordTable, headAt: number, payloadWords: number, chunkBitsWanted: number | null) {
    this.#keys = keys;
    this.#headAt = headAt;
    const width = payloadWords + 1;
    const chunkBits = chunkBitsWanted ?? Math.floor(Math.log2(chunkWordsMax / width));
    this.#recordMask = (1 << chunkBits) - 1;
    this.form = { payloadWords, width, payloadAt: 0, weightAt: -1, nextAt: payloadWords, chunkBits };
    this.kernels = joinKernels(this.form);
    this.chunks = [new Int32Array(Math.min(16, 1 << chunkBits) * width)];
  }

  /** Whether no row was taken out yet: records are in the order in which rows came. */
  get isOrdered(): boolean {
    return this.#header[orderedAt] === 1;
  }

  get live(): number {
    return this.#header[2]!;
  }

  /** Records ever used: the numbers of all records lie below it. */
  get used(): number {
    return this.#header[0]!;
  }

  get stateBytes(): number {
    return this.chunks.reduce((bytes, chunk) => bytes + chunk.byteLength, 0);
  }

  /** Adds `count` rows: payload at word i * stride + shift of `source`, key record ids[i]. */
  append(source: Int32Array, stride: number, shift: number, ids: Int32Array, count: number): void {
    const header = this.#header;
    let from = 0;
    while (from < count && header[1] !== 0) {
      const id = header[1]! - 1;
      header[1] = this.chunkOf(id)[this.baseOf(id) + this.form.nextAt]!;
      this.#write(id, source, stride, shift, ids, from, from + 1);
      from++;
    }
    this.#reserve(count - from);
    const chunkRecords = 1 << this.form.chunkBits;
    while (from < count) {
      const id = header[0]!;
      const to = Math.min(count, from + chunkRecords - (id & (chunkRecords - 1)));
      this.#write(id, source, stride, shift, ids, from, to);
      header[0] = id + (to - from);
      from = to;
    }
    header[2]! += count;
  }

  /** Removes `rows` rows equal to the payload at source[at ..]; false, with nothing removed, if it does not find them soon. */
  take(source: Int32Array, at: number, key: number, rows: number): boolean {
    const { payloadWords, nextAt } = this.form;
    const keys = this.#keys;
    const headWord = key * keys.width + this.#headAt;
    if (rows !== 1) return false;
    let previous = 0;
    let record = keys.words[headWord]!;
    for (let steps = 0; record !== 0 && steps < walkMax; steps++) {
      const words = this.chunkOf(record - 1);
      const base = this.baseOf(record - 1);
      const next = words[base + nextAt]!;
      if (equalWords(words, base, source, at, payloadWords)) {
        if (previous === 0) keys.words[headWord] = next;
        else this.chunkOf(previous - 1)[this.baseOf(previous - 1) + nextAt] = next;
        words[base + nextAt] = this.#header[1]!;
        this.#header[orderedAt] = 0;
        this.#header[1] = record;
        this.#header[2]!--;
        return true;
      }
      previous = record;
      record = next;
    }
    return false;
  }

  /** Removes all rows of a key. */
  drop(key: number): void {
    const { nextAt } = this.form;
    const keys = this.#keys;
    const headWord = key * keys.width + this.#headAt;
    let record = keys.words[headWord]!;
    keys.words[headWord] = 0;
    this.#header[orderedAt] = 0;
    while (record !== 0) {
      const words = this.chunkOf(record - 1);
      const at = this.baseOf(record - 1) + nextAt;
      const next = words[at]!;
      words[at] = this.#header[1]!;
      this.#header[1] = record;
      this.#header[2]!--;
      record = next;
    }
  }

  /**
   * Drops the rows that are below a bound, if they are most, and gives the others new numbers. Writes the key records whose chain
   * became empty, in ascending order, and returns how many there are. Rows that come in the order of the bound go at the cost of a look;
   * those that go from behind one that stays, at that of a walk along their chain. Only while `isOrdered`.
   */
  dropBelow(bound: PayloadBound, emptied: Int32Array): number {
    assert(this.isOrdered, 'records are in the order in which rows came');
    const { used } = this;
    const { width, nextAt, chunkBits } = this.form;
    const places = new Int32Array(used);
    let kept = 0;
    for (let c = 0; c < this.chunks.length; c++) {
      const from = c * (1 << chunkBits);
      const to = Math.min(used, from + (1 << chunkBits));
      kept = notePlaces(this.chunks[c]!, width, bound, places, from, to, kept);
    }
    if (kept * 2 > used) return 0;
    const first = kept === 0 ? used : places.indexOf(1);
    const keys = this.#keys;
    const ids = keys.ids();
    const records: Records = { chunks: this.chunks, chunkBits, mask: this.#recordMask, width, nextAt };
    const gone = moveHeads(keys.words, keys.width, this.#headAt, ids, records, places, first, emptied);
    const rows = new Int32Array(kept * width);
    moveRows(records, places, first, used, rows);
    // What stays is the smaller part, so it fits where all were.
    const chunkWords = (1 << chunkBits) * width;
    this.chunks.length = Math.max(1, Math.ceil(rows.length / chunkWords));
    this.chunks.forEach((chunk, c) => {
      chunk.set(rows.subarray(c * chunkWords, (c + 1) * chunkWords));
    });
    this.#header[0] = kept;
    this.#header[2] = kept;
    return gone;
  }

  chunkOf(id: number): Int32Array {
    return this.chunks[id >>> this.form.chunkBits]!;
  }

  /** Where in its chunk a record begins. */
  baseOf(id: number): number {
    return (id & this.#recordMask) * this.form.width;
  }

  snapshot(writer: SnapshotWriter): void {
    writer.words(this.#header);
    const used = this.used;
    const chunkRecords = 1 << this.form.chunkBits;
    writer.number(this.chunks.length);
    this.chunks.forEach((chunk, c) => {
      const records = Math.max(0, Math.min(chunkRecords, used - c * chunkRecords));
      writer.words(chunk.subarray(0, records * this.form.width));
    });
  }

  restore(reader: SnapshotReader): void {
    const header = reader.words();
    // An older snapshot does not say whether a row was taken out.
    this.#header[orderedAt] = 0;
    this.#header.set(header);
    const { chunks } = this;
    const chunkWords = (1 << this.form.chunkBits) * this.form.width;
    chunks.length = 0;
    // Whoever wrote them may have had chunks of another size.
    let at = 0;
    for (let c = reader.number(); c > 0; c--) {
      for (let rest = reader.words(); rest.length > 0; ) {
        const own = Math.floor(at / chunkWords);
        const part = rest.subarray(0, (own + 1) * chunkWords - at);
        const end = (at % chunkWords) + part.length;
        chunks[own] = grownWords(chunks[own] ?? new Int32Array(0), end).subarray(0, chunkWords);
        chunks[own].set(part, at % chunkWords);
        at += part.length;
        rest = rest.subarray(part.length);
      }
    }
    if (chunks.length === 0) chunks.push(new Int32Array(0));
  }

  #write(
    id: number,
    source: Int32Array,
    stride: number,
    shift: number,
    ids: Int32Array,
    from: number,
    to: number,
  ): void {
    const keys = this.#keys;
    const { kernels } = this;
    const words = this.chunkOf(id);
    kernels.append(
      words,
      this.baseOf(id),
      id,
      source,
      stride,
      shift,
      ids,
      from,
      to,
      keys.words,
      keys.width,
      this.#headAt,
    );
  }

  /** Makes room for `count` more rows, the last chunk growing up to its size before another one is begun. */
  #reserve(count: number): void {
    const { width, chunkBits } = this.form;
    const { chunks } = this;
    const chunkWords = (1 << chunkBits) * width;
    const needed = (this.used + count) * width;
    for (;;) {
      const last = chunks.length - 1;
      const own = Math.min(chunkWords, needed - last * chunkWords);
      if (own > chunks[last]!.length) chunks[last] = grownWords(chunks[last]!, own).subarray(0, chunkWords);
      if (needed <= (last + 1) * chunkWords) return;
      chunks.push(new Int32Array(0));
    }
  }
}

// ── data plane ──

function equalWords(a: Int32Array, atA: number, b: Int32Array, atB: number, count: number): boolean {
  for (let k = 0; k < count; k++) if (a[atA + k] !== b[atB + k]) return false;
  return true;
}

/** `at`: where the payload begins. */
export function isBelow(words: Int32Array, at: number, bound: PayloadBound): boolean {
  if (bound.nullWord >= 0 && (words[at + bound.nullWord]! & bound.nullBit) !== 0) return false;
  const own = words[at + bound.offset + 1]!;
  return own < bound.high || (own === bound.high && words[at + bound.offset]! >>> 0 < bound.low);
}

/** Numbers the rows [from, to) that are not below a bound, from `kept` + 1 on; returns the last number. */
function notePlaces(
  words: Int32Array,
  width: number,
  bound: PayloadBound,
  places: Int32Array,
  from: number,
  to: number,
  kept: number,
): number {
  const { offset, nullWord, nullBit, high, low } = bound;
  for (let id = from, at = 0; id < to; id++, at += width) {
    const own = words[at + offset + 1]!;
    const isLess = own < high || (own === high && words[at + offset]! >>> 0 < low);
    if (isLess && (nullWord < 0 || (words[at + nullWord]! & nullBit) === 0)) continue;
    places[id] = ++kept;
  }
  return kept;
}

/** Where the records of a side lie. */
interface Records {
  readonly chunks: readonly Int32Array[];
  readonly chunkBits: number;
  readonly mask: number;
  readonly width: number;
  readonly nextAt: number;
}

// A loop each: one that is entered while it runs, as those of whole tables are, is compiled without what stands behind it.

/** Has each chain begin with its first record that stays, by its new number; writes the keys that have none, and returns how many. */
function moveHeads(
  heads: Int32Array,
  keyWidth: number,
  headAt: number,
  ids: Int32Array,
  { chunks, chunkBits, mask, width, nextAt }: Records,
  places: Int32Array,
  first: number,
  emptied: Int32Array,
): number {
  let gone = 0;
  for (let i = 0; i < ids.length; i++) {
    const at = ids[i]! * keyWidth + headAt;
    let record = heads[at]!;
    if (record === 0) continue;
    // Chains go from younger to older rows, so that before the first row that stays there is nothing.
    while (record > first && places[record - 1] === 0) {
      record = chunks[(record - 1) >>> chunkBits]![((record - 1) & mask) * width + nextAt]!;
    }
    const place = record > first ? places[record - 1]! : 0;
    heads[at] = place;
    if (place === 0) emptied[gone++] = ids[i]!;
  }
  return gone;
}

/** Copies the records that stay to `rows`, each to its new place, with the next one that stays behind it. */
function moveRows(
  { chunks, chunkBits, mask, width, nextAt }: Records,
  places: Int32Array,
  first: number,
  used: number,
  rows: Int32Array,
): void {
  for (let id = first; id < used; id++) {
    if (places[id] === 0) continue;
    const words = chunks[id >>> chunkBits]!;
    const base = (id & mask) * width;
    const write = (places[id]! - 1) * width;
    for (let k = 0; k < width; k++) rows[write + k] = words[base + k]!;
    let record = words[base + nextAt]!;
    while (record > first && places[record - 1] === 0) {
      record = chunks[(record - 1) >>> chunkBits]![((record - 1) & mask) * width + nextAt]!;
    }
    rows[write + nextAt] = record > first ? places[record - 1]! : 0;
  }
}
