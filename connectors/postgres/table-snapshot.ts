// The rows of a table at one position of the log, as lines of JSON, and that position.
//
// A temporary slot exports a snapshot: its rows and the slot's position belong together. The slot lives as long as its
// connection, which is held open until the last row has been read. As long as that one holds, rows whose connection breaks off are read
// on behind the last one on another: a table of one snapshot is scanned from its start, and has the same rows in the same order.
import type { Client } from 'pg';
import type { Relation } from '../../runtime/batch/schema.ts';
import { matchColumns, projection, type SourceColumn } from './column-projection.ts';
import { closePostgres, quoteName, quoteTable, quoteText } from './postgres-connection.ts';

export type SnapshotPart =
  /** First: the position that the rows stand for. */
  | { readonly kind: 'position'; readonly lsn: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> };

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

/** Ends with the last row. `broken` is asked what to do about rows that broke off while the snapshot still holds: it waits, or throws. */
export async function* readSnapshot(
  connect: (replication: boolean) => Promise<Client>,
  { table, relation, server, slot }: SnapshotTarget,
  signal: AbortSignal,
  broken: (thrown: unknown) => Promise<void>,
): AsyncGenerator<SnapshotPart> {
  const keeper = await connect(true);
  let isKept = true;
  const lost = (): void => void (isKept = false);
  keeper.once('error', lost);
  keeper.once('end', lost);
  let client: Client | null = null;
  try {
    const temporary = quoteName(`${slot.slice(0, 53)}_snapshot`);
    const made = await keeper.query(`CREATE_REPLICATION_SLOT ${temporary} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`);
    const { consistent_point: lsn, snapshot_name: snapshot } = made.rows[0] ?? {};
    yield { kind: 'position', lsn: String(lsn) };
    const given = { rows: 0, bytesOfNext: 0 };
    while (!signal.aborted) {
      try {
        client = await connect(false);
        await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
        await client.query(`SET TRANSACTION SNAPSHOT ${quoteText(String(snapshot))}`);
        // Without these a scan may begin where another one is, or be cut in pieces.
        await client.query('SET LOCAL synchronize_seqscans = off');
        await client.query('SET LOCAL max_parallel_workers_per_gather = 0');
        const query = await snapshotQuery(client, table, relation, server);
        yield* copied(client, `${query} OFFSET ${given.rows}`, given, signal);
        return;
      } catch (thrown) {
        await closePostgres(client);
        client = null;
        if (signal.aborted || !isKept) throw thrown;
        await broken(thrown);
      }
    }
  } finally {
    if (signal.aborted) client?.connection?.stream.destroy();
    await closePostgres(client);
    await closePostgres(keeper);
  }
}

/** Rows, and bytes of the row behind them, that have been given out. */
interface Given {
  rows: number;
  bytesOfNext: number;
}

async function* copied(client: Client, query: string, given: Given, signal: AbortSignal): AsyncGenerator<SnapshotPart> {
  // JSON text holds no control characters: with these two as quote and delimiter nothing of it is ever escaped.
  const copy = `COPY (${query}) TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')`;
  const { to } = await import('pg-copy-streams');
  const stream = client.query(to(copy, { highWaterMark: partBytes }));
  const abort = (): void => void stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  let skip = given.bytesOfNext;
  try {
    for await (const part of gathered(stream)) {
      if (part.kind !== 'bytes') continue;
      const bytes = skip === 0 ? part.bytes : part.bytes.slice(skip);
      skip = Math.max(0, skip - part.bytes.length);
      if (bytes.length === 0) continue;
      const last = bytes.lastIndexOf(10);
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) given.rows++;
      given.bytesOfNext = last < 0 ? given.bytesOfNext + bytes.length : bytes.length - last - 1;
      yield { kind: 'bytes', bytes };
    }
  } finally {
    signal.removeEventListener('abort', abort);
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
