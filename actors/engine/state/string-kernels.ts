// Loops over the strings of a block of rows on their way into the pool: entries, lengths, hashes, and what fetches known ones.
//
// Called by the pool alone (string-pool.ts), which says what its arrays are; strings themselves are copied, hashed and compared in
// string-bytes.ts.
import { type HashSlots, homeOf } from './hash-slots.ts';
import { hashBytes } from './string-bytes.ts';

// ── data plane ──

/** Continues the offsets of the pool by those of rows [from, to), moved by `shift`; a NULL has code 0. */
export function appendEntries(
  offsets: Int32Array,
  from: number,
  to: number,
  validity: Uint8Array | null,
  shift: number,
  own: Int32Array,
  first: number,
  target: Int32Array,
  stride: number,
  offset: number,
): void {
  let write = offset;
  for (let row = from, code = first; row < to; row++, code++, write += stride) {
    own[code + 1] = offsets[row + 1]! + shift;
    target[write] = validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0 ? code : 0;
  }
}

export function sumOfLengths(offsets: Int32Array, rows: Int32Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += offsets[rows[i]! + 1]! - offsets[rows[i]!]!;
  return sum;
}

/** How far it is from the first of the rows to the end of the last. */
export function spanOf(offsets: Int32Array, rows: Int32Array, count: number): number {
  return count === 0 ? 0 : Math.abs(offsets[rows[count - 1]! + 1]! - offsets[rows[0]!]!);
}

/** Touches the first two cache lines of each string by a loop without branches, so that many loads are under way. */
export function warmStrings(offsets: Int32Array, bytes: Uint8Array, rows: Int32Array, count: number): number {
  const last = bytes.length - 1;
  let warmth = 0;
  for (let i = 0; i < count; i++) {
    const start = offsets[rows[i]!]!;
    warmth ^= bytes[Math.min(start, last)]! ^ bytes[Math.min(start + 64, last)]!;
  }
  return warmth;
}

export function hashRows(
  view: DataView,
  bytes: Uint8Array,
  offsets: Int32Array,
  from: number,
  count: number,
  hashMask: number,
  hashes: Int32Array,
): void {
  let start = offsets[from]!;
  for (let i = 0; i < count; i++) {
    const end = offsets[from + i + 1]!;
    hashes[i] = hashBytes(view, bytes, start, end) & hashMask;
    start = end;
  }
}

export function hashChosenRows(
  view: DataView,
  bytes: Uint8Array,
  offsets: Int32Array,
  rows: Int32Array,
  count: number,
  hashMask: number,
  hashes: Int32Array,
): void {
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    hashes[i] = hashBytes(view, bytes, offsets[row]!, offsets[row + 1]!) & hashMask;
  }
}

/**
 * Touches the first slot of each hash and the string that it names. Each loop is free of branches, so that many loads are
 * under way; the hashes are as they were when it returns.
 */
export function warmEntries(
  { slots, homes }: HashSlots,
  offsets: Int32Array,
  bytes: Uint8Array,
  hashes: Int32Array,
  count: number,
): number {
  let warmth = 0;
  let i = 0;
  for (; i < count - 3; i += 4) {
    const code0 = slots[homeOf(homes, hashes[i]!) + 1]!;
    const code1 = slots[homeOf(homes, hashes[i + 1]!) + 1]!;
    const code2 = slots[homeOf(homes, hashes[i + 2]!) + 1]!;
    const code3 = slots[homeOf(homes, hashes[i + 3]!) + 1]!;
    // The entry before code + 1 is the string's: a free slot names the first one.
    const at0 = offsets[code0 === 0 ? 0 : code0 - 1]!;
    const at1 = offsets[code1 === 0 ? 0 : code1 - 1]!;
    const at2 = offsets[code2 === 0 ? 0 : code2 - 1]!;
    const at3 = offsets[code3 === 0 ? 0 : code3 - 1]!;
    warmth ^= bytes[at0]! ^ bytes[at1]! ^ bytes[at2]! ^ bytes[at3]!;
  }
  return warmth;
}
