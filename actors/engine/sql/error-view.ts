// error_view: what went wrong with single rows while the program ran, as a relation that views may read.
//
// A program does not declare it, and nothing else has its name. It has the rows that LATENESS drops, each in the step in which it came:
// where, what, and the row as JSON. Not here: who writes it (operators/error-rows.ts).
import { type Field, makeSchema, type Relation } from '../../../runtime/batch/schema.ts';

const fields = ['table_or_view_name', 'message', 'metadata'].map(
  (name): Field => ({ name, type: { kind: 'VARCHAR', length: null }, nullable: false }),
);

export const errorRelation: Relation = { name: 'error_view', schema: makeSchema(fields), primaryKey: [] };
