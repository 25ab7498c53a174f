// How an output takes part in checkpoints, as the supervisor sees it: it has said, behind a barrier, that what it was sent is safe; one that
// delivers exactly once is told when the checkpoint is stored.
//
// A checkpoint is held back while an output is behind, for as long as it makes progress: what it was sent would be lost with the process, and is in
// the checkpoint. When one has failed no checkpoint is taken any more, so that a later start delivers what it has missed. But rows that
// were pushed nobody sends again: where there are any, an output that delivers at least once misses what it is sent from then on, which is
// counted. Part of the output's handle.
import type { CheckpointNote } from '../../connectors/sdk/destination.ts';
import type { ActorRef } from '../../runtime/actor/actor.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type ErrorData, errorToData } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { DestinationMessage } from '../destination/messages.ts';
import { CheckpointHeldBack } from './supervision-errors.ts';

export interface PreparationParts {
  readonly endpoint: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly isExactlyOnce: boolean;
  readonly destination: () => ActorRef<DestinationMessage> | null;
  /** What it has failed of; null: it has not. */
  readonly failure: () => ErrorData | null;
  /** It has ended, failed or stopped. */
  readonly isOver: () => boolean;
  /** Nothing more comes to it. */
  readonly hasEnd: () => boolean;
  /** Whether it was ever sent anything. */
  readonly wasAttached: () => boolean;
  /** Grows while it gets on. */
  readonly progress: () => number;
}

export interface PreparedCheckpoint {
  readonly checkpoint: string;
  readonly note?: CheckpointNote;
}

/** Without any progress a checkpoint waits so long for an output. */
const patienceMs = 60_000;
const lookMs = 1_000;
/** What a commit gets before whoever stored the checkpoint goes on; the output tries on by itself. */
const commitMs = 10_000;

export class OutputPreparation {
  readonly #parts: PreparationParts;
  /** Checkpoints that are being taken, and what it has said of each: that it is prepared, and perhaps a note. */
  readonly #expected = new Map<string, PreparedCheckpoint | null>();
  readonly #listeners = new Set<() => void>();
  /** Once it has failed no checkpoint is taken. */
  #isRequired = true;

  constructor(parts: PreparationParts) {
    this.#parts = parts;
  }

  /** From now on; those before it are over. `isPushed`: there are rows that only a checkpoint keeps. @throws CheckpointHeldBack */
  expect(checkpoint: string, isPushed: boolean): void {
    this.#isRequired = this.#parts.isExactlyOnce || !isPushed;
    this.#refuseFailed();
    this.#expected.clear();
    this.#expected.set(checkpoint, null);
  }

  /** It has said so. */
  notePrepared({ checkpoint, note }: PreparedCheckpoint): void {
    const prepared = { checkpoint, ...(note === undefined ? {} : { note }) };
    if (this.#expected.has(checkpoint)) this.#expected.set(checkpoint, prepared);
    this.look();
  }

  /** Its state has changed. */
  look(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * Resolves when it is prepared, with what it notes of that; with null when it has no part in the checkpoint, since it was attached later. `barrier`: what the engine
   * has sent to it. @throws CheckpointHeldBack, the signal's reason
   */
  async prepared(
    checkpoint: string,
    barrier: { readonly hasEnded: boolean } | null,
    signal: AbortSignal,
  ): Promise<PreparedCheckpoint | null> {
    const { wasAttached, hasEnd, destination, isExactlyOnce } = this.#parts;
    this.#refuseFailed();
    const isSent = barrier !== null && !barrier.hasEnded;
    if (!isSent) {
      const isThrough = barrier !== null || hasEnd();
      if (!isThrough || !wasAttached()) return null;
      const message = { kind: 'prepare checkpoint', checkpoint } as const;
      // What goes wrong is its failure, which is looked at below. The end of one that delivers at least once says it all.
      if (isExactlyOnce)
        destination()
          ?.ask(message, { deadlineMs: Number.POSITIVE_INFINITY })
          .catch(() => {});
    }
    await this.#whenPrepared(checkpoint, signal);
    return this.#expected.get(checkpoint) ?? { checkpoint };
  }

  /** The checkpoint is stored. Resolves when it is committed, or late. */
  async commit(checkpoint: string): Promise<void> {
    const { destination, log, endpoint } = this.#parts;
    try {
      await destination()?.ask({ kind: 'checkpoint stored', checkpoint }, { deadlineMs: commitMs });
    } catch (error) {
      const cause = errorToData(error).message;
      log.warn(`output ${endpoint} has not committed a checkpoint yet: ${cause}`, { endpoint, checkpoint });
    }
  }

  #whenPrepared(checkpoint: string, signal: AbortSignal): Promise<void> {
    const { clock, destination, progress, isExactlyOnce, isOver } = this.#parts;
    let seen = progress();
    let seenAt = clock.monotonic();
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#listeners.delete(look);
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const look = (): void => {
        try {
          const isPrepared = (this.#expected.get(checkpoint) ?? null) !== null;
          if (!isPrepared) this.#refuseFailed();
          if (isPrepared || (!isExactlyOnce && isOver())) {
            end(resolve);
            return;
          }
          if (destination() === null) this.#refuse('is being stopped');
          const now = progress();
          if (now !== seen) [seen, seenAt] = [now, clock.monotonic()];
          if (clock.monotonic() - seenAt > patienceMs) this.#refuse(`has made no progress for ${patienceMs / 1000} s`);
        } catch (error) {
          end(() => reject(error));
        }
      };
      const onAbort = (): void => end(() => reject(signal.reason));
      const timer = clock.every(lookMs, look);
      this.#listeners.add(look);
      signal.addEventListener('abort', onAbort);
      if (signal.aborted) onAbort();
      else look();
    });
  }

  #refuseFailed(): void {
    const failure = this.#parts.failure();
    if (this.#isRequired && failure !== null) this.#refuse(`has failed: ${failure.message}`);
  }

  #refuse(detail: string): never {
    throw new CheckpointHeldBack({ endpoint: this.#parts.endpoint, detail });
  }
}
