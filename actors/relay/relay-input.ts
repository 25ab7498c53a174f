// One input of a relay: the frames that wait to be taken, and how far what was taken has been settled.
//
// The rows of an input are counted over the life of its channel; the sender is told how many of them, from the first, are settled. An
// input is finished when its end has been taken and all its rows are settled. Not here: whose turn it is (relay-loop.ts).
import type { FrameReceiver } from '../../runtime/mailbox/channel.ts';
import type { ReplayRoute } from '../engine/messages.ts';

export class RelayInput {
  readonly endpoint: string;
  readonly receiver: FrameReceiver;
  readonly tellsRecords: boolean;
  /** Its records are dead letters that are tried again; null: it is a source's. */
  readonly replay: ReplayRoute | null;
  /** Nothing of a held input is taken. */
  isHeld: boolean;
  /** The end has been taken. */
  hasEnded = false;
  /** It has been told that it is through. */
  isFinished = false;
  takenRows = 0;
  settledRows = 0;
  #toldRows = 0;
  /** Marks of the sender, each with the number of rows that were taken before it. */
  #marks: { readonly mark: number; readonly rows: number }[] = [];

  constructor(options: {
    readonly endpoint: string;
    readonly receiver: FrameReceiver;
    readonly isHeld: boolean;
    readonly tellsRecords: boolean;
    readonly replay?: ReplayRoute;
  }) {
    this.endpoint = options.endpoint;
    this.receiver = options.receiver;
    this.isHeld = options.isHeld;
    this.tellsRecords = options.tellsRecords;
    this.replay = options.replay ?? null;
  }

  get isReady(): boolean {
    return !this.isHeld && !this.receiver.isEmpty;
  }

  /** Its end was taken, and everything before it is settled. */
  get isThrough(): boolean {
    return this.hasEnded && this.settledRows === this.takenRows;
  }

  marked(mark: number): void {
    this.#marks.push({ mark, rows: this.takenRows });
  }

  /** Tells the sender what is settled since it was told last. */
  tell(): void {
    if (this.settledRows > this.#toldRows) {
      this.#toldRows = this.settledRows;
      this.receiver.settle(this.settledRows);
    }
    let confirmed = 0;
    for (let next = this.#marks[0]; next !== undefined && next.rows <= this.settledRows; next = this.#marks[0]) {
      confirmed = next.mark;
      this.#marks.shift();
    }
    if (confirmed > 0) this.receiver.confirm(confirmed);
  }
}
