// The real actor host: the actor system of the control thread, with each actor's notices sent to whoever spawned it.
import type { ActorId, ActorRef, SupervisionEvent } from '../../runtime/actor/actor.ts';
import { ActorSystem } from '../../runtime/actor/actor-system.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log, LogEntry } from '../../runtime/log.ts';
import type { ActorHost, SpawnOrder } from './actor-host.ts';

export interface ActorSystemHostOptions {
  /** Module that exports the program's behaviours. */
  readonly behaviours: URL;
  readonly outputThreadsMax: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly onLog: (entry: LogEntry) => void;
}

export class ActorSystemHost implements ActorHost {
  onSupervision: ((event: SupervisionEvent) => void) | null = null;
  readonly #system: ActorSystem;
  readonly #listeners = new Map<ActorId, (notice: never) => void>();

  constructor(options: ActorSystemHostOptions) {
    const { behaviours, clock, log, onLog } = options;
    this.#system = new ActorSystem({
      behaviours,
      threadsMax: { hot: options.outputThreadsMax },
      clock,
      log,
      onLog,
      // SAFETY: an actor's notices are those of its messages.ts, which the one who spawned it has named.
      onNotice: (actor, notice) => this.#listeners.get(actor)?.(notice as never),
      onEvent: (event) => {
        if (event.kind === 'actor stopped') this.#listeners.delete(event.actor);
        this.onSupervision?.(event);
      },
    });
  }

  prepare(thread: string, behaviour: string, expected?: unknown): void {
    this.#system.prepare(thread, behaviour, expected);
  }

  async spawn<Message, Notice>(order: SpawnOrder<Notice>): Promise<ActorRef<Message>> {
    const { id, behaviour, args, transfer, thread, onNotice } = order;
    this.#listeners.set(id, onNotice);
    const placed = thread === null ? { heat: 'hot' as const } : { heat: 'quiet' as const, thread };
    return await this.#system.spawn<Message>({ id, behaviour, args, transfer, ...placed });
  }

  get threads(): readonly { readonly name: string; readonly actors: readonly string[] }[] {
    return this.#system.threads();
  }

  stop(deadlineMs: number): Promise<void> {
    return this.#system.shutdown(deadlineMs);
  }
}
