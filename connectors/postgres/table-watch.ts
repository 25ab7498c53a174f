// A look at something, again and again beside other work: it keeps what went wrong until somebody asks.
//
// One look at a time; the next one begins a pause after the last one has ended. What may pass (the server was not there) is forgotten: it is
// not what is looked for. After `end` nothing more is begun; a look that is under way ends by itself, unheard.
import type { Clock, Timer } from '../../runtime/clock.ts';
import { PostgresUnavailable } from './postgres-errors.ts';

export class TableWatch {
  readonly #clock: Clock;
  readonly #pauseMs: number;
  readonly #look: () => Promise<void>;
  #timer: Timer | null = null;
  #failure: unknown = null;
  #isEnded = false;

  constructor(clock: Clock, pauseMs: number, look: () => Promise<void>) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
    this.#look = look;
    this.#pause();
  }

  /** @throws what a look has thrown */
  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  end(): void {
    this.#isEnded = true;
    this.#timer?.cancel();
  }

  #pause(): void {
    if (this.#isEnded) return;
    this.#timer = this.#clock.after(this.#pauseMs, () => {
      this.#look().then(
        () => this.#pause(),
        (thrown: unknown) => {
          if (thrown instanceof PostgresUnavailable) this.#pause();
          else this.#failure = thrown;
        },
      );
    });
  }
}
