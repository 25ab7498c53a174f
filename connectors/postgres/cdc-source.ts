// postgres_cdc_input: a table of PostgreSQL as it is, and then every change of it, by logical replication.
//
// First open: a snapshot of the table and the log position that it stands for come from one exported snapshot, so that what follows
// begins exactly behind it: no gap, nothing twice. Position: { lsn, skip } (change-payload.ts), or { snapshot: true, from } inside the
// snapshot of the log position `from`. The server keeps its log until a position is acknowledged.
// A snapshot that broke off with the server, or with this process, is gone. A table with a primary key is then read anew, and its changes
// are followed from the first snapshot on: rows that were read before and deleted since go away by them, all others are replaced by key.
// Without a primary key the rows that were taken would be there twice: that is an error.
// A broken connection is opened again behind what was given out last; a slot that has lost what is behind that ends the connector, or is
// read from where it stands, as `resume_if_changes_lost` says. TRUNCATE is one change, in its order among those of rows: it empties
// the table (a `clear` payload), is passed over or ends the connector, as `on_truncate` says. That the table is dropped, renamed or not
// published any more stands in no log: the catalog is asked now and then (table-watch.ts), and what came before is given out first.

import type { Client } from 'pg';
import { parseDuration } from '../sdk/duration.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import {
  defineSource,
  type Payload,
  type Position,
  type Source,
  type SourceContext,
  type SourceDefinition,
} from '../sdk/source.ts';
import { wait } from '../sdk/wait.ts';
import { ChangeLines } from './change-lines.ts';
import { ChangePayload, type ChangePosition, positionOf } from './change-payload.ts';
import { ChangeStream } from './change-stream.ts';
import { fitColumns } from './column-fit.ts';
import { postgresCdcInputDeclaration } from './declarations.ts';
import { formatLsn, parseLsn, type ReplicationMessage } from './pgoutput.ts';
import { loadLibrary, type PostgresSettings, serverOf } from './postgres-connection.ts';
import {
  PostgresSlotTaken,
  PostgresSnapshotBroken,
  PostgresUnavailable,
  PostgresUnpublishedColumns,
  PostgresUnsupportedChange,
} from './postgres-errors.ts';
import { PostgresSession } from './postgres-session.ts';
import {
  notPublished,
  type PublishedTable,
  publishedTable,
  requireFollowed,
  tableMadeAgain,
} from './published-table.ts';
import { confirmedLsn, identityProblem, type SlotSettings, slotProblem } from './replication-slot.ts';
import { SlotKeeper } from './slot-keeper.ts';
import { readSnapshot, snapshotColumns } from './table-snapshot.ts';
import { TableWatch } from './table-watch.ts';
import { TypeCatalog } from './type-catalog.ts';

const payloadBytesMax = 256 << 10;
const idleMs = 20;
const firstPauseMs = 200;
const pauseMsMax = 10_000;

export const postgresCdcInput: SourceDefinition = defineSource({
  ...postgresCdcInputDeclaration,
  loadAhead: loadLibrary,
  // SAFETY: the interface spells the parameters above, which the configuration has been validated against.
  create: (configuration, context) => new PostgresCdcSource(configuration as unknown as CdcSettings, context),
});

interface CdcSettings extends PostgresSettings, SlotSettings {
  readonly snapshot: boolean;
  readonly on_truncate: 'clear' | 'ignore' | 'fail';
  readonly table_check_interval: string;
  readonly resume_if_changes_lost: boolean;
}

class PostgresCdcSource implements Source {
  readonly #settings: CdcSettings;
  readonly #context: SourceContext;
  readonly #server: string;
  readonly #slot: SlotKeeper;
  readonly #session: PostgresSession;
  readonly #catalog = new TypeCatalog();
  /** Of the columns that the log has described last. */
  #lines: ChangeLines | null = null;
  /** Nothing of what has come is under way. */
  #isQuiet = false;
  /** Behind the latest change that was given out; null: the snapshot comes first. */
  #position: ChangePosition | null = null;
  #stream: ChangeStream | null = null;
  /** As it was when it was opened. */
  #followed: PublishedTable | null = null;
  #acknowledged = 0n;
  /** The log position of the snapshot that was begun first. */
  #snapshotFrom: string | null = null;

