// A body whose length is known before it comes, in one array.
import type { BodyTarget } from './body-connection.ts';

export class WholeBody implements BodyTarget {
  readonly #bytes: Uint8Array;
  #filled = 0;

  /** As long as the body. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  room(): Uint8Array {
    return this.#bytes.subarray(this.#filled);
  }

  filled(bytes: number): boolean {
    this.#filled += bytes;
    return true;
  }
}
