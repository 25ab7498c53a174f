// Whether a connector does what it should, as far as that can be seen from outside: it answers, it has nothing to say, or it hangs. Pure.
//
//   ok       it has been heard of within the deadline, or has nothing to do
//   quiet    a source whose read has given nothing for so long: it may be idle, and it may hang
//   stalled  it does not come back from a call, or its other side does not answer
import type { ConnectorPhase } from '../connector-calls.ts';
import { type AwaitedCall, awaitedCall } from './awaited-call.ts';
import type { ConnectorDeadlines } from './connector-deadlines.ts';
import type { ConnectorState } from './connector-lifecycle.ts';

export interface ConnectorHealth {
  readonly status: 'ok' | 'quiet' | 'stalled';
  /** Milliseconds since 1970; null: it is ok. */
  readonly since: number | null;
  readonly reason: string;
}

/** What a connector, or its actor, has said of itself. */
export interface Stall {
  readonly since: number;
  readonly reason: string;
}

export interface HealthSigns {
  readonly state: ConnectorState;
  readonly stall: Stall | null;
  /** The call that it is in, and since when. */
  readonly phase: ConnectorPhase | null;
  readonly phaseSince: number;
  /** When a read has given something last; 0: it is not read. */
  readonly repliedAt: number;
}

export const healthy: ConnectorHealth = { status: 'ok', since: null, reason: '' };

export function connectorHealth(signs: HealthSigns, now: number, stallMs: number): ConnectorHealth {
  const { state, stall, phase, phaseSince, repliedAt } = signs;
  if (stall !== null) return { status: 'stalled', ...stall };
  if (phase !== null && now - phaseSince >= stallMs) {
    return { status: 'stalled', since: phaseSince, reason: `it has not come back from ${phase}` };
  }
  if (state === 'running' && repliedAt > 0 && now - repliedAt >= stallMs) {
    return { status: 'quiet', since: repliedAt, reason: 'its reads give nothing' };
  }
  return healthy;
}

/** What a handle keeps of it: the latest signs, and what was told last. */
export class HealthWatch {
  #stall: Stall | null = null;
  #phase: ConnectorPhase | null = null;
  #phaseSince = 0;
  #told: ConnectorHealth['status'] = 'ok';

  get phase(): ConnectorPhase | null {
    return this.#phase;
  }

  /** What it is in the middle of, if that has a deadline. */
  awaited(deadlines: ConnectorDeadlines): AwaitedCall | null {
    return awaitedCall(this.#phase, this.#phaseSince, deadlines);
  }

  entered(phase: ConnectorPhase | null, now: number): void {
    this.#phase = phase;
    this.#phaseSince = now;
  }

  /** null: it answers again. */
  stalled(reason: string | null, since: number): void {
    this.#stall = reason === null ? null : { since: this.#stall?.since ?? since, reason };
  }

  /** It is opened anew, or over: what was said before is of no interest. */
  reset(): void {
    this.#stall = null;
  }

  health(state: ConnectorState, repliedAt: number, now: number, stallMs: number): ConnectorHealth {
    const signs = { state, stall: this.#stall, phase: this.#phase, phaseSince: this.#phaseSince, repliedAt };
    return connectorHealth(signs, now, stallMs);
  }

  /** Whether it is another than when this was asked last. */
  hasChanged({ status }: ConnectorHealth): boolean {
    const hasChanged = status !== this.#told;
    this.#told = status;
    return hasChanged;
  }
}
