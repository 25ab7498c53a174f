// Records of words by number: rows that are found through something else, such as a list of their partition.
//
//   record   [ row words | words of the caller ]        a free record holds the next free one + 1 in its first word
// Arrays are replaced when they grow (x2): read `words` again after `reserve`. A new record keeps what the free one held.
import { grownWords } from './grown-words.ts';
import type { SnapshotReader, SnapshotWriter } from './snapshot-codec.ts';

export class RowSlab {
  /** Words of a record. */
  readonly width: number;
  words: Int32Array;
  /** [records ever used, first free + 1, live records] */
  readonly #header: Int32Array = new Int32Array(3);

  constructor(width: number) {
    this.width = width;
    this.words = new Int32Array(16 * width);
  }

  get live(): number {
    return this.#header[2]!;
  }

  get stateBytes(): number {
    return this.words.byteLength;
  }

  /** Makes room for `count` more records. */
  reserve(count: number): void {
    const needed = (this.#header[0]! + count) * this.width;
    if (needed > this.words.length) this.words = grownWords(this.words, needed);
  }

  /** A record; there is room for it. */
  allocate(): number {
    const header = this.#header;
    header[2]!++;
    const free = header[1]! - 1;
    if (free < 0) return header[0]!++;
    header[1] = this.words[free * this.width]!;
    return free;
  }

  /** Copies `count` rows of `stride` words each into new records; there is room for them. */
  append(source: Int32Array, stride: number, count: number, ids: Int32Array): void {
    const { words, width } = this;
    for (let i = 0, read = 0; i < count; i++, read += stride) {
      const id = this.allocate();
      ids[i] = id;
      for (let k = 0, write = id * width; k < stride; k++) words[write + k] = source[read + k]!;
    }
  }

  release(id: number): void {
    const header = this.#header;
    this.words[id * this.width] = header[1]!;
    header[1] = id + 1;
    header[2]!--;
  }

  snapshot(writer: SnapshotWriter): void {
    writer.words(this.#header);
    writer.words(this.words.subarray(0, this.#header[0]! * this.width));
  }

  restore(reader: SnapshotReader): void {
    this.#header.set(reader.words());
    const words = reader.words();
    this.words = new Int32Array(Math.max(words.length, 16 * this.width));
    this.words.set(words);
  }
}
