// postgres_output with `delivery: exactly_once`: rows wait in a table of texts, and come into the table with the checkpoint that holds them.
//
//   flush       rows ─► waiting rows                                                            one transaction, seen by nobody
//   prepare(c)  "c ends at row n" is written down, and committed; then rows up to n ─► table, c in `committed`     left open
//   commit(c)   COMMIT of that
//   recover(c)  c committed: waiting rows are forgotten. c prepared: rows up to its n ─► table, the others are forgotten
//
// Whatever the table refuses (a value that does not fit, a constraint) shows in prepare, before the checkpoint counts. When the
// open transaction is lost (with the connection, or because rows behind it grow too many to be kept in memory), commit does it anew from the
// waiting rows. A connection that breaks in a commit says not how that went: `flushes` and `committed` in the database do.
import type { Client } from 'pg';
import { assert } from '../../runtime/assert.ts';
import type { Destination, DestinationContext, Outgoing } from '../sdk/destination.ts';
import { copyIn } from './copy-in.ts';
import { GatheredRows } from './gathered-rows.ts';
import { inTransaction, OutputSession } from './output-session.ts';
import type { OutputSettings } from './output-settings.ts';
import { type OutputState, OutputStore } from './output-state.ts';
import { type OutputTable, readOutputTable } from './output-table.ts';
import { PostgresOutputDiverged } from './postgres-errors.ts';
import { StagedApplication } from './staged-application.ts';

/** Behind an open transaction rows are kept in memory; at so many bytes it is given up, and done anew later. */
const heldBytesMax = 16 << 20;

export class ExactlyOnceDestination implements Destination {
  readonly #settings: OutputSettings;
  readonly #context: DestinationContext;
  readonly #session: OutputSession;
  readonly #id: string;
  readonly #store: OutputStore;
  #table: OutputTable | null = null;
  readonly #unflushed: GatheredRows;
  readonly #application: StagedApplication;
  /** Flushes of this session of the connector that are in the database for sure. */
  #flushes = 0;
  /** The checkpoint whose transaction is open on this connection. */
  #held: string | null = null;

