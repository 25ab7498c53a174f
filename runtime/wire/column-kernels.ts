// Row loops of the wire: renumbering on the way out, checks that guard every later read on the way in.
//
// The checks are what makes it safe to use offsets and codes as indexes without looking again: an index out of a typed
// array reads undefined in JavaScript, never foreign memory, but it would corrupt a result in silence.

// ── data plane ── top-level loops over typed arrays; no allocation but the tables named in the code.

/** The offsets of a slice, beginning at 0. */
export function rebase(offsets: Int32Array, base: number): Int32Array {
  const rebased = new Int32Array(offsets.length);
  for (let i = 0; i < offsets.length; i++) rebased[i] = offsets[i]! - base;
  return rebased;
}

/** Whether offsets begin at 0, never fall, and end at `dataBytes`. */
export function offsetsAreSound(offsets: Int32Array, dataBytes: number): boolean {
  const last = offsets.length - 1;
  if (offsets[0] !== 0 || offsets[last] !== dataBytes) return false;
  let falls = 0;
  for (let i = 0; i < last; i++) falls |= offsets[i]! > offsets[i + 1]! ? 1 : 0;
  return falls === 0;
}

/** Whether every code of a row that has a value is one of `entries`. */
export function codesAreSound(codes: Int32Array, validity: Uint8Array | null, entries: number): boolean {
  for (let row = 0; row < codes.length; row++) {
    if (codes[row]! >>> 0 < entries) continue;
    if (validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0) return false;
  }
  return true;
}

export function weightsAreSound(weights: Int32Array): boolean {
  for (let row = 0; row < weights.length; row++) if (weights[row] === 0) return false;
  return true;
}

export function allOnes(weights: Int32Array): boolean {
  for (let row = 0; row < weights.length; row++) if (weights[row] !== 1) return false;
  return true;
}

/**
 * Numbers the codes in use from 0 in order of first use: `renumbered[row]` is the new code, `used[new]` the old one.
 * Returns how many are in use. A table over the dictionary where that is not much larger than the batch, a hash table
 * else: so the cost does not depend on the dictionary's size.
 */
export function compactCodes(
  codes: Int32Array,
  validity: Uint8Array | null,
  rows: number,
  entries: number,
  renumbered: Int32Array,
  used: Int32Array,
): number {
  return entries <= rows * 8
    ? compactByTable(codes, validity, rows, new Int32Array(entries), renumbered, used)
    : compactByHash(codes, validity, rows, renumbered, used);
}

/** `table` has a 0 for each entry of the dictionary. */
function compactByTable(
  codes: Int32Array,
  validity: Uint8Array | null,
  rows: number,
  table: Int32Array,
  renumbered: Int32Array,
  used: Int32Array,
): number {
  let size = 0;
  for (let row = 0; row < rows; row++) {
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) continue;
    const code = codes[row]!;
    let entry = table[code]!;
    if (entry === 0) {
      used[size] = code;
      entry = ++size;
      table[code] = entry;
    }
    renumbered[row] = entry - 1;
  }
  return size;
}

function compactByHash(
  codes: Int32Array,
  validity: Uint8Array | null,
  rows: number,
  renumbered: Int32Array,
  used: Int32Array,
): number {
  let slots = 16;
  while (slots < rows * 2) slots *= 2;
  const mask = slots - 1;
  // Slot content is the new code plus 1; 0 = free.
  const table = new Int32Array(slots);
  let size = 0;
  for (let row = 0; row < rows; row++) {
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) continue;
    const code = codes[row]!;
    let slot = (Math.imul(code, 0x9e3779b1) >>> 7) & mask;
    let entry = table[slot]!;
    while (entry !== 0 && used[entry - 1] !== code) {
      slot = (slot + 1) & mask;
      entry = table[slot]!;
    }
    if (entry === 0) {
      used[size] = code;
      entry = ++size;
      table[slot] = entry;
    }
    renumbered[row] = entry - 1;
  }
  return size;
}

/** Writes the entries used[0 .. size) of a dictionary one after the other. A view for each would cost more than the copy. */
export function copyEntries(
  offsets: Int32Array,
  bytes: Uint8Array,
  used: Int32Array,
  size: number,
  target: Uint8Array,
): void {
  let at = 0;
  for (let entry = 0; entry < size; entry++) {
    const code = used[entry]!;
    const start = offsets[code]!;
    const end = offsets[code + 1]!;
    if (end - start > 48) {
      target.set(bytes.subarray(start, end), at);
      at += end - start;
    } else for (let i = start; i < end; i++) target[at++] = bytes[i]!;
  }
}

/** Where the string of each row begins when they lie one after the other; that of a NULL is empty. Returns the bytes of all. */
export function entryOffsets(
  codes: Int32Array,
  validity: Uint8Array | null,
  rows: number,
  entries: Int32Array,
  offsets: Int32Array,
): number {
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const code = codes[row]!;
    if (validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0) at += entries[code + 1]! - entries[code]!;
    offsets[row + 1] = at;
  }
  return at;
}

/** Writes the string of each row to where `offsets` says. */
export function copyRows(
  codes: Int32Array,
  rows: number,
  entries: Int32Array,
  bytes: Uint8Array,
  offsets: Int32Array,
  target: Uint8Array,
): void {
  for (let row = 0; row < rows; row++) {
    const at = offsets[row]!;
    const length = offsets[row + 1]! - at;
    if (length === 0) continue;
    const start = entries[codes[row]!]!;
    if (length > 48) target.set(bytes.subarray(start, start + length), at);
    else for (let i = 0; i < length; i++) target[at + i] = bytes[start + i]!;
  }
}
