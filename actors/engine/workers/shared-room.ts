// Shared memory for what one thread tells the others in a step, used anew for the next one.
//
// Nothing is transferred between the threads of an engine: where a buffer has been given away once, V8 asks of every access to a typed
// array from then on whether its buffer is still there, which costs all loops of that thread a fifth. Arrays begin at multiples of 8, one
// behind the other; what does not fit gets memory of its own, and the next step finds more room. Whoever keeps an array copies it.
import type { Values } from '../../../runtime/batch/column.ts';

const roomBytesMin = 1 << 16;

export class SharedRoom {
  #memory: SharedArrayBuffer = new SharedArrayBuffer(roomBytesMin);
  #used = 0;
  #needed = 0;
  /** The most that a step of late has needed, less a tenth for every step since. */
  #neededOfLate = 0;

  /** A step begins: everything that was put here may be written over. One great step does not keep its memory for good. */
  clear(): void {
    const wanted = Math.max(this.#needed, this.#neededOfLate * 0.9, roomBytesMin / 2);
    const held = this.#memory.byteLength;
    if (this.#needed > held || (wanted * 8 < held && held > roomBytesMin)) {
      this.#memory = new SharedArrayBuffer(Math.ceil(wanted / 4) * 8);
    }
    this.#neededOfLate = wanted;
    this.#used = 0;
    this.#needed = 0;
  }

  get byteLength(): number {
    return this.#memory.byteLength;
  }

  /** The array where all threads see it; itself, when it lies in shared memory already. */
  readonly place = <A extends Values>(array: A): A => {
    if (array.buffer instanceof SharedArrayBuffer) return array;
    // SAFETY: an array has the constructor of its class.
    const placed = this.make(array.constructor as new (length: number) => typeof array, array.length);
    // SAFETY: both are of one class.
    (placed as Uint8Array).set(array as Uint8Array);
    return placed;
  };

  /** An array of that class and length, whatever is in it. */
  readonly make = <A extends Values>(make: new (length: number) => A, length: number): A => {
    // SAFETY: every class of typed array has the constructor over a part of a buffer, and says how wide a value is.
    const over = make as unknown as (new (memory: SharedArrayBuffer, at: number, length: number) => A) & ByteWidth;
    const bytes = Math.ceil((length * over.BYTES_PER_ELEMENT) / 8) * 8;
    this.#needed += bytes;
    if (this.#used + bytes > this.#memory.byteLength) return new over(new SharedArrayBuffer(bytes), 0, length);
    const array = new over(this.#memory, this.#used, length);
    this.#used += bytes;
    return array;
  };
}

interface ByteWidth {
  readonly BYTES_PER_ELEMENT: number;
}
