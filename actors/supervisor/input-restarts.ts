// Whether and when an input that has failed is opened again: what it has sent so far decides, beside the error (restart-policy.ts).
//
// Without SQL a window over its failures decides. With SQL attempts between which no row was sent are counted, and a source whose rows would
// not come again in the same order is not opened again once rows of this attempt were sent.
import { type ErrorData, Unexpected } from '../../runtime/errors.ts';
import type { ConnectorContext } from './connector-context.ts';
import { FailureWindow, restartDelay } from './restart-policy.ts';

export class InputRestarts {
  readonly #context: ConnectorContext;
  readonly #window: FailureWindow | null;
  /** Attempts in a row between which no row was sent. */
  #vainAttempts = 0;
  #sentBefore = 0;
  #sentAtOpen = 0;
  #count = 0;

  constructor(context: ConnectorContext) {
    this.#context = context;
    this.#window = context.relay === null ? null : new FailureWindow(context.relay.recovery);
  }

  get count(): number {
    return this.#count;
  }

  /** It is opened when so many of its rows have been sent. */
  opened(sent: number): void {
    this.#sentAtOpen = sent;
  }

  /** Milliseconds until it is opened again; null: it is over. `sent`: rows so far; `repeats`: they would come again in the same order. */
  delayAfter(error: ErrorData, sent: number, repeats: boolean): number | null {
    const delay = this.#delayAfter(error, sent, repeats);
    if (delay !== null) this.#count++;
    return delay;
  }

  #delayAfter({ retry, code }: ErrorData, sent: number, repeats: boolean): number | null {
    const { clock, random } = this.#context;
    if (this.#window !== null) return this.#window.failed(clock.monotonic(), random());
    const isVain = sent === this.#sentBefore;
    this.#vainAttempts = isVain ? this.#vainAttempts : 0;
    this.#sentBefore = sent;
    // A source of a user's may throw anything, and says nothing of whether that may pass.
    const mayPass = sent > 0 && code === Unexpected.definition.code ? 'later' : retry;
    const isLost = !repeats && sent > this.#sentAtOpen;
    return restartDelay({ retry: mayPass, restarts: this.#vainAttempts++, isLost }, random());
  }
}
