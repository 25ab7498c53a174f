// A table as a publication sends it: which table of the server it is, which of its columns, which of its rows; and whether it is still
// the one that is followed.
//
// A snapshot copies what the publication will send and no more, so that a row is the same in both. The log has no word for a table that
// is dropped, renamed or taken out of the publication: it only falls silent. So the catalog is looked at, now and then.
import type { Client } from 'pg';
import { quoteName, quoteTable } from './postgres-connection.ts';
import { PostgresMissing, PostgresUnsupportedChange } from './postgres-errors.ts';

export interface PublishedTable {
  /** The server's number of the table, as messages of the log have it. */
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  /** What a query reads: without the tables that inherit from it, which the publication has under their own names. */
  readonly from: string;
  readonly columns: ReadonlySet<string>;
  /** Condition of the rows that are sent, as SQL; null: all are. */
  readonly filter: string | null;
}

// Before PostgreSQL 15 a publication has neither lists of columns nor conditions; before 18 it never sends what the server generates, though
// the list may name it.
const described = `SELECT c.oid::int4 AS id, n.nspname AS schema, c.relname AS table, c.relkind AS kind, to_jsonb(p) ->> 'rowfilter' AS filter,
    (SELECT jsonb_agg(a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND coalesce(to_jsonb(p) -> 'attnames' ? a.attname::text, true)
      AND (current_setting('server_version_num')::int >= 180000 OR coalesce(to_jsonb(a) ->> 'attgenerated', '') = '')) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_publication_tables p ON p.pubname = $1 AND p.schemaname = n.nspname AND p.tablename = c.relname
  WHERE c.oid = $2::regclass`;

/** Null: the publication does not hold the table. @throws what the server says of a table that is not there */
export async function publishedTable(
  client: Client,
  publication: string,
  table: string,
): Promise<PublishedTable | null> {
  const { rows } = await client.query(described, [publication, quoteTable(table)]);
  const [found] = rows;
  if (found === undefined) return null;
  return {
    id: found.id,
    schema: found.schema,
    table: found.table,
    from: found.kind === 'r' ? `ONLY ${quoteTable(table)}` : quoteTable(table),
    columns: new Set<string>(found.columns ?? []),
    filter: found.filter,
  };
}

export function notPublished(server: string, publication: string, table: string): Error {
  return new PostgresMissing({ server, reason: `publication "${publication}" does not hold the table ${table}` });
}

export interface FollowedTable {
  readonly server: string;
  readonly publication: string;
  /** As it is configured. */
  readonly table: string;
  readonly id: number;
}

/** @throws PostgresMissing, PostgresUnsupportedChange when the table is not what was followed so far, or not published any more */
export async function requireFollowed(client: Client, followed: FollowedTable): Promise<void> {
  const { server, publication, table } = followed;
  await requireSame(client, followed);
  if ((await publishedTable(client, publication, table)) !== null) return;
  // It may have been renamed or dropped between the two questions.
  await requireSame(client, followed);
  throw notPublished(server, publication, table);
}

async function requireSame(client: Client, { server, table, id }: FollowedTable): Promise<void> {
  const { rows } = await client.query(
    `SELECT to_regclass($2)::oid::int4 AS now, (SELECT format('%I.%I', n.nspname, c.relname)
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid::int4 = $1) AS name`,
    [id, quoteTable(table)],
  );
  const { now, name } = rows[0] ?? {};
  if (now === id) return;
  if (name !== null) throw tableRenamed(table, name);
  if (now !== null) throw tableMadeAgain(table);
  const reason = `there is no table ${table} any more: it was dropped while it was followed`;
  throw new PostgresMissing({ server, reason });
}

export function tableRenamed(table: string, name: string): Error {
  const detail = `it is called ${name} now: set \`source_table\` and start the connector anew, or name it back`;
  return new PostgresUnsupportedChange({ table, detail });
}

export function tableMadeAgain(table: string): Error {
  const detail =
    'it was dropped and made again: rows of the one before are still here; start the connector anew, from a snapshot, over an empty table';
  return new PostgresUnsupportedChange({ table, detail });
}

/** `SELECT … FROM … WHERE …` of these columns. */
export function publishedRows({ from, filter }: PublishedTable, columns: readonly { readonly name: string }[]): string {
  const list = columns.map(({ name }) => quoteName(name)).join(', ');
  return `SELECT ${list} FROM ${from}${filter === null ? '' : ` WHERE ${filter}`}`;
}
