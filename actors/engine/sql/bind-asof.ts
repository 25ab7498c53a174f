// Binder of [LEFT] ASOF JOIN … MATCH_CONDITION (l.a >= r.b) ON l.k = r.k AND …: each left row with the latest right row; without
// LEFT only those that have one.
//
// Keys and orders that are not columns are computed beside the rows first. A right row with a NULL in a key or in its order
// matches nothing and is left out before.
import { makeSchema } from '../../../runtime/batch/schema.ts';
import { sameSqlType } from '../../../runtime/batch/sql-type.ts';
import type { Expression, Query, TableExpression } from './ast.ts';
import { operator } from './bind-comparison.ts';
import { bindExpression } from './bind-expression.ts';
import type { ExpressionSource, Rel, Scalar } from './bound.ts';
import type { BindQuery, BoundTable } from './bound-table.ts';
import { columnOf, type QueryContext } from './query-context.ts';
import { moveScalarColumns, outerOrdinal, readsColumn } from './scalar-columns.ts';
import { joinScopes, type Scope } from './scope.ts';
import { SqlInvalidDefinition, SqlSyntax, SqlTypeMismatch, SqlUnsupported } from './sql-errors.ts';
import { coerce, comparisonType, describePair } from './type-coercion.ts';

type Join = Extract<TableExpression, { kind: 'join' }>;

interface Sides {
  readonly left: Scalar;
  readonly right: Scalar;
}

export function bindAsofJoin(
  context: QueryContext,
  join: Join,
  left: BoundTable,
  right: BoundTable,
  bindQuery: BindQuery,
): BoundTable {
  const source = context.source.source(join.wordsSpan);
  const isLeft = join.type === 'left';
  if ((!isLeft && join.type !== 'inner') || join.natural || join.using !== null) {
    const found = isLeft || join.type === 'inner' ? 'NATURAL or USING' : source.text;
    const expected = '[LEFT] ASOF JOIN … MATCH_CONDITION (…) ON …';
    throw new SqlSyntax({ found, expected }, { place: source.place });
  }
  if (join.on === null || join.match === null) {
    throw new SqlSyntax({ found: 'no condition', expected: `ON for ${source.text}` }, { place: source.place });
  }
  for (const query of [...subqueriesOf(join.match), ...subqueriesOf(join.on)])
    refuseSubquery(context, query, bindQuery);
  const width = left.rel.schema.fields.length;
  const plain = joinScopes(left, right, false);
  const match = sidesOf(context, plain, join.match, width, 'MATCH_CONDITION is', 'left.column >= right.column');
  const pairs = equalitiesOf(join.on).map((equality) =>
    sidesOf(context, plain, equality, width, 'ON of an ASOF JOIN is', 'a conjunction of left.column = right.column'),
  );
  const scalars = [...pairs, match];
  const leftSide = withColumns(
    left.rel,
    scalars.map((side) => side.left),
  );
  const rightSide = withColumns(
    right.rel,
    scalars.map((side) => side.right),
  );
  const known = notNull(rightSide.rel, rightSide.ordinals, source);
  const keys = pairs.map((_, i) => [leftSide.ordinals[i] ?? 0, rightSide.ordinals[i] ?? 0] as const);
  const last = pairs.length;
  const orderOrdinal = rightSide.ordinals[last] ?? 0;
  const optional = known.schema.fields.map((field) => ({ ...field, nullable: true }));
  const asof: Rel = {
    kind: 'asof',
    left: leftSide.rel,
    right: known,
    keys,
    leftOrder: leftSide.ordinals[last] ?? 0,
    rightOrder: orderOrdinal,
    schema: makeSchema([...leftSide.rel.schema.fields, ...optional]),
  };
  const moved = leftSide.rel.schema.fields.length;
  const wanted = [
    ...left.rel.schema.fields.map((field, i) => ({ field, ordinal: i })),
    ...right.rel.schema.fields.map((field, i) => ({ field: { ...field, nullable: true }, ordinal: moved + i })),
  ];
  const columns = wanted.map(({ field, ordinal }) => columnOf(field, ordinal));
  const schema = makeSchema(wanted.map(({ field }) => field));
  const scope = joinScopes(left, right, true);
  if (isLeft) return { rel: { kind: 'project', input: asof, columns, schema }, scope };
  // What orders a right row is never NULL.
  const order = columnOf({ ...(optional[orderOrdinal] ?? optional[0]!), nullable: true }, moved + orderOrdinal);
  const predicate = operator('is not null', [order], source, false);
  const matched: Rel = { kind: 'filter', input: asof, predicate, schema: asof.schema };
  return { rel: { kind: 'project', input: matched, columns, schema }, scope };
}

