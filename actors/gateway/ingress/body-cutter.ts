// Cuts the chunks of one body into runs of whole records that are decoded at once, on this thread.
//
// A run is a view: of the chunk itself, or of the buffer in which the rest of the last chunk stands in front of the next. It
// is valid until the next call. Memory is bounded by one chunk and one record; a record over many chunks costs linear time,
// because the buffer doubles and splitters remember what they have seen.
import type { Splitter } from '../../../connectors/sdk/format.ts';
import { HttpProblem } from '../http/http-problem.ts';

const noBytes: Uint8Array = new Uint8Array(0);

export class BodyCutter {
  readonly #splitter: Splitter;
  readonly #recordBytesMax: number;
  #buffer: Uint8Array = noBytes;
  /** Takes the rest when the run lies in the other one. */
  #spare: Uint8Array = noBytes;
  #used = 0;
  /** No run was given yet: the next one is the head of the stream. */
  first = true;
  /** What the splitter says that every decode call needs. */
  prologue: Uint8Array = noBytes;

  constructor(splitter: Splitter, recordBytesMax: number) {
    this.#splitter = splitter;
    this.#recordBytesMax = recordBytesMax;
  }

  /** Whole records from the start of what is waiting and `chunk`; empty: none yet. @throws HttpProblem 413 */
  cut(chunk: Uint8Array): Uint8Array {
    let bytes = chunk;
    const appended = this.#used > 0;
    if (appended) {
      this.#append(chunk);
      bytes = this.#buffer.subarray(0, this.#used);
    }
    const length = this.#splitter.split(bytes);
    const run = bytes.subarray(0, length);
    if (length > 0) this.#begin(run);
    if (bytes.length - length > this.#recordBytesMax) throw recordTooLarge(this.#recordBytesMax);
    if (!appended) this.#keep(bytes.subarray(length));
    else if (length > 0) {
      // The run lies in the buffer, so the rest gets another one.
      const rest = this.#buffer.subarray(length, this.#used);
      const spare = this.#spare;
      this.#spare = this.#buffer;
      this.#buffer = spare;
      this.#keep(rest);
    }
    return run;
  }

  /** The stream ends: everything that is left. */
  end(): Uint8Array {
    const rest = this.#buffer.subarray(0, this.#used);
    this.#used = 0;
    if (rest.length > 0) this.#begin(rest);
    return rest;
  }

  #begin(run: Uint8Array): void {
    if (this.first && this.#splitter.prologue !== undefined) this.prologue = this.#splitter.prologue(run).slice();
  }

  #keep(rest: Uint8Array): void {
    this.#used = rest.length;
    if (rest.length === 0) return;
    if (this.#buffer.length < rest.length) this.#buffer = new Uint8Array(rest.length);
    this.#buffer.set(rest);
  }

  #append(chunk: Uint8Array): void {
    const needed = this.#used + chunk.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.#used * 2));
      grown.set(this.#buffer.subarray(0, this.#used));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#used);
    this.#used = needed;
  }
}

export function recordTooLarge(bytesMax: number): HttpProblem {
  return new HttpProblem({
    status: 413,
    code: 'RecordTooLarge',
    message: `a record of the body is longer than ${bytesMax} bytes`,
    details: { max_bytes: bytesMax },
  });
}
