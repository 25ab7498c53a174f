// Printed rows between two flushes, in pieces of memory that are used again.
//
// Who writes rows uses its array again afterwards, and a connection that is lost is given them once more: so they are copied. Pieces are of
// the size in which rows go to the server, and are kept for the next flush up to some bytes.

const keptBytesMax = 16 << 20;

export class GatheredRows {
  readonly #pieceBytes: number;
  readonly #pieces: Uint8Array[] = [];
  /** Pieces that are full, and bytes of the next one. */
  #full = 0;
  #used = 0;

  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes;
  }

  get bytes(): number {
    return this.#full * this.#pieceBytes + this.#used;
  }

  add(rows: Uint8Array): void {
    for (let at = 0; at < rows.length; ) {
      const piece = (this.#pieces[this.#full] ??= new Uint8Array(this.#pieceBytes));
      const taken = Math.min(rows.length - at, piece.length - this.#used);
      piece.set(rows.subarray(at, at + taken), this.#used);
      at += taken;
      this.#used += taken;
      if (this.#used < piece.length) continue;
      this.#full++;
      this.#used = 0;
    }
  }

  /** In their order, until the next call of another method. */
  chunks(): readonly Uint8Array[] {
    const full = this.#pieces.slice(0, this.#full);
    const last = this.#pieces[this.#full];
    return this.#used === 0 || last === undefined ? full : [...full, last.subarray(0, this.#used)];
  }

  /** The server has them. */
  clear(): void {
    this.#full = 0;
    this.#used = 0;
    const kept = Math.max(1, Math.floor(keptBytesMax / this.#pieceBytes));
    if (this.#pieces.length > kept) this.#pieces.length = kept;
  }
}
