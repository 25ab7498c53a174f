// Strings as bytes that lie anywhere: copied, hashed and compared by words, without a view of each.
//
// A view is handed in beside each array and covers the same bytes. Kernels of the string pool (string-pool.ts), called for every string
// that enters the state.

/**
 * Copies text by 64 bits at a time, which may lie anywhere: as floats, which are what a view gives out without making an object. Text in UTF-8 is never one that
 * is no number, whose bits an engine may change: of the two highest bytes of such a one no text has the second behind the first.
 */
export function copyText(
  fromView: DataView,
  from: Uint8Array,
  start: number,
  length: number,
  toView: DataView,
  to: Uint8Array,
  at: number,
): void {
  if (length < 8) {
    copyBytes(fromView, from, start, length, toView, to, at);
    return;
  }
  const last = length - 8;
  let i = 0;
  // Four at a time, loads before stores: a quarter less than one by one.
  for (; i + 32 <= length; i += 32) {
    const a = fromView.getFloat64(start + i, true);
    const b = fromView.getFloat64(start + i + 8, true);
    const c = fromView.getFloat64(start + i + 16, true);
    const d = fromView.getFloat64(start + i + 24, true);
    toView.setFloat64(at + i, a, true);
    toView.setFloat64(at + i + 8, b, true);
    toView.setFloat64(at + i + 16, c, true);
    toView.setFloat64(at + i + 24, d, true);
  }
  for (; i < last; i += 8) toView.setFloat64(at + i, fromView.getFloat64(start + i, true), true);
  // The last bytes with those before them.
  toView.setFloat64(at + last, fromView.getFloat64(start + last, true), true);
}

/** By words, which may lie anywhere; the views cover the same bytes as the arrays. */
export function copyBytes(
  fromView: DataView,
  from: Uint8Array,
  start: number,
  length: number,
  toView: DataView,
  to: Uint8Array,
  at: number,
): void {
  let i = 0;
  for (; i + 16 <= length; i += 16) {
    const a = fromView.getInt32(start + i, true);
    const b = fromView.getInt32(start + i + 4, true);
    const c = fromView.getInt32(start + i + 8, true);
    const d = fromView.getInt32(start + i + 12, true);
    toView.setInt32(at + i, a, true);
    toView.setInt32(at + i + 4, b, true);
    toView.setInt32(at + i + 8, c, true);
    toView.setInt32(at + i + 12, d, true);
  }
  for (; i + 4 <= length; i += 4) toView.setInt32(at + i, fromView.getInt32(start + i, true), true);
  if (i === length) return;
  // The last bytes once more with those before them: a word costs as much as a byte.
  if (length >= 4) toView.setInt32(at + length - 4, fromView.getInt32(start + length - 4, true), true);
  else for (; i < length; i++) to[at + i] = from[start + i]!;
}

export function hashBytes(view: DataView, bytes: Uint8Array, start: number, end: number): number {
  let hash = Math.imul(end - start, 0x9e3779b1) ^ 0x2c1b3c6d;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ view.getInt32(at, true), 0x85ebca77);
  }
  let tail = 0;
  for (; at < end; at++) tail = (tail << 8) | bytes[at]!;
  hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ tail, 0x85ebca77);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

export function equalBytes(
  viewA: DataView,
  bytesA: Uint8Array,
  startA: number,
  viewB: DataView,
  bytesB: Uint8Array,
  startB: number,
  length: number,
): boolean {
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    if (viewA.getInt32(startA + i, true) !== viewB.getInt32(startB + i, true)) return false;
  }
  for (; i < length; i++) if (bytesA[startA + i] !== bytesB[startB + i]) return false;
  return true;
}