  constructor(settings: OutputSettings, context: DestinationContext) {
    this.#settings = settings;
    this.#context = context;
    const { endpoint, pipeline = '', relation, clock, signal } = context;
    this.#id = settings.output_id ?? `${pipeline}/${endpoint}`;
    this.#unflushed = new GatheredRows(settings.max_buffer_size_bytes);
    this.#application = new StagedApplication(settings);
    this.#store = new OutputStore(this.#id, settings.state_table);
    this.#session = new OutputSession(settings, context, async (client) => {
      // What was open was so on another connection.
      this.#held = null;
      await this.#store.lock(client, this.#session.server, clock, signal);
      this.#table = await readOutputTable(client, settings, relation, this.#session.server);
    });
  }

  async open(): Promise<void> {
    await this.#session.open();
  }

  async recover(checkpoint: string | null): Promise<void> {
    await this.#session.run((client) => this.#store.makeState(client));
    await this.#session.run((client) =>
      inTransaction(client, async () => {
        const state = (await this.#store.read(client)) ?? (await this.#adopted(client, checkpoint));
        const upTo = state === null || checkpoint === null ? null : this.#preparedUpTo(state, checkpoint);
        if (upTo !== null) await this.#apply(client, upTo);
        if (state !== null && state.committed !== null && checkpoint === null) {
          this.#context.log(`the pipeline begins anew: the table keeps what ${this.#id} has delivered before`);
        }
        await this.#store.makeWaiting(client, this.#outputTable);
        await this.#store.put(client, { committed: checkpoint, prepared: [], flushes: 0 });
      }),
    );
    this.#flushes = 0;
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'bytes', 'postgres_output has the csv format');
    this.#unflushed.add(data.bytes);
  }

  async flush(): Promise<void> {
    const { bytes } = this.#unflushed;
    if (bytes === 0 || (this.#held !== null && bytes <= heldBytesMax)) return;
    await this.#session.run((client) => this.#stage(client, null));
    this.#staged();
  }

  async prepare(checkpoint: string): Promise<void> {
    await this.#session.run((client) => this.#stage(client, checkpoint));
    this.#staged();
    await this.#session.run(async (client) => {
      if (this.#held !== checkpoint) await this.#begin(client, checkpoint);
    });
  }

  async commit(checkpoint: string): Promise<void> {
    await this.#session.run(async (client) => {
      if (this.#held !== checkpoint) await this.#begin(client, checkpoint);
      if (this.#held === checkpoint) await client.query('COMMIT');
      this.#held = null;
    });
  }

  async teardown(): Promise<void> {
    await this.#session.close();
  }

  async onDeleted(): Promise<void> {
    const { clock, signal } = this.#context;
    const session: OutputSession = new OutputSession(this.#settings, this.#context, (client) =>
      this.#store.lock(client, session.server, clock, signal),
    );
    try {
      await session.run((client) => inTransaction(client, () => this.#store.forget(client)));
    } finally {
      await session.close();
    }
  }

  /** What it has delivered while its pipeline was called otherwise. */
  async #adopted(client: Client, checkpoint: string | null): Promise<OutputState | null> {
    if (checkpoint === null || this.#settings.output_id !== undefined) return null;
    const { endpoint, log } = this.#context;
    const { server } = this.#session;
    const state = await this.#store.adopt(client, { checkpoint, endpoint, server }, this.#outputTable);
    if (state !== null) log(`goes on as ${this.#id} where it was when its pipeline had another name`);
    return state;
  }

  get #outputTable(): OutputTable {
    const table = this.#table;
    assert(table !== null, 'a destination is open while it is used');
    return table;
  }

  /** Rows that came since the last time wait from now on; `checkpoint` is prepared with them. */
  async #stage(client: Client, checkpoint: string | null): Promise<void> {
    await this.#giveUpHeld(client);
    await inTransaction(client, async () => {
      const state = await this.#known(client);
      // The connection broke in the commit, which took place.
      if (state.flushes > this.#flushes) return;
      const rows = this.#unflushed.chunks();
      if (rows.length > 0) await copyIn(client, this.#store.waiting, this.#outputTable.stagingColumns, rows);
      const { prepared } = state;
      const next = checkpoint === null ? [] : [[checkpoint, await this.#store.lastWaiting(client)] as const];
      await this.#store.put(client, { ...state, prepared: [...prepared, ...next], flushes: this.#flushes + 1 });
    });
  }

  #staged(): void {
    this.#flushes++;
    this.#unflushed.clear();
  }

  /** Brings the rows of a checkpoint into the table, and leaves the transaction open; none is when that has happened before. */
  async #begin(client: Client, checkpoint: string): Promise<void> {
    await this.#giveUpHeld(client);
    await client.query('BEGIN');
    try {
      const state = await this.#known(client);
      const upTo = this.#preparedUpTo(state, checkpoint);
      if (upTo === null) {
        await client.query('ROLLBACK');
        return;
      }
      await this.#apply(client, upTo);
      const prepared = state.prepared.slice(indexOf(state, checkpoint) + 1);
      await this.#store.removeWaiting(client, upTo);
      await this.#store.put(client, { ...state, committed: checkpoint, prepared });
      await client.query('SET CONSTRAINTS ALL IMMEDIATE');
      this.#held = checkpoint;
    } catch (thrown) {
      await client.query('ROLLBACK').catch(() => {});
      throw thrown;
    }
  }

  async #giveUpHeld(client: Client): Promise<void> {
    if (this.#held === null) return;
    this.#held = null;
    await client.query('ROLLBACK');
  }

  async #apply(client: Client, upTo: number): Promise<void> {
    if (upTo === 0) return;
    const table = this.#outputTable;
    if (!(await this.#store.fits(client, table))) {
      throw this.#diverged(
        'rows that wait to be delivered have other columns than the view; start the program once more that made them',
      );
    }
    await this.#application.apply(client, table, this.#store.waitingUpTo(upTo), this.#context.clock.now());
  }

  async #known(client: Client): Promise<OutputState> {
    const state = await this.#store.read(client);
    if (state === null) throw this.#diverged('its row is gone from the state table');
    return state;
  }

  /** Number of the last waiting row of a checkpoint; null: it is committed. @throws PostgresOutputDiverged */
  #preparedUpTo(state: OutputState, checkpoint: string): number | null {
    if (state.committed === checkpoint) return null;
    const found = state.prepared[indexOf(state, checkpoint)];
    if (found !== undefined) return found[1];
    throw this.#diverged(
      `it has never been prepared for checkpoint ${checkpoint}, and has delivered ${state.committed ?? 'none'}`,
    );
  }

  #diverged(detail: string): Error {
    return new PostgresOutputDiverged({ server: this.#session.server, output: this.#id, detail });
  }
}

function indexOf({ prepared }: OutputState, checkpoint: string): number {
  return prepared.findIndex(([each]) => each === checkpoint);
}
