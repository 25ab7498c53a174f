// An actor system over the trial behaviours that remembers what it was told, and a way to wait for it.
import type { ActorId, SupervisionEvent } from '../../../runtime/actor/actor.ts';
import { ActorSystem } from '../../../runtime/actor/actor-system.ts';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import type { LogEntry } from '../../../runtime/log.ts';
import { makeLog } from '../../../runtime/log.ts';
import { siblingModule } from '../../../runtime/thread/worker-thread.ts';

export interface Trial {
  readonly system: ActorSystem;
  readonly events: SupervisionEvent[];
  readonly notices: { readonly actor: ActorId; readonly notice: unknown }[];
  readonly logged: LogEntry[];
  /** Resolves when the condition holds; it is looked at after every event and notice. */
  until(condition: () => boolean): Promise<void>;
}

export interface TrialOptions {
  readonly hotMax?: number;
  readonly stuckMs?: number;
  readonly clock?: Clock;
}

export function makeTrial(options: TrialOptions = {}): Trial {
  const events: SupervisionEvent[] = [];
  const notices: { readonly actor: ActorId; readonly notice: unknown }[] = [];
  const logged: LogEntry[] = [];
  let waiting: { condition: () => boolean; resolve: () => void }[] = [];
  const look = (): void => {
    for (const { resolve } of waiting.filter(({ condition }) => condition())) resolve();
    waiting = waiting.filter(({ condition }) => !condition());
  };
  const system = new ActorSystem({
    behaviours: siblingModule('./trial-behaviours', import.meta.url),
    threadsMax: { hot: options.hotMax ?? 2 },
    clock: options.clock ?? systemClock,
    log: makeLog('trial', systemClock.now, (entry) => logged.push(entry)),
    onNotice: (actor, notice) => {
      notices.push({ actor, notice });
      look();
    },
    onEvent: (event) => {
      events.push(event);
      look();
    },
    onLog: (entry) => logged.push(entry),
    stuckMs: options.stuckMs ?? Number.POSITIVE_INFINITY,
  });
  const until = (condition: () => boolean): Promise<void> =>
    condition() ? Promise.resolve() : new Promise((resolve) => waiting.push({ condition, resolve }));
  return { system, events, notices, logged, until };
}
