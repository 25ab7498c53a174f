// A connection to a PostgreSQL server from the settings of a connector. The only file that makes clients; the library is
// loaded by the first connection.
import type { Client } from 'pg';
import type { Clock } from '../../runtime/clock.ts';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import type { TlsSettings } from '../sdk/tls-settings.ts';
import { wait } from '../sdk/wait.ts';
import { LendingSocket } from './lending-socket.ts';
import { failureOf, finalPostgresError, PostgresUnavailable } from './postgres-errors.ts';
import { type PostgresTlsPlan, planTls } from './postgres-tls.ts';

export interface PostgresSettings extends TlsSettings {
  readonly uri: string;
  readonly max_retries: number;
}

export interface PostgresSurroundings {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly baseFolder: string;
  reportError(error: unknown): void;
}

const firstPauseMs = 200;
const pauseMsMax = 10_000;
const connectMs = 10_000;

/** Where the server is, without user and password. @throws ConfigInvalidValue */
export function serverOf(uri: string): string {
  const reason = 'must be a postgres:// address';
  if (!URL.canParse(uri)) throw new ConfigInvalidValue({ key: 'uri', reason });
  const { protocol, host, pathname } = new URL(uri);
  if (!/^postgres(ql)?:$/.test(protocol)) throw new ConfigInvalidValue({ key: 'uri', reason });
  return `postgres://${host}${pathname}`;
}

/** Tries until it succeeds. `replication`: the connection speaks the replication protocol. @throws coded errors */
export async function connectPostgres(
  settings: PostgresSettings,
  surroundings: PostgresSurroundings,
  options: { readonly replication?: boolean } = {},
): Promise<Client> {
  const { clock, signal, reportError, baseFolder } = surroundings;
  const server = serverOf(settings.uri);
  for (let attempts = 1; ; attempts++) {
    signal.throwIfAborted();
    try {
      return await connect(settings, baseFolder, options.replication === true);
    } catch (thrown) {
      const final = finalPostgresError(thrown, server);
      if (final !== null) throw final;
      const reason = failureOf(thrown).message;
      const failed = new PostgresUnavailable({ server, reason, attempts }, { cause: thrown });
      if (attempts > settings.max_retries) throw failed;
      reportError(failed);
      await wait(clock, Math.min(pauseMsMax, firstPauseMs * 2 ** (attempts - 1)), signal);
    }
  }
}

export async function loadLibrary(): Promise<typeof import('pg')> {
  return await import('pg');
}

async function connect(settings: PostgresSettings, baseFolder: string, replication: boolean): Promise<Client> {
  const { uri, ssl, isOptional } = await planTls(settings, baseFolder);
  try {
    return await connectWith(uri, ssl, replication);
  } catch (thrown) {
    if (!isOptional || !/does not support SSL/.test(failureOf(thrown).message)) throw thrown;
    return await connectWith(uri, false, replication);
  }
}

async function connectWith(uri: string, ssl: PostgresTlsPlan['ssl'], replication: boolean): Promise<Client> {
  const { default: pg } = await loadLibrary();
  const client = new pg.Client({
    connectionString: uri,
    connectionTimeoutMillis: connectMs,
    application_name: 'millrace',
    // Texts of values are the same whatever the server and the user have set.
    options: '-c timezone=UTC -c datestyle=ISO,YMD -c intervalstyle=sql_standard -c extra_float_digits=1',
    keepAlive: true,
    ...(ssl === null ? {} : { ssl }),
    // TLS wraps a plain socket.
    ...(ssl === null || ssl === false ? { stream: () => new LendingSocket() } : {}),
    ...(replication ? { replication: 'database' } : {}),
    // SAFETY: `replication` is read by the library though its types do not know it.
  } as object);
  // A connection that breaks while nobody waits for an answer must not end the process: the next query says so.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (thrown) {
    client.connection?.stream.destroy();
    throw thrown;
  }
  return client;
}

/** Ends a connection, also one that is broken: over TLS the library may wait for an end that has come. */
export async function closePostgres(client: Client | null): Promise<void> {
  const stream = client?.connection?.stream;
  if (client === null || stream === undefined || stream.destroyed) return;
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  await Promise.race([client.end().catch(() => {}), closed]);
}

/** An identifier as SQL text. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as an SQL literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `schema.table`, either part with or without quotes, as SQL text. Unquoted parts are taken as they are spelled. */
export function quoteTable(name: string): string {
  const parts = name.match(/"(?:[^"]|"")*"|[^.]+/g) ?? [name];
  return parts.map((part) => (part.startsWith('"') ? part : quoteName(part))).join('.');
}
