// Binder of FROM: tables, subqueries and joins, each with the scope that it opens.
//
// A RIGHT JOIN is a LEFT JOIN of the swapped sides with the columns put back in order. USING and NATURAL merge columns: the
// merged one is that of the side that is never padded with NULLs, the other can only be reached through its table.

import { assert } from '../../../runtime/assert.ts';
import { makeSchema } from '../../../runtime/batch/schema.ts';
import type { Identifier, TableAlias, TableExpression } from './ast.ts';
import { bindAsofJoin } from './bind-asof.ts';
import { makeCase } from './bind-case.ts';
import { bindComparison, operator } from './bind-comparison.ts';
import { bindExpression } from './bind-expression.ts';
import { findName } from './bind-name.ts';
import { bindSemiJoin } from './bind-semi-join.ts';
import { domainOf, SubqueryJoins } from './bind-subquery.ts';
import { bindUnnest, oneRow } from './bind-unnest.ts';
import { bindWindowTable } from './bind-window-table.ts';
import type { ColumnReference, ExpressionSource, Rel, Scalar } from './bound.ts';
import type { BindQuery, BoundTable } from './bound-table.ts';
import { caseBranch } from './case-branch.ts';
import { overDomain, sameRows } from './dependent-query.ts';
import { requireBoolean } from './expression-context.ts';
import { type FindOuter, OuterColumns } from './outer-columns.ts';
import { pivotQuery, unpivotQuery } from './pivot.ts';
import { bindAll, columnOf, findRelation, type QueryContext } from './query-context.ts';
import { mapScalarColumns, moveScalarColumns } from './scalar-columns.ts';
import { findColumn, joinScopes, type Scope, type ScopeColumn, scopeOf, unknownColumn } from './scope.ts';
import { sessionQuery } from './session-windows.ts';
import type { Span } from './span.ts';
import { SqlInvalidDefinition, SqlSyntax, SqlUnsupported } from './sql-errors.ts';
import { literal } from './type-coercion.ts';

type Join = Extract<TableExpression, { kind: 'join' }>;

/** @throws MillraceError, AlreadyReported */
export function bindFrom(context: QueryContext, table: TableExpression, bindQuery: BindQuery): BoundTable {
  switch (table.kind) {
    case 'table': {
      const { rel, schema } = findRelation(context, table.name);
      const scope = scopeOf(schema, table.alias?.name.name ?? table.name.name);
      return { rel, scope: withColumnNames(context, scope, table.alias, table.span) };
    }
    case 'subquery': {
      const rel = bindQuery(context, table.query);
      const scope = scopeOf(rel.schema, table.alias?.name.name ?? null);
      return { rel, scope: withColumnNames(context, scope, table.alias, table.span) };
    }
    case 'unnest':
      return bindUnnest(context, { rel: oneRow(context.source.source(table.span)), scope: [] }, table, false);
    case 'window table': {
      const inner = bindFrom(context, table.table, bindQuery);
      if (table.function.name === 'session') {
        const rel = bindQuery(context, sessionQuery(context, table, inner));
        const name = table.alias?.name.name ?? inner.scope[0]?.table ?? null;
        return { rel, scope: withColumnNames(context, scopeOf(rel.schema, name), table.alias, table.span) };
      }
      const bound = bindWindowTable(context, inner, table);
      return { rel: bound.rel, scope: withColumnNames(context, bound.scope, table.alias, table.span) };
    }
    case 'pivot':
    case 'unpivot': {
      const { scope: columns } = bindFrom(context, table.table, bindQuery);
      const { source } = context;
      const query = table.kind === 'pivot' ? pivotQuery(source, table, columns) : unpivotQuery(source, table, columns);
      const rel = bindQuery(context, query);
      const scope = scopeOf(rel.schema, table.alias?.name.name ?? null);
      return { rel, scope: withColumnNames(context, scope, table.alias, table.span) };
    }
    case 'join':
      return bindJoin(context, table, bindQuery);
  }
}

