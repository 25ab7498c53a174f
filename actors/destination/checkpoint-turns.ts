// What a destination that delivers exactly once is told of checkpoints, between its writes.
//
//   barrier of checkpoint c ─► flush ─► prepare(c) ─► "c is prepared" … c is stored ─► commit(c) ─► confirm the marks before the barrier
//
// A mark counts as delivered when a checkpoint behind it is committed, and not when it was flushed: nobody outside has seen it before.
// A destination whose end has come gets no barrier any more: it is asked by message, and everything that it was written belongs to the
// checkpoint. Calls are made in the actor's turns, one at a time; this decides which is next. Owned by the actor.
import type { CheckpointNote, Destination } from '../../connectors/sdk/destination.ts';
import type { Reply } from '../../runtime/actor/actor.ts';
import { assert } from '../../runtime/assert.ts';

interface Asked {
  readonly kind: 'prepare' | 'commit';
  readonly checkpoint: string;
  readonly reply: Reply;
}

export interface CheckpointCalls {
  readonly during: (call: string, work: () => Promise<void>) => Promise<void>;
  readonly prepared: (checkpoint: string, note: CheckpointNote | null) => void;
  /** Everything up to this mark is delivered. */
  readonly confirm: (mark: number) => void;
  /** Whether anything was written that no stored checkpoint holds. */
  readonly showWaiting: (isWaiting: boolean) => void;
}

export class CheckpointTurns {
  readonly #calls: CheckpointCalls;
  #asked: Asked[] = [];
  /** Checkpoints that are prepared and not committed, oldest first. */
  #prepared: { readonly checkpoint: string; readonly mark: number }[] = [];
  #isDirty = false;

  constructor(calls: CheckpointCalls) {
    this.#calls = calls;
  }

  ask(kind: Asked['kind'], checkpoint: string, reply: Reply): void {
    this.#asked.push({ kind, checkpoint, reply });
  }

  /** Something was asked that can be answered now; `hasEnded`: nothing will be written any more. */
  isDue(hasEnded: boolean): boolean {
    return this.#asked.some(({ kind }) => kind === 'commit' || hasEnded);
  }

  /** Something was written. */
  written(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#show();
  }

  /** Behind a flush; `mark` is the latest that it covers. */
  async prepare(destination: Destination, checkpoint: string, mark: number): Promise<void> {
    let note: CheckpointNote | null = null;
    await this.#calls.during('prepare', async () => {
      note = (await destination.prepare?.(checkpoint)) ?? null;
    });
    this.#isDirty = false;
    this.#prepared.push({ checkpoint, mark });
    this.#show();
    this.#calls.prepared(checkpoint, note);
  }

  /** Answers what is due. @throws what the destination throws; who asked hears of it too */
  async answer(destination: Destination, hasEnded: boolean, mark: number): Promise<void> {
    while (this.isDue(hasEnded)) {
      const at = this.#asked.findIndex(({ kind }) => kind === 'commit' || hasEnded);
      const [asked] = this.#asked.splice(at, 1);
      assert(asked !== undefined, 'something is due');
      try {
        if (asked.kind === 'prepare') await this.prepare(destination, asked.checkpoint, mark);
        else await this.#commit(destination, asked.checkpoint);
        asked.reply.resolve();
      } catch (error) {
        asked.reply.reject(error);
        throw error;
      }
    }
  }

  /** It will not be opened, or has failed. */
  refuse(error: unknown): void {
    for (const { reply } of this.#asked.splice(0)) reply.reject(error);
  }

  async #commit(destination: Destination, checkpoint: string): Promise<void> {
    const at = this.#prepared.findIndex((each) => each.checkpoint === checkpoint);
    if (at < 0) return;
    await this.#calls.during('commit', async () => await destination.commit?.(checkpoint));
    // What was prepared before it is part of it.
    const done = this.#prepared.splice(0, at + 1);
    this.#show();
    this.#calls.confirm(done.at(-1)?.mark ?? 0);
  }

  #show(): void {
    this.#calls.showWaiting(this.#isDirty || this.#prepared.length > 0);
  }
}
