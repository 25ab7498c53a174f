// From bytes that were read to positions that may be acknowledged.
//
//   payload   ranges of the input, each with the source's own way to name a position inside it
//   sent      everything up to some offset is on its way to the engine
//   marked    a mark has been sent behind it: when the mark comes back, its effects are out
//
// One mark is on its way at a time (two at the end), so that a source with a million small batches does not flood the
// channel. Positions never go back. Not here: sending marks, calling `ack` (source-actor.ts).
import type { Position } from '../../connectors/sdk/source.ts';

interface Range {
  readonly start: number;
  readonly end: number;
  readonly positionAfter: (length: number) => Position;
}

export class InFlightPositions {
  #ranges: Range[] = [];
  #sent: (() => Position) | null = null;
  #latest: (() => Position) | null = null;
  #marked: { readonly mark: number; readonly position: () => Position }[] = [];
  #marks = 0;

  /** A payload that covers `start .. end` of the input. */
  payload(start: number, end: number, positionAfter: (length: number) => Position): void {
    this.#ranges.push({ start, end, positionAfter });
  }

  /** Everything up to `offset` of the input has been sent. */
  sentUpTo(offset: number): void {
    while (this.#ranges.length > 1 && this.#ranges[0]!.end < offset) this.#ranges.shift();
    const range = this.#ranges[0];
    if (range === undefined) return;
    this.#sent = () => range.positionAfter(offset - range.start);
    this.#latest = this.#sent;
  }

  /** Everything up to `position` has been sent. */
  sentPosition(position: Position): void {
    this.#sent = () => position;
    this.#latest = this.#sent;
  }

  /** The position behind everything that has been sent; null: nothing has. */
  get latest(): (() => Position) | null {
    return this.#latest;
  }

  /** Everything that was sent has been confirmed. */
  get isEmpty(): boolean {
    return this.#sent === null && this.#marked.length === 0;
  }

  /** The mark to send now, if any. `last`: also when another mark is on its way. */
  takeMark(last = false): number | null {
    if (this.#sent === null || (this.#marked.length > 0 && !last)) return null;
    this.#marks++;
    this.#marked.push({ mark: this.#marks, position: this.#sent });
    this.#sent = null;
    return this.#marks;
  }

  /** Everything up to `mark` is done: the position that may be acknowledged, if this says something new. */
  confirmed(mark: number): Position | null {
    let position: (() => Position) | null = null;
    while (this.#marked.length > 0 && this.#marked[0]!.mark <= mark) position = this.#marked.shift()!.position;
    return position === null ? null : position();
  }
}
