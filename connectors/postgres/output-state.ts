// What an output that delivers exactly once keeps in the database beside its table: rows that wait, and a row that says how far it has come.
//
//   STATE        one row an output: `committed`, the latest checkpoint whose rows are in the table; `prepared`, checkpoints that came after
//                it, with the number of the last waiting row of each, oldest first; `flushes`, those of this session of the connector
//   STATE_hash   waiting rows as texts, numbered in their order, each with the transaction that it came with
//
// One session at a time: an advisory lock is held as long as the connection lasts, so that a killed process that the server has not missed
// yet can write nothing behind the one that follows it. Statements only; what is done when is exactly-once-destination.ts.
import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import type { Clock } from '../../runtime/clock.ts';
import { wait } from '../sdk/wait.ts';
import type { OutputTable, StagedRows } from './output-table.ts';
import { quoteTable, quoteText } from './postgres-connection.ts';
import { PostgresOutputTaken } from './postgres-errors.ts';

/** Checkpoint, and number of its last waiting row. */
export type Prepared = readonly [checkpoint: string, upTo: number];

export interface OutputState {
  readonly committed: string | null;
  readonly prepared: readonly Prepared[];
  readonly flushes: number;
}

/** What a session that is gone gets to be missed by the server: a statement of its own may be under way. */
const lockMs = 90_000;
const lockPauseMs = 200;
const keyOfMaking = 0x6d696c6c;

export class OutputStore {
  /** As SQL. */
  readonly waiting: string;
  readonly #id: string;
  readonly #name: string;
  readonly #state: string;
  readonly #stateTable: string;

  constructor(id: string, stateTable: string) {
    this.#id = id;
    this.#name = quoteText(id);
    this.#state = quoteTable(stateTable);
    this.#stateTable = stateTable;
    this.waiting = waitingTable(stateTable, id);
  }