  constructor(settings: CdcSettings, context: SourceContext) {
    this.#settings = settings;
    this.#context = context;
    this.#server = serverOf(settings.uri);
    this.#slot = new SlotKeeper(settings, context);
    const server = this.#server;
    this.#session = new PostgresSession(settings, context, () => ({ server, slot: this.#slot.names.slot }));
  }

  async onCreated(): Promise<void> {
    await this.#session.withClient(async (client) => {
      await this.#slot.find(client, null);
      await this.#slot.ensure(client);
    });
  }

  async onUpdated(before: ParameterValues): Promise<void> {
    // SAFETY: the configuration that it was started with last, which had been validated then.
    await this.#slot.leave(before as unknown as CdcSettings);
  }

  async onDeleted(): Promise<void> {
    await this.#session.withClient((client) => this.#slot.drop(client));
  }

  async open(position: Position | null): Promise<void> {
    await this.#session.withClient(async (client) => {
      const { lsn, from } = position ?? {};
      const resumesAt = typeof lsn === 'string' ? lsn : from;
      const place = typeof resumesAt === 'string' ? parseLsn(resumesAt) : null;
      await this.#slot.find(client, place);
      if (typeof lsn === 'string') {
        const kept = { lsn: parseLsn(lsn), skip: Number(position?.['skip']) };
        this.#position = await this.#placeInSlot(client, kept);
        await this.#describeTable(client);
        this.#acknowledged = this.#position.lsn;
        return;
      }
      if (position?.['snapshot'] === true) {
        const { source_table: table } = this.#settings;
        if (this.#context.relation.primaryKey.length === 0) throw new PostgresSnapshotBroken({ table });
        // What was deleted since the rows of that snapshot were read is known from the log alone.
        if (typeof from === 'string') {
          const kept = { lsn: parseLsn(from), skip: 0 };
          this.#snapshotFrom = formatLsn((await this.#placeInSlot(client, kept)).lsn);
        }
      }
      await this.#slot.ensure(client);
      const published = await this.#describeTable(client);
      const { relation } = this.#context;
      const problem = await identityProblem(client, this.#settings, relation.primaryKey.length > 0);
      if (problem !== null) this.#context.reportError(problem);
      // Now, so that what does not fit is an error of the start.
      const { left } = await snapshotColumns(client, {
        published,
        relation,
        server: this.#server,
        catalog: this.#catalog,
      });
      if (left.length > 0) {
        const [columns, { publication }, { source_table: table }] = [left.join(', '), this.#slot.names, this.#settings];
        this.#context.reportError(new PostgresUnpublishedColumns({ publication, table, columns }));
      }
      if (!this.#settings.snapshot) {
        const { rows } = await client.query('SELECT pg_current_wal_lsn()::text AS lsn');
        this.#position = { lsn: parseLsn(String(rows[0]?.lsn)), skip: 0 };
        // What came before is not wanted.
        this.#acknowledged = this.#position.lsn;
      }
    });
  }

  async *read(): AsyncIterable<Payload> {
    const { signal, clock, reportError } = this.#context;
    if (this.#position === null) yield* this.#snapshot();
    for (let failures = 0; !signal.aborted; ) {
      try {
        for await (const payload of this.#follow()) {
          failures = 0;
          yield payload;
        }
        return;
      } catch (thrown) {
        if (signal.aborted) return;
        const error = this.#session.errorOf(thrown, ++failures);
        const mayPass = error instanceof PostgresUnavailable || error instanceof PostgresSlotTaken;
        if (!mayPass || failures > this.#settings.max_retries) throw error;
        reportError(error);
        await wait(clock, Math.min(pauseMsMax, firstPauseMs * 2 ** (failures - 1)), signal);
      } finally {
        this.#stream?.close();
        this.#stream = null;
      }
    }
  }

  ack(position: Position): void {
    const { lsn } = position;
    if (typeof lsn !== 'string') return;
    this.#acknowledged = parseLsn(lsn);
    this.#stream?.acknowledge(this.#acknowledged);
  }

  async teardown(): Promise<void> {
    this.#stream?.close();
    this.#stream = null;
    await this.#session.close();
  }

  async *#snapshot(): AsyncIterable<Payload> {
    const { signal, clock, reportError } = this.#context;
    try {
      const target = {
        publication: this.#slot.names.publication,
        table: this.#settings.source_table,
        relation: this.#context.relation,
        server: this.#server,
        slot: this.#slot.names.slot,
        catalog: this.#catalog,
      };
      let failures = 0;
      let found = {};
      const broken = async (thrown: unknown): Promise<void> => {
        const error = this.#session.errorOf(thrown, ++failures);
        if (!(error instanceof PostgresUnavailable) || failures > this.#settings.max_retries) throw error;
        reportError(error);
        await wait(clock, Math.min(pauseMsMax, firstPauseMs * 2 ** (failures - 1)), signal);
      };
      for await (const part of readSnapshot(
        (replication) => this.#session.connect(replication),
        target,
        this.#context,
        broken,
      )) {
        if (part.kind === 'position') this.#snapshotFrom ??= part.lsn;
        else {
          failures = 0;
          const position = { snapshot: true, from: this.#snapshotFrom };
          found = { found: part.found };
          const { bytes, release, isEarly } = part;
          yield { kind: 'bytes', bytes, release, ...found, positionAfter: () => position };
          if (isEarly) yield { kind: 'idle' };
        }
      }
      if (signal.aborted || this.#snapshotFrom === null) return;
      this.#position = { lsn: parseLsn(this.#snapshotFrom), skip: 0 };
      const behind = positionOf(this.#position);
      // From here on a later run need not read the snapshot again.
      yield { kind: 'bytes', bytes: new Uint8Array(0), ...found, positionAfter: () => behind, endOfStream: true };
      yield { kind: 'idle' };
    } catch (thrown) {
      if (!signal.aborted) throw this.#session.errorOf(thrown, 1);
    }
  }

  /** Changes behind the position, until the source is stopped. */
  async *#follow(): AsyncIterable<Payload> {
    const { signal, clock } = this.#context;
    const from = this.#position;
    if (from === null || signal.aborted) return;
    const client = await this.#session.connect(true);
    const isSettled = (): boolean => {
      const { lsn, skip } = this.#position ?? from;
      return this.#isQuiet && skip === 0 && this.#acknowledged >= lsn;
    };
    const stream = new ChangeStream(client, clock, this.#acknowledged, isSettled);
    this.#stream = stream;
    this.#lines = null;
    const watch = new TableWatch(clock, parseDuration(this.#settings.table_check_interval) ?? 30_000, () =>
      this.#look(),
    );
    try {
      const place = await this.#placeInSlot(client, from);
      if (place !== from) yield this.#quietUntil(place.lsn);
      await stream.start(this.#slot.names.slot, this.#slot.names.publication, place.lsn);
      yield* this.#changes(stream, watch, place);
    } finally {
      watch.end();
    }
  }

  async *#changes(stream: ChangeStream, watch: TableWatch, from: ChangePosition): AsyncIterable<Payload> {
    const { signal } = this.#context;
    let behind = from;
    let skip = from.skip;
    let count = 0;
    let isInside = false;
    let payload = new ChangePayload(behind);
    while (true) {
      this.#isQuiet = payload.bytes === 0 && !isInside;
      const messages = await stream.take(payload.bytes > 0 ? 0 : idleMs, signal);
      this.#isQuiet = false;
      if (messages === null) return;
      for (const message of messages) {
        if (message.kind === 'relation') await this.#describe(message);
        else if (message.kind === 'truncate') {
          if (!message.ids.includes(this.#followed?.id ?? 0) || ++count <= skip || !this.#empties()) continue;
          // What was there before it goes before it, and goes.
          if (payload.bytes > 0) yield this.#finish(payload);
          this.#position = { lsn: behind.lsn, skip: count };
          yield { kind: 'clear', position: positionOf(this.#position) };
          payload = new ChangePayload(this.#position);
        } else if (message.kind === 'begin') {
          count = 0;
          isInside = true;
        } else if (message.kind === 'commit') {
          behind = { lsn: message.endLsn, skip: 0 };
          skip = 0;
          isInside = false;
          payload.committed(behind);
          this.#position = payload.bytes === 0 ? behind : this.#position;
        } else if (message.kind !== 'other') {
          if (message.id !== this.#followed?.id) continue;
          for (const line of this.#lines?.lines(message) ?? []) {
            count++;
            if (count <= skip) continue;
            payload.add(line, { lsn: behind.lsn, skip: count });
          }
        }
        if (payload.bytes >= payloadBytesMax) {
          yield this.#finish(payload);
          payload = new ChangePayload(this.#position ?? behind);
        }
      }
      // What came before goes first: the log is behind the catalog.
      if (messages.length === 0 && payload.bytes === 0) watch.throwIfFailed();
      if (messages.length === 0 && payload.bytes > 0) {
        yield this.#finish(payload);
        yield { kind: 'idle' };
        payload = new ChangePayload(this.#position ?? behind);
      } else if (messages.length === 0 && !isInside) {
        const end = stream.takeQuietEnd();
        // What has come since is ahead of it.
        if (end === null || end <= behind.lsn) continue;
        yield this.#quietUntil(end);
        behind = { lsn: end, skip: 0 };
        payload = new ChangePayload(behind);
      }
    }
  }

  /** Nothing but a position: what came before it is nothing of this table, or is not to be had. */
  #quietUntil(lsn: bigint): Payload {
    this.#position = { lsn, skip: 0 };
    const position = positionOf(this.#position);
    return { kind: 'bytes', bytes: new Uint8Array(0), positionAfter: () => position, endOfStream: true };
  }

  /**
   * Where the slot goes on: behind `position`, unless it cannot. Then that is an error, or, where it may be, behind what it has lost.
   * @throws PostgresSlotLost, PostgresSlotUnfit
   */
  async #placeInSlot(client: Client, position: ChangePosition): Promise<ChangePosition> {
    const { slot } = this.#slot.names;
    const problem = await slotProblem(client, { slot, lsn: position.lsn, server: this.#server });
    if (problem === null) return position;
    if (!this.#settings.resume_if_changes_lost) throw problem;
    this.#context.reportError(problem);
    let lsn = 0n;
    await this.#session.withClient(async (maker) => {
      await this.#slot.ensure(maker);
      lsn = await confirmedLsn(maker, slot);
    });
    return { lsn, skip: 0 };
  }

  #finish(payload: ChangePayload): Payload {
    const finished = payload.finish();
    this.#position = payload.last;
    return finished;
  }

  async #describe(message: Extract<ReplicationMessage, { readonly kind: 'relation' }>): Promise<void> {
    const { id, schema, table, columns } = message;
    const followed = this.#followed;
    if (followed === null) return;
    const isNamed = schema === followed.schema && table === followed.table;
    if (id !== followed.id) {
      if (isNamed) throw tableMadeAgain(this.#settings.source_table);
      return;
    }
    // Under another name it was renamed: just now, or before `source_table` was set to the one that it has.
    if (!isNamed) await this.#look();
    const oids = columns.map(({ typeOid }) => typeOid);
    if (!this.#catalog.knows(oids)) await this.#session.withClient((client) => this.#catalog.load(client, oids));
    const { relation } = this.#context;
    const fitted = fitColumns(columns, relation, this.#catalog, this.#server);
    const identity = new Set(columns.flatMap(({ name, isKey }) => (isKey ? [name] : [])));
    this.#lines = new ChangeLines(relation, table, fitted, identity);
  }

  /** @throws when the table is not what is followed any more */
  async #look(): Promise<void> {
    const id = this.#followed?.id;
    if (id === undefined) return;
    const followed = {
      id,
      server: this.#server,
      publication: this.#slot.names.publication,
      table: this.#settings.source_table,
    };
    await this.#session.withClient((client) => requireFollowed(client, followed), 0);
  }

  async #describeTable(client: Client): Promise<PublishedTable> {
    const { source_table: table } = this.#settings;
    const { publication } = this.#slot.names;
    const published = await publishedTable(client, publication, table);
    if (published === null) throw notPublished(this.#server, publication, table);
    this.#followed = published;
    return published;
  }

  /** Whether TRUNCATE is to empty the table. @throws PostgresUnsupportedChange where it is to end the connector */
  #empties(): boolean {
    if (this.#settings.on_truncate === 'ignore') return false;
    if (this.#settings.on_truncate === 'clear') return true;
    const detail =
      'TRUNCATE ends the connector, since `on_truncate` is `fail`; with `clear` the table is emptied, with `ignore` its rows stay';
    throw new PostgresUnsupportedChange({ table: this.#settings.source_table, detail });
  }
}
