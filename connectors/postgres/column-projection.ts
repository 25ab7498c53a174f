// How each column of a query is asked for, so that its text is what a column of ours reads exactly from CSV.
//
// By type: booleans as true and false, bytes as JSON arrays of numbers, arrays, json and records as JSON, times with a zone as their
// time in UTC, amounts of money as numbers, everything else as PostgreSQL prints it (numbers with every digit).
import type { Field } from '../../runtime/batch/schema.ts';
import type { FittedColumn } from './column-fit.ts';
import { quoteName } from './postgres-connection.ts';
import { PostgresColumns } from './postgres-errors.ts';
import { oid } from './type-catalog.ts';

/** SQL expression of a column, as text that our CSV reads. @throws PostgresColumns where there is none */
export function projection({ name, type, field }: FittedColumn, server: string): string {
  const column = quoteName(name);
  const isText = field.type.kind === 'VARCHAR' || field.type.kind === 'CHAR';
  if (!isText && type.element?.oid === oid.bytea) {
    const detail = `its column "${name}" is an array of bytes, which a query cannot give: take one column for each, or encode(…, 'hex') of its elements`;
    throw new PostgresColumns({ server, detail });
  }
  switch (type.oid) {
    case oid.bool:
      return `${column}::text`;
    case oid.bytea:
      return isText
        ? `encode(${column}, 'hex')`
        : `(SELECT CASE WHEN ${column} IS NULL THEN NULL ELSE '[' || coalesce(string_agg(get_byte(${column}, i)::text, ',' ORDER BY i), '') || ']' END FROM generate_series(0, length(${column}) - 1) AS i)`;
    case oid.timestamptz:
      return `(${column} AT TIME ZONE 'UTC')`;
    case oid.timetz:
      return `(${column} AT TIME ZONE 'UTC')::time`;
    case oid.money:
      return isText || isNested(field) ? column : `${column}::numeric`;
    case oid.json:
    case oid.jsonb:
      return column;
    default:
      return isText || !isNested(field) ? column : `to_json(${column})`;
  }
}

function isNested({ type }: Field): boolean {
  return type.kind === 'ARRAY' || type.kind === 'MAP' || type.kind === 'ROW' || type.kind === 'VARIANT';
}