/** FROM t AS u (a, b). */
export function withColumnNames(context: QueryContext, scope: Scope, alias: TableAlias | null, span: Span): Scope {
  const names = alias?.columns ?? null;
  if (names === null) return scope;
  if (names.length !== scope.length) {
    const detail = `${alias?.name.name ?? ''} names ${names.length} columns, there are ${scope.length}`;
    throw new SqlInvalidDefinition({ detail }, { place: context.source.span(span) });
  }
  return scope.map((column, i) => ({
    ...column,
    name: names[i]?.name ?? column.name,
    quoted: names[i]?.quoted === true,
  }));
}

function bindJoin(context: QueryContext, join: Join, bindQuery: BindQuery): BoundTable {
  const { right: given } = join;
  if (join.asof !== (join.match !== null)) {
    const { place } = context.source.source(join.wordsSpan);
    if (join.asof)
      throw new SqlSyntax({ found: 'none', expected: 'MATCH_CONDITION (left.column >= right.column)' }, { place });
    throw new SqlSyntax({ found: 'JOIN', expected: 'ASOF JOIN before MATCH_CONDITION' }, { place });
  }
  if (join.type === 'semi' || join.type === 'anti') {
    return bindSemiJoin(context, join, bindFrom(context, join.left, bindQuery), bindQuery);
  }
  if (given.kind === 'unnest' || (given.kind === 'subquery' && given.lateral)) {
    return bindLateralJoin(context, join, bindQuery);
  }
  const [left, right] = bindAll(context.problems, [
    () => bindFrom(context, join.left, bindQuery),
    () => bindFrom(context, join.right, bindQuery),
  ]);
  assert(left !== undefined && right !== undefined, 'bindAll gives a result for each part, or throws');
  if (join.match !== null) return bindAsofJoin(context, join, left, right, bindQuery);
  return joinTables(context, join, left, right, bindQuery);
}

/** A subquery or an UNNEST that sees the tables to its left. */
function bindLateralJoin(context: QueryContext, join: Join, bindQuery: BindQuery): BoundTable {
  const { right: given } = join;
  const source = context.source.source(join.wordsSpan);
  const isLeft = join.type === 'left';
  if (join.type === 'right' || join.type === 'full' || join.using !== null || join.natural || join.match !== null) {
    const instead = 'write CROSS JOIN, or LEFT JOIN … ON TRUE';
    throw new SqlUnsupported({ construct: `${source.text} with LATERAL or UNNEST`, instead }, { place: source.place });
  }
  const left = bindFrom(context, join.left, bindQuery);
  if (given.kind === 'unnest') {
    const bound = bindUnnest(context, left, given, isLeft);
    if (join.on === null) return bound;
    const condition = bindCondition(context, join, bound.scope, source, undefined);
    if (condition.kind === 'literal' && condition.value === true) return bound;
    if (isLeft) {
      const instead = 'write ON TRUE and filter with WHERE';
      throw new SqlUnsupported({ construct: 'LEFT JOIN UNNEST with a condition', instead }, { place: source.place });
    }
    return { ...bound, rel: { kind: 'filter', input: bound.rel, predicate: condition, schema: bound.rel.schema } };
  }
  assert(given.kind === 'subquery', 'what else is lateral is a subquery');
  const names = { source: context.source, scope: left.scope, aggregates: null, clause: 'LATERAL', aliases: null };
  const find: FindOuter = (path, place) => findName({ ...names, outer: context.outer }, path, place);
  const outer = new OuterColumns(find, context.outer);
  const rel = bindQuery({ ...context, outer }, given.query);
  const scope = withColumnNames(context, scopeOf(rel.schema, given.alias?.name.name ?? null), given.alias, given.span);
  if (outer.arguments.length === 0) return joinTables(context, join, left, { rel, scope }, bindQuery);
  const over = overDomain(rel, domainOf(left.rel, outer.arguments));
  const [leftFields, fields] = [left.rel.schema.fields, rel.schema.fields];
  const first = leftFields.length + fields.length;
  const columns = over.schema.fields.slice(fields.length).map((field, i) => columnOf(field, first + i));
  const same = sameRows(outer.arguments, columns);
  const plain = joinScopes(left, { scope }, false);
  const condition = operator('and', [same, bindCondition(context, join, plain, source, undefined)], source);
  const added = isLeft ? over.schema.fields.map((field) => ({ ...field, nullable: true })) : over.schema.fields;
  const whole = makeSchema([...leftFields, ...added]);
  const type = isLeft ? 'left' : 'inner';
  const joined: Rel = { kind: 'join', type, left: left.rel, right: over, condition, schema: whole };
  const kept = whole.fields.slice(0, first);
  return {
    rel: { kind: 'project', input: joined, columns: kept.map(columnOf), schema: makeSchema(kept) },
    scope: joinScopes(left, { scope }, isLeft),
  };
}

