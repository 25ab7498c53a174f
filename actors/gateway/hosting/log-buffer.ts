// The latest lines of a pipeline's log, numbered from 1, and those who follow it. A line holds no newline.
//
// The epoch names the life of the buffer: it survives stop and start of the pipeline and an orderly end of the server, not the
// deletion of the pipeline. After a crash lines may be missing that were numbered: the epoch is another one then.
import { randomUUID } from 'node:crypto';

const linesMax = 10_000;
const lineCharactersMax = 4_096;

/** What is kept of it across servers. */
export interface StoredLog {
  readonly epoch: string;
  readonly lastSequence: number;
  /** The latest. */
  readonly lines: readonly string[];
}

export class LogBuffer {
  readonly epoch: string;
  readonly #lines: string[] = [];
  #lastSequence = 0;
  readonly #followers = new Set<() => void>();
  #isEnded = false;

  /** Goes on where another has ended. `isWhole`: no line behind those of `stored` was ever sent to anybody. */
  constructor(stored: StoredLog | null = null, isWhole = true) {
    this.epoch = stored !== null && isWhole ? stored.epoch : randomUUID();
    if (stored === null) return;
    this.#lines.push(...stored.lines);
    this.#lastSequence = isWhole ? stored.lastSequence : stored.lines.length;
  }

  /** At most so many lines and characters. */
  toStored(linesMax: number, charactersMax: number): StoredLog {
    let first = this.#lines.length;
    for (let characters = 0; first > 0 && this.#lines.length - first < linesMax; first--) {
      characters += this.#lines[first - 1]?.length ?? 0;
      if (characters > charactersMax) break;
    }
    return { epoch: this.epoch, lastSequence: this.#lastSequence, lines: this.#lines.slice(first) };
  }

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