  /** Of the session. @throws PostgresOutputTaken */
  async lock(client: Client, server: string, clock: Clock, signal: AbortSignal): Promise<void> {
    const until = clock.monotonic() + lockMs;
    for (;;) {
      const { rows } = await client.query(`SELECT pg_try_advisory_lock(hashtextextended(${this.#name}, 0)) AS got`);
      if (rows[0]?.['got'] === true) return;
      signal.throwIfAborted();
      if (clock.monotonic() >= until) throw new PostgresOutputTaken({ server, output: this.#id });
      await wait(clock, lockPauseMs, signal);
    }
  }

  /**
   * The table of states, if there is none. Not in a transaction: outputs that start together would not see what the first one has made. Who may
   * not make tables may still use the one that is there.
   */
  async makeState(client: Client): Promise<void> {
    await client.query(`SELECT pg_advisory_lock(${keyOfMaking}, 0)`);
    try {
      if (await isThere(client, this.#state)) return;
      await client.query(
        `CREATE TABLE ${this.#state} (output text PRIMARY KEY, committed text, prepared jsonb NOT NULL, flushes bigint NOT NULL)`,
      );
    } finally {
      await client.query(`SELECT pg_advisory_unlock(${keyOfMaking}, 0)`).catch(() => {});
    }
  }

  /** Until the end of the transaction nobody changes it; null: there is no row of this output. */
  async read(client: Client): Promise<OutputState | null> {
    const { rows } = await client.query(
      `SELECT committed, prepared, flushes FROM ${this.#state} WHERE output = ${this.#name} FOR UPDATE`,
    );
    const row = rows[0];
    if (row === undefined) return null;
    const committed = row['committed'] === null ? null : String(row['committed']);
    // SAFETY: written by `put` alone.
    return { committed, prepared: row['prepared'] as readonly Prepared[], flushes: Number(row['flushes']) };
  }

  async put(client: Client, { committed, prepared, flushes }: OutputState): Promise<void> {
    await client.query(
      `INSERT INTO ${this.#state} (output, committed, prepared, flushes) VALUES ($1, $2, $3, $4)
       ON CONFLICT (output) DO UPDATE SET committed = $2, prepared = $3, flushes = $4`,
      [this.#id, committed, JSON.stringify(prepared), flushes],
    );
  }

  /**
   * Takes over what the output has under another name of its pipeline, which has taken part in `checkpoint`: checkpoints have names that none
   * has twice. Within a transaction. Null: there is nothing.
   */
  async adopt(
    client: Client,
    {
      checkpoint,
      endpoint,
      server,
    }: { readonly checkpoint: string; readonly endpoint: string; readonly server: string },
    { columns }: OutputTable,
  ): Promise<OutputState | null> {
    const { rows } = await client.query(
      `SELECT output FROM ${this.#state} WHERE right(output, length($2) + 1) = '/' || $2
         AND (committed = $1 OR EXISTS (SELECT 1 FROM jsonb_array_elements(prepared) AS p WHERE p ->> 0 = $1)) FOR UPDATE`,
      [checkpoint, endpoint],
    );
    if (rows[0] === undefined) return null;
    const former = String(rows[0]['output']);
    const lock = `SELECT pg_try_advisory_xact_lock(hashtextextended(${quoteText(former)}, 0)) AS got`;
    if ((await client.query(lock)).rows[0]?.['got'] !== true) throw new PostgresOutputTaken({ server, output: former });
    const waiting = waitingTable(this.#stateTable, former);
    const shape = `SELECT obj_description(to_regclass($1), 'pg_class') AS shape`;
    const isSame = (await client.query(shape, [waiting])).rows[0]?.['shape'] === shapeOf(former, columns);
    // Rows of other columns are told as such by whoever reads them.
    if (isSame) await client.query(`COMMENT ON TABLE ${waiting} IS ${quoteText(shapeOf(this.#id, columns))}`);
    await client.query(`DROP TABLE IF EXISTS ${this.waiting}`);
    await client.query(`ALTER TABLE ${waiting} RENAME TO ${this.waiting.slice(this.waiting.lastIndexOf('.') + 1)}`);
    await client.query(`UPDATE ${this.#state} SET output = $1 WHERE output = $2`, [this.#id, former]);
    return await this.read(client);
  }

  /** An empty table for waiting rows. */
  async makeWaiting(client: Client, table: OutputTable): Promise<void> {
    const { columns } = table;
    if (await this.fits(client, table)) {
      await client.query(`TRUNCATE ${this.waiting}`);
      return;
    }
    const texts = columns.map(({ staged }) => `${staged} text`).join(', ');
    await client.query(`DROP TABLE IF EXISTS ${this.waiting}`);
    await client.query(
      `CREATE TABLE ${this.waiting} (${texts}, weight integer NOT NULL, n bigserial PRIMARY KEY,
        flush bigint NOT NULL DEFAULT txid_current())`,
    );
    await client.query(`COMMENT ON TABLE ${this.waiting} IS ${quoteText(shapeOf(this.#id, columns))}`);
  }

  /** Whether waiting rows are of this output as it is now. */
  async fits(client: Client, { columns }: OutputTable): Promise<boolean> {
    const { rows } = await client.query(`SELECT obj_description(to_regclass($1), 'pg_class') AS shape`, [this.waiting]);
    return rows[0]?.['shape'] === shapeOf(this.#id, columns);
  }

  /** Number of the last waiting row; 0: there is none. */
  async lastWaiting(client: Client): Promise<number> {
    const { rows } = await client.query(`SELECT coalesce(max(n), 0) AS n FROM ${this.waiting}`);
    return Number(rows[0]?.['n']);
  }

  waitingUpTo(upTo: number): StagedRows {
    return { source: `(SELECT * FROM ${this.waiting} WHERE n <= ${upTo})`, hasFlushes: true };
  }

  async removeWaiting(client: Client, upTo: number): Promise<void> {
    await client.query(`DELETE FROM ${this.waiting} WHERE n <= ${upTo}`);
  }

  /** The output is gone for good. */
  async forget(client: Client): Promise<void> {
    await client.query(`DROP TABLE IF EXISTS ${this.waiting}`);
    if (await isThere(client, this.#state))
      await client.query(`DELETE FROM ${this.#state} WHERE output = ${this.#name}`);
  }
}

async function isThere(client: Client, table: string): Promise<boolean> {
  const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
  return rows[0]?.['there'] === true;
}

/** As SQL. */
function waitingTable(stateTable: string, id: string): string {
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 12);
  return quoteTable(stateTable.endsWith('"') ? `${stateTable.slice(0, -1)}_${hash}"` : `${stateTable}_${hash}`);
}

/** What stands in the columns of waiting rows. */
function shapeOf(id: string, columns: OutputTable['columns']): string {
  return `Rows of Millrace output ${id} that wait for a checkpoint: ${columns.map(({ name }) => name).join(', ')}`;
}