/** The queries on either side of the comparisons of a condition. */
function subqueriesOf(condition: Expression): readonly Query[] {
  if (condition.kind === 'binary') return [...subqueriesOf(condition.left), ...subqueriesOf(condition.right)];
  return condition.kind === 'scalar query' ? [condition.query] : [];
}

/** What is wrong inside of the query is said first. */
function refuseSubquery(context: QueryContext, query: Query, bindQuery: BindQuery): never {
  bindQuery(context, query);
  const instead = 'join with the subquery in FROM';
  const place = context.source.span(query.span);
  throw new SqlUnsupported({ construct: 'a subquery inside an ASOF JOIN', instead }, { place });
}

function equalitiesOf(condition: Expression): readonly Expression[] {
  if (condition.kind !== 'binary' || condition.operator !== 'and') return [condition];
  return [...equalitiesOf(condition.left), ...equalitiesOf(condition.right)];
}

/** The two sides of a comparison, each of them over its own table. @throws SqlInvalidDefinition, SqlTypeMismatch */
function sidesOf(
  context: QueryContext,
  scope: Scope,
  expression: Expression,
  width: number,
  what: string,
  wanted: string,
): Sides {
  const source = context.source.source(expression.span);
  const isMatch = what.startsWith('MATCH');
  const refuse = (): Error =>
    new SqlInvalidDefinition({ detail: `${what} ${wanted}, not ${source.text}` }, { place: source.place });
  if (expression.kind !== 'binary') throw refuse();
  const names = { source: context.source, scope, aggregates: null, clause: 'an ASOF JOIN', aliases: null };
  const [a, b] = [bindExpression(names, expression.left), bindExpression(names, expression.right)];
  const type = comparisonType(a, b);
  if (type === null) {
    const detail = `${describePair(a.type, b.type)} cannot be compared, in ${source.text}`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  }
  const isLeft = (scalar: Scalar): boolean =>
    readsColumn(scalar, (ordinal) => ordinal < width) && !readsColumn(scalar, (ordinal) => ordinal >= width);
  const isRight = (scalar: Scalar): boolean =>
    readsColumn(scalar, (ordinal) => ordinal >= width) && !readsColumn(scalar, (ordinal) => ordinal < width);
  const straight = isLeft(a) && isRight(b);
  if (!straight && !(isRight(a) && isLeft(b))) throw refuse();
  const operators = isMatch ? (straight ? ['>='] : ['<=']) : ['='];
  if (!operators.includes(expression.operator)) throw refuse();
  const [left, right] = straight ? [a, b] : [b, a];
  return { left: coerce(left, type), right: moveScalarColumns(coerce(right, type), (ordinal) => ordinal - width) };
}

/** The relation with the expressions as columns: those that are there, and others behind them. */
function withColumns(
  rel: Rel,
  scalars: readonly Scalar[],
): { readonly rel: Rel; readonly ordinals: readonly number[] } {
  const fields = [...rel.schema.fields];
  const added: Scalar[] = [];
  const ordinals = scalars.map((scalar) => {
    if (
      scalar.kind === 'column' &&
      scalar.ordinal < outerOrdinal &&
      sameSqlType(scalar.type, fields[scalar.ordinal]?.type ?? scalar.type)
    ) {
      return scalar.ordinal;
    }
    added.push(scalar);
    return fields.push({ name: `asof$${fields.length}`, type: scalar.type, nullable: scalar.nullable }) - 1;
  });
  if (added.length === 0) return { rel, ordinals };
  const columns = [...rel.schema.fields.map(columnOf), ...added];
  return { rel: { kind: 'project', input: rel, columns, schema: makeSchema(fields) }, ordinals };
}

function notNull(rel: Rel, ordinals: readonly number[], source: ExpressionSource): Rel {
  const tests = [...new Set(ordinals)].flatMap((ordinal) => {
    const field = rel.schema.fields[ordinal];
    if (field === undefined || !field.nullable) return [];
    return [operator('is not null', [columnOf(field, ordinal)], source, false)];
  });
  const [first, ...rest] = tests;
  if (first === undefined) return rel;
  const predicate = rest.reduce((all, test) => operator('and', [all, test], source), first);
  return { kind: 'filter', input: rel, predicate, schema: rel.schema };
}
