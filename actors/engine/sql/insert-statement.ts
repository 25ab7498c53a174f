// INSERT INTO as it was written. It is no statement of a program: rows that somebody sends by hand, while a pipeline runs.
import type { Identifier, Query } from './ast.ts';
import type { Span } from './span.ts';

export interface InsertStatement {
  readonly table: Identifier;
  /** null: all columns, in their order. */
  readonly columns: readonly Identifier[] | null;
  /** VALUES, or a SELECT. */
  readonly query: Query;
  readonly span: Span;
}
