// Batches without columns: how many rows there are and what each counts for, for whoever looks at nothing else.
//
// They are batches of a schema without fields, so that they travel like any other.
import type { ChangeBatch } from './change-batch.ts';
import { makeSchema, type Schema } from './schema.ts';

export const bareSchema: Schema = makeSchema([]);

export function bareBatch({ rows, weights }: ChangeBatch): ChangeBatch {
  return { schema: bareSchema, rows, weights, columns: [], presence: null };
}
