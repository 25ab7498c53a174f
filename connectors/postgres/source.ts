// postgres_input: the rows of a query, once. The server prints them (COPY … TO STDOUT), the csv decoder reads them: no row
// becomes an object on the way.
//
// There is no position inside a query: its rows have no order that a later run could rely on. A run that was ended in the
// middle reads it again from the start; with a primary key that replaces the rows that had come before.

import type { Client } from 'pg';
import {
  defineSource,
  type Payload,
  type Position,
  type Source,
  type SourceContext,
  type SourceDefinition,
} from '../sdk/source.ts';
import { fitColumns, type SourceColumn } from './column-fit.ts';
import { projection } from './column-projection.ts';
import { copyOut } from './copy-out.ts';
import { postgresInputDeclaration } from './declarations.ts';
import {
  closePostgres,
  connectPostgres,
  loadLibrary,
  type PostgresSettings,
  quoteName,
  serverOf,
} from './postgres-connection.ts';
import { failureOf, finalPostgresError, PostgresUnavailable } from './postgres-errors.ts';
import { TypeCatalog } from './type-catalog.ts';

export const postgresInput: SourceDefinition = defineSource({
  ...postgresInputDeclaration,
  loadAhead: loadLibrary,
  // SAFETY: the interface spells the parameters above, which the configuration has been validated against.
  create: (configuration, context) => new PostgresSource(configuration as unknown as PostgresQuery, context),
});

interface PostgresQuery extends PostgresSettings {
  readonly query: string;
}

class PostgresSource implements Source {
  readonly #settings: PostgresQuery;
  readonly #context: SourceContext;
  readonly #server: string;
  #client: Client | null = null;
  #copy = '';

  constructor(settings: PostgresQuery, context: SourceContext) {
    this.#settings = settings;
    this.#context = context;
    this.#server = serverOf(settings.uri);
  }

  async open(_position: Position | null): Promise<void> {
    const client = await connectPostgres(this.#settings, this.#context);
    this.#client = client;
    const query = this.#settings.query.trim().replace(/;\s*$/, '');
    try {
      const { fields } = await client.query(`SELECT * FROM (${query}\n) AS q LIMIT 0`);
      const columns: SourceColumn[] = fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }));
      const catalog = new TypeCatalog();
      const oids = columns.map(({ typeOid }) => typeOid);
      await catalog.load(client, oids);
      const fitted = fitColumns(columns, this.#context.relation, catalog, this.#server);
      const list = fitted.map((column) => `${projection(column, this.#server)} AS ${quoteName(column.field.name)}`);
      this.#copy = `COPY (SELECT ${list.join(', ')} FROM (${query}\n) AS q) TO STDOUT (FORMAT csv, HEADER true)`;
    } catch (thrown) {
      throw this.#error(thrown);
    }
  }

  async *read(): AsyncIterable<Payload> {
    const { signal } = this.#context;
    const client = this.#client;
    if (client === null) return;
    const positionAfter = (): Position => ({});
    try {
      for await (const { bytes, release, isEarly } of copyOut(client, this.#copy, this.#context)) {
        yield { kind: 'bytes', bytes, release, positionAfter, endOfStream: false };
        if (isEarly) yield { kind: 'idle' };
      }
      if (!signal.aborted) yield { kind: 'bytes', bytes: new Uint8Array(0), positionAfter, endOfStream: true };
    } catch (thrown) {
      if (!signal.aborted) throw this.#error(thrown);
    }
  }

  async teardown(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    // A COPY that is under way would hold `end` until its last row.
    if (this.#context.signal.aborted) client?.connection?.stream.destroy();
    await closePostgres(client);
  }

  #error(thrown: unknown): unknown {
    const reason = failureOf(thrown).message;
    const lost = new PostgresUnavailable({ server: this.#server, reason, attempts: 1 }, { cause: thrown });
    return finalPostgresError(thrown, this.#server) ?? lost;
  }
}
