// Cuts a stream of bytes into lines. Bytes of a line may arrive in several reads, and several lines in one; a character may
// lie across two reads. Empty lines are left out.

export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** The lines that end in these bytes. */
  push(bytes: Uint8Array): string[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    // A long line that arrives in pieces is joined once, not searched again with each piece.
    if (!text.includes('\n')) {
      this.#rest += text;
      return [];
    }
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map((line) => line.trim()).filter((line) => line !== '');
  }
}
