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
    this.#bytes.set(source.subarray(start, end), at);
    this.#ends[this.#tail] = at + length;
    this.#borders[this.#tail] = 0;
    this.#tail++;
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

  /** How many positions up to and with the first one that equals `wanted`; 0 when there is none. */
  countUntil(wanted: Uint8Array): number {
    for (let place = this.#head; place < this.#tail; place++) {
      if (matches(this.#bytes, this.#endOf(place - 1), this.#endOf(place), wanted)) return place - this.#head + 1;
    }
    return 0;
  }

  headEquals(wanted: Uint8Array): boolean {
    if (this.#head === this.#tail) return false;
    return matches(this.#bytes, this.#endOf(this.#head - 1), this.#endOf(this.#head), wanted);
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

  #makeRoom(length: number): void {
    const from = this.#endOf(this.#head - 1);
    const used = this.#endOf(this.#tail - 1) - from;
    const count = this.#tail - this.#head;
    const bytes = new Uint8Array(Math.max(this.#bytes.length, (used + length) * 2));
    bytes.set(this.#bytes.subarray(from, from + used));
    const room = Math.max(this.#ends.length, (count + 1) * 2);
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
  if (end - start !== wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}
