// Requests for records that are on their way: one to each leader at most, and none to a leader whose answer has not been taken.
//
// Answers are taken in the order in which they come, so that a broker that has nothing, or does not answer, keeps no other one waiting.
// Each answer comes with what was asked, since the reader may have changed its mind meanwhile.
import type { Clock } from '../../runtime/clock.ts';
import type { FetchAnswer, WantedTopic } from './fetch-request.ts';
import type { BrokerAddress } from './kafka-cluster.ts';

export interface Fetched {
  readonly broker: BrokerAddress;
  readonly wanted: readonly WantedTopic[];
  /** Null: it has failed. */
  readonly answer: FetchAnswer | null;
  readonly failure: unknown;
}

export class LeaderFetches {
  readonly #clock: Clock;
  /** By id of the broker. */
  readonly #asked = new Map<number, { readonly broker: BrokerAddress; readonly since: number }>();
  #arrived: Fetched[] = [];
  #wake: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a request to this broker is under way, or its answer waits. */
  isBusy(broker: number): boolean {
    return this.#asked.has(broker);
  }

  /** Brokers whose answer has not come for so long. */
  late(ms: number): readonly BrokerAddress[] {
    const since = this.#clock.monotonic() - ms;
    const waiting = [...this.#asked.values()].filter((asked) => asked.since < since);
    return waiting
      .map(({ broker }) => broker)
      .filter(({ id }) => !this.#arrived.some(({ broker }) => broker.id === id));
  }

  ask(broker: BrokerAddress, wanted: readonly WantedTopic[], fetch: () => Promise<FetchAnswer>): void {
    this.#asked.set(broker.id, { broker, since: this.#clock.monotonic() });
    const arrive = (answer: FetchAnswer | null, failure: unknown): void => {
      this.#arrived.push({ broker, wanted, answer, failure });
      this.wake();
    };
    fetch().then(
      (answer) => arrive(answer, null),
      (thrown: unknown) => arrive(null, thrown),
    );
  }

  /** The next answer; null when none has come after `ms`, or somebody called `wake`. */
  async next(ms: number): Promise<Fetched | null> {
    if (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.after(ms, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#wake = null;
    }
    const fetched = this.#arrived.shift() ?? null;
    if (fetched !== null) this.#asked.delete(fetched.broker.id);
    return fetched;
  }

  wake(): void {
    this.#wake?.();
  }
}
