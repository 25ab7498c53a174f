// Binder of FROM: tables, subqueries and joins, each with the scope that it opens.
//
// A RIGHT JOIN is a LEFT JOIN of the swapped sides with the columns put back in order. USING and NATURAL merge columns: the
// merged one is that of the side that is never padded with NULLs, the other can only be reached through its table.

import { assert } from '../../../runtime/assert.ts';
import { makeSchema } from '../../../runtime/batch/schema.ts';
import type { Identifier, Query, TableAlias, TableExpression } from './ast.ts';
import { bindComparison, operator } from './bind-comparison.ts';
import { bindExpression } from './bind-expression.ts';
import type { ExpressionSource, Rel, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { requireBoolean } from './expression-context.ts';
import { bindAll, columnOf, findRelation, type QueryContext } from './query-context.ts';
import { findColumn, joinScopes, type Scope, type ScopeColumn, scopeOf, unknownColumn } from './scope.ts';
import { SqlInvalidDefinition, SqlSyntax, SqlUnsupported } from './sql-errors.ts';
import type { Span } from './sql-text.ts';
import { literal } from './type-coercion.ts';

export interface BoundTable {
  readonly rel: Rel;
  readonly scope: Scope;
}

type Join = Extract<TableExpression, { kind: 'join' }>;
type BindQuery = (context: QueryContext, query: Query) => Rel;

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
    case 'join':
      return bindJoin(context, table, bindQuery);
  }
}

/** FROM t AS u (a, b). */
function withColumnNames(context: QueryContext, scope: Scope, alias: TableAlias | null, span: Span): Scope {
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
  const [left, right] = bindAll(context.problems, [
    () => bindFrom(context, join.left, bindQuery),
    () => bindFrom(context, join.right, bindQuery),
  ]);
  assert(left !== undefined && right !== undefined, 'bindAll gives a result for each part, or throws');
  const source = context.source.source(join.wordsSpan);
  const sides = {
    left:
      join.type === 'right' || join.type === 'full'
        ? left.scope.map((column) => ({ ...column, nullable: true }))
        : left.scope,
    right: right.scope,
  };
  const scope = joinScopes(sides.left, sides.right, join.type === 'left' || join.type === 'full');
  // Conditions see the rows before they are padded with NULLs.
  const plain = joinScopes(left.scope, right.scope, false);
  const merged = mergedColumns(context, join, left.scope, right.scope);
  checkCondition(join, source);
  const condition = merged === null ? bindCondition(context, join, plain, source) : equalities(plain, merged, source);
  const rel = joinRel(join, left.rel, right.rel, condition);
  return { rel, scope: merged === null ? scope : mergeScope(scope, merged, join.type) };
}

function checkCondition(join: Join, source: ExpressionSource): void {
  const has = join.on !== null || join.using !== null || join.natural;
  if (join.type === 'full' && join.on === null && has) {
    const instead = 'compare the columns with ON, and take COALESCE of both';
    throw new SqlUnsupported({ construct: 'FULL JOIN with USING or NATURAL', instead }, { place: source.place });
  }
  if (has || join.type === 'cross') return;
  throw new SqlSyntax({ found: 'no condition', expected: `ON or USING for ${source.text}` }, { place: source.place });
}

function bindCondition(context: QueryContext, join: Join, scope: Scope, source: ExpressionSource): Scalar {
  if (join.on === null) return literal(true, { kind: 'BOOLEAN' }, source);
  const expressionContext = { source: context.source, scope, aggregates: null, clause: 'ON', aliases: null };
  return requireBoolean(bindExpression(expressionContext, join.on), 'ON');
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
    condition: moveColumns(condition, (ordinal) => (ordinal < a.length ? ordinal + b.length : ordinal - a.length)),
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
  const swapped = moveColumns(condition, (ordinal) => (ordinal < a.length ? ordinal + b.length : ordinal - a.length));
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

function moveColumns(scalar: Scalar, move: (ordinal: number) => number): Scalar {
  const inner = (operand: Scalar): Scalar => moveColumns(operand, move);
  switch (scalar.kind) {
    case 'column':
      return { ...scalar, ordinal: move(scalar.ordinal) };
    case 'literal':
      return scalar;
    case 'operator':
    case 'function':
      return { ...scalar, operands: scalar.operands.map(inner) };
    case 'cast':
    case 'in list':
      return { ...scalar, operand: inner(scalar.operand) };
    case 'case': {
      const branches = scalar.branches.map(({ when, then }) => caseBranch(inner(when), inner(then)));
      return { ...scalar, branches, otherwise: inner(scalar.otherwise) };
    }
  }
}

// ── USING and NATURAL ──

/** A pair of ordinals of the joined row. */
interface MergedColumn {
  readonly left: number;
  readonly right: number;
}

function mergedColumns(context: QueryContext, join: Join, left: Scope, right: Scope): readonly MergedColumn[] | null {
  if (join.using === null && !join.natural) return null;
  const pair = (name: string, span: Span): MergedColumn => {
    const place = context.source.span(span);
    const a = findColumn(left, name, place) ?? unknownColumn(left, name, place);
    const b = findColumn(right, name, place) ?? unknownColumn(right, name, place);
    return { left: a.ordinal, right: b.ordinal + left.length };
  };
  if (join.using !== null) return join.using.map((name: Identifier) => pair(name.name, name.span));
  const shared = left.filter((column) => !column.hidden && right.some((other) => other.name === column.name));
  return shared.map((column) => pair(column.name, join.wordsSpan));
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

/** Merged columns stand first in `*`, as SQL says. */
function mergeScope(scope: Scope, merged: readonly MergedColumn[], type: Join['type']): Scope {
  const shown = merged.map(({ left, right }) => (type === 'right' ? right : left));
  const both = new Set(merged.flatMap(({ left, right }) => [left, right]));
  const mergedFirst = shown.map((ordinal) => scope.find((column) => column.ordinal === ordinal));
  const first = mergedFirst.filter((column): column is ScopeColumn => column !== undefined);
  const others = scope.filter((column) => !both.has(column.ordinal));
  const hidden = scope.filter((column) => both.has(column.ordinal) && !shown.includes(column.ordinal));
  return [...first, ...others, ...hidden.map((column) => ({ ...column, hidden: true }))];
}
