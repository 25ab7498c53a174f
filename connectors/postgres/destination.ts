// postgres_output: changes of a view into a table of PostgreSQL, each flush one transaction.
//
// `materialized` keeps the table equal to the view: with key columns an insertion is an upsert and a deletion a delete by key; without
// them rows are inserted and deleted as whole rows, as many as there are. `cdc` appends every change with an operation and a time.
// The csv encoder prints rows with their weights; COPY takes them into a temporary table of texts, from which one statement each
// deletes and inserts with casts to the columns' own types: no row becomes an object, and a value that does not fit fails its flush.
// A lost connection is opened again and the flush that was under way is done anew: it either happened as a whole or not at all,
// so the table is right again behind it (`cdc` may hold its changes twice). Exactly once is exactly-once-destination.ts.

import type { Client } from 'pg';
import { assert } from '../../runtime/assert.ts';
import {
  type Destination,
  type DestinationContext,
  type DestinationDefinition,
  defineDestination,
  type Outgoing,
} from '../sdk/destination.ts';
import { copyIn } from './copy-in.ts';
import { postgresOutputDeclaration } from './declarations.ts';
import { ExactlyOnceDestination } from './exactly-once-destination.ts';
import { GatheredRows } from './gathered-rows.ts';
import { inTransaction, OutputSession } from './output-session.ts';
import type { OutputSettings } from './output-settings.ts';
import { type OutputTable, readOutputTable, stagingTable, temporaryRows, temporaryTable } from './output-table.ts';
import { StagedApplication } from './staged-application.ts';

export const postgresOutput: DestinationDefinition = defineDestination({
  ...postgresOutputDeclaration,
  create: (configuration, context) => {
    // SAFETY: the interface spells the parameters above, which the configuration has been validated against.
    const settings = configuration as unknown as OutputSettings;
    const isExactlyOnce = settings.delivery === 'exactly_once';
    return isExactlyOnce ? new ExactlyOnceDestination(settings, context) : new PostgresDestination(settings, context);
  },
});

class PostgresDestination implements Destination {
  readonly #context: DestinationContext;
  readonly #session: OutputSession;
  readonly #application: StagedApplication;
  #table: OutputTable | null = null;
  /** Since the last commit. */
  readonly #unflushed: GatheredRows;

  constructor(settings: OutputSettings, context: DestinationContext) {
    this.#context = context;
    this.#application = new StagedApplication(settings);
    this.#unflushed = new GatheredRows(settings.max_buffer_size_bytes);
    this.#session = new OutputSession(settings, context, async (client) => {
      this.#table = await readOutputTable(client, settings, context.relation, this.#session.server);
      await client.query(stagingTable(this.#table));
    });
  }

  async open(): Promise<void> {
    await this.#session.open();
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'bytes', 'postgres_output has the csv format');
    this.#unflushed.add(data.bytes);
  }

  async flush(): Promise<void> {
    if (this.#unflushed.bytes === 0) return;
    await this.#session.run((client) => this.#commit(client));
    this.#unflushed.clear();
  }

  async teardown(): Promise<void> {
    await this.#session.close();
  }

  async #commit(client: Client): Promise<void> {
    const table = this.#table;
    assert(table !== null, 'a destination is open while it is flushed');
    await inTransaction(client, async () => {
      await copyIn(client, temporaryTable, table.stagingColumns, this.#unflushed.chunks());
      await this.#application.apply(client, table, temporaryRows, this.#context.clock.now());
      await client.query(`TRUNCATE ${temporaryTable}`);
    });
  }
}
