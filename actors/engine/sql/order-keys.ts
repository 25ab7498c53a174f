// ORDER BY and LIMIT: which column an item means, where NULLs go, how many rows.
//
// Without NULLS FIRST or LAST a NULL counts as the smallest value, as in Feldera: first ascending, last descending.
import type { Expression, OrderItem } from './ast.ts';
import type { SortKey } from './bound.ts';
import { SqlAmbiguousColumn, SqlInvalidDefinition } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';

export type OrderKey = SortKey;

export function orderKey(item: OrderItem, ordinal: number): OrderKey {
  return { ordinal, descending: item.descending, nullsFirst: item.nullsFirst ?? !item.descending };
}

/** The items of ORDER BY; ALL is one for each column of the result, `at` says which. */
export function everyItem(
  orderBy: readonly OrderItem[],
  width: number,
): readonly { readonly item: OrderItem; readonly at: number | null }[] {
  return orderBy.flatMap((item): { item: OrderItem; at: number | null }[] => {
    if (item.expression.kind !== 'every column') return [{ item, at: null }];
    return Array.from({ length: width }, (_, at) => ({ item, at }));
  });
}

/** The column that a bare number means, from 0, or null when the expression is no number. @throws SqlInvalidDefinition */
export function ordinalOf(expression: Expression, columns: number, clause: string, source: SqlText): number | null {
  if (expression.kind !== 'number' || !/^\d+$/.test(expression.text)) return null;
  const ordinal = Number(expression.text);
  if (ordinal >= 1 && ordinal <= columns) return ordinal - 1;
  const detail = `${clause} ${expression.text} is not one of the ${columns} columns of SELECT`;
  throw new SqlInvalidDefinition({ detail }, { place: source.span(expression.span) });
}

/** The output column that an ORDER BY item names by position or by name, or null. */
export function findOutput(expression: Expression, names: readonly string[], source: SqlText): number | null {
  const ordinal = ordinalOf(expression, names.length, 'ORDER BY', source);
  if (ordinal !== null) return ordinal;
  const [name] = expression.kind === 'name' && expression.path.length === 1 ? expression.path : [];
  if (name === undefined) return null;
  const first = names.indexOf(name.name);
  if (first >= 0 && names.indexOf(name.name, first + 1) >= 0) {
    const place = source.span(expression.span);
    throw new SqlAmbiguousColumn({ name: name.name, tables: ['two columns of SELECT'] }, { place });
  }
  return first < 0 ? null : first;
}

/** LIMIT and OFFSET take numbers as they stand. @throws SqlInvalidDefinition */
export function rowCount(expression: Expression | null, clause: string, source: SqlText): number | null {
  if (expression === null) return null;
  const count = expression.kind === 'number' && /^\d+$/.test(expression.text) ? Number(expression.text) : Number.NaN;
  if (Number.isSafeInteger(count)) return count;
  const detail = `${clause} takes a whole number, not ${source.slice(expression.span)}`;
  throw new SqlInvalidDefinition({ detail }, { place: source.span(expression.span) });
}
