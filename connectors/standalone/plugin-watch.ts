// Whether a plugin process is still there to answer: it is asked for its health now and then, as go-plugin serves it. A process that was
// stopped, or is stuck, has a connection and says nothing: then whoever watches is told, and again when it answers.
//
// Any answer counts, one that says that there is no such service as well. A plugin that merely has nothing to read answers.
import type { Clock, Timer } from '../../runtime/clock.ts';

const stallMsDefault = 30_000;
const pingMsMin = 100;

export interface WatchParts {
  readonly clock: Clock;
  /** After how long without an answer. */
  readonly stallMs?: number;
  /** Resolves with whether an answer has come by then. */
  readonly ping: (deadlineMs: number) => Promise<boolean>;
  readonly tell: (reason: string | null, forMs: number) => void;
}

/** What several observers think of one plugin, as one reason. */
export class PluginWatch {
  readonly #parts: WatchParts;
  readonly #stallMs: number;
  readonly #reasons = new Map<string, string>();
  #timer: Timer | null = null;
  #isEnded = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#stallMs = parts.stallMs ?? stallMsDefault;
  }

  get stallMs(): number {
    return this.#stallMs;
  }

  /** It has been found not to answer. */
  get isSilent(): boolean {
    return this.#reasons.has('ping');
  }

  begin(): void {
    if (this.#isEnded || this.#timer !== null) return;
    this.#timer = this.#parts.clock.after(Math.max(pingMsMin, this.#stallMs / 3), () => void this.#ping());
  }

  end(): void {
    this.#isEnded = true;
    this.#timer?.cancel();
  }

  /** `what`: the observer. null: nothing is wrong with it any more. */
  note(what: string, reason: string | null): void {
    if (this.#isEnded) return;
    const before = this.#reason;
    if (reason === null) this.#reasons.delete(what);
    else this.#reasons.set(what, reason);
    const now = this.#reason;
    // Whoever notes something has waited for so long.
    if (now !== before) this.#parts.tell(now, this.#stallMs);
  }

  get #reason(): string | null {
    return this.#reasons.get('ping') ?? [...this.#reasons.values()][0] ?? null;
  }

  async #ping(): Promise<void> {
    const answers = await this.#parts.ping(this.#stallMs);
    this.#timer = null;
    this.note('ping', answers ? null : `its process has not answered for ${this.#stallMs / 1000} s`);
    this.begin();
  }
}
