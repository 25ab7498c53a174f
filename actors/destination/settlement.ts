// Which rows that came in are settled, given what a destination says of the rows that it was written.
//
//   came in    rows of the channel, batch by batch
//   written    what processors made of them: `origins` says which row each comes from; some rows became none, some were refused
//   said       the next n written rows are safe, or the next one is refused, in order
//
// A row is settled when everything that was made of it is, and every row before it. Refusals are told in the order of the rows, each
// before its row is settled, and once a row. A destination that speaks of rows it was never written is at fault.
// Pure: what is told goes to the two functions it is made with.
import type { ChainedBatch } from '../../connectors/sdk/processor-chain.ts';
import { AcknowledgedTooMuch } from './destination-errors.ts';

interface Written {
  readonly rows: number;
  readonly made: number;
  readonly origins: Int32Array | null;
  readonly failed: ChainedBatch['failed'];
  /** Number of its first row on the channel. */
  readonly startRow: number;
}

export class Settlement {
  readonly #connector: string;
  readonly #refuse: (row: number, error: Error, node: string | null) => void;
  #written: Written[] = [];
  /** What of the first batch is done: rows that were made of it, and failures that were told. */
  #done = 0;
  #toldFailures = 0;
  #refusedRow = -1;
  #rows = 0;
  #outstanding = 0;
  #settledRows = 0;

  /** `refuse` is called with the number of a row on the channel, and the processor that refused it, if one did. */
  constructor(connector: string, refuse: (row: number, error: Error, node: string | null) => void) {
    this.#connector = connector;
    this.#refuse = refuse;
  }

  /** So many rows of the channel are settled, from the first. */
  get settledRows(): number {
    return this.#settledRows;
  }

  /** Rows that have come in. */
  get rows(): number {
    return this.#rows;
  }

  /** Rows that were written, and of which nothing was said yet. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** A batch has come in, of which `chained.batch` is about to be written. */
  written(rows: number, { batch, origins, failed }: ChainedBatch): void {
    this.#written.push({ rows, made: batch.rows, origins, failed, startRow: this.#rows });
    this.#rows += rows;
    this.#outstanding += batch.rows;
    this.#advance();
  }

  /** @throws AcknowledgedTooMuch */
  acknowledged(count: number): void {
    this.#outstanding -= this.#within(count);
    for (let left = count; left > 0; ) {
      const first = this.#written[0];
      if (first === undefined) return;
      const now = Math.min(left, first.made - this.#done);
      this.#done += now;
      left -= now;
      this.#advance();
    }
  }

  /** @throws AcknowledgedTooMuch */
  refused(error: Error): void {
    this.#outstanding -= this.#within(1);
    const first = this.#written[0];
    if (first === undefined) return;
    const row = first.origins === null ? this.#done : (first.origins[this.#done] ?? 0);
    this.#tellFailures(first, row);
    const channelRow = first.startRow + row;
    if (channelRow !== this.#refusedRow) this.#refuse(channelRow, error, null);
    this.#refusedRow = channelRow;
    this.#done++;
    this.#advance();
  }

  #within(count: number): number {
    if (count > this.#outstanding) {
      throw new AcknowledgedTooMuch({ connector: this.#connector, count, outstanding: this.#outstanding });
    }
    return count;
  }

  #advance(): void {
    for (let first = this.#written[0]; first !== undefined; first = this.#written[0]) {
      const isDone = this.#done >= first.made;
      const row = isDone ? first.rows : first.origins === null ? this.#done : (first.origins[this.#done] ?? 0);
      this.#tellFailures(first, row);
      this.#settledRows = first.startRow + row;
      if (!isDone) return;
      this.#written.shift();
      this.#done = 0;
      this.#toldFailures = 0;
    }
  }

  /** Failures of processors before `row`. */
  #tellFailures(written: Written, row: number): void {
    for (let next = written.failed[this.#toldFailures]; next !== undefined && next.row < row; ) {
      this.#refuse(written.startRow + next.row, next.error, next.node);
      next = written.failed[++this.#toldFailures];
    }
  }
}
