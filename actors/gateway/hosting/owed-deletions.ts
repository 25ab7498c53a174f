// Connectors that are gone and have not been told so: each is told again, later and later, until it is or somebody gives it up.
//
// What is owed stands in the store (marks with `deleted`), whoever has left it there: a deletion under `/v1`, a pipeline file, the start of a
// pipeline. Here is only when it is tried next and why it failed last. One at a time, and never while its pipeline is being started or
// changed: that would tell it twice.
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { OwedMark } from '../../store/messages.ts';

export interface OwedDeletion {
  readonly owed: OwedMark;
  readonly attempts: number;
  /** Of the latest attempt of this server; null: there was none. */
  readonly error: string | null;
  /** Milliseconds since 1970. */
  readonly nextAttemptAt: number;
}

export interface OwedDeletionsOptions {
  readonly read: () => Promise<readonly OwedMark[]>;
  /** The connector has been told, and its mark is gone. @throws why not */
  readonly tell: (owed: OwedMark) => Promise<void>;
  readonly forget: (owed: OwedMark) => Promise<void>;
  /** Runs while nothing else happens to the pipeline. */
  readonly exclusively: (pipeline: string, work: () => Promise<void>) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Attempts {
  count: number;
  error: string | null;
  dueAt: number;
}

const firstRetryMs = 1_000;
const retryMsMax = 600_000;
/** What the start of a pipeline has left owed is found so soon. */
const lookMs = 60_000;

export class OwedDeletions {
  readonly #options: OwedDeletionsOptions;
  readonly #attempts = new Map<string, Attempts>();
  #timer: Timer | null = null;
  #round: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: OwedDeletionsOptions) {
    this.#options = options;
  }

  /** Tries everything that is due, and goes on as long as the server runs. Never rejects. */
  async begin(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#isClosed || this.#round !== null) return;
    this.#round = this.#tryDue().catch((error: unknown) => {
      this.#options.log.error('connectors that are owed their deletion could not be read', { error: String(error) });
    });
    await this.#round;
    this.#round = null;
    this.#schedule();
  }

  /** It has been tried just now, by the one who deleted it. */
  failed(owed: OwedMark, error: unknown): void {
    const { clock, log } = this.#options;
    const attempts = this.#of(owed);
    attempts.count++;
    attempts.error = error instanceof Error ? error.message : String(error);
    const delayMs = Math.min(retryMsMax, firstRetryMs * 2 ** (attempts.count - 1));
    attempts.dueAt = clock.now() + delayMs;
    const { connector } = owed.mark;
    const fields = { connector, attempts: attempts.count, error: attempts.error };
    log.warn(`a deleted connector could not be told of it: it is tried again in ${delayMs / 1_000} s`, fields);
    this.#schedule();
  }

  async list(): Promise<readonly OwedDeletion[]> {
    return (await this.#options.read()).map((owed) => {
      const { count, error, dueAt } = this.#of(owed);
      return { owed, attempts: count, error, nextAttemptAt: dueAt };
    });
  }

  /** It will never be told. */
  async giveUp(owed: OwedMark): Promise<void> {
    this.#attempts.delete(keyOf(owed));
    await this.#options.forget(owed);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #tryDue(): Promise<void> {
    const { read, tell, exclusively, clock } = this.#options;
    const all = await read();
    const known = new Set(all.map(keyOf));
    for (const key of this.#attempts.keys()) if (!known.has(key)) this.#attempts.delete(key);
    for (const owed of all) {
      if (this.#isClosed) return;
      if (this.#of(owed).dueAt > clock.now()) continue;
      await exclusively(owed.pipeline, async () => {
        // It may have been told, or given up, while this waited for its turn.
        if (this.#isClosed || !(await read()).some((other) => keyOf(other) === keyOf(owed))) return;
        await tell(owed).catch((error: unknown) => this.failed(owed, error));
      });
    }
  }

  #schedule(): void {
    if (this.#isClosed || this.#round !== null) return;
    this.#timer?.cancel();
    const { clock } = this.#options;
    const due = Math.min(...[...this.#attempts.values()].map(({ dueAt }) => dueAt - clock.now()), lookMs);
    this.#timer = clock.after(Math.max(0, due), () => void this.begin());
  }

  #of(owed: OwedMark): Attempts {
    const key = keyOf(owed);
    const known = this.#attempts.get(key);
    if (known !== undefined) return known;
    const none = { count: 0, error: null, dueAt: this.#options.clock.now() };
    this.#attempts.set(key, none);
    return none;
  }
}

function keyOf({ pipeline, mark }: OwedMark): string {
  return JSON.stringify([pipeline, mark.connector]);
}
