// The form in which operators write their state down and read it back: numbers and typed arrays, in order.
//
//   part   = entry*          entry = kind (u8) · 7 bytes 0 · length in bytes (f64) · payload, padded to 8 bytes
// A reader expects exactly the kinds that the writer wrote, in that order; anything else is refused as damaged.
// The reader gives out arrays of their own (8-byte aligned copies), ready to be written on.
// Not here: where parts are kept (the store), which operators there are (circuit/circuit-snapshot.ts).
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';

export const SnapshotDamaged: CodedErrorClass<{ readonly detail: string }> = defineError(
  'state.snapshot_damaged',
  {
    help: 'Start the pipeline without the checkpoint, or restore it from a checkpoint of the same program and version.',
  },
  (f) => `the snapshot of the circuit cannot be restored: ${f.detail}`,
);

const entryHeadBytes = 16;
const kindNumber = 1;
const kindBytes = 2;
const kindWords = 3;
const kindText = 4;

export class SnapshotWriter {
  #buffer: Uint8Array = new Uint8Array(1 << 12);
  #view: DataView = new DataView(this.#buffer.buffer);
  #used = 0;

  number(value: number): void {
    const at = this.#entry(kindNumber, 8);
    this.#view.setFloat64(at, value, true);
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    // The entry may replace the buffer.
    const at = this.#entry(kindText, encoded.length);
    this.#buffer.set(encoded, at);
  }

  bytes(value: Uint8Array): void {
    const at = this.#entry(kindBytes, value.length);
    this.#buffer.set(value, at);
  }

  words(value: Int32Array): void {
    const at = this.#entry(kindWords, value.byteLength);
    this.#buffer.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), at);
  }

  /** The part; the writer must not be used again. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#used);
  }

  #entry(kind: number, length: number): number {
    const start = this.#used;
    const end = start + entryHeadBytes + ((length + 7) & -8);
    if (end > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(end, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, start));
      this.#buffer = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#buffer[start] = kind;
    this.#view.setFloat64(start + 8, length, true);
    this.#used = end;
    return start + entryHeadBytes;
  }
}

export class SnapshotReader {
  readonly #part: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(part: Uint8Array) {
    this.#part = part;
    this.#view = new DataView(part.buffer, part.byteOffset, part.byteLength);
  }

  number(): number {
    const [start] = this.#entry(kindNumber);
    return this.#view.getFloat64(start, true);
  }

  text(): string {
    const [start, length] = this.#entry(kindText);
    return new TextDecoder().decode(this.#part.subarray(start, start + length));
  }

  bytes(): Uint8Array {
    const [start, length] = this.#entry(kindBytes);
    return this.#part.slice(start, start + length);
  }

  words(): Int32Array {
    const [start, length] = this.#entry(kindWords);
    const copy = new Uint8Array((length + 7) & -8);
    copy.set(this.#part.subarray(start, start + length));
    return new Int32Array(copy.buffer, 0, length >> 2);
  }

  /** @throws SnapshotDamaged when something is left. */
  end(): void {
    if (this.#at !== this.#part.length) throw new SnapshotDamaged({ detail: 'a part is longer than expected' });
  }

  #entry(kind: number): readonly [start: number, length: number] {
    const start = this.#at + entryHeadBytes;
    if (start > this.#part.length) throw new SnapshotDamaged({ detail: 'a part ends too early' });
    if (this.#part[this.#at] !== kind) throw new SnapshotDamaged({ detail: 'a part has another shape than expected' });
    const length = this.#view.getFloat64(this.#at + 8, true);
    const end = start + ((length + 7) & -8);
    if (!(length >= 0) || end > this.#part.length) throw new SnapshotDamaged({ detail: 'a part ends too early' });
    this.#at = end;
    return [start, length];
  }
}
