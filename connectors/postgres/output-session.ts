// The connection of an output: opened, and opened again when it was lost, with what belongs to it. What is done on it is done anew then, so it
// has to be such that it happens as a whole or not at all, and can tell whether it has.
import type { Client } from 'pg';
import type { DestinationContext } from '../sdk/destination.ts';
import { wait } from '../sdk/wait.ts';
import type { OutputSettings } from './output-settings.ts';
import { closePostgres, connectPostgres, serverOf } from './postgres-connection.ts';
import { failureOf, finalPostgresError, PostgresUnavailable } from './postgres-errors.ts';

const firstPauseMs = 200;
const pauseMsMax = 10_000;

export class OutputSession {
  readonly server: string;
  readonly #settings: OutputSettings;
  readonly #context: DestinationContext;
  readonly #prepare: (client: Client) => Promise<void>;
  #client: Client | null = null;

  /** `prepare` makes a new connection ready, each time. */
  constructor(settings: OutputSettings, context: DestinationContext, prepare: (client: Client) => Promise<void>) {
    this.#settings = settings;
    this.#context = context;
    this.#prepare = prepare;
    this.server = serverOf(settings.uri);
  }

  /** @throws coded errors */
  async open(): Promise<Client> {
    if (this.#client !== null) return this.#client;
    let client: Client | null = null;
    try {
      client = await connectPostgres(this.#settings, this.#context);
      await this.#prepare(client);
      this.#client = client;
      return client;
    } catch (thrown) {
      await closePostgres(client);
      throw this.#error(thrown, 1);
    }
  }

  /** `work` on the connection; on a new one again when that was lost. @throws coded errors */
  async run<R>(work: (client: Client) => Promise<R>): Promise<R> {
    const { signal, clock, reportError } = this.#context;
    for (let attempts = 1; ; attempts++) {
      try {
        return await work(await this.open());
      } catch (thrown) {
        const error = this.#error(thrown, attempts);
        if (!(error instanceof PostgresUnavailable) || attempts > this.#settings.max_retries || signal.aborted)
          throw error;
        reportError(error);
        await this.close();
        await wait(clock, Math.min(pauseMsMax, firstPauseMs * 2 ** (attempts - 1)), signal);
      }
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await closePostgres(client);
  }

  #error(thrown: unknown, attempts: number): unknown {
    const reason = failureOf(thrown).message;
    return (
      finalPostgresError(thrown, this.server) ??
      new PostgresUnavailable({ server: this.server, reason, attempts }, { cause: thrown })
    );
  }
}

/** `work` between BEGIN and COMMIT; what fails is rolled back. */
export async function inTransaction<R>(client: Client, work: () => Promise<R>): Promise<R> {
  await client.query('BEGIN');
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (thrown) {
    await client.query('ROLLBACK').catch(() => {});
    throw thrown;
  }
}
