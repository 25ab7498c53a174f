// The slots of a hash table: where the record of a hash is found. It grows with its entries, slot by slot, in place.
//
//   slots    open addressing, two words a slot: hash, value (0 = free), at most half of those that are homes in use
//   homes    the first T slots, n < T <= 2n for a power of two n; the entries of the last ones may run on behind them
//
//     0           T-n            n            T
//     | [h mod 2n] | [h mod n]   | [h mod 2n] | free but for a few      T + 1: what has its home in slot T - n is dealt out to T - n and T
//
// A small table doubles, and all is dealt out anew. A large one gets as many homes as the keys that come need, so that no step pays for
// what is there (linear hashing, with probing along one line: an entry lies at its home or behind it, with no free slot between).
// `homes` is [mask, end] for kernels: the home of h is word (h << 1) & mask, less half of mask + 1 where that is not below `end`.
// Behind the last home there is always room for all keys that were announced, so nobody has to look where the array ends.
// A hash selects a slot; that the keys are equal is for the caller to find out.
import { grownWords, pageWords, touchPages } from './grown-words.ts';
import type { SnapshotReader, SnapshotWriter } from './snapshot-codec.ts';

/** A table of fewer homes doubles: it takes a fraction of a millisecond. */
const doublingSlotsMax = 1 << 14;
const homesMin = 16;
/** Homes for each entry. */
const spread = 3;
/** So many homes are dealt out together. */
const dealtTogether = 4096;

export class HashSlots {
  slots: Int32Array;
  readonly homes: Int32Array = new Int32Array(2);
  readonly #doublingMax: number;
  /** Entries that are being dealt out. */
  #dealt: Int32Array = new Int32Array(0);

  /** `doublingMax` is for tests: tables of more homes grow slot by slot. */
  constructor(homes: number = homesMin, doublingMax: number = doublingSlotsMax) {
    this.#doublingMax = doublingMax;
    this.slots = new Int32Array(4 * homes);
    this.#setHomes(homes);
  }

  get stateBytes(): number {
    return this.slots.byteLength;
  }

  /** Whether they are many enough not to lie in the cache. */
  get isLarge(): boolean {
    return this.homes[1]! > warmWords;
  }

  /** How many entries there are. O(size). */
  get entries(): number {
    return countUsed(this.slots);
  }

  /** Makes room for `entries` entries in all; `keys` of them may come before the next call. */
  reserve(entries: number, keys: number): void {
    const count = this.homes[1]! >> 1;
    if (entries * (count < this.#doublingMax ? 2 : spread) > count) this.#grow(spread * entries);
    this.#roomBehind(freeFrom(this.slots, this.homes[1]!), keys);
  }

  /** Frees the slot of an entry that is there. */
  remove(hash: number, value: number): void {
    removeSlot(this.slots, this.homes, hash, value);
  }

  /** Forgets entries, each by its value less 1. O(size). */
  removeAll(isGone: Uint8Array): void {
    const taken = this.#take(0, this.homes[1]!);
    this.#dealAll(this.homes[1]! >> 1, keepEntries(this.#dealt, taken, isGone));
  }

  /** Marks values less 1. O(size). */
  mark(used: Uint8Array): void {
    markUsed(this.slots, freeFrom(this.slots, this.homes[1]!), used);
  }

  snapshot(writer: SnapshotWriter): void {
    writer.words(this.slots.subarray(0, freeFrom(this.slots, this.homes[1]!)));
  }

  /** Takes over entries as any table of slots has them. */
  restore(reader: SnapshotReader): void {
    const entries = reader.words();
    const kept = keepAll(entries);
    this.slots = new Int32Array(4 * homesMin);
    this.#dealt = entries;
    this.#dealAll(this.#homesFor(kept), kept);
  }

  #homesFor(entries: number): number {
    const wanted = Math.max(homesMin, spread * entries);
    return wanted > this.#doublingMax ? wanted : powerFrom(wanted);
  }

  #setHomes(count: number): void {
    this.homes[0] = 2 * powerFrom(count) - 1;
    this.homes[1] = 2 * count;
  }

