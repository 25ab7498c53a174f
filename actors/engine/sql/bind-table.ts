// Binder of CREATE TABLE: columns, keys, defaults.
//
// A column may hold NULL unless it is NOT NULL or part of the primary key. DEFAULT is a constant expression, cast to
// the type of its column.

import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import { formatSqlType, isNested, type SqlType } from '../../../runtime/batch/sql-type.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { Identifier } from './ast.ts';
import { bindCast } from './bind-case.ts';
import { bindExpression } from './bind-expression.ts';
import { bindDelay, bindLateness } from './bind-lateness.ts';
import type { Scalar, TableDefinition } from './bound.ts';
import type { Lateness } from './lateness.ts';
import { AlreadyReported, type ProblemList } from './problem-list.ts';
import {
  SqlDuplicateName,
  SqlInvalidDefinition,
  SqlTypeMismatch,
  SqlUnknownColumn,
  SqlUnsupported,
} from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import { readTableProperties } from './statement-properties.ts';
import type { ColumnDefinition, Statement, TableElement } from './statement-syntax.ts';
import { coerce, commonType, isText } from './type-coercion.ts';
import { resolveTypeName } from './type-names.ts';

type CreateTable = Extract<Statement, { kind: 'create table' }>;

interface BoundColumn {
  readonly field: Field;
  readonly default: Scalar | null;
  readonly lateness: Lateness | null;
  readonly watermark: number | bigint | null;
}

/** @throws AlreadyReported when a part failed; every problem is in the list. */
export function bindTable(source: SqlText, table: CreateTable, problems: ProblemList): TableDefinition {
  const before = problems.count;
  const columns = table.elements.flatMap((element) => (element.kind === 'column' ? [element.column] : []));
  const key = keyNames(source, table, columns, problems);
  requireDistinctNames(source, columns, problems);
  const bound = columns.map((column) =>
    problems.attempt(() => bindColumn(source, column, key.includes(column.name.name))),
  );
  for (const element of table.elements) refuseElement(source, element, problems);
  const properties = readTableProperties(source, table.properties, problems);
  const whole = bound.filter((column) => column !== null);
  if (columns.length === 0) {
    const place = source.span(table.name.span);
    problems.keep(new SqlInvalidDefinition({ detail: `table "${table.name.name}" has no columns` }, { place }));
  }
  requireOneWatermark(source, columns, key.length > 0, problems);
  if (problems.count > before) throw new AlreadyReported();
  const held = whole.findIndex(({ watermark }) => watermark !== null);
  const delay = whole[held]?.watermark ?? null;
  const fields = whole.map((column) => column.field);
  const lateness = whole.map((column) => column.lateness);
  const primaryKey = key.map((name) => fields.findIndex((field) => field.name === name));
  return {
    relation: { name: table.name.name, schema: makeSchema(fields), primaryKey },
    defaults: whole.map((column) => column.default),
    ...(lateness.some((allowance) => allowance !== null) ? { lateness } : {}),
    ...(delay === null ? {} : { watermark: { ordinal: held, delay } }),
    ...properties,
    source: source.source(table.span),
  };
}

function bindColumn(source: SqlText, column: ColumnDefinition, inKey: boolean): BoundColumn {
  const place = source.span(column.name.span);
  const { name, quoted } = column.name;
  const type = resolveTypeName(source, column.type);
  if (column.unsupported !== null) {
    const { construct, instead, span } = column.unsupported;
    throw new SqlUnsupported({ construct, instead }, { place: source.span(span) });
  }
  if (column.repeated !== null) {
    const { what, span } = column.repeated;
    const other = what === 'NULL' || what === 'NOT NULL' ? 'NULL or NOT NULL' : what;
    const detail = `column "${name}" has a second ${other}: leave one of them out`;
    throw new SqlInvalidDefinition({ detail }, { place: source.span(span) });
  }
  if (inKey && column.nullable === true) {
    throw new SqlInvalidDefinition({ detail: `column "${name}" of the primary key may not be NULL` }, { place });
  }
  if (inKey && (isNested(type) || type.kind === 'VARIANT')) {
    const detail = `a column of the primary key is a scalar, "${name}" is ${formatSqlType(type)}`;
    throw new SqlInvalidDefinition({ detail }, { place });
  }
  const nullable = !inKey && column.nullable !== false;
  const field = quoted ? { name, type, nullable, quoted } : { name, type, nullable };
  return {
    field,
    default: bindDefault(source, column, type, nullable),
    lateness: column.lateness === null ? null : bindLateness(source, column.lateness, type),
    watermark: column.watermark === null ? null : bindDelay(source, column.watermark, type),
  };
}

