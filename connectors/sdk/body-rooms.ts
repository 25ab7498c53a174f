// Memory that bodies are read into piece by piece, used again where a piece comes back: fresh memory costs as much as what is written into it.

export class BodyRooms {
  readonly #bytes: number;
  readonly #keptMax: number;
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];

  /** `bytes`: of a room. */
  constructor(bytes: number, keptMax: number) {
    this.#bytes = bytes;
    this.#keptMax = keptMax;
  }

  /** A room for what is still to come: `left` bytes. */
  take(left: number): Uint8Array<ArrayBuffer> {
    if (left < this.#bytes) return new Uint8Array(Math.max(1, left));
    return this.#kept.pop() ?? new Uint8Array(this.#bytes);
  }

  /** Nobody looks at it any more; it may be a part of a room. */
  giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
    const isWanted = buffer.byteLength === this.#bytes && this.#kept.length < this.#keptMax;
    if (isWanted) this.#kept.push(new Uint8Array(buffer));
  }
}
