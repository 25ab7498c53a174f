// When a decoder has a lane generated, and when it gives up.
//
// A lane is learned from a record that the general reader has accepted, once there have been enough of them that it will pay. A lane
// that keeps meeting records of another shape is replaced a few times, then lanes are given up for this decoder: its input is mixed.
import type { Lane } from './row-lane.ts';

const recordsBefore = 64;
const lanesMax = 8;
const missesMax = 64;

export class LaneLearning {
  lane: Lane | null = null;
  #records = 0;
  #lanes = 0;
  #misses = 0;

  /** Says how many records the lane has read in one go. */
  ran(records: number): void {
    // A lane that reads a few records between two that differ is worth having.
    if (records > 2) this.#misses = 0;
    else if (++this.#misses >= missesMax) {
      this.lane = null;
      this.#misses = 0;
      this.#records = 0;
    }
  }

  /** Counts a record that the general reader has accepted. True when a lane should be learned from it. */
  offer(): boolean {
    if (this.lane !== null || this.#lanes >= lanesMax) return false;
    return ++this.#records > recordsBefore;
  }

  learned(lane: Lane | null): void {
    this.lane = lane;
    this.#lanes++;
    this.#records = 0;
  }
}
