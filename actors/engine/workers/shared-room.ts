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
    const bytes = Math.ceil(array.byteLength / 8) * 8;
    this.#needed += bytes;
    const fits = this.#used + bytes <= this.#memory.byteLength;
    const memory = fits ? this.#memory : new SharedArrayBuffer(bytes);
    const at = fits ? this.#used : 0;
    if (fits) this.#used += bytes;
    // SAFETY: the constructor of a typed array makes arrays of its own class, over shared memory as well.
    const make = array.constructor as new (memory: SharedArrayBuffer, at: number, length: number) => A;
    const placed = new make(memory, at, array.length);
    // SAFETY: both are of one class.
    (placed as Uint8Array).set(array as Uint8Array);
    return placed;
  };
}