function bindDefault(source: SqlText, column: ColumnDefinition, type: SqlType, nullable: boolean): Scalar | null {
  if (column.default === null) return null;
  const context = { source, scope: [], aggregates: null, clause: 'DEFAULT', aliases: null };
  const scalar = bindExpression(context, column.default);
  const place = scalar.source.place;
  if (commonType(scalar.type, type) === null && !isText(type)) {
    const detail = `the DEFAULT of "${column.name.name}" is ${formatSqlType(scalar.type)}, the column is ${formatSqlType(type)}`;
    throw new SqlTypeMismatch({ detail }, { place });
  }
  if (!nullable && scalar.kind === 'literal' && scalar.value === null) {
    throw new SqlTypeMismatch({ detail: `"${column.name.name}" is NOT NULL, its DEFAULT is NULL` }, { place });
  }
  const converted = coerce(scalar, type);
  return converted.kind === 'cast' ? bindCast(scalar, type, false, scalar.source) : converted;
}

/** The names of the primary key, inline or as a constraint. */
function keyNames(
  source: SqlText,
  table: CreateTable,
  columns: readonly ColumnDefinition[],
  problems: ProblemList,
): readonly string[] {
  const inline = columns.filter((column) => column.primaryKey).map((column) => column.name);
  const constraints = table.elements.filter((element) => element.kind === 'primary key');
  const declared = [...(inline.length === 0 ? [] : [inline]), ...constraints.map((element) => element.columns)];
  const [key = [], second] = declared;
  const again = second?.[0];
  if (again !== undefined) {
    const detail = `table "${table.name.name}" has two primary keys; name all columns of one in PRIMARY KEY (…)`;
    problems.keep(new SqlInvalidDefinition({ detail }, { place: source.span(again.span) }));
  }
  const known = columns.map((column) => column.name.name);
  for (const [i, name] of key.entries()) {
    const place = source.span(name.span);
    if (!known.includes(name.name)) {
      const suggestion = nearestName(name.name, known);
      problems.keep(new SqlUnknownColumn({ name: name.name, known }, { place, suggestion }));
    } else if (key.slice(0, i).some((earlier: Identifier) => earlier.name === name.name)) {
      problems.keep(new SqlDuplicateName({ what: 'column of the primary key', name: name.name }, { place }));
    }
  }
  return key.map((name) => name.name);
}

function requireDistinctNames(source: SqlText, columns: readonly ColumnDefinition[], problems: ProblemList): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name.name)) {
      const place = source.span(name.span);
      problems.keep(new SqlDuplicateName({ what: 'column', name: name.name }, { place }));
    }
    seen.add(name.name);
  }
}

/** Rows wait by one column, by which they may also be late; with a key, a later row could overtake the one that it replaces. */
function requireOneWatermark(
  source: SqlText,
  columns: readonly ColumnDefinition[],
  isKeyed: boolean,
  problems: ProblemList,
): void {
  const [first, second] = columns.filter(({ watermark }) => watermark !== null);
  if (first === undefined) return;
  const refuse = (column: ColumnDefinition, construct: string, instead: string): void => {
    problems.keep(new SqlUnsupported({ construct, instead }, { place: source.span(column.name.span) }));
  };
  const other = columns.find((column) => column.lateness !== null && column !== first);
  if (second !== undefined) refuse(second, 'a second WATERMARK', 'choose one column by which rows wait');
  if (isKeyed)
    refuse(first, 'WATERMARK in a table with a primary key', 'leave the key out and take the last row in a view');
  if (other !== undefined) refuse(other, 'LATENESS beside WATERMARK of another column', 'give both to one column');
}

function refuseElement(source: SqlText, element: TableElement, problems: ProblemList): void {
  if (element.kind !== 'unsupported') return;
  const { construct, instead, span } = element;
  problems.keep(new SqlUnsupported({ construct, instead }, { place: source.span(span) }));
}
