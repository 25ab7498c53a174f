// What an actor is: a behaviour behind a mailbox, placed on a worker thread.
//
// An actor's public API is its messages.ts. `receive` never waits: what takes time returns later as a message to oneself
// (`context.self`) or settles `reply`. Lanes: signal > supervision > control > data; the data lane does not come through
// `receive` but through channels (mailbox/channel.ts), which the actor asked for or was handed.
// An actor that throws from `receive` dies and its supervisor is told (`SupervisionEvent`).
import type { TransferListItem } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Gauges } from '../metrics.ts';

declare const actorIdBrand: unique symbol;
/** Unique in an actor system, such as `source:users.users`. */
export type ActorId = string & { readonly [actorIdBrand]: true };

export function actorId(text: string): ActorId {
  // SAFETY: the one place where a text becomes an identifier.
  return text as ActorId;
}

/** Settles an ask. Telling an actor gives it a reply that goes nowhere. */
export interface Reply {
  resolve(value?: unknown, transfer?: readonly TransferListItem[]): void;
  reject(error: unknown): void;
}

export interface Actor<Message> {
  /** Called once before the first message. */
  start?(): Promise<void> | void;
  receive(message: Message, reply: Reply): void;
  /** Releases everything the actor holds: ports, files, timers. Called once, also after a failure. */
  stop(): Promise<void> | void;
}

/** What an actor is given. `Notice` is what it tells its supervisor. */
export interface ActorContext<Message, Notice> {
  readonly id: ActorId;
  readonly clock: Clock;
  readonly log: Log;
  /** Counters in shared memory: read at any time from the supervisor's thread, with no message. */
  readonly gauges: Gauges;
  /** To the supervisor's `onNotice`, on the supervision lane, in order. */
  notify(notice: Notice): void;
  /** Puts a message into one's own mailbox. */
  readonly self: (message: Message) => void;
  /** Dies with this error: the supervisor is told. */
  fail(error: unknown): void;
}

/** Makes an actor on its own thread. `args` came through a structured clone. */
export type Behaviour<Args, Message, Notice> = (
  args: Args,
  context: ActorContext<Message, Notice>,
) => Actor<Message> | Promise<Actor<Message>>;

/** A handle on an actor, held on the supervisor's thread. */
export interface ActorRef<Message> {
  readonly id: ActorId;
  /** Name of the thread that it was placed on. */
  readonly thread: string;
  readonly gauges: Gauges;
  tell(message: Message, transfer?: readonly TransferListItem[]): void;
  /**
   * @throws ActorTimeout after `deadlineMs` (default 10 000), ActorGone at once when the actor or its thread dies, the
   * coded error with which the actor rejected, or the signal's reason.
   */
  ask<R>(
    message: Message,
    options?: {
      readonly deadlineMs?: number;
      readonly signal?: AbortSignal;
      readonly transfer?: readonly TransferListItem[];
    },
  ): Promise<R>;
  /** Orderly end: `stop()` of the actor, its ports closed. Detached by force after `deadlineMs` (default 10 000). */
  stop(deadlineMs?: number): Promise<void>;
}

/** What a supervisor is told about its actors besides their own notices. */
export type SupervisionEvent =
  | { readonly kind: 'actor failed'; readonly actor: ActorId; readonly error: unknown }
  | { readonly kind: 'actor stopped'; readonly actor: ActorId }
  | {
      readonly kind: 'thread exited';
      readonly thread: string;
      readonly actors: readonly ActorId[];
      readonly error: unknown;
    };
