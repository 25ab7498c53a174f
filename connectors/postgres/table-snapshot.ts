// The rows of a table that its publication sends, at one position of the log, as COPY prints them, and that position.
//
// A temporary slot exports a snapshot: its rows and the slot's position belong together. The slot lives as long as its
// connection, which is held open until the last row has been read. As long as that one holds, rows whose connection breaks off are read
// on behind the last one on another: a table of one snapshot is scanned from its start, and has the same rows in the same order.
import type { Client } from 'pg';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { PayloadBytes } from '../sdk/source.ts';
import { type FittedColumn, feeds, fitColumns, type SourceColumn } from './column-fit.ts';
import { copyOut } from './copy-out.ts';
import { closePostgres, quoteName, quoteText } from './postgres-connection.ts';
import { notPublished, type PublishedTable, publishedRows, publishedTable } from './published-table.ts';
import type { FoundColumns } from './rows-format.ts';
import type { TypeCatalog } from './type-catalog.ts';

export type SnapshotPart =
  /** First: the position that the rows stand for. */
  | { readonly kind: 'position'; readonly lsn: string }
  /** Whole rows as COPY prints them, and what their decoder has to know of them (rows-format.ts). */
  | {
      readonly kind: 'rows';
      readonly bytes: PayloadBytes;
      readonly release: () => void;
      /** See CopiedRows. */
      readonly isEarly: boolean;
      readonly found: string;
    };

export interface SnapshotTarget {
  readonly publication: string;
  readonly table: string;
  readonly relation: Relation;
  readonly server: string;
  readonly catalog: TypeCatalog;
  /** Of the connector; the temporary one is named after it. */
  readonly slot: string;
}

type Surroundings = Parameters<typeof copyOut>[2];

/**
 * The columns that the publication sends, and what they feed; `left`: those that the relation has, and that are not sent.
 * @throws PostgresColumns, and what the server says
 */
export async function snapshotColumns(
  client: Client,
  {
    published,
    relation,
    server,
    catalog,
  }: Omit<SnapshotTarget, 'slot' | 'publication' | 'table'> & { readonly published: PublishedTable },
): Promise<{ readonly columns: readonly FittedColumn[]; readonly left: readonly string[] }> {
  const { fields } = await client.query(`SELECT * FROM ${published.from} LIMIT 0`);
  // Of a domain the server says here what it rests on: its members and elements are the same.
  const columns: SourceColumn[] = fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }));
  const oids = columns.map(({ typeOid }) => typeOid);
  await catalog.load(client, oids);
  const sent = columns.filter(({ name }) => published.columns.has(name));
  const left = columns.filter((column) => !sent.includes(column) && feeds(column.name, relation));
  return { columns: fitColumns(sent, relation, catalog, server), left: left.map(({ name }) => name) };
}

/** Ends with the last row. `broken` is asked what to do about rows that broke off while the snapshot still holds: it waits, or throws. */
export async function* readSnapshot(
  connect: (replication: boolean) => Promise<Client>,
  target: SnapshotTarget,
  surroundings: Surroundings,
  broken: (thrown: unknown) => Promise<void>,
): AsyncGenerator<SnapshotPart> {
  const { publication, table, slot } = target;
  const { signal } = surroundings;
  const keeper = await connect(true);
  let isKept = true;
  const lost = (): void => void (isKept = false);
  keeper.once('error', lost);
  keeper.once('end', lost);
  let client: Client | null = null;
  try {
    const temporary = quoteName(`${slot.slice(-53)}_snapshot`);
    const made = await keeper.query(`CREATE_REPLICATION_SLOT ${temporary} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`);
    const { consistent_point: lsn, snapshot_name: snapshot } = made.rows[0] ?? {};
    yield { kind: 'position', lsn: String(lsn) };
    const given = { rows: 0 };
    while (!signal.aborted) {
      try {
        client = await connect(false);
        await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
        await client.query(`SET TRANSACTION SNAPSHOT ${quoteText(String(snapshot))}`);
        // Without these a scan may begin where another one is, or be cut in pieces.
        await client.query('SET LOCAL synchronize_seqscans = off');
        await client.query('SET LOCAL max_parallel_workers_per_gather = 0');
        const published = await publishedTable(client, publication, table);
        if (published === null) throw notPublished(target.server, publication, table);
        const { columns } = await snapshotColumns(client, { ...target, published });
        const query = `${publishedRows(published, columns)} OFFSET ${given.rows}`;
        yield* copied(client, query, columns, given, surroundings);
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

async function* copied(
  client: Client,
  query: string,
  columns: readonly FittedColumn[],
  given: { rows: number },
  surroundings: Surroundings,
): AsyncGenerator<SnapshotPart> {
  const found = JSON.stringify({ columns } satisfies FoundColumns);
  for await (const { bytes, rows, isEarly, release } of copyOut(client, `COPY (${query}) TO STDOUT`, surroundings)) {
    given.rows += rows;
    yield { kind: 'rows', bytes, release, isEarly, found };
  }
}
