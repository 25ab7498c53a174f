// A growing array of bytes that record formats print into, reused from batch to batch.
// `bytes` and `view` are replaced when the array grows: read them again after every `reserve`. One owner, the format.

export class PrintedBytes {
  bytes: Uint8Array = new Uint8Array(64 * 1024);
  view: DataView = new DataView(this.bytes.buffer);
  /** How many are used. */
  length = 0;

  /** Makes room for `more` bytes behind those that are used. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Not for hot loops. */
  appendText(text: string): void {
    this.reserve(text.length * 3);
    this.length += encoder.encodeInto(text, this.bytes.subarray(this.length)).written;
  }
}

const encoder = new TextEncoder();
