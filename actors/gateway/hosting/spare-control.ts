// A control thread that is started before anybody asks for a pipeline: loading its modules and those of its engine thread
// is most of what a start costs.
//
// There is one at most. It is taken by the next start and replaced a moment later, when the pipeline that took it runs;
// a start that finds none makes its own. One that has died is left lying and replaced.
import { type Clock, systemClock, type Timer } from '../../../runtime/clock.ts';
import { type ConnectionOptions, ControlConnection } from '../embedded/control-connection.ts';

/** After a start, so that the pipeline that has just been started is not held up. */
const refillMs = 150;

export class SpareControl {
  readonly #clock: Clock;
  #spare: ControlConnection | null = null;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The spare thread, or a new one. */
  take(options: Omit<ConnectionOptions, 'clock'>): ControlConnection {
    const spare = this.#spare;
    this.#spare = null;
    if (spare === null || spare.isLost) return new ControlConnection({ ...options, clock: this.#clock });
    spare.handTo(options);
    return spare;
  }

  /** Starts one in a moment, where there is none. */
  refill(): void {
    if (this.#isClosed || this.#timer !== null || this.#spare?.isLost === false) return;
    this.#timer = systemClock.after(refillMs, () => {
      this.#timer = null;
      this.#spare = new ControlConnection({
        name: 'spare control thread',
        clock: this.#clock,
        onReport: () => {},
        // The next start sees that it is lost and makes its own.
        onLost: () => {},
      });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#spare?.end();
    this.#spare = null;
  }
}
