// Where records end that are lines (`lines: single` of json, `mode: lines` of raw): at the last line break.
// What was searched without finding one is not searched again.
import type { Splitter } from '../sdk/format.ts';

export class LineSplitter implements Splitter {
  #searched = 0;

  split(bytes: Uint8Array): number {
    if (bytes.length < this.#searched) this.#searched = 0;
    const found = bytes.subarray(this.#searched).lastIndexOf(10);
    const border = found < 0 ? 0 : this.#searched + found + 1;
    this.#searched = bytes.length - border;
    return border;
  }

  reset(): void {
    this.#searched = 0;
  }

  resume(): void {
    this.reset();
  }
}
