// An actor on the test's own thread, without a system around it: its context, its notices, asks as promises.
import { type Actor, actorId, type Behaviour } from '../../runtime/actor/actor.ts';
import { systemClock } from '../../runtime/clock.ts';
import { makeLog } from '../../runtime/log.ts';
import { Gauges } from '../../runtime/metrics.ts';

export interface LoneActor<Message, Notice> {
  readonly actor: Actor<Message>;
  readonly gauges: Gauges;
  readonly notices: Notice[];
  /** What it died of, if it did. */
  readonly deaths: unknown[];
  ask<R>(message: Message): Promise<R>;
  /** Resolves with the first notice of this kind, past or to come. */
  noticed(kind: string): Promise<Notice>;
}

export async function loneActor<Args, Message, Notice extends { readonly kind: string }>(
  behaviour: Behaviour<Args, Message, Notice>,
  args: Args,
): Promise<LoneActor<Message, Notice>> {
  const gauges = new Gauges();
  const notices: Notice[] = [];
  const deaths: unknown[] = [];
  let listeners: (() => void)[] = [];
  const actor = await behaviour(args, {
    id: actorId('lone'),
    clock: systemClock,
    log: makeLog(
      'lone',
      () => 0,
      () => {},
    ),
    gauges,
    notify: (notice) => {
      notices.push(notice);
      for (const listener of listeners.splice(0)) listener();
    },
    self: (message) => queueMicrotask(() => actor.receive(message, { resolve: () => {}, reject: () => {} })),
    fail: (error) => {
      deaths.push(error);
      for (const listener of listeners.splice(0)) listener();
    },
  });
  await actor.start?.();
  return {
    actor,
    gauges,
    notices,
    deaths,
    // SAFETY: a test knows what an ask is answered with.
    ask: <R>(message: Message) =>
      new Promise<R>((resolve, reject) => actor.receive(message, { resolve: (value) => resolve(value as R), reject })),
    noticed: async (kind) => {
      for (;;) {
        const found = notices.find((notice) => notice.kind === kind);
        if (found !== undefined) return found;
        if (deaths.length > 0) throw deaths[0];
        await new Promise<void>((resolve) => {
          listeners = [...listeners, resolve];
        });
      }
    },
  };
}

/** Resolves when `holds`; looks after every turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
