// Tells a stuck actor from a busy one.
//
// Every third of `stuckMs` each thread is asked for a sign of life. An actor is stuck when its thread has not answered for
// `stuckMs` and its own heartbeat (a gauge in shared memory that row loops advance) has stood still all that time: a long
// step is not a dead actor. Each is reported once, and again only after it has shown life. What follows is its supervisor's
// decision. Time is counted in rounds, so a watcher that was itself held up blames nobody.
import type { Clock, Timer } from '../clock.ts';
import { type CodedErrorClass, defineError } from '../errors.ts';
import type { Gauges } from '../metrics.ts';
import type { ActorId } from './actor.ts';

export const ActorStuck: CodedErrorClass<{ readonly actor: ActorId; readonly silentMs: number }> = defineError(
  'actor.stuck',
  {
    help: 'The actor is in an endless loop or waits on something that blocks its thread. It is ended and may be restarted.',
  },
  (f) => `${f.actor} has shown no sign of life for ${f.silentMs} ms`,
);

export interface WatchedThread {
  readonly link: { ping(deadlineMs: number): Promise<void> };
  readonly entries: Iterable<{ readonly id: ActorId; readonly gauges: Gauges }>;
}

export interface HeartbeatWatchOptions {
  readonly clock: Clock;
  readonly stuckMs: number;
  readonly watched: () => readonly WatchedThread[];
  readonly onStuck: (actor: ActorId, error: unknown) => void;
}

const roundsToStuck = 3;

/** What is known of an actor since it last showed life. */
interface Silence {
  heartbeat: number;
  rounds: number;
}

export class HeartbeatWatch {
  readonly #options: HeartbeatWatchOptions;
  readonly #timer: Timer | null;
  readonly #answering = new WeakMap<WatchedThread, boolean>();
  readonly #silences = new WeakMap<Gauges, Silence>();

  constructor(options: HeartbeatWatchOptions) {
    this.#options = options;
    const { clock, stuckMs } = options;
    this.#timer = Number.isFinite(stuckMs) ? clock.every(stuckMs / roundsToStuck, () => this.#round()) : null;
  }

  close(): void {
    this.#timer?.cancel();
  }

  #round(): void {
    for (const thread of this.#options.watched()) {
      const isAnswering = this.#answering.get(thread) ?? true;
      for (const { id, gauges } of thread.entries) this.#judge(id, gauges, isAnswering);
      // No new ping while one is unanswered: the answer to the first is sign enough.
      if (!isAnswering) continue;
      this.#answering.set(thread, false);
      thread.link.ping(Number.POSITIVE_INFINITY).then(
        () => this.#answering.set(thread, true),
        () => {
          // The thread has died, which is reported as such.
        },
      );
    }
  }

  #judge(actor: ActorId, gauges: Gauges, isAnswering: boolean): void {
    const heartbeat = gauges.get('heartbeat');
    const silence = this.#silences.get(gauges);
    if (silence === undefined || isAnswering || heartbeat !== silence.heartbeat) {
      this.#silences.set(gauges, { heartbeat, rounds: 0 });
      return;
    }
    silence.rounds++;
    if (silence.rounds !== roundsToStuck) return;
    this.#options.onStuck(actor, new ActorStuck({ actor, silentMs: this.#options.stuckMs }));
  }
}