function joinTables(
  context: QueryContext,
  join: Join,
  left: BoundTable,
  right: BoundTable,
  bindQuery: BindQuery,
): BoundTable {
  const source = context.source.source(join.wordsSpan);
  const optionalLeft = join.type === 'right' || join.type === 'full';
  const shown = optionalLeft ? { ...left, scope: left.scope.map((column) => ({ ...column, nullable: true })) } : left;
  const scope = joinScopes(shown, right, join.type === 'left' || join.type === 'full');
  // Conditions see the rows before they are padded with NULLs.
  const plain = joinScopes(left, right, false);
  const merged = mergedColumns(context, join, left, right);
  checkCondition(join, source);
  if (merged !== null) {
    const rel = joinRel(join, left.rel, right.rel, equalities(plain, merged, source));
    return mergeTables({ rel, scope }, merged, join.type, source);
  }
  const subqueries = new SubqueryJoins(context, bindQuery, 3);
  const condition = bindCondition(context, join, plain, source, subqueries);
  if (subqueries.isEmpty) return { rel: joinRel(join, left.rel, right.rel, condition), scope };
  return { rel: joinOnSubqueries(join, left.rel, right.rel, condition, subqueries), scope };
}

/** ON with subqueries: their columns lie beside both sides of an inner join, beside the left one of others. */
function joinOnSubqueries(join: Join, left: Rel, right: Rel, condition: Scalar, subqueries: SubqueryJoins): Rel {
  const [a, b] = [left.schema.fields, right.schema.fields];
  if (join.type === 'inner' || join.type === 'cross') {
    const product = joinRel(join, left, right, literal(true, { kind: 'BOOLEAN' }, condition.source));
    const { rel, place } = subqueries.attach(product, (scalar) => scalar);
    const kept: Rel = { kind: 'filter', input: rel, predicate: place(condition), schema: rel.schema };
    return { kind: 'project', input: kept, columns: product.schema.fields.map(columnOf), schema: product.schema };
  }
  if (join.type !== 'left' || subqueries.reads((ordinal) => ordinal >= a.length && ordinal < a.length + b.length)) {
    const instead = 'filter the tables in subqueries of FROM, or use an inner join';
    const construct = 'a subquery in ON of an outer join that does not read the left side only';
    throw new SqlUnsupported({ construct, instead }, { place: condition.source.place });
  }
  const { rel, place } = subqueries.attach(left, (scalar) => scalar);
  const more = rel.schema.fields.length - a.length;
  // Columns of the right side move behind those of the subqueries.
  const moved = place(mapScalarColumns(condition, (column) => (isRight(column.ordinal) ? marked(column) : column)));
  const final = mapScalarColumns(moved, (column) =>
    column.ordinal < 0 ? { ...column, ordinal: -column.ordinal - 1 + more } : column,
  );
  const joined = joinRel(join, rel, right, final);
  const wanted = joined.schema.fields
    .map((field, i) => ({ field, i }))
    .filter(({ i }) => i < a.length || i >= a.length + more);
  const columns = wanted.map(({ field, i }) => columnOf(field, i));
  return { kind: 'project', input: joined, columns, schema: makeSchema(wanted.map(({ field }) => field)) };

  function isRight(ordinal: number): boolean {
    return ordinal >= a.length && ordinal < a.length + b.length;
  }
  function marked(column: ColumnReference): ColumnReference {
    return { ...column, ordinal: -column.ordinal - 1 };
  }
}

