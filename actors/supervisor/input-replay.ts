// Where an input with SQL goes on: from which position its rows of this run are counted, what its source last said of others, and how
// far a stored checkpoint holds them.
//
// Positions come from the source actor, as replay points; which of them is meant follows from how many rows have entered steps
// (replay-position.ts). A source that wants to hear what is durable is told by the handle, of which this is a part.
import type { Position } from '../../connectors/sdk/source.ts';
import type { ActorRef } from '../../runtime/actor/actor.ts';
import type { ReplayPoint, SourceMessage } from '../source/messages.ts';
import { beginning, decodeReplayStart, encodeReplayStart, type ReplayStart, replayFrom } from './replay-position.ts';

/** For its actor to answer. */
const answerMs = 5_000;

export class InputReplay {
  /** Rows of this run that have entered steps, as the engine last said. */
  takenRecords = 0;
  /** Its source wants to be told what is durable. */
  wantsAcknowledgements = false;
  /** Where its first row of this run is, and where others are, as its source last said. */
  #begin: ReplayStart = beginning;
  #points: readonly ReplayPoint[] | null = null;
  /** What the latest checkpoint holds of it, and how many of its rows a stored one does. */
  #checkpointed: { readonly position: Position | null; readonly records: number; readonly moves: number } | null = null;
  #durableRecords = 0;
  /** It stood at another position, without a row having been sent. */
  #moves = 0;
  #durableMoves = 0;
  #onDurable: (() => void) | null = null;

  /** Where its source is to be opened. */
  get begin(): ReplayStart {
    return this.#begin;
  }

  /** Goes on where a checkpoint was taken. */
  restore(position: Position | null): void {
    this.#begin = decodeReplayStart(position);
  }

  /** Everything that an earlier attempt has sent has entered steps: the next row is the one behind it. */
  goOnBehind(records: number): void {
    const points = this.#points;
    if (points !== null) this.#begin = replayFrom(points, records);
    this.#points = [{ records, ...this.#begin }];
  }

  get moves(): number {
    return this.#moves;
  }

  moved(): void {
    this.#moves++;
  }

  /** Has the source say where it stands, while there is one. @throws when it does not answer and never has */
  async keepPoints(source: ActorRef<SourceMessage> | null): Promise<void> {
    if (source === null) return;
    try {
      this.#points = await source.ask<readonly ReplayPoint[]>({ kind: 'replay points' }, { deadlineMs: answerMs });
    } catch (error) {
      // One that is being stopped has said it before.
      if (this.#points === null) throw error;
    }
  }

  /** A checkpoint is taken that holds so many of its rows. */
  async noteCheckpoint(source: ActorRef<SourceMessage> | null, records: number): Promise<void> {
    if (!this.wantsAcknowledgements) return;
    // It says where it stands after it has said that it has moved.
    const moves = this.#moves;
    await this.keepPoints(source);
    this.#checkpointed = { position: replayFrom(this.#points ?? [], records).position, records, moves };
  }

  /** Where it goes on when so many rows of this run have entered steps. */
  positionBehind(records: number): Position | null {
    return encodeReplayStart(replayFrom(this.#points ?? [{ records: 0, ...this.#begin }], records));
  }

  /** The latest checkpoint is stored. What its source is to be told is durable, if anything. */
  checkpointStored(): Position | null {
    const checkpointed = this.#checkpointed;
    if (!this.wantsAcknowledgements || checkpointed === null) return null;
    this.#durableRecords = checkpointed.records;
    this.#durableMoves = checkpointed.moves;
    if (!this.isAwaiting) this.#onDurable?.();
    return checkpointed.position;
  }

  /** Rows have entered steps, or there is another position without any, of which the source waits to hear that they are durable. */
  get isAwaiting(): boolean {
    const isBehind = this.takenRecords > this.#durableRecords || this.#moves > this.#durableMoves;
    return this.wantsAcknowledgements && isBehind;
  }

  /** Resolves when a stored checkpoint holds everything, or the signal is aborted. */
  async whenDurable(signal: AbortSignal): Promise<void> {
    if (!this.isAwaiting || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onDurable = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
