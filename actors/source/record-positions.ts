// From rows that are settled to the position that may be stored: for records, each of which has a position of its own.
//
//   read      a batch of the source, rows a … b
//   sent      what processors made of it: rows m … n of all that were sent; `origins` says which row each comes from
//   settled   the first k of all rows that were sent are delivered or refused: everything up to the row before the first one that is not
//
// A row that was filtered is settled with the row before it. Positions never go back. Not here: storing, `ack` (acknowledgement.ts).
import { recordBytes, recordColumn } from '../../connectors/sdk/record-batch.ts';
import { recordPosition } from '../../connectors/sdk/record-position.ts';
import type { Position } from '../../connectors/sdk/source.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';

interface Sent {
  /** As the source made it. */
  readonly batch: ChangeBatch;
  /** For each row that was sent the row of `batch` that it comes from, ascending; null: row i from row i. */
  readonly origins: Int32Array | null;
  readonly rows: number;
  readonly startRow: number;
}

export class RecordPositions {
  #sent: Sent[] = [];
  #sentRows = 0;
  #settledRows = 0;
  #latest: Position | null = null;

  /** Everything that was sent is settled. */
  get isEmpty(): boolean {
    return this.#sent.length === 0;
  }

  /** `rows` rows come from this batch, now; call it before they leave. A batch of which nothing is left is sent with 0 rows. */
  sending(batch: ChangeBatch, origins: Int32Array | null, rows: number): void {
    this.#sent.push({ batch: positionsOnly(batch), origins, rows, startRow: this.#sentRows });
    this.#sentRows += rows;
  }

  /** The first `rows` rows of all are settled: the position up to there, if that is a new one. */
  settled(rows: number = this.#settledRows): Position | null {
    this.#settledRows = rows;
    const before = this.#latest;
    for (let next = this.#sent[0]; next !== undefined && next.startRow + next.rows <= rows; next = this.#sent[0]) {
      if (next.batch.rows > 0) this.#latest = positionOf(next.batch, next.batch.rows - 1);
      this.#sent.shift();
    }
    const next = this.#sent[0];
    if (next !== undefined && rows > next.startRow) {
      const row = lastWholeRow(next, rows - next.startRow);
      if (row >= 0) this.#latest = positionOf(next.batch, row);
    }
    return this.#latest === before ? null : this.#latest;
  }
}

/** What waits may be much, and holds no memory of the data. */
function positionsOnly(batch: ChangeBatch): ChangeBatch {
  const { position } = recordColumn;
  return { ...batch, columns: batch.columns.slice(position, position + 1) };
}

function positionOf(batch: ChangeBatch, row: number): Position {
  return recordPosition(recordBytes(batch, recordColumn.position, row));
}

/** The last row of the batch before which, and with which, everything is settled when the first `rows` rows sent are; -1: none. */
function lastWholeRow({ origins, rows: sent }: Sent, rows: number): number {
  if (origins === null || rows >= sent) return rows - 1;
  // The next row that is not settled may come from the same row of the batch as the last that is.
  return (origins[rows] ?? 0) - 1;
}
