// postgres_output: changes of a view into a table of PostgreSQL, each flush one transaction.
//
// `materialized` keeps the table equal to the view: with key columns an insertion is an upsert and a deletion a delete by key; without
// them rows are inserted and deleted as whole rows, as many as there are. `cdc` appends every change with an operation and a time.
// The csv encoder prints rows with their weights; COPY takes them into a temporary table of texts, from which one statement each
// deletes and inserts with casts to the columns' own types: no row becomes an object, and a value that does not fit fails its flush.
// A lost connection is opened again and the flush that was under way is done anew: it either happened as a whole or not at all,
// so the table is right again behind it (`cdc` may hold its changes twice).

import type { Client } from 'pg';
import { assert } from '../../runtime/assert.ts';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import {
  type Destination,
  type DestinationContext,
  type DestinationDefinition,
  defineDestination,
  type Outgoing,
} from '../sdk/destination.ts';
import { wait } from '../sdk/wait.ts';
import { postgresOutputDeclaration } from './declarations.ts';
import type { OutputSettings } from './output-settings.ts';
import { applyStatements, type OutputTable, readOutputTable, stagingTable } from './output-table.ts';
import { closePostgres, connectPostgres, serverOf } from './postgres-connection.ts';
import { failureOf, finalPostgresError, PostgresUnavailable } from './postgres-errors.ts';

const firstPauseMs = 200;
const pauseMsMax = 10_000;

export const postgresOutput: DestinationDefinition = defineDestination({
  ...postgresOutputDeclaration,
  // SAFETY: the interface spells the parameters above, which the configuration has been validated against.
  create: (configuration, context) => new PostgresDestination(configuration as unknown as OutputSettings, context),
});

class PostgresDestination implements Destination {
  readonly #settings: OutputSettings;
  readonly #context: DestinationContext;
  readonly #server: string;
  #client: Client | null = null;
  #table: OutputTable | null = null;
  /** Rows since the last commit, for a connection that is lost meanwhile. */
  #unflushed: Uint8Array[] = [];

  constructor(settings: OutputSettings, context: DestinationContext) {
    this.#settings = settings;
    this.#context = context;
    this.#server = serverOf(settings.uri);
    const names = context.relation.schema.fields.map(({ name }) => name);
    for (const key of settings.key_columns ?? []) {
      if (!names.includes(key))
        throw new ConfigInvalidValue({
          key: 'key_columns',
          reason: `names "${key}", which is no column of ${context.relation.name}`,
        });
    }
  }

  async open(): Promise<void> {
    try {
      this.#client = await connectPostgres(this.#settings, this.#context);
      this.#table = await readOutputTable(this.#client, this.#settings, this.#context.relation, this.#server);
      await this.#client.query(stagingTable(this.#table));
    } catch (thrown) {
      throw this.#error(thrown);
    }
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'bytes', 'postgres_output has the csv format');
    // The caller may use its array again afterwards.
    this.#unflushed.push(data.bytes.slice());
  }

  async flush(): Promise<void> {
    if (this.#unflushed.length === 0) return;
    const { signal, clock, reportError } = this.#context;
    for (let attempts = 1; ; attempts++) {
      try {
        await this.#commit();
        this.#unflushed = [];
        return;
      } catch (thrown) {
        const error = this.#error(thrown, attempts);
        if (!(error instanceof PostgresUnavailable) || attempts > this.#settings.max_retries || signal.aborted)
          throw error;
        reportError(error);
        await closePostgres(this.#client);
        this.#client = null;
        await wait(clock, Math.min(pauseMsMax, firstPauseMs * 2 ** (attempts - 1)), signal);
      }
    }
  }

  async teardown(): Promise<void> {
    await closePostgres(this.#client);
    this.#client = null;
  }

  async #commit(): Promise<void> {
    if (this.#client === null) await this.open();
    const [client, table] = [this.#client, this.#table];
    assert(client !== null && table !== null, 'a destination is open while it is flushed');
    const { from } = await import('pg-copy-streams');
    await client.query('BEGIN');
    try {
      const stream = client.query(from(`COPY ${table.staging} (${table.stagingColumns}) FROM STDIN (FORMAT csv)`));
      const written = new Promise<void>((resolve, reject) => stream.once('finish', resolve).once('error', reject));
      for (const bytes of this.#unflushed) {
        if (!stream.write(bytes))
          await Promise.race([written, new Promise((resolve) => stream.once('drain', resolve))]);
      }
      stream.end();
      await written;
      for (const statement of applyStatements(table, this.#settings, this.#context.clock.now())) {
        await client.query(statement);
      }
      await client.query('COMMIT');
    } catch (thrown) {
      await client.query('ROLLBACK').catch(() => {});
      throw thrown;
    }
  }

  #error(thrown: unknown, attempts = 1): unknown {
    const reason = failureOf(thrown).message;
    return (
      finalPostgresError(thrown, this.#server) ??
      new PostgresUnavailable({ server: this.#server, reason, attempts }, { cause: thrown })
    );
  }
}
