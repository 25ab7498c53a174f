// Binder of INSERT INTO: the rows to insert as a query whose columns are those of the table, in order and type.
//
// Values are cast to the types of their columns; columns that are not named take their DEFAULT, else NULL. That a value of a
// NOT NULL column is no NULL is checked here where it is written so, else by whoever runs the query: every column of it
// may hold NULL.
import { type Field, makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { Expression, Identifier, TypeName } from './ast.ts';
import { bindCast } from './bind-case.ts';
import { bindExpression } from './bind-expression.ts';
import { bindQuery } from './bind-query.ts';
import type { BoundQuery, Rel, Scalar, TableDefinition } from './bound.ts';
import type { InsertStatement } from './insert-statement.ts';
import { bindAll, columnOf, type QueryContext } from './query-context.ts';
import {
  SqlDuplicateName,
  SqlInvalidDefinition,
  SqlTypeMismatch,
  SqlUnknownColumn,
  SqlUnknownTable,
} from './sql-errors.ts';
import { coerce, literal } from './type-coercion.ts';

export interface BoundInsert {
  readonly relation: Relation;
  readonly query: BoundQuery;
}

/** @throws MillraceError, AlreadyReported; further problems are in the context. */
export function bindInsert(
  context: QueryContext,
  insert: InsertStatement,
  tables: readonly TableDefinition[],
): BoundInsert {
  const table = findTable(context, insert.table, tables);
  const { relation } = table;
  const targets = insert.columns === null ? relation.schema.fields : namedFields(context, relation, insert.columns);
  const { fields } = relation.schema;
  const schema = makeSchema(fields.map((field) => ({ ...field, nullable: true })));
  const place = context.source.place(insert.span.start);
  const arrange = (values: readonly Scalar[]): readonly Scalar[] => {
    if (values.length !== targets.length) {
      const detail = `INSERT of ${values.length} values into ${targets.length} columns of "${relation.name}"`;
      throw new SqlTypeMismatch({ detail }, { place: values[0]?.source.place ?? place });
    }
    return fields.map((field, ordinal) => {
      const value = values[targets.indexOf(field)];
      if (value !== undefined) return assign(value, field, place);
      const fallback = table.defaults[ordinal] ?? literal(null, field.type, { place, text: 'NULL' });
      return assign(fallback, field, place);
    });
  };
  return { relation, query: { query: bindRows(context, insert, targets, arrange, schema), displayOrder: [] } };
}

function bindRows(
  context: QueryContext,
  insert: InsertStatement,
  targets: readonly Field[],
  arrange: (values: readonly Scalar[]) => readonly Scalar[],
  schema: Rel['schema'],
): Rel {
  const { query } = insert;
  const { body } = query;
  const isPlain = query.with.length + query.orderBy.length === 0 && query.limit === null && query.offset === null;
  if (body.kind === 'values' && isPlain) {
    // Each value by itself becomes one of its column: the rows need no types in common.
    const { source, problems } = context;
    const expressions = { source, scope: [], aggregates: null, clause: 'VALUES', aliases: null };
    const rows = bindAll(
      problems,
      body.rows.map((row) => () => {
        const isFloat = (i: number): boolean => ['REAL', 'DOUBLE'].includes(targets[i]?.type.kind ?? '');
        const written = row.map((expression, i) => (isFloat(i) ? withDoubles(expression) : expression));
        return arrange(written.map((expression) => bindExpression(expressions, expression)));
      }),
    );
    return { kind: 'values', rows, schema };
  }
  const { rel } = bindQuery(context, query);
  return { kind: 'project', input: rel, columns: arrange(rel.schema.fields.map(columnOf)), schema };
}

/** Numbers with a point as DOUBLE: for such a column 1.0 / 0.0 is infinite, where a DECIMAL would be divided by zero. */
function withDoubles(expression: Expression): Expression {
  switch (expression.kind) {
    case 'number': {
      const { text, span } = expression;
      const type: TypeName = { name: 'double', parameters: [], parts: [], arrays: 0, span };
      return text.includes('.') ? { kind: 'cast', operand: expression, type, safe: false, span } : expression;
    }
    case 'negate':
    case 'cast':
      return { ...expression, operand: withDoubles(expression.operand) };
    case 'binary':
      return { ...expression, left: withDoubles(expression.left), right: withDoubles(expression.right) };
    default:
      return expression;
  }
}

function findTable(context: QueryContext, name: Identifier, tables: readonly TableDefinition[]): TableDefinition {
  const found = tables.find(({ relation }) => relation.name === name.name);
  if (found !== undefined) return found;
  const place = context.source.place(name.span.start);
  if (context.relations.has(name.name)) {
    throw new SqlInvalidDefinition({ detail: `"${name.name}" is a view; rows are inserted into tables` }, { place });
  }
  const known = tables.map(({ relation }) => relation.name);
  throw new SqlUnknownTable({ name: name.name, known }, { place, suggestion: nearestName(name.name, known) });
}

function namedFields(context: QueryContext, relation: Relation, names: readonly Identifier[]): readonly Field[] {
  const known = relation.schema.fields.map((field) => field.name);
  return bindAll(
    context.problems,
    names.map((name, i) => () => {
      const place = context.source.place(name.span.start);
      const field = relation.schema.fields.find((candidate) => candidate.name === name.name);
      if (field === undefined) {
        throw new SqlUnknownColumn({ name: name.name, known }, { place, suggestion: nearestName(name.name, known) });
      }
      if (names.slice(0, i).some((earlier) => earlier.name === name.name)) {
        throw new SqlDuplicateName({ what: 'column', name: name.name }, { place });
      }
      return field;
    }),
  );
}

/** Texts are kept as they come, neither padded nor cut to the length of their column: as those that connectors bring. */
function unbounded(type: SqlType): SqlType {
  return type.kind === 'CHAR' || type.kind === 'VARCHAR' ? { kind: 'VARCHAR', length: null } : type;
}

function assign(value: Scalar, field: Field, place: Scalar['source']['place']): Scalar {
  const type = unbounded(field.type);
  const converted = coerce(value, type);
  const cast = converted.kind === 'cast' ? bindCast(value, type, false, value.source) : converted;
  if (!field.nullable && cast.kind === 'literal' && cast.value === null) {
    const detail = `"${field.name}" is NOT NULL and gets no value`;
    throw new SqlTypeMismatch(
      { detail },
      { place: value.source.place.line === undefined ? place : value.source.place },
    );
  }
  return cast;
}
