// What the supervisor needs of the actor system: to place an actor on a named thread, and to end everything.
// The control thread's composition root gives it the real one (runtime/actor/actor-system.ts).
import type { TransferListItem } from 'node:worker_threads';
import type { ActorId, ActorRef, SupervisionEvent } from '../../runtime/actor/actor.ts';

export interface SpawnOrder<Notice> {
  readonly id: ActorId;
  /** Name of a behaviour in actors/control/behaviours.ts. */
  readonly behaviour: string;
  /** Name of its thread, made when it is the first there; null: alone, while there are threads for outputs. */
  readonly thread: string | null;
  readonly args: unknown;
  readonly transfer: readonly TransferListItem[];
  readonly onNotice: (notice: Notice) => void;
}

export interface ActorHost {
  /**
   * Starts a named thread, and loads a behaviour there, ahead of its first actor. `expected`: what it can load besides (of sources ExpectedInput[]).
   * What goes wrong shows at the spawn.
   */
  prepare(thread: string, behaviour: string, expected?: unknown): void;
  spawn<Message, Notice>(order: SpawnOrder<Notice>): Promise<ActorRef<Message>>;
  /** One listener. */
  onSupervision: ((event: SupervisionEvent) => void) | null;
  readonly threads: readonly { readonly name: string; readonly actors: readonly string[] }[];
  /** Ends every actor and every thread. */
  stop(deadlineMs: number): Promise<void>;
}
