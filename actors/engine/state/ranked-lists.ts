// Short lists of record numbers in order, which only grow up to a limit: the first rows of each partition.
//
//   owner    two words of the record whose list it is: place, count
//   place    of one number: the number itself;  of more: where they begin in `words`, which has room for the next power of two
// How much room a list has follows from its count, so a place that is given up goes to the free ones of its size, chained
// through their first word (place + 1; 0 = end).
import { grownWords } from './grown-words.ts';
import type { SnapshotReader, SnapshotWriter } from './snapshot-codec.ts';

export class RankedLists {
  words: Int32Array = new Int32Array(64);
  /** [words ever used, then for each power of two the first free place of that size + 1] */
  readonly #header: Int32Array = new Int32Array(33);

  get stateBytes(): number {
    return this.words.byteLength;
  }

  /** Number `at` of the list that `owner` holds at word `place`. */
  get(owner: Int32Array, place: number, at: number): number {
    return owner[place + 1] === 1 ? owner[place]! : this.words[owner[place]! + at]!;
  }

  /** Puts a number at a position; those from there on move back by one. */
  insert(owner: Int32Array, place: number, at: number, id: number): void {
    const count = owner[place + 1]!;
    owner[place + 1] = count + 1;
    if (count === 0) {
      owner[place] = id;
      return;
    }
    if ((count & (count - 1)) === 0) this.#widen(owner, place, count);
    const from = owner[place]!;
    const { words } = this;
    for (let k = from + count; k > from + at; k--) words[k] = words[k - 1]!;
    words[from + at] = id;
  }

  /** Puts a number at a position of a full list; those from there on move back by one, and the last one falls out. */
  replace(owner: Int32Array, place: number, at: number, id: number): void {
    const count = owner[place + 1]!;
    if (count === 1) {
      owner[place] = id;
      return;
    }
    const from = owner[place]!;
    const { words } = this;
    for (let k = from + count - 1; k > from + at; k--) words[k] = words[k - 1]!;
    words[from + at] = id;
  }

  snapshot(writer: SnapshotWriter): void {
    writer.words(this.#header);
    writer.words(this.words.subarray(0, this.#header[0]!));
  }

  restore(reader: SnapshotReader): void {
    this.#header.set(reader.words());
    const words = reader.words();
    this.words = new Int32Array(Math.max(64, words.length));
    this.words.set(words);
  }

  /** Moves a list of `count` numbers, a power of two, to a place for twice as many. */
  #widen(owner: Int32Array, place: number, count: number): void {
    const to = this.#allocate(2 * count);
    const from = owner[place]!;
    const { words } = this;
    if (count === 1) words[to] = from;
    else {
      for (let k = 0; k < count; k++) words[to + k] = words[from + k]!;
      const size = 31 - Math.clz32(count);
      words[from] = this.#header[size + 1]!;
      this.#header[size + 1] = from + 1;
    }
    owner[place] = to;
  }

  #allocate(size: number): number {
    const header = this.#header;
    const free = 32 - Math.clz32(size);
    const known = header[free]! - 1;
    if (known >= 0) {
      header[free] = this.words[known]!;
      return known;
    }
    const at = header[0]!;
    header[0] = at + size;
    if (at + size > this.words.length) this.words = grownWords(this.words, at + size);
    return at;
  }
}
