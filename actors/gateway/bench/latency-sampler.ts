// How long rows take from their source to every output: at regular moments the latest rows of each input are followed to
// their end (SupervisorInterface.latestDelivered).
//
// Looks are begun by the clock, not by the end of the one before: rows that come while others are waited for are looked at too. Rows
// that were followed once are not followed again, and an input that sends nothing gives no samples. `followedMax` bounds what is
// on its way; samples beyond `samplesMax` replace earlier ones by turns, so that what is kept stands for the whole time.
import type { Clock, Timer } from '../../../runtime/clock.ts';

export interface Delivered {
  readonly records: number;
  readonly milliseconds: number;
}

export interface LatencyParts {
  readonly clock: Clock;
  readonly endpoints: readonly string[];
  /** Rejects when the pipeline has ended. */
  readonly follow: (endpoint: string) => Promise<Delivered | null>;
}

const lookEveryMs = 10;
const followedMax = 512;
const samplesMax = 20_000;

export class LatencySampler {
  readonly #parts: LatencyParts;
  readonly #timer: Timer;
  /** By endpoint: the records up to which one has been followed. */
  readonly #followed = new Map<string, number>();
  #samples: number[] = [];
  #seen = 0;
  #underWay = 0;
  /** Samples that were begun before belong to what is left out. */
  #round = 0;

  constructor(parts: LatencyParts) {
    this.#parts = parts;
    this.#timer = parts.clock.every(lookEveryMs, () => this.#look());
  }

  /** Counts from here: rows that are on their way are left out. */
  begin(): void {
    this.#round++;
    this.#samples = [];
    this.#seen = 0;
  }

  get samples(): readonly number[] {
    return this.#samples;
  }

  close(): void {
    this.#round++;
    this.#timer.cancel();
  }

  #look(): void {
    for (const endpoint of this.#parts.endpoints) {
      if (this.#underWay >= followedMax) return;
      void this.#followOne(endpoint);
    }
  }

  async #followOne(endpoint: string): Promise<void> {
    const round = this.#round;
    this.#underWay++;
    try {
      const delivered = await this.#parts.follow(endpoint);
      if (delivered === null || round !== this.#round) return;
      if (delivered.records <= (this.#followed.get(endpoint) ?? 0)) return;
      this.#followed.set(endpoint, delivered.records);
      this.#keep(delivered.milliseconds);
    } catch {
      // The pipeline has ended, or it has failed, which is told where it is waited for.
    } finally {
      this.#underWay--;
    }
  }

  #keep(milliseconds: number): void {
    const at = this.#seen++ % samplesMax;
    if (at < this.#samples.length) this.#samples[at] = milliseconds;
    else this.#samples.push(milliseconds);
  }
}
