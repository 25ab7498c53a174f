// The rows of a table at one position of the log, as lines of JSON, and that position.
//
// A temporary slot exports a snapshot: its rows and the slot's position belong together. The slot lives as long as its
// connection, which is held open until the last row has been read.
import type { Client } from 'pg';
import type { Relation } from '../../runtime/batch/schema.ts';
import { matchColumns, projection, type SourceColumn } from './column-projection.ts';
import { quoteName, quoteTable, quoteText } from './postgres-connection.ts';

export type SnapshotPart =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'position'; readonly lsn: string };

export interface SnapshotTarget {
  readonly table: string;
  readonly relation: Relation;
  readonly server: string;
  /** Of the connector; the temporary one is named after it. */
  readonly slot: string;
}

const partBytes = 1 << 20;

/** A line for each row: `{"insert":{…}}`. @throws PostgresColumns, and what the server says */
export async function snapshotQuery(
  client: Client,
  table: string,
  relation: Relation,
  server: string,
): Promise<string> {
  const { fields } = await client.query(`SELECT * FROM ${quoteTable(table)} LIMIT 0`);
  const columns: SourceColumn[] = fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }));
  const targets = matchColumns(columns, relation, server);
  const members = columns.map((column, i) => {
    const field = targets[i];
    if (field === undefined) return '';
    const isJson = field.type.kind === 'VARBINARY' || field.type.kind === 'BINARY';
    const isNumber = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'REAL', 'DOUBLE', 'DECIMAL'].includes(
      field.type.kind,
    );
    const isWhole = field.type.kind === 'BOOLEAN' || ['ARRAY', 'MAP', 'ROW', 'VARIANT'].includes(field.type.kind);
    if (isJson) return `${quoteText(field.name)}, (${projection(column, field)})::json`;
    // Booleans, numbers and nested values have a JSON form of their own; the rest is the text that follows from the type.
    return isNumber || isWhole
      ? `${quoteText(field.name)}, ${quoteName(column.name)}`
      : `${quoteText(field.name)}, (${projection(column, field)})::text`;
  });
  return `SELECT '{"insert":' || json_build_object(${members.join(', ')})::jsonb::text || '}' FROM ${quoteTable(table)}`;
}

export async function* readSnapshot(
  connect: (replication: boolean) => Promise<Client>,
  { table, relation, server, slot }: SnapshotTarget,
  signal: AbortSignal,
): AsyncGenerator<SnapshotPart> {
  const keeper = await connect(true);
  let client: Client | null = null;
  try {
    const temporary = quoteName(`${slot.slice(0, 53)}_snapshot`);
    const made = await keeper.query(`CREATE_REPLICATION_SLOT ${temporary} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`);
    const { consistent_point: lsn, snapshot_name: snapshot } = made.rows[0] ?? {};
    client = await connect(false);
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(`SET TRANSACTION SNAPSHOT ${quoteText(String(snapshot))}`);
    const query = await snapshotQuery(client, table, relation, server);
    // JSON text holds no control characters: with these two as quote and delimiter nothing of it is ever escaped.
    const copy = `COPY (${query}) TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')`;
    const { to } = await import('pg-copy-streams');
    const stream = client.query(to(copy, { highWaterMark: partBytes }));
    const abort = (): void => void stream.destroy();
    signal.addEventListener('abort', abort, { once: true });
    try {
      yield* gathered(stream);
    } finally {
      signal.removeEventListener('abort', abort);
    }
    if (!signal.aborted) yield { kind: 'position', lsn: String(lsn) };
  } finally {
    if (signal.aborted) client?.connection?.stream.destroy();
    await client?.end().catch(() => {});
    await keeper.end().catch(() => {});
  }
}

async function* gathered(chunks: AsyncIterable<Buffer>): AsyncGenerator<SnapshotPart> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes < partBytes) continue;
    yield { kind: 'bytes', bytes: new Uint8Array(Buffer.concat(held)) };
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield { kind: 'bytes', bytes: new Uint8Array(Buffer.concat(held)) };
}
