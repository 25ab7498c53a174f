// One sample a second of a running pipeline, for its chart: rows processed, memory. The latest ten minutes.

const samplesMax = 600;

export interface Sample {
  /** RFC 3339. */
  readonly t: string;
  /** Rows processed in total. */
  readonly r: number;
  /** Bytes of memory. */
  readonly m: number;
  /** Bytes on disk. */
  readonly s: number;
}

export class TimeSeries {
  readonly #samples: Sample[] = [];
  readonly #followers = new Set<(sample: Sample) => void>();

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  add(sample: Sample): void {
    this.#samples.push(sample);
    if (this.#samples.length > samplesMax) this.#samples.shift();
    for (const call of this.#followers) call(sample);
  }

  follow(call: (sample: Sample) => void): () => void {
    this.#followers.add(call);
    return () => this.#followers.delete(call);
  }
}
