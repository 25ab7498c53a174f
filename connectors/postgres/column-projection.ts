// How each column of a query or table of PostgreSQL is asked for, so that its text is what a column of ours reads exactly.
//
// What the relation lacks is refused; what only the relation has gets its default. By type (their OIDs are fixed):
// booleans as true and false, bytes as JSON arrays of numbers, arrays, json and records as JSON, timestamps with a zone as their
// time in UTC, everything else as PostgreSQL prints it (numbers with every digit).
import type { Field, Relation } from '../../runtime/batch/schema.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { quoteName } from './postgres-connection.ts';
import { PostgresColumns } from './postgres-errors.ts';

export interface SourceColumn {
  readonly name: string;
  readonly typeOid: number;
}

/** The column of the relation that each source column feeds. @throws PostgresColumns when one feeds none. */
export function matchColumns(columns: readonly SourceColumn[], relation: Relation, server: string): readonly Field[] {
  const { fields } = relation.schema;
  return columns.map(({ name }) => {
    const found =
      fields.find((field) => field.name === name) ??
      fields.find((field) => field.quoted !== true && field.name === name.toLowerCase());
    if (found !== undefined) return found;
    const names = fields.map((field) => field.name);
    const detail = `its column "${name}" is not among those of ${relation.name}: ${names.join(', ')}`;
    throw new PostgresColumns({ server, detail }, { suggestion: nearestName(name, names) });
  });
}

/** SQL expression of a column, as text that our CSV reads. */
export function projection({ name, typeOid }: SourceColumn, field: Field): string {
  const column = quoteName(name);
  const isText = field.type.kind === 'VARCHAR' || field.type.kind === 'CHAR';
  switch (typeOid) {
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

/** https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_type.dat */
export const oid = {
  bool: 16,
  bytea: 17,
  json: 114,
  jsonb: 3802,
  timestamptz: 1184,
  timetz: 1266,
} as const;