function checkCondition(join: Join, source: ExpressionSource): void {
  const has = join.on !== null || join.using !== null || join.natural;
  if (has || join.type === 'cross') return;
  throw new SqlSyntax({ found: 'no condition', expected: `ON or USING for ${source.text}` }, { place: source.place });
}

function bindCondition(
  context: QueryContext,
  join: Join,
  scope: Scope,
  source: ExpressionSource,
  subqueries: SubqueryJoins | undefined,
): Scalar {
  if (join.on === null) return literal(true, { kind: 'BOOLEAN' }, source);
  const { outer } = context;
  const base = { source: context.source, scope, aggregates: null, clause: 'ON', aliases: null };
  return requireBoolean(bindExpression({ ...base, subqueries, outer }, join.on), 'ON');
}

function joinRel(join: Join, left: Rel, right: Rel, condition: Scalar): Rel {
  const [a, b] = [left.schema.fields, right.schema.fields];
  if (join.type === 'full') return fullJoin(left, right, condition);
  if (join.type !== 'right') {
    const padded = join.type === 'left' ? b.map((field) => ({ ...field, nullable: true })) : b;
    const type = join.type === 'left' ? 'left' : 'inner';
    return { kind: 'join', type, left, right, condition, schema: makeSchema([...a, ...padded]) };
  }
  const padded = a.map((field) => ({ ...field, nullable: true }));
  const swapped: Rel = {
    kind: 'join',
    type: 'left',
    left: right,
    right: left,
    condition: moveScalarColumns(condition, (ordinal) =>
      ordinal < a.length ? ordinal + b.length : ordinal - a.length,
    ),
    schema: makeSchema([...b, ...padded]),
  };
  const columns = [
    ...padded.map((field, i) => columnOf(field, i + b.length)),
    ...b.map((field, i) => columnOf(field, i)),
  ];
  return { kind: 'project', input: swapped, columns, schema: makeSchema([...padded, ...b]) };
}

/** The LEFT JOIN, and the rows of the right side that have no partner: those for which a mark on the left one is NULL. */
function fullJoin(left: Rel, right: Rel, condition: Scalar): Rel {
  const [a, b] = [left.schema.fields, right.schema.fields];
  const optional = (fields: typeof a): typeof a => fields.map((field) => ({ ...field, nullable: true }));
  const { source } = condition;
  const schema = makeSchema([...optional(a), ...optional(b)]);
  const matched: Rel = {
    kind: 'join',
    type: 'left',
    left,
    right,
    condition,
    schema: makeSchema([...a, ...optional(b)]),
  };
  const mark = { name: 'mark', type: { kind: 'BOOLEAN' }, nullable: false } as const;
  const marked: Rel = {
    kind: 'project',
    input: left,
    columns: [...a.map(columnOf), literal(true, mark.type, source)],
    schema: makeSchema([...a, mark]),
  };
  const swapped = moveScalarColumns(condition, (ordinal) =>
    ordinal < a.length ? ordinal + b.length : ordinal - a.length,
  );
  const around = makeSchema([...b, ...optional([...a, mark])]);
  const join: Rel = { kind: 'join', type: 'left', left: right, right: marked, condition: swapped, schema: around };
  const isAlone = operator('is null', [columnOf({ ...mark, nullable: true }, a.length + b.length)], source, false);
  const alone: Rel = { kind: 'filter', input: join, predicate: isAlone, schema: around };
  const columns = [...a.map((field) => literal(null, field.type, source)), ...b.map(columnOf)];
  const everyColumn = {
    kind: 'project',
    input: matched,
    columns: matched.schema.fields.map(columnOf),
    schema,
  } as const;
  return { kind: 'union', inputs: [everyColumn, { kind: 'project', input: alone, columns, schema }], schema };
}

