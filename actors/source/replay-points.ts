// From where an input can be read again: which position of the source stands behind which row that was sent.
//
// Rows are counted through all attempts of a run, so that a source that was opened again counts on.
//
// A point says: open the source at `position`, leave out the first `skipRows` rows, and the row that was number `records`
// of this run is the next. The first point is where the run itself began, so that any row can be reached from it; the
// others only shorten the way. Sources whose bytes cannot be read from the middle have no other. When there are too many,
// every second goes. Rows that a run has to leave out, because an earlier one has sent them, are dropped here as well.
import type { Position } from '../../connectors/sdk/source.ts';
import type { Schema } from '../../runtime/batch/schema.ts';
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';
import { encodeBatch } from '../../runtime/wire/batch-codec.ts';
import { decodeFrame, type EncodedBatch } from './encoded-batch.ts';
import type { ReplayPoint } from './messages.ts';

const pointsMax = 512;

interface Point {
  readonly records: number;
  readonly position: () => Position | null;
  readonly skipRows: number;
}

export class ReplayPoints {
  readonly #schema: Schema;
  #points: Point[];
  #records = 0;
  /** Rows that are still to be left out. */
  #skipRows: number;

  constructor(schema: Schema, begin: Omit<ReplayPoint, 'records'> & { readonly records?: number }) {
    this.#schema = schema;
    this.#skipRows = begin.skipRows;
    this.#records = begin.records ?? 0;
    this.#points = [{ records: this.#records, position: () => begin.position, skipRows: begin.skipRows }];
  }

  /** What of a batch is to be sent; null: nothing. */
  keep(batch: EncodedBatch): EncodedBatch | null {
    const skipped = Math.min(this.#skipRows, batch.rows);
    if (skipped === 0) return batch;
    this.#skipRows -= skipped;
    if (skipped === batch.rows) return null;
    const decoded = decodeFrame(batch, this.#schema);
    const rest = sliceBatch(decoded, skipped, decoded.rows);
    return { frame: encodeBatch(rest, 0, 'in memory'), rows: rest.rows };
  }

  /** A clear counts as one row. False: an earlier run has sent it. */
  keepClear(): boolean {
    if (this.#skipRows === 0) return true;
    this.#skipRows--;
    return false;
  }

  sent(rows: number): void {
    this.#records += rows;
  }

  /** The source could go on from `position` behind everything that was sent or left out so far. */
  reached(position: () => Position): void {
    const point = { records: this.#records, position, skipRows: this.#skipRows };
    if (this.#points.at(-1)?.records === point.records && this.#points.length > 1) this.#points.pop();
    this.#points.push(point);
    if (this.#points.length > pointsMax) this.#points = this.#points.filter((_, i) => i % 2 === 0);
  }

  /** In the order of the input. */
  toArray(): readonly ReplayPoint[] {
    return this.#points.map(({ records, position, skipRows }) => ({ records, position: position(), skipRows }));
  }
}
