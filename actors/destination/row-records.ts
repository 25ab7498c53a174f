// From changes of a view to records: what a destination of records is written in a pipeline with SQL.
//
// A row that appears is a `create` with the row in `after`, one that goes a `delete` with the row in `before`, once for each time that it
// does so; an update is both, the deletion first. Members have the columns' names; integers of 64 bits are bigints, bytes are bytes,
// decimals and temporal values are their SQL text. Positions number the records of one run of the connector.
import { type ConnectorRecord, recordMetadata, type StructuredData } from '../../connectors/sdk/record.ts';
import { recordBatchOf } from '../../connectors/sdk/record-batch.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { rowsFromBatch } from '../../runtime/batch/row-objects.ts';

export class RowRecords {
  readonly #relation: string;
  /** In front of every position: when the run began. */
  readonly #run: number;
  #records = 0;

  constructor(relation: string, now: number) {
    this.#relation = relation;
    this.#run = now;
  }

  /** `now`: milliseconds since 1970. */
  convert(batch: ChangeBatch, now: number): ChangeBatch {
    const { rows, weights } = rowsFromBatch(batch, { integers: 'bigint' });
    const metadata = {
      [recordMetadata.createdAt]: String(BigInt(Math.round(now)) * 1_000_000n),
      [recordMetadata.collection]: this.#relation,
    };
    const gone: ConnectorRecord[] = [];
    const come: ConnectorRecord[] = [];
    for (const [i, row] of rows.entries()) {
      // SAFETY: public forms of cells are what structured data may hold.
      const data = row as StructuredData;
      const weight = weights[i] ?? 1;
      const isGone = weight < 0;
      for (let copy = Math.abs(weight); copy > 0; copy--) {
        (isGone ? gone : come).push({
          position: new Uint8Array(0),
          operation: isGone ? 'delete' : 'create',
          metadata,
          key: null,
          before: isGone ? data : null,
          after: isGone ? null : data,
        });
      }
    }
    return recordBatchOf([...gone, ...come].map((record) => ({ ...record, position: this.#position() })));
  }

  #position(): Uint8Array {
    return Buffer.from(`${this.#run}-${++this.#records}`);
  }
}
