// Scope: the columns that an expression may name, and how a name finds one.
//
// A scope is a list of columns in the order of the relation's fields; each knows the table (or alias) through which it may
// also be named. Columns merged by USING or NATURAL appear once without a table name: the right one is hidden.

import type { Schema } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Place } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { ExcludedColumn } from './ast.ts';
import { SqlAmbiguousColumn, SqlUnknownColumn, SqlUnknownTable } from './sql-errors.ts';

export interface ScopeColumn {
  readonly table: string | null;
  readonly name: string;
  readonly ordinal: number;
  readonly type: SqlType;
  readonly nullable: boolean;
  readonly quoted: boolean;
  /** Only reachable through its table. */
  readonly hidden: boolean;
}

export type Scope = readonly ScopeColumn[];

/** Whether the column is one of those that a star leaves out, by its name or as that of its table. */
export function isExcluded({ name, table }: ScopeColumn, excluded: readonly ExcludedColumn[]): boolean {
  return excluded.some((other) => other.name === name && (other.table === null || other.table === table));
}

export function scopeOf(schema: Schema, table: string | null): Scope {
  return schema.fields.map((field, ordinal) => ({
    table,
    name: field.name,
    ordinal,
    type: field.type,
    nullable: field.nullable,
    quoted: field.quoted === true,
    hidden: false,
  }));
}

/** The scope of a join: left columns, then right columns. */
export function joinScopes(
  left: { readonly rel: { readonly schema: Schema }; readonly scope: Scope },
  right: { readonly scope: Scope },
  rightNullable: boolean,
): Scope {
  const width = left.rel.schema.fields.length;
  const shifted = right.scope.map((column) => ({
    ...column,
    ordinal: column.ordinal + width,
    nullable: column.nullable || rightNullable,
  }));
  return [...left.scope, ...shifted];
}

/** The column that an unqualified name means, or undefined. @throws SqlAmbiguousColumn */
export function findColumn(scope: Scope, name: string, place: Place): ScopeColumn | undefined {
  const found = scope.filter((column) => !column.hidden && column.name === name);
  if (found.length > 1) {
    throw new SqlAmbiguousColumn({ name, tables: found.map((column) => column.table ?? '(a subquery)') }, { place });
  }
  return found[0];
}

export function hasTable(scope: Scope, table: string): boolean {
  return scope.some((column) => column.table === table);
}

/** The column that table.name means. @throws SqlUnknownTable, SqlUnknownColumn, SqlAmbiguousColumn */
export function requireTableColumn(scope: Scope, table: string, name: string, place: Place): ScopeColumn {
  const columns = scope.filter((column) => column.table === table);
  if (columns.length === 0) throw unknownTable(scope, table, place);
  const [found, second] = columns.filter((column) => column.name === name);
  if (second !== undefined) throw new SqlAmbiguousColumn({ name, tables: [table, table] }, { place });
  return found ?? unknownColumn(columns, name, place);
}

/** @throws SqlUnknownColumn always */
export function unknownColumn(scope: Scope, name: string, place: Place, quoted = false): never {
  const known = [...new Set(scope.map((column) => column.name))];
  const fields = quoted ? { name, known, quoted } : { name, known };
  throw new SqlUnknownColumn(fields, { place, suggestion: nearestName(name, known) });
}

export function unknownTable(scope: Scope, name: string, place: Place): Error {
  const known = [...new Set(scope.map((column) => column.table).filter((table) => table !== null))];
  return new SqlUnknownTable({ name, known }, { place, suggestion: nearestName(name, known) });
}
