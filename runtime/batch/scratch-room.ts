// Memory for the arrays of one batch that is used anew for the next one: for batches that nobody keeps.
//
// Arrays begin at multiples of 8, one behind the other. What does not fit gets memory of its own, and the next batch finds more room.
import type { Values } from './column.ts';
import type { Room } from './gather-column.ts';

export class ScratchRoom {
  #memory: ArrayBuffer = new ArrayBuffer(0);
  #used = 0;
  #needed = 0;

  /** Everything that was put here may be written over from now on. */
  clear(): void {
    if (this.#needed > this.#memory.byteLength) this.#memory = new ArrayBuffer(this.#needed * 2);
    this.#used = 0;
    this.#needed = 0;
  }

  readonly room: Room = <A extends Values>(make: new (length: number) => A, length: number): A => {
    // SAFETY: every class of typed array has the constructor over a part of a buffer, and says how wide a value is.
    const over = make as unknown as (new (memory: ArrayBuffer, at: number, length: number) => A) & ByteWidth;
    const bytes = Math.ceil((length * over.BYTES_PER_ELEMENT) / 8) * 8;
    this.#needed += bytes;
    if (this.#used + bytes > this.#memory.byteLength) return new make(length);
    const array = new over(this.#memory, this.#used, length);
    this.#used += bytes;
    return array;
  };
}

interface ByteWidth {
  readonly BYTES_PER_ELEMENT: number;
}
