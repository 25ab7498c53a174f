// Connections of one connector to its server, and what their failures are called.
//
// Short ones are lent for a piece of work and closed behind it; `close` ends those that are at work, so that a teardown waits for nobody.
// Connections that are held open (the stream of changes, the keeper of a snapshot) belong to who has asked for them.
import type { Client } from 'pg';
import type { SourceContext } from '../sdk/source.ts';
import { closePostgres, connectPostgres, type PostgresSettings } from './postgres-connection.ts';
import { failureOf, finalPostgresError, PostgresUnavailable, slotLost } from './postgres-errors.ts';

export class PostgresSession {
  readonly #settings: PostgresSettings;
  readonly #context: SourceContext;
  readonly #place: () => { readonly server: string; readonly slot: string };
  readonly #clients = new Set<Client>();

  constructor(
    settings: PostgresSettings,
    context: SourceContext,
    place: () => { readonly server: string; readonly slot: string },
  ) {
    this.#settings = settings;
    this.#context = context;
    this.#place = place;
  }

  connect(replication: boolean): Promise<Client> {
    return connectPostgres(this.#settings, this.#context, { replication });
  }

  /** @throws coded errors alone */
  async withClient(
    use: (client: Client) => Promise<void>,
    retries: number = this.#settings.max_retries,
  ): Promise<void> {
    let client: Client | null = null;
    try {
      client = await connectPostgres({ ...this.#settings, max_retries: retries }, this.#context);
      this.#clients.add(client);
      await use(client);
    } catch (thrown) {
      throw this.errorOf(thrown, 1);
    } finally {
      await closePostgres(client);
      if (client !== null) this.#clients.delete(client);
    }
  }

  errorOf(thrown: unknown, attempts: number): unknown {
    const place = this.#place();
    const { server } = place;
    const reason = failureOf(thrown).message;
    return (
      slotLost(thrown, place) ??
      finalPostgresError(thrown, server) ??
      new PostgresUnavailable({ server, reason, attempts }, { cause: thrown })
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients].map(closePostgres));
  }
}
