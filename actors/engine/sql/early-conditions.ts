// The conditions of WHERE and HAVING that are asked before the subqueries beside them are computed.
//
//   FROM a, b WHERE a.x = b.x AND EXISTS (SELECT … WHERE c.y = a.y)      a.x = b.x goes first: the subquery is about few rows of a
// A subquery that names columns around it is computed for every row of them that occurs, in FROM as it stands: without this for the
// product of all its tables. What reads no subquery goes first; behind one that does, only what cannot fail on any row, so that a
// condition never sees a row that those written before it keep away.
import { operator } from './bind-comparison.ts';
import type { Scalar } from './bound.ts';
import { cannotFail } from './cannot-fail.ts';
import { readsColumn, subqueryOrdinal, windowOrdinal } from './scalar-columns.ts';

/** What is asked before the subqueries, and what with them; null for nothing. */
export function earlyConditions(predicate: Scalar | null): readonly [Scalar | null, Scalar | null] {
  if (predicate === null) return [null, null];
  const [early, late]: [Scalar[], Scalar[]] = [[], []];
  for (const condition of conjuncts(predicate)) {
    const waits = readsColumn(condition, isOfSubquery) || (late.length > 0 && !cannotFail(condition));
    (waits ? late : early).push(condition);
  }
  return late.length === 0 ? [predicate, null] : [all(early), all(late)];
}

function isOfSubquery(ordinal: number): boolean {
  return ordinal >= subqueryOrdinal && ordinal < windowOrdinal;
}

function conjuncts(predicate: Scalar): readonly Scalar[] {
  if (predicate.kind !== 'operator' || predicate.operator !== 'and') return [predicate];
  return predicate.operands.flatMap(conjuncts);
}

function all(conditions: readonly Scalar[]): Scalar | null {
  return conditions.reduce<Scalar | null>(
    (left, right) => (left === null ? right : operator('and', [left, right], right.source)),
    null,
  );
}
