// Bytes that came from a socket in pieces, read from front to back: what is wanted is copied out once, the rest is passed over.
// The pieces are never joined, since an answer of megabytes would be copied as a whole before anything is read.

export class ChunkReader {
  readonly #chunks: readonly Uint8Array[];
  #chunk = 0;
  /** In the chunk. */
  #at = 0;
  #remaining: number;

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks;
    this.#remaining = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  get remaining(): number {
    return this.#remaining;
  }

  /** The next `count` bytes go to target[at ..); there are so many. */
  copyTo(target: Uint8Array, at: number, count: number): void {
    for (let left = count; left > 0; ) {
      const chunk = this.#chunks[this.#chunk];
      if (chunk === undefined) return;
      const taken = Math.min(left, chunk.length - this.#at);
      target.set(chunk.subarray(this.#at, this.#at + taken), at + count - left);
      left -= taken;
      this.#pass(taken, chunk.length);
    }
  }

  skip(count: number): void {
    for (let left = count; left > 0; ) {
      const chunk = this.#chunks[this.#chunk];
      if (chunk === undefined) return;
      const passed = Math.min(left, chunk.length - this.#at);
      left -= passed;
      this.#pass(passed, chunk.length);
    }
  }

  #pass(count: number, chunkLength: number): void {
    this.#at += count;
    this.#remaining -= count;
    if (this.#at < chunkLength) return;
    this.#chunk++;
    this.#at = 0;
  }
}
