// What a follower of changes needs on the server: a publication that says which tables, and a slot that keeps the log until it
// is read. Made when the connector is created, kept between its runs, dropped when it is deleted. Names that the user gives are
// used; a publication that the user names is the user's: it is neither made nor dropped. What they are called otherwise is slot-names.ts.
import type { Client } from 'pg';
import type { MillraceError } from '../../runtime/errors.ts';
import { formatLsn, parseLsn } from './pgoutput.ts';
import { quoteName, quoteTable, quoteText } from './postgres-connection.ts';
import {
  PostgresMissing,
  PostgresNoIdentity,
  PostgresSlotLost,
  PostgresSlotUnfit,
  PostgresWalLevel,
} from './postgres-errors.ts';
import { notPublished, publishedTable } from './published-table.ts';

export interface SlotSettings {
  readonly source_table: string;
  readonly publication?: string;
  readonly slot_name?: string;
}

/** Names that are in use, or will be (slot-names.ts). */
export interface SlotNames {
  readonly slot: string;
  readonly publication: string;
  readonly ownsPublication: boolean;
}

/** Makes what is missing. @throws PostgresWalLevel, PostgresMissing */
export async function ensureSlot(
  client: Client,
  names: SlotNames,
  { source_table: table }: SlotSettings,
  server: string,
): Promise<void> {
  const level = await client.query('SHOW wal_level');
  const found = String(level.rows[0]?.wal_level);
  if (found !== 'logical') throw new PostgresWalLevel({ server, found });
  const { publication, slot, ownsPublication } = names;
  const publications = await client.query('SELECT 1 FROM pg_publication WHERE pubname = $1', [publication]);
  if (publications.rows.length === 0) {
    if (!ownsPublication) throw new PostgresMissing({ server, reason: `there is no publication "${publication}"` });
    // Changes of a partition are those of the table.
    const options = 'publish_via_partition_root = true';
    // Tables that inherit from it have names of their own in the log.
    const only = `ONLY ${quoteTable(table)}`;
    await client.query(`CREATE PUBLICATION ${quoteName(publication)} FOR TABLE ${only} WITH (${options})`);
  }
  const isHeld = (await publishedTable(client, publication, table)) !== null;
  // A table that was dropped and made again has left the publication.
  if (!isHeld && ownsPublication) {
    await client.query(`ALTER PUBLICATION ${quoteName(publication)} SET TABLE ONLY ${quoteTable(table)}`);
  } else if (!isHeld) throw notPublished(server, publication, table);
  const state = await slotState(client, slot);
  if (state?.unfit != null) throw new PostgresSlotUnfit({ server, slot, detail: state.unfit });
  // What an invalidated one has kept is gone, and nobody has read it.
  if (state?.isLost === true) await client.query('SELECT pg_drop_replication_slot($1)', [slot]);
  if (state === null || state.isLost) {
    await client.query('SELECT pg_create_logical_replication_slot($1, $2)', [slot, 'pgoutput']);
  }
}

/**
 * What the server will not be able to say of changed rows, if anything. Of a table that is published without an identity it refuses UPDATE and
 * DELETE to everybody.
 */
export async function identityProblem(
  client: Client,
  { source_table: table }: SlotSettings,
  hasKey: boolean,
): Promise<MillraceError | null> {
  const { rows } = await client.query(
    `SELECT relreplident AS identity, EXISTS (SELECT 1 FROM pg_index WHERE indrelid = c.oid AND indisprimary) AS keyed
     FROM pg_class c WHERE c.oid = $1::regclass`,
    [quoteTable(table)],
  );
  const { identity, keyed } = rows[0] ?? {};
  const advice = `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY FULL`;
  if (identity === 'n' || (identity === 'd' && keyed !== true)) {
    const detail = `it has no replica identity, so that the server refuses UPDATE and DELETE of it while it is published: ${advice}`;
    return new PostgresNoIdentity({ table, detail });
  }
  if (hasKey || identity === 'f') return null;
  const detail = `the SQL table has no primary key, so that only insertions can be followed: give it one, or ${advice}`;
  return new PostgresNoIdentity({ table, detail });
}

/**
 * Why the slot, which has been read up to `lsn`, cannot give everything behind it any more; null: it can. A server is only ever told that what is
 * durable here is done with, so that a slot which stands ahead of that is another one, or was read by somebody else.
 * @throws PostgresSlotUnfit
 */
export async function slotProblem(
  client: Client,
  { slot, lsn, server }: { readonly slot: string; readonly lsn: bigint; readonly server: string },
): Promise<PostgresSlotLostError | null> {
  const state = await slotState(client, slot);
  const lost = (detail: string): PostgresSlotLostError => new PostgresSlotLost({ server, slot, detail });
  if (state === null) return lost('is gone: somebody has dropped it');
  if (state.isLost)
    return lost('was invalidated: the server has removed the log that it stood for (max_slot_wal_keep_size)');
  if (state.unfit !== null) throw new PostgresSlotUnfit({ server, slot, detail: state.unfit });
  if (state.confirmed <= lsn) return null;
  const places = `stands at ${formatLsn(state.confirmed)}, ahead of ${formatLsn(lsn)} where this connector goes on`;
  return lost(`${places}: it was dropped and made again, or something else has read it`);
}

/** What comes next from it is behind this. */
export async function confirmedLsn(client: Client, slot: string): Promise<bigint> {
  return (await slotState(client, slot))?.confirmed ?? 0n;
}

export async function dropPublication(client: Client, { publication, ownsPublication }: SlotNames): Promise<void> {
  if (ownsPublication) await client.query(`DROP PUBLICATION IF EXISTS ${quoteName(publication)}`);
}

export async function dropSlot(client: Client, { slot }: Pick<SlotNames, 'slot'>): Promise<void> {
  // The process that served it may need a moment to notice that nobody listens.
  const end = `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = ${quoteText(slot)} AND active`;
  await client.query(end);
  const drop = `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${quoteText(slot)}`;
  await client.query(drop);
}

type PostgresSlotLostError = InstanceType<typeof PostgresSlotLost>;

export interface SlotState {
  /** Everything up to it was said to be durable, or was there before the slot. */
  readonly confirmed: bigint;
  readonly isLost: boolean;
  /** Why changes of this database cannot be read from it, as part of a sentence; null: they can. */
  readonly unfit: string | null;
}

/** Null: there is none. */
export async function slotState(client: Client, slot: string): Promise<SlotState | null> {
  // Without parameters: a connection that is to replicate knows plain statements only.
  const { rows } = await client.query(
    `SELECT wal_status AS status, plugin, database, current_database() AS here, confirmed_flush_lsn::text AS confirmed
     FROM pg_replication_slots WHERE slot_name = ${quoteText(slot)}`,
  );
  const [found] = rows;
  if (found === undefined) return null;
  const { status, plugin, database, here, confirmed } = found;
  const isElsewhere = plugin !== null && database !== here;
  const unfit =
    plugin === null
      ? 'is one of physical replication'
      : plugin !== 'pgoutput'
        ? `was made for the plugin "${plugin}", not for pgoutput`
        : null;
  return {
    confirmed: confirmed === null ? 0n : parseLsn(String(confirmed)),
    isLost: status === 'lost',
    unfit: isElsewhere ? `belongs to the database "${database}"` : unfit,
  };
}