// ── USING and NATURAL ──

/** A pair of ordinals of the joined row. */
interface MergedColumn {
  readonly left: number;
  readonly right: number;
}

function mergedColumns(
  context: QueryContext,
  join: Join,
  left: BoundTable,
  right: BoundTable,
): readonly MergedColumn[] | null {
  if (join.using === null && !join.natural) return null;
  const width = left.rel.schema.fields.length;
  const pair = (name: string, span: Span): MergedColumn => {
    const place = context.source.span(span);
    const a = findColumn(left.scope, name, place) ?? unknownColumn(left.scope, name, place);
    const b = findColumn(right.scope, name, place) ?? unknownColumn(right.scope, name, place);
    return { left: a.ordinal, right: b.ordinal + width };
  };
  if (join.using !== null) return join.using.map((name: Identifier) => pair(name.name, name.span));
  const isShared = (column: ScopeColumn): boolean =>
    !column.hidden && right.scope.some((other) => !other.hidden && other.name === column.name);
  return left.scope.filter(isShared).map((column) => pair(column.name, join.wordsSpan));
}

function equalities(scope: Scope, merged: readonly MergedColumn[], source: ExpressionSource): Scalar {
  const reference = (ordinal: number): Scalar => {
    const column = scope.find((each) => each.ordinal === ordinal);
    const type = column?.type ?? { kind: 'NULL' };
    return { kind: 'column', ordinal, type, nullable: column?.nullable ?? true, source };
  };
  const [first, ...rest] = merged.map(({ left, right }) =>
    bindComparison('=', reference(left), reference(right), source),
  );
  if (first === undefined) return literal(true, { kind: 'BOOLEAN' }, source);
  return rest.reduce((all, each) => operator('and', [all, each], source), first);
}

/** Merged columns stand first in `*`, as SQL says. That of a FULL JOIN is whichever of the two there is. */
function mergeTables(
  { rel, scope }: BoundTable,
  merged: readonly MergedColumn[],
  type: Join['type'],
  source: ExpressionSource,
): BoundTable {
  if (type !== 'full')
    return { rel, scope: mergeScope(scope, merged, ({ left, right }) => (type === 'right' ? right : left)) };
  const { fields } = rel.schema;
  const either = merged.map(({ left, right }) => {
    const [a, b] = [columnOf(fields[left]!, left), columnOf(fields[right]!, right)];
    const isThere = operator('is not null', [a], source, false);
    return makeCase([caseBranch(isThere, a)], b, source);
  });
  const added = either.map(({ type: of }, i) => ({ ...fields[merged[i]!.left]!, type: of, nullable: true }));
  const schema = makeSchema([...fields, ...added]);
  const columns = [...fields.map(columnOf), ...either];
  const both = scope.filter((column) => merged.some(({ left }) => left === column.ordinal));
  const shown = added.map(
    (field, i): ScopeColumn => ({
      table: null,
      name: field.name,
      ordinal: fields.length + i,
      type: field.type,
      nullable: true,
      quoted: both[i]?.quoted === true,
      hidden: false,
    }),
  );
  const all = mergeScope([...scope, ...shown], merged, (pair) => fields.length + merged.indexOf(pair));
  return { rel: { kind: 'project', input: rel, columns, schema }, scope: all };
}

function mergeScope(scope: Scope, merged: readonly MergedColumn[], choose: (pair: MergedColumn) => number): Scope {
  const shown = merged.map(choose);
  const both = new Set([...shown, ...merged.flatMap(({ left, right }) => [left, right])]);
  const mergedFirst = shown.map((ordinal) => scope.find((column) => column.ordinal === ordinal));
  const first = mergedFirst.filter((column): column is ScopeColumn => column !== undefined);
  const others = scope.filter((column) => !both.has(column.ordinal));
  const hidden = scope.filter((column) => both.has(column.ordinal) && !shown.includes(column.ordinal));
  return [...first, ...others, ...hidden.map((column) => ({ ...column, hidden: true }))];
}
