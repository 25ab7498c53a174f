// Whether a connector comes back from the calls of its work: one that has been in a call for long, and has said nothing meanwhile, is told
// of as stalled, until it comes back. What the connector says of its other side counts as well. The call itself is not given up.
import type { Clock, Timer } from '../../runtime/clock.ts';

const stallMsDefault = 30_000;

export class CallPatience {
  readonly stallMs: number;
  readonly #clock: Clock;
  readonly #tell: (reason: string | null, forMs: number) => void;
  readonly #reasons = new Map<'call' | 'its own', string>();
  /** Of the call that is under way, or of the latest progress in it. */
  #since: number | null = null;
  #call = '';
  #timer: Timer | null = null;

  constructor(clock: Clock, stallMs: number | undefined, tell: (reason: string | null, forMs: number) => void) {
    this.#clock = clock;
    this.stallMs = stallMs ?? stallMsDefault;
    this.#tell = tell;
  }

  async during<R>(call: string, work: () => Promise<R>): Promise<R> {
    this.#timer ??= this.#clock.every(this.stallMs / 4, () => this.#look());
    this.#call = call;
    this.#since = this.#clock.monotonic();
    try {
      return await work();
    } finally {
      this.#since = null;
      if (this.#reasons.has('call')) this.note('call', null);
    }
  }

  /** The connector has said something in the middle of a call. */
  progressed(): void {
    if (this.#since !== null) this.#since = this.#clock.monotonic();
  }

  note(who: 'call' | 'its own', reason: string | null): void {
    const before = this.#reason;
    if (reason === null) this.#reasons.delete(who);
    else this.#reasons.set(who, reason);
    // Whoever notes something has waited for so long.
    if (this.#reason !== before) this.#tell(this.#reason, this.stallMs);
  }

  end(): void {
    this.#timer?.cancel();
  }

  get #reason(): string | null {
    return this.#reasons.get('its own') ?? this.#reasons.get('call') ?? null;
  }

  #look(): void {
    if (this.#since === null || this.#clock.monotonic() - this.#since < this.stallMs) {
      if (this.#reasons.has('call')) this.note('call', null);
      return;
    }
    this.note('call', `it has not come back from ${this.#call} for ${this.stallMs / 1000} s`);
  }
}