  /** Makes room for so many entries behind word `at`, and a free slot. */
  #roomBehind(at: number, entries: number): void {
    const needed = at + 2 * entries + 2;
    if (needed > this.slots.length) this.slots = grownWords(this.slots, needed);
  }

  #grow(wanted: number): void {
    const count = this.homes[1]! >> 1;
    if (wanted <= this.#doublingMax) {
      this.#dealAll(powerFrom(wanted), this.#take(0, 2 * count));
      return;
    }
    for (let from = count; from < wanted; ) {
      // Homes that are dealt out together are those of one power of two.
      const power = powerUpTo(from);
      const to = Math.min(wanted, from + dealtTogether, 2 * power);
      const taken = this.#take(2 * (from - power), 2 * (to - power));
      this.#roomBehind(Math.max(2 * to, freeFrom(this.slots, 2 * from)), taken);
      // What is looked at while entries are put there, and when room is made the next time.
      touchPages(this.slots, 2 * from, 2 * to + pageWords);
      this.#setHomes(to);
      putAll(this.slots, this.homes, this.#dealt, taken);
      from = to;
    }
  }

  /** Takes the entries of the slots between two words, and of those behind them up to a free one; returns how many they are. */
  #take(from: number, to: number): number {
    const end = freeFrom(this.slots, to);
    if (end - from > this.#dealt.length) this.#dealt = new Int32Array(end - from);
    return takeEntries(this.slots, from, end, this.#dealt);
  }

  /** Puts the only entries that there are into a table of so many homes. */
  #dealAll(count: number, entries: number): void {
    this.#setHomes(count);
    this.#roomBehind(this.homes[1]!, entries);
    putAll(this.slots, this.homes, this.#dealt, entries);
    if (this.#dealt.length > 4 * dealtTogether) this.#dealt = new Int32Array(0);
  }
}

// ── data plane ── Called for each key that comes while a table grows, and for each that goes.

/** Slots of more words are taken not to be in the cache. */
const warmWords = 16_384;

/** The word of the slot in which a hash is looked for first. */
export function homeOf(homes: Int32Array, hash: number): number {
  const mask = homes[0]!;
  const home = (hash << 1) & mask;
  // Without a branch, which nobody could guess.
  return home - (((mask + 1) >> 1) & ((homes[1]! - 1 - home) >> 31));
}

/** The least power of two that is not below a number from 1 to 2^30. By shifts: what 2 ** n gives is a float, and so is what is computed with it. */
function powerFrom(count: number): number {
  return count === 1 ? 1 : 1 << (32 - Math.clz32(count - 1));
}

/** The greatest power of two that is not above a number from 1 on. */
function powerUpTo(count: number): number {
  return 1 << (31 - Math.clz32(count));
}

function freeFrom(slots: Int32Array, from: number): number {
  let at = from;
  while (at < slots.length && slots[at + 1] !== 0) at += 2;
  return at;
}

/** Moves the entries of slots to `entries`, without a branch on what is in them, which nobody could guess. */
function takeEntries(slots: Int32Array, from: number, end: number, entries: Int32Array): number {
  let taken = 0;
  for (let at = from; at < end; at += 2) {
    const value = slots[at + 1]!;
    entries[2 * taken] = slots[at]!;
    entries[2 * taken + 1] = value;
    taken += value === 0 ? 0 : 1;
    slots[at + 1] = 0;
  }
  return taken;
}

function putAll(slots: Int32Array, homes: Int32Array, entries: Int32Array, count: number): void {
  for (let i = 0; i < 2 * count; i += 2) {
    const hash = entries[i]!;
    let at = homeOf(homes, hash);
    while (slots[at + 1] !== 0) at += 2;
    slots[at] = hash;
    slots[at + 1] = entries[i + 1]!;
  }
}

/** Moves the entries that are used to the front; returns how many there are. */
function keepAll(entries: Int32Array): number {
  let kept = 0;
  for (let i = 0; i < entries.length; i += 2) {
    const value = entries[i + 1]!;
    if (value === 0) continue;
    entries[2 * kept] = entries[i]!;
    entries[2 * kept++ + 1] = value;
  }
  return kept;
}

/** Moves the entries that are not gone to the front. */
function keepEntries(entries: Int32Array, count: number, isGone: Uint8Array): number {
  let kept = 0;
  for (let i = 0; i < 2 * count; i += 2) {
    const value = entries[i + 1]!;
    if (isGone[value - 1] !== 0) continue;
    entries[2 * kept] = entries[i]!;
    entries[2 * kept++ + 1] = value;
  }
  return kept;
}

/** Frees the slot that holds `value` and closes the gap (backward shift), so that no tombstones pile up. */
function removeSlot(slots: Int32Array, homes: Int32Array, hash: number, value: number): void {
  let gap = homeOf(homes, hash);
  while (slots[gap + 1] !== value) gap += 2;
  for (let next = gap + 2; slots[next + 1] !== 0; next += 2) {
    // An entry may move into the gap unless its home lies behind it.
    if (homeOf(homes, slots[next]!) > gap) continue;
    slots[gap] = slots[next]!;
    slots[gap + 1] = slots[next + 1]!;
    gap = next;
  }
  slots[gap + 1] = 0;
}

function countUsed(slots: Int32Array): number {
  let used = 0;
  for (let i = 1; i < slots.length; i += 2) if (slots[i] !== 0) used++;
  return used;
}

function markUsed(slots: Int32Array, end: number, used: Uint8Array): void {
  for (let i = 1; i < end; i += 2) if (slots[i] !== 0) used[slots[i]! - 1] = 1;
}
