// The rows that a text decoder writes, on top of a batch builder: room in advance, commits in bulk.
//
// `row` is where the row at hand is written. Insertions are counted here and handed to the builder together, because asking it for every
// row costs as much as scanning one; a row with another weight, or a partial update, is committed at once. One writer serves one
// decode call after another: `start`, then for each row `prepare`, write, `commit` or `rollback`, then `finish`.
import type { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ColumnTarget } from './column-target.ts';

const reserveRowsMax = 1024;

export class RowWriter {
  readonly #targets: readonly ColumnTarget[];
  readonly #bytesTargets: readonly ColumnTarget[];
  #builder: BatchBuilder | null = null;
  #reserveRows = 1;
  #reservedEnd = 0;
  /** The number of the row at hand. */
  row = 0;

  constructor(targets: readonly ColumnTarget[]) {
    this.#targets = targets;
    this.#bytesTargets = targets.filter((target) => target.storage === 'bytes');
  }

  /** Turns to `builder`. `rowsExpected` bounds how much room is made at a time. */
  start(builder: BatchBuilder, rowsExpected: number): void {
    this.#builder = builder;
    this.#reserveRows = Math.max(1, Math.min(reserveRowsMax, rowsExpected));
    this.row = builder.rows;
    this.#reservedEnd = 0;
  }

  /** Makes room for the row at hand. */
  prepare(): void {
    if (this.row >= this.#reservedEnd) this.#reserve();
  }

  #reserve(): void {
    const builder = this.settle();
    builder.reserve(this.#reserveRows);
    this.#reservedEnd = builder.rows + this.#reserveRows;
    for (let c = 0; c < this.#targets.length; c++) this.#targets[c]!.bind(builder.columns[c]!);
  }

  get builder(): BatchBuilder {
    return this.#builder!;
  }

  /** The row before which `prepare` has to be called again. */
  get reservedEnd(): number {
    return this.#reservedEnd;
  }

  /** Takes over the rows up to `row` that a lane has written, and clears what it has left in that row. */
  adopt(row: number): void {
    this.row = row;
    if (row < this.#reservedEnd) for (let c = 0; c < this.#targets.length; c++) this.#targets[c]!.column.clearRow(row);
  }

  /** Commits the row at hand to the builder with its weight and presence. */
  commitNow(weight: number): void {
    this.settle().commitRow(weight);
    this.row++;
  }

  /** Counts the row at hand, an insertion. */
  commit(): void {
    const row = ++this.row;
    const targets = this.#bytesTargets;
    for (let c = 0; c < targets.length; c++) {
      const column = targets[c]!.column;
      column.offsets[row] = column.bytesUsed;
    }
  }

  /** Hands the counted rows to the builder, so that its current row is the row at hand. */
  settle(): BatchBuilder {
    const builder = this.#builder!;
    if (this.row > builder.rows) builder.commitRows(this.row - builder.rows, null);
    return builder;
  }

  /** Forgets what was written to the row at hand. */
  rollback(): void {
    if (this.#reservedEnd > this.row) this.settle().rollbackRow();
  }

  /** Forgets every row from `row` on. */
  rollbackTo(row: number): void {
    this.settle().rollbackTo(row);
    this.row = row;
  }

  finish(): void {
    this.settle();
    this.#builder = null;
  }
}
