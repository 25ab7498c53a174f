// A table as inferred from a file, and its DDL.
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import { formatSqlType } from '../../runtime/batch/sql-type.ts';

export interface InferredColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly nullable: boolean;
}

/** What a reader of one kind of file finds out. */
export interface InferredFile {
  readonly columns: readonly InferredColumn[];
  readonly format: { readonly name: string; readonly config?: Readonly<Record<string, unknown>> };
  /** Records looked at; null: the file says its types itself. */
  readonly records: number | null;
  /** What the user should know, in whole sentences. */
  readonly notes: readonly string[];
}

/** Names that have to be quoted to be a column's or a table's: keywords of the SQL dialect and of its types. */
const reserved = new Set(
  `all and any array as asc between bigint binary boolean both by case cast char check column constraint create cross
  current date day decimal default delete desc distinct double drop else end escape except exists extract false filter
  first float for foreign from full function group grouping having hour if in index inner insert int integer intersect
  interval into is join key last lateral left like limit local map materialized minute month natural not null nulls
  numeric of offset on only or order outer over partition position precision primary range real references right row
  rows second select set smallint some symmetric system table then time timestamp tinyint to top trailing trim true type
  union unique unknown update user using uuid value values varbinary varchar variant view when where window with year`.split(
    /\s+/,
  ),
);

/** The name as SQL has to spell it: unquoted where that means the same. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !reserved.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

export function createTable(table: string, columns: readonly InferredColumn[]): string {
  const lines = columns.map(
    ({ name, type, nullable }) => `  ${quoteName(name)} ${formatSqlType(type)}${nullable ? '' : ' NOT NULL'}`,
  );
  return `CREATE TABLE ${quoteName(table)} (\n${lines.join(',\n')}\n);`;
}
