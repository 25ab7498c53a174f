// The frames that a relay has taken and that are not settled everywhere yet, in the order in which they were taken.
//
//   index   0 … firstIndex … … endIndex        rows   0 … firstRow … … endRow
//               └ oldest kept     └ next to come           └ not settled yet
//
// Rows are numbered from 0 over all inputs; so are frames. A frame is kept until every row of it is settled, since an output that
// failed is sent again what it had not settled. Nothing here decodes: what is kept are the buffers that came.
import { assert } from '../../runtime/assert.ts';
import type { ErrorData } from '../../runtime/errors.ts';
import type { RelayInput } from './relay-input.ts';

export interface RetainedFrame {
  /** null: made by the relay itself. */
  readonly input: RelayInput | null;
  readonly buffer: ArrayBuffer;
  readonly rows: number;
  /** Number of its first row. */
  readonly startRow: number;
  /** The turn in which it was taken: what a mark stands for. */
  readonly step: number;
  /** Refused before they came here, an error for each row: no output is sent them. */
  readonly refused: readonly ErrorData[] | null;
}

export class RetainedFrames {
  #frames: RetainedFrame[] = [];
  #firstIndex = 0;
  #endRow = 0;
  #settledRow = 0;
  #bytes = 0;

  get endIndex(): number {
    return this.#firstIndex + this.#frames.length;
  }

  get endRow(): number {
    return this.#endRow;
  }

  get settledRow(): number {
    return this.#settledRow;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Rows that are not settled. */
  get rows(): number {
    return this.#endRow - this.#settledRow;
  }

  push(frame: Omit<RetainedFrame, 'startRow'>): RetainedFrame {
    const kept = { ...frame, startRow: this.#endRow };
    this.#frames.push(kept);
    this.#endRow += frame.rows;
    this.#bytes += frame.buffer.byteLength;
    return kept;
  }

  /** Undefined at the end. What has been settled is not asked for. */
  at(index: number): RetainedFrame | undefined {
    assert(index >= this.#firstIndex, 'a frame that is still needed is kept');
    return this.#frames[index - this.#firstIndex];
  }

  /** The frame with this row, which is not settled. */
  withRow(row: number): { readonly index: number; readonly frame: RetainedFrame } {
    const place = this.#frames.findIndex((frame) => row < frame.startRow + frame.rows);
    const frame = this.#frames[place];
    assert(frame !== undefined && row >= frame.startRow, 'a row that is not settled is kept');
    return { index: this.#firstIndex + place, frame };
  }

  /** Everything before `row` is settled: each input gets to know how many of its rows that is, the frames are let go. */
  settle(row: number): void {
    const before = this.#settledRow;
    if (row <= before) return;
    assert(row <= this.#endRow, 'only what came can be settled');
    this.#settledRow = row;
    let done = 0;
    for (const frame of this.#frames) {
      const from = Math.max(before, frame.startRow);
      const to = Math.min(row, frame.startRow + frame.rows);
      if (frame.startRow >= row) break;
      if (to > from && frame.input !== null) frame.input.settledRows += to - from;
      if (frame.startRow + frame.rows > row) break;
      this.#bytes -= frame.buffer.byteLength;
      done++;
    }
    this.#frames.splice(0, done);
    this.#firstIndex += done;
  }
}
