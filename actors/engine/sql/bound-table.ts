// What a FROM clause makes of a table, a subquery or a join: its rows, and the names by which the rest of the query finds its columns.
import type { Query } from './ast.ts';
import type { Rel } from './bound.ts';
import type { QueryContext } from './query-context.ts';
import type { Scope } from './scope.ts';

export interface BoundTable {
  readonly rel: Rel;
  readonly scope: Scope;
}

/** Queries stand in FROM clauses, and have them: who binds the one is given the other. */
export type BindQuery = (context: QueryContext, query: Query) => Rel;
