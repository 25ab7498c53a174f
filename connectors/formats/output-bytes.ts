// A growing array of bytes that encoders print into, reused from batch to batch.
//
// `bytes` and `view` are replaced when the array grows (x2): read them again after every `reserve`. One owner, the encoder.

export class OutputBytes {
  bytes: Uint8Array = new Uint8Array(64 * 1024);
  view: DataView = new DataView(this.bytes.buffer);

  /** Makes room for `length` bytes behind the first `used`. */
  reserve(used: number, length: number): void {
    if (used + length > this.bytes.length) this.#grow(used, used + length);
  }

  #grow(used: number, needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, used));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** A byte string that is printed again and again, as words of four (the last may overlap the one before). */
export interface Stamp {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

export function makeStamp(text: string): Stamp {
  const bytes = new TextEncoder().encode(text);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = new Int32Array(bytes.length < 4 ? 0 : (bytes.length + 3) >> 2);
  for (let w = 0; w < words.length; w++) words[w] = view.getInt32(Math.min(w * 4, bytes.length - 4), true);
  return { bytes, words };
}

// ── data plane ──

/** Prints a stamp; the caller has made room. Returns the position behind it. */
export function printStamp(stamp: Stamp, out: Uint8Array, view: DataView, at: number): number {
  const { words, bytes } = stamp;
  const length = bytes.length;
  const last = words.length - 1;
  if (last < 0) {
    for (let i = 0; i < length; i++) out[at + i] = bytes[i]!;
    return at + length;
  }
  for (let w = 0; w < last; w++) view.setInt32(at + 4 * w, words[w]!, true);
  view.setInt32(at + length - 4, words[last]!, true);
  return at + length;
}

const wordsMax = 160;

/** The same as printBytes, for what is printed again and again: up to some length words of four are faster than a view of the bytes. */
export function printText(source: OutputBytes, start: number, end: number, out: OutputBytes, at: number): number {
  const length = end - start;
  if (length < 4 || length > wordsMax) return printBytes(source.bytes, start, end, out.bytes, at);
  const from = source.view;
  const to = out.view;
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    to.setInt32(at + i, from.getInt32(start + i, true), true);
    to.setInt32(at + i + 4, from.getInt32(start + i + 4, true), true);
  }
  if (i + 4 <= length) to.setInt32(at + i, from.getInt32(start + i, true), true);
  to.setInt32(at + length - 4, from.getInt32(end - 4, true), true);
  return at + length;
}

/** Copies source[start .. end) to `out`; the caller has made room. Returns the position behind it. */
export function printBytes(source: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  if (end - start < 24) {
    let to = at;
    for (let i = start; i < end; i++) out[to++] = source[i]!;
    return to;
  }
  out.set(source.subarray(start, end), at);
  return at + end - start;
}
