// The latest chunks of a stream, for listeners that come back: bounded by bytes, oldest out first.
//
// Chunks are numbered from 1 without gaps. The window keeps the buffers that listeners are sent, it copies nothing.

/** Rows of one step, printed and sealed (chunk-printer.ts). Immutable. */
export interface EgressChunk {
  /** Its number within the incarnation of the stream. */
  readonly sequence: number;
  readonly step: number;
  readonly endsStep: boolean;
  readonly records: number;
  /** Everything behind the head of the message, with the line end of the HTTP chunk. */
  readonly data: Buffer;
}

export class EgressWindow {
  readonly #bytesMax: number;
  #chunks: EgressChunk[] = [];
  /** Index of the oldest chunk in `#chunks`; what is before it is gone. */
  #first = 0;
  #bytes = 0;
  #latest = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Number of the latest chunk, 0: there was none. */
  get latest(): number {
    return this.#latest;
  }

  /** The lowest number that can be continued with. */
  get oldest(): number {
    return this.#chunks[this.#first]?.sequence ?? this.#latest + 1;
  }

  add(chunk: EgressChunk): void {
    this.#chunks.push(chunk);
    this.#latest = chunk.sequence;
    this.#bytes += chunk.data.length;
    while (this.#bytes > this.#bytesMax && this.#first < this.#chunks.length) {
      this.#bytes -= this.#chunks[this.#first]?.data.length ?? 0;
      this.#first++;
    }
    if (this.#first > 64 && this.#first * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The chunks from `sequence` on, null when they are gone or there is no such number yet. */
  from(sequence: number): readonly EgressChunk[] | null {
    if (sequence < this.oldest || sequence > this.#latest + 1) return null;
    return this.#chunks.slice(this.#first + sequence - this.oldest);
  }
}
