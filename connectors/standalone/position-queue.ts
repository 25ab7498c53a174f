// Positions in flight, first in, first out: what has been handed on and is not confirmed yet. Bytes and ends in two arrays that
// move up when their front half is free; no object per position.
// A border may stand behind a position: the message in which a source sent it ends there.
export class PositionQueue {
  #bytes = new Uint8Array(1 << 12);
  #ends = new Int32Array(1 << 8);
  #borders = new Uint8Array(1 << 8);
  /** Of the first position in `#ends`; everything before is confirmed. */
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  /** Bytes of the positions that wait. */
  get byteLength(): number {
    return this.#endOf(this.#tail - 1) - this.#endOf(this.#head - 1);
  }

  push(source: Uint8Array, start: number, end: number): void {
    const used = this.#endOf(this.#tail - 1);
    const length = end - start;
    if (this.#tail === this.#ends.length || used + length > this.#bytes.length) this.#makeRoom(length);
    const at = this.#endOf(this.#tail - 1);
    copyBytes(source, start, end, this.#bytes, at);
    this.#ends[this.#tail] = at + length;
    this.#borders[this.#tail] = 0;
    this.#tail++;
  }

  /** Rows of a column of positions, which lie one behind the other. */
  pushRows(source: Uint8Array, offsets: Int32Array, rows: number): void {
    const from = offsets[0] ?? 0;
    const length = (offsets[rows] ?? from) - from;
    while (this.#tail + rows > this.#ends.length || this.#endOf(this.#tail - 1) + length > this.#bytes.length) {
      this.#makeRoom(length, rows);
    }
    const at = this.#endOf(this.#tail - 1);
    this.#bytes.set(source.subarray(from, from + length), at);
    shiftedEnds(offsets, rows, at - from, this.#ends, this.#tail);
    this.#borders.fill(0, this.#tail, this.#tail + rows);
    this.#tail += rows;
  }

  /** A message ends behind the position that was pushed last. */
  markBorder(): void {
    if (this.#tail > this.#head) this.#borders[this.#tail - 1] = 1;
  }

  /** The position `index` places behind the head; valid until the next call that changes the queue. */
  at(index: number): Uint8Array {
    const place = this.#head + index;
    return this.#bytes.subarray(this.#endOf(place - 1), this.#endOf(place));
  }

  isBorder(index: number): boolean {
    return this.#borders[this.#head + index] === 1;
  }

  /** How many messages end among the first `count` positions. */
  bordersAmong(count: number): number {
    let borders = 0;
    for (let place = this.#head; place < this.#head + count; place++) borders += this.#borders[place] ?? 0;
    return borders;
  }

  /** How many positions up to and with the first one that equals `wanted`; 0 when there is none. */
  countUntil(wanted: Uint8Array): number {
    for (let place = this.#head; place < this.#tail; place++) {
      if (matches(this.#bytes, this.#endOf(place - 1), this.#endOf(place), wanted)) return place - this.#head + 1;
    }
    return 0;
  }

  /** Whether the first position is source[start .. end). */
  headEquals(source: Uint8Array, start = 0, end: number = source.length): boolean {
    if (this.#head === this.#tail) return false;
    const own = this.#endOf(this.#head - 1);
    return this.#endOf(this.#head) - own === end - start && sameBytes(this.#bytes, own, source, start, end - start);
  }

  /** The position `index` places behind the head, copied to `out`; answers with the end of it there. */
  copyTo(index: number, out: Uint8Array, at: number): number {
    const place = this.#head + index;
    const start = this.#endOf(place - 1);
    const end = this.#endOf(place);
    copyBytes(this.#bytes, start, end, out, at);
    return at + end - start;
  }

  lengthOf(index: number): number {
    return this.#endOf(this.#head + index) - this.#endOf(this.#head + index - 1);
  }

  shift(count = 1): void {
    this.#head += count;
    if (this.#head < this.#tail) return;
    this.#head = 0;
    this.#tail = 0;
  }

  #endOf(place: number): number {
    return place < 0 ? 0 : (this.#ends[place] ?? 0);
  }

  #makeRoom(length: number, rows = 1): void {
    const from = this.#endOf(this.#head - 1);
    const used = this.#endOf(this.#tail - 1) - from;
    const count = this.#tail - this.#head;
    const bytes = new Uint8Array(Math.max(this.#bytes.length, (used + length) * 2));
    bytes.set(this.#bytes.subarray(from, from + used));
    const room = Math.max(this.#ends.length, (count + rows) * 2);
    const ends = new Int32Array(room);
    for (let i = 0; i < count; i++) ends[i] = (this.#ends[this.#head + i] ?? 0) - from;
    const borders = new Uint8Array(room);
    borders.set(this.#borders.subarray(this.#head, this.#tail));
    this.#bytes = bytes;
    this.#ends = ends;
    this.#borders = borders;
    this.#head = 0;
    this.#tail = count;
  }
}

// ── data plane ── one comparison per position in flight.

function matches(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  return end - start === wanted.length && sameBytes(bytes, start, wanted, 0, wanted.length);
}

function sameBytes(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/** Positions are short: a loop is faster than a call for each. */
function copyBytes(source: Uint8Array, start: number, end: number, out: Uint8Array, at: number): void {
  if (end - start > 64) out.set(source.subarray(start, end), at);
  else for (let i = start; i < end; i++) out[at + i - start] = source[i]!;
}

function shiftedEnds(offsets: Int32Array, rows: number, by: number, out: Int32Array, at: number): void {
  for (let row = 0; row < rows; row++) out[at + row] = offsets[row + 1]! + by;
}
