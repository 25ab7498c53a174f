// How the actor system reaches the actor loop of a thread: over comlink for a worker, directly for its own thread.
//
// Both kinds keep the same promises: what is passed is cloned or transferred, a deadline and a signal for every request, ActorGone
// when the thread has died. Reports of the loop come through `onReport`, in order. Used by actor-system.ts only.
import type { Clock } from '../clock.ts';
import { MillraceError } from '../errors.ts';
import { ThreadGone, transfer } from '../thread/remote.ts';
import { siblingModule, WorkerThread } from '../thread/worker-thread.ts';
import type { ActorId } from './actor.ts';
import type { CellReport } from './actor-cell.ts';
import {
  ActorLoop,
  type ActorSpec,
  type Envelope,
  importBehaviours,
  type ThreadHost,
  type Transfer,
} from './actor-loop.ts';
import { ActorGone, ActorTimeout, settleWithin } from './request.ts';

export interface RequestLimits {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ThreadLink {
  /** Loads a behaviour ahead of its first actor. Rejects when the thread has died or the behaviour cannot be loaded. */
  prepare(behaviour: string, expected: unknown): Promise<void>;
  /** Resolves when the actor has started. @throws what its behaviour threw, ActorTimeout, ActorGone. */
  spawn(spec: ActorSpec, items: Transfer, limits: RequestLimits): Promise<void>;
  /** Rejects when the message cannot leave; an actor that is gone does not matter. */
  tell(envelope: Envelope, items: Transfer): Promise<void>;
  ask(envelope: Envelope, items: Transfer, limits: RequestLimits): Promise<unknown>;
  /** Resolves when every actor of the thread has come round to its mailbox. @throws CallTimeout or ActorTimeout. */
  ping(deadlineMs: number): Promise<void>;
  stop(actor: ActorId, limits: RequestLimits): Promise<void>;
  detach(actor: ActorId): void;
  /** Ends the thread at once; for the system's own thread, forgets it. */
  end(): Promise<void>;
}

export interface LinkOptions {
  readonly name: string;
  readonly behaviours: URL;
  readonly clock: Clock;
  readonly onReport: (report: CellReport) => void;
  /** The thread has ended without being told to. */
  readonly onExit: (error: unknown) => void;
}

/** Starts a worker thread and links to it; calls wait until it is up. */
export function startThread(options: LinkOptions): ThreadLink {
  const { name, behaviours, clock } = options;
  const thread = new WorkerThread<ThreadHost>({
    name,
    clock,
    entry: siblingModule('./worker-entry', import.meta.url),
    data: { behaviours: behaviours.href },
    deadlineMs: Number.POSITIVE_INFINITY,
    // SAFETY: what worker-entry reports are reports of its cells.
    onReport: (report) => options.onReport(report as CellReport),
    onExit: (error) => {
      if (error !== null) options.onExit(error);
    },
  });
  const { connection } = thread;
  const request = async <R>(actor: ActorId, limits: RequestLimits, call: () => PromiseLike<R>): Promise<R> => {
    const { deadlineMs, signal } = limits;
    try {
      return await connection.call(call, {
        deadlineMs,
        signal,
        timeout: () => new ActorTimeout({ actor, deadlineMs }),
      });
    } catch (error) {
      throw isThreadGone(error) ? new ActorGone({ actor }, { cause: error }) : error;
    }
  };
  return {
    prepare: async (behaviour, expected) => await connection.proxy.prepare(behaviour, expected),
    spawn: (spec, items, limits) => request(spec.actor, limits, () => connection.proxy.spawn(transfer(spec, items))),
    tell: async (envelope, items) => await connection.proxy.tell(transfer(envelope, items)),
    ask: async (envelope, items, limits) => {
      const answer = await request(envelope.actor, limits, () => connection.proxy.ask(transfer(envelope, items)));
      return answer.value;
    },
    ping: (deadlineMs) => connection.call((host) => host.ping(), { deadlineMs }),
    stop: (actor, limits) => request(actor, limits, () => connection.proxy.stop(actor)),
    detach: (actor) => void connection.proxy.detach(actor).catch(() => {}),
    end: () => thread.terminate(),
  };
}

/** Links to a loop on this very thread. */
export function linkHere(options: LinkOptions): ThreadLink {
  const { behaviours, clock, onReport } = options;
  const loop = importBehaviours(behaviours.href).then((found) => new ActorLoop(found, { clock, report: onReport }));
  // Whoever spawns hears of a failure; without this it would be an uncaught one as well.
  loop.catch(() => {});
  let isEnded = false;
  const request = <R>(actor: ActorId, limits: RequestLimits, call: (loop: ActorLoop) => Promise<R>): Promise<R> => {
    if (isEnded) return Promise.reject(new ActorGone({ actor }));
    const { deadlineMs, signal } = limits;
    const timeout = (): unknown => new ActorTimeout({ actor, deadlineMs });
    return settleWithin(loop.then(call), { clock, deadlineMs, signal, timeout });
  };
  return {
    prepare: async (behaviour, expected) => (await loop).prepare(behaviour, expected),
    spawn: async (spec, items, limits) => {
      const passed = { ...spec, args: clone(spec.args, items) };
      await request(spec.actor, limits, (here) => here.spawn(passed));
    },
    tell: async (envelope, items) => {
      const message = clone(envelope.message, items);
      (await loop).tell(envelope.actor, message);
    },
    ask: async (envelope, items, limits) => {
      const message = clone(envelope.message, items);
      const answer = await request(envelope.actor, limits, (here) => here.ask(envelope.actor, message));
      return clone(answer.value, answer.transfer);
    },
    // A loop on this thread has come round when this thread has.
    ping: async () => {},
    stop: (actor, limits) => request(actor, limits, (here) => here.stop(actor)),
    detach: (actor) => void loop.then((here) => here.detach(actor)).catch(() => {}),
    end: async () => {
      isEnded = true;
    },
  };
}

function clone<T>(value: T, items: Transfer): T {
  // SAFETY: Node's structuredClone transfers whatever its ports can; the types of the DOM know fewer kinds.
  return structuredClone(value, { transfer: [...items] as never });
}

function isThreadGone(error: unknown): boolean {
  return error instanceof MillraceError && error.code === ThreadGone.definition.code;
}
