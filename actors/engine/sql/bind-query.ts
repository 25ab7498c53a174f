// Binder of queries: WITH, SELECT, VALUES, UNION, EXCEPT, INTERSECT, ORDER BY and LIMIT.
//
// ORDER BY with LIMIT or OFFSET is a `top`; alone it says nothing about a multiset of rows: at the top of a view it is kept as
// the order in which a person wants to see the rows (as far as it names columns of the result), elsewhere it is dropped.
import { assert } from '../../../runtime/assert.ts';
import { type Field, makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import { isNested, type SqlType, sameSqlType } from '../../../runtime/batch/sql-type.ts';
import type { Difference, OrderItem, Query, QueryBody, Union, Values } from './ast.ts';
import { bindDifference } from './bind-difference.ts';
import { bindExpression } from './bind-expression.ts';
import { bindRecursiveQuery } from './bind-recursive-query.ts';
import { bindSelect } from './bind-select.ts';
import type { Rel, SortKey } from './bound.ts';
import { everyItem, findOutput, orderKey, rowCount } from './order-keys.ts';
import { bindAll, columnOf, type NamedQuery, type QueryContext, renamed } from './query-context.ts';
import { SqlDuplicateName, SqlInvalidDefinition, SqlTypeMismatch, SqlUnsupported } from './sql-errors.ts';
import { coerce, describePair, isBinary, isText, mergedType, varchar } from './type-coercion.ts';
import { distinctRows, rowsByValue } from './variant-equality.ts';

export interface BoundQuery {
  readonly rel: Rel;
  readonly displayOrder: readonly SortKey[];
}

/**
 * `order`: whether ORDER BY without LIMIT is kept as far as the result shows it, or wholly, for who runs the query once.
 * @throws MillraceError, AlreadyReported; further problems are in the context.
 */
export function bindQuery(context: QueryContext, query: Query, order: 'shown' | 'whole' = 'shown'): BoundQuery {
  const inner = query.with.length === 0 ? context : withCommonTables(context, query);
  const [limit = null, offset = null] = bindAll(context.problems, [
    () => rowCount(query.limit, 'LIMIT', context.source),
    () => rowCount(query.offset, 'OFFSET', context.source),
  ]);
  const body = bindBody(inner, query.body, query.orderBy);
  const width = body.fields.length;
  if (limit === null && offset === null) {
    const hidden = body.keys.findIndex((key) => key.ordinal >= width);
    if (hidden < 0) return { rel: body.rel, displayOrder: body.keys };
    if (order === 'shown') return { rel: firstColumns(body.rel, width), displayOrder: body.keys.slice(0, hidden) };
    const whole: Rel = {
      kind: 'top',
      input: body.rel,
      keys: body.keys,
      limit: null,
      offset: 0,
      schema: body.rel.schema,
    };
    return { rel: firstColumns(whole, width), displayOrder: body.keys.slice(0, hidden) };
  }
  const top: Rel = {
    kind: 'top',
    input: body.rel,
    keys: body.keys,
    limit,
    offset: offset ?? 0,
    schema: body.rel.schema,
  };
  const shown = body.keys.every((key) => key.ordinal < width) ? body.keys : [];
  return { rel: firstColumns(top, width), displayOrder: shown };
}

function bindRel(context: QueryContext, query: Query): Rel {
  return bindQuery(context, query).rel;
}

function withCommonTables(context: QueryContext, query: Query): QueryContext {
  const common = new Map(context.common);
  const names = new Set<string>();
  const lost = new Set(context.lost);
  const inner: QueryContext = { ...context, common, lost };
  for (const table of query.with) {
    const { name, columns, query: definition } = table;
    const bound = context.problems.attempt((): NamedQuery => {
      if (names.has(name.name)) {
        const place = context.source.span(name.span);
        throw new SqlDuplicateName({ what: 'WITH query', name: name.name }, { place });
      }
      const recursive = query.recursive === true ? bindRecursiveQuery(inner, table, bindRel) : null;
      if (recursive !== null) return { ...recursive, outer: inner.outer };
      const rel = bindRel(inner, definition);
      if (columns === null) return { rel, schema: rel.schema, outer: inner.outer };
      if (columns.length !== rel.schema.fields.length) {
        const detail = `${name.name} names ${columns.length} columns, its query has ${rel.schema.fields.length}`;
        throw new SqlInvalidDefinition({ detail }, { place: context.source.span(name.span) });
      }
      const named = renamed(rel, columns);
      return { rel: named, schema: named.schema, outer: inner.outer };
    });
    names.add(name.name);
    if (bound === null) {
      common.delete(name.name);
      lost.add(name.name);
    } else common.set(name.name, bound);
  }
  return inner;
}

interface BoundBody {
  readonly rel: Rel;
  readonly fields: readonly Field[];
  readonly keys: readonly SortKey[];
}

function bindBody(context: QueryContext, body: QueryBody, orderBy: readonly OrderItem[]): BoundBody {
  if (body.kind === 'select') return bindSelect(context, body, orderBy, bindRel);
  const rel = bindWhole(context, body);
  const { fields } = rel.schema;
  const names = fields.map((field) => field.name);
  const keys = bindAll(
    context.problems,
    everyItem(orderBy, fields.length).map(({ item, at }) => () => {
      if (at !== null) return orderKey(item, at);
      const ordinal = findOutput(item.expression, names, context.source);
      if (ordinal !== null) return orderKey(item, ordinal);
      throw new SqlUnsupported(
        { construct: 'ORDER BY an expression over UNION or VALUES', instead: 'order by a column of the result' },
        { place: context.source.span(item.expression.span) },
      );
    }),
  );
  return { rel, fields, keys };
}

function bindWhole(context: QueryContext, body: QueryBody): Rel {
  switch (body.kind) {
    case 'query':
      return bindRel(context, body);
    case 'select':
      return bindSelect(context, body, [], bindRel).rel;
    case 'values':
      return bindValues(context, body);
    case 'union':
      return bindUnion(context, body);
    case 'except':
    case 'intersect': {
      const { inputs, schema } = setInputs(context, body, [body.left, body.right]);
      return bindDifference(body, inputs.map(rowsByValue), schema, context.source.source(body.operatorSpan));
    }
  }
}

function firstColumns(rel: Rel, width: number): Rel {
  const { fields } = rel.schema;
  if (fields.length === width) return rel;
  const kept = fields.slice(0, width);
  // What only ORDER BY needed is not needed where the order is not.
  if (rel.kind === 'project') return { ...rel, columns: rel.columns.slice(0, width), schema: makeSchema(kept) };
  return { kind: 'project', input: rel, columns: kept.map(columnOf), schema: makeSchema(kept) };
}

// ── VALUES and UNION ──

function bindValues(context: QueryContext, values: Values): Rel {
  const expressionContext = { source: context.source, scope: [], aggregates: null, clause: 'VALUES', aliases: null };
  const rows = bindAll(
    context.problems,
    values.rows.map((row) => () => row.map((expression) => bindExpression(expressionContext, expression))),
  );
  const width = rows[0]?.length ?? 0;
  const uneven = rows.findIndex((row) => row.length !== width);
  if (uneven >= 0) {
    const detail = `row ${uneven + 1} of VALUES has ${rows[uneven]?.length} values, the first has ${width}`;
    throw new SqlTypeMismatch({ detail }, { place: context.source.span(values.span) });
  }
  const fields = Array.from({ length: width }, (_, i): Field => {
    const column = rows.map((row) => row[i]).filter((scalar) => scalar !== undefined);
    const type = mergedType(column);
    if (!('kind' in type)) {
      const detail = `column ${i + 1} of VALUES is ${describePair(type[0], type[1])}`;
      throw new SqlTypeMismatch({ detail }, { place: context.source.span(values.span) });
    }
    return { name: `EXPR$${i}`, type, nullable: column.some((scalar) => scalar.nullable), quoted: true };
  });
  const converted = rows.map((row) => row.map((scalar, i) => coerce(scalar, fields[i]?.type ?? scalar.type)));
  return { kind: 'values', rows: converted, schema: makeSchema(fields) };
}

function bindUnion(context: QueryContext, union: Union): Rel {
  const { inputs, schema } = setInputs(context, union, branches(union, union.all));
  const rel: Rel = { kind: 'union', inputs, schema };
  return union.all ? rel : distinctRows(rel);
}

/** The branches of a set operation, all with the same columns. */
function setInputs(
  context: QueryContext,
  body: Union | Difference,
  bodies: readonly QueryBody[],
): { readonly inputs: readonly Rel[]; readonly schema: Schema } {
  const inputs = bindAll(
    context.problems,
    bodies.map((branch) => () => bindWhole(context, branch)),
  );
  const place = context.source.span(body.operatorSpan);
  const word = body.kind.toUpperCase();
  const [first, ...rest] = inputs;
  assert(first !== undefined, 'a set operation has two branches at least');
  let fields = first.schema.fields;
  for (const input of rest) {
    const others = input.schema.fields;
    if (others.length !== fields.length) {
      const detail = `${word} of ${fields.length} and ${others.length} columns`;
      throw new SqlTypeMismatch({ detail }, { place });
    }
    fields = fields.map((field, i) => {
      const other = others[i] ?? field;
      const type = columnTypeOf(field.type, other.type) ?? mergedType([columnOf(field, i), columnOf(other, i)]);
      if ('kind' in type) return { ...field, type, nullable: field.nullable || other.nullable };
      const detail = `column ${i + 1} of ${word} is ${describePair(type[0], type[1])}`;
      throw new SqlTypeMismatch({ detail }, { place });
    });
  }
  const schema = makeSchema(fields);
  return { inputs: inputs.map((input) => asTypes(input, fields)), schema };
}

/** Text beside what has a text of its own: text. */
function columnTypeOf(left: SqlType, right: SqlType): SqlType | null {
  const other = isText(left) ? right : left;
  if (isText(left) === isText(right) || isNested(other) || isBinary(other)) return null;
  return other.kind === 'VARIANT' || other.kind === 'NULL' ? null : varchar;
}

/** The branches of a chain of the same UNION, left to right. */
function branches(union: Union, all: boolean): QueryBody[] {
  const left = union.left.kind === 'union' && union.left.all === all ? branches(union.left, all) : [union.left];
  return [...left, union.right];
}

function asTypes(rel: Rel, fields: readonly Field[]): Rel {
  if (rel.schema.fields.every((field, i) => sameSqlType(field.type, fields[i]?.type ?? field.type))) return rel;
  const columns = rel.schema.fields.map((field, i) => coerce(columnOf(field, i), fields[i]?.type ?? field.type));
  return { kind: 'project', input: rel, columns, schema: makeSchema(fields) };
}
