// Binder of SEMI JOIN and ANTI JOIN: the rows of the left side for which there is, or is not, a row of the right one.
import type { Query, TableExpression } from './ast.ts';
import { not } from './bind-comparison.ts';
import { SubqueryJoins } from './bind-subquery.ts';
import type { Rel } from './bound.ts';
import type { BindQuery, BoundTable } from './bound-table.ts';
import { itemOf, queryOf, selectOf } from './made-syntax.ts';
import { columnOf, type QueryContext } from './query-context.ts';
import { SqlSyntax, SqlUnsupported } from './sql-errors.ts';

type Join = Extract<TableExpression, { kind: 'join' }>;

export function bindSemiJoin(context: QueryContext, join: Join, left: BoundTable, bindQuery: BindQuery): BoundTable {
  const source = context.source.source(join.wordsSpan);
  if (join.using !== null || join.natural || join.match !== null) {
    const construct = `${source.text} with ${join.match === null ? 'USING or NATURAL' : 'MATCH_CONDITION'}`;
    throw new SqlUnsupported({ construct, instead: 'write ON' }, { place: source.place });
  }
  if (join.on === null) {
    throw new SqlSyntax({ found: 'no condition', expected: `ON for ${source.text}` }, { place: source.place });
  }
  const span = join.wordsSpan;
  const items = [itemOf({ kind: 'number', text: '1', span }, null)];
  const query: Query = queryOf(selectOf({ items, from: join.right, where: join.on, span }));
  const subqueries = new SubqueryJoins(context, bindQuery, 3);
  const names = { source: context.source, scope: left.scope, aggregates: null, clause: 'ON', aliases: null };
  const found = subqueries.exists({ ...names, outer: context.outer }, query, source);
  const { rel, place } = subqueries.attach(left.rel, (scalar) => scalar);
  const wanted = place(join.type === 'semi' ? found : not(found, source));
  const kept: Rel = { kind: 'filter', input: rel, predicate: wanted, schema: rel.schema };
  const { schema } = left.rel;
  return { rel: { kind: 'project', input: kept, columns: schema.fields.map(columnOf), schema }, scope: left.scope };
}
