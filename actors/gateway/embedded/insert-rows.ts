// INSERT INTO: its rows are computed by the engine like those of a query, checked against the table, and pushed.
//
// All or nothing: a NULL where the table allows none refuses the statement before a row is sent. Into a table with a key rows
// are upserts. Pure but for the calls that are given.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { isValid } from '../../../runtime/batch/column.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { decodeBatch } from '../../../runtime/wire/batch-codec.ts';
import type { BoundQuery, QueryResult } from '../../engine/messages.ts';

export const InsertedNull: CodedErrorClass<{ readonly table: string; readonly column: string }> = defineError(
  'insert.null_value',
  { help: 'Give the column a value in every row, for example with COALESCE. Nothing was inserted.' },
  (f) => `NULL in column "${f.column}" of table "${f.table}", which is NOT NULL`,
);

/** An INSERT that has been compiled: what computes its rows has the columns of the table, all of them nullable. */
export interface CompiledInsert {
  readonly relation: Relation;
  readonly query: BoundQuery;
}

export interface InsertCalls {
  readonly query: (query: BoundQuery) => Promise<QueryResult>;
  /** Resolves with the completion token once the rows are on their way; waits while the pipeline is paused. */
  readonly push: (relation: Relation, batches: readonly ChangeBatch[]) => Promise<string>;
}

/** @throws InsertedNull, and what the calls throw */
export async function insertRows(
  insert: CompiledInsert,
  calls: InsertCalls,
): Promise<{ readonly count: number; readonly token: string }> {
  const { relation, query } = insert;
  const { schema, frames } = await calls.query(query);
  const batches: ChangeBatch[] = [];
  let count = 0;
  for (const frame of frames) {
    const { batch } = decodeBatch(frame, schema);
    if (batch.rows === 0) continue;
    refuseNulls(relation, batch);
    const { weights, rows, columns } = batch;
    for (let row = 0; row < rows; row++) count += weights?.[row] ?? 1;
    const isKeyed = relation.primaryKey.length > 0;
    batches.push({ schema: relation.schema, rows, columns, presence: null, weights: isKeyed ? null : weights });
  }
  return { count, token: await calls.push(relation, batches) };
}

function refuseNulls(relation: Relation, batch: ChangeBatch): void {
  relation.schema.fields.forEach(({ name, nullable }, ordinal) => {
    const validity = batch.columns[ordinal]?.validity ?? null;
    if (nullable || validity === null) return;
    for (let row = 0; row < batch.rows; row++) {
      if (!isValid(validity, row)) throw new InsertedNull({ table: relation.name, column: name });
    }
  });
}
