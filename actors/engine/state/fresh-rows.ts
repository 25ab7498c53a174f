// Rows of one step that nobody has looked for by their columns yet: appended, and chained by their group.
//
//   record   [ row words | weight, next + 1, group ]        a free number is the next one; all go at once
// Many rows of a step are gone when it ends, such as those of windows that its watermark closes. Here they cost a copy; a table
// that finds rows by their columns would take a probe for each that comes and another one for each that goes.
// Steps of one size use the same memory again and again; what was for one great step is given up some smaller steps later.
// Equal rows are several records. Not here: heads of chains, which lie with the groups.

import { grownWords } from './grown-words.ts';

/** An array of more words is given up when steps of late have needed an eighth of it. */
const keptWords: number = 1 << 20;

export class FreshRows {
  readonly rowWords: number;
  /** Words of a record. */
  readonly width: number;
  words: Int32Array;
  #count = 0;
  /** Words that this step has needed, and the most that a step of late has, less a tenth for every step since. */
  #needed = 0;
  #neededOfLate = 0;

  constructor(rowWords: number) {
    this.rowWords = rowWords;
    this.width = rowWords + 3;
    this.words = new Int32Array(64 * this.width);
  }

  get count(): number {
    return this.#count;
  }

  get stateBytes(): number {
    return this.words.byteLength;
  }

  /** Makes room for `count` more rows: `words` may be another array then. */
  reserve(count: number): void {
    const needed = (this.#count + count) * this.width;
    this.#needed = Math.max(this.#needed, needed);
    if (needed > this.words.length) this.words = grownWords(this.words, needed);
  }

  /** Adds a row, for which there is room, in front of a chain; returns its number. */
  append(source: Int32Array, at: number, weight: number, next: number, group: number): number {
    const { words, rowWords } = this;
    const id = this.#count++;
    const base = id * this.width;
    for (let k = 0; k < rowWords; k++) words[base + k] = source[at + k]!;
    words[base + rowWords] = weight;
    words[base + rowWords + 1] = next;
    words[base + rowWords + 2] = group;
    return id;
  }

  weightOf(id: number): number {
    return this.words[id * this.width + this.rowWords]!;
  }

  nextOf(id: number): number {
    return this.words[id * this.width + this.rowWords + 1]!;
  }

  groupOf(id: number): number {
    return this.words[id * this.width + this.rowWords + 2]!;
  }

  /** Keeps the rows whose group has something else than `dropped` in word `at`, in their order; chains are broken by it. */
  keep(groups: Int32Array, groupWidth: number, at: number, dropped: number): void {
    const { words, width } = this;
    let kept = 0;
    for (let id = 0; id < this.#count; id++) {
      if (groups[this.groupOf(id) * groupWidth + at] === dropped) continue;
      if (kept < id) words.copyWithin(kept * width, id * width, (id + 1) * width);
      kept++;
    }
    this.#count = kept;
  }

  clear(): void {
    this.#count = 0;
    this.#neededOfLate = Math.max(this.#needed, this.#neededOfLate * 0.9);
    this.#needed = 0;
    const { length } = this.words;
    if (length > keptWords && length > this.#neededOfLate * 8) this.words = new Int32Array(64 * this.width);
  }
}
