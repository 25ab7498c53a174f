// The latest lines of a pipeline's log, numbered from 1, and those who follow it. A line holds no newline.
//
// The epoch names the life of the buffer: it survives stop and start of the pipeline, not its deletion and not the server.
import { randomUUID } from 'node:crypto';

const linesMax = 10_000;
const lineCharactersMax = 4_096;

export class LogBuffer {
  readonly epoch: string = randomUUID();
  readonly #lines: string[] = [];
  #lastSequence = 0;
  readonly #followers = new Set<() => void>();
  #isEnded = false;

  /** Number of the latest line, 0 when there is none. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Number of the oldest line that is still there. */
  get firstSequence(): number {
    return this.#lastSequence - this.#lines.length + 1;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  add(text: string): void {
    for (const line of text.split(/\r?\n/)) {
      this.#lines.push(line.slice(0, lineCharactersMax));
      this.#lastSequence++;
    }
    if (this.#lines.length > linesMax) this.#lines.splice(0, this.#lines.length - linesMax);
    this.#wake();
  }

  /** Lines behind `sequence`, at most `count`. */
  after(sequence: number, count: number): readonly string[] {
    const start = Math.max(0, sequence + 1 - this.firstSequence);
    return this.#lines.slice(start, start + count);
  }

  /** Called after every change; returns what ends it. */
  follow(call: () => void): () => void {
    this.#followers.add(call);
    return () => this.#followers.delete(call);
  }

  /** The pipeline is deleted: followers come to an end. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  #wake(): void {
    for (const call of this.#followers) call();
  }
}
