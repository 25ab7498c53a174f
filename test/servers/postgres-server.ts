// A PostgreSQL server for tests: its own data folder, on a free port, with logical replication.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';
import type { ServerCertificate } from './test-certificates.ts';

export interface PostgresServer {
  /** Of the superuser `postgres`. */
  readonly uri: string;
  readonly port: number;
  readonly process: ServerProcess;
  /** Runs statements on a connection of the test's own. */
  sql(text: string): Promise<pg.QueryResult>;
  /** New connections speak TLS with it; null: they do not. Resolves when that is so. */
  useCertificate(certificate: ServerCertificate | null): Promise<void>;
  /** The user `name` comes over TLS with a certificate of this authority, and needs no password. Before `useCertificate`. */
  trustCertificatesOf(authority: string, name: string): Promise<void>;
  close(): Promise<void>;
}

/** Running; or why there is none. */
export async function startPostgresServer(): Promise<PostgresServer | { readonly missing: string }> {
  const bin = binFolder();
  if (bin === null) {
    const missing = 'PostgreSQL is not installed (apt-get install postgresql-15)';
    if (process.env['CI'] !== undefined) throw new Error(`under CI: ${missing}`);
    return { missing };
  }
  const folder = mkdtempSync(join(tmpdir(), 'millrace-pg-'));
  const data = join(folder, 'data');
  // The server refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  const asServer = isRoot ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups', '--'] : [];
  if (isRoot) {
    chmodSync(folder, 0o755);
    execFileSync('chown', ['postgres', folder]);
  }
  const call = (program: string, ...args: string[]): [string, string[]] => {
    const [command = '', ...rest] = [...asServer, join(bin, program), ...args];
    return [command, rest];
  };
  const port = await freePort();
  execFileSync(
    ...call(
      'initdb',
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      '--pwfile',
      passwordFile(folder),
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ),
  );
  const settings = {
    listen_addresses: "'127.0.0.1'",
    port,
    unix_socket_directories: `'${folder}'`,
    wal_level: 'logical',
    // Those of the test before are counted until they have ended.
    max_wal_senders: 20,
    max_replication_slots: 20,
    wal_sender_timeout: 0,
    fsync: 'off',
    full_page_writes: 'off',
  };
  appendFileSync(
    join(data, 'postgresql.conf'),
    Object.entries(settings)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  );
  const uri = `postgres://postgres:secret@127.0.0.1:${port}/postgres`;
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: uri });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const [command, args] = call('postgres', '-D', data);
  const server = new ServerProcess({
    command,
    args,
    isReady: async () => {
      await (await connect()).end();
      return true;
    },
    // After SIGKILL its other processes see only a moment later that they are alone.
    passing: /pre-existing shared memory block/,
  });
  await server.start();
  const sql = async (text: string): Promise<pg.QueryResult> => {
    const client = await connect();
    try {
      return await client.query(text);
    } finally {
      await client.end();
    }
  };
  const writeOwn = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (isRoot) execFileSync('chown', ['postgres', path]);
    return path;
  };
  return {
    uri,
    port,
    process: server,
    sql,
    useCertificate: async (certificate) => {
      if (certificate !== null) {
        await sql(`ALTER SYSTEM SET ssl_cert_file = '${writeOwn('server.pem', certificate.certificate)}'`);
        await sql(`ALTER SYSTEM SET ssl_key_file = '${writeOwn('server.key', certificate.key)}'`);
      }
      await sql(`ALTER SYSTEM SET ssl = ${certificate === null ? 'off' : 'on'}`);
      const { rows: before } = await sql('SELECT pg_conf_load_time()::text AS at');
      await sql('SELECT pg_reload_conf()');
      // A connection that is made behind the reload is one of the new settings.
      for (;;) {
        const { rows } = await sql('SELECT pg_conf_load_time()::text AS at');
        if (rows[0]?.['at'] !== before[0]?.['at']) return;
      }
    },
    trustCertificatesOf: async (authority, name) => {
      await sql(`ALTER SYSTEM SET ssl_ca_file = '${writeOwn('clients.pem', authority)}'`);
      const access = join(data, 'pg_hba.conf');
      writeFileSync(access, `hostssl all ${name} 127.0.0.1/32 cert\n${readFileSync(access, 'utf8')}`);
    },
    close: async () => {
      await server.stop('SIGINT');
      await server.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function passwordFile(folder: string): string {
  const file = join(folder, 'password');
  execFileSync('sh', ['-c', `printf secret > '${file}' && chmod 644 '${file}'`]);
  return file;
}

function binFolder(): string | null {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort() : [];
  const folders = versions.map((version) => join(root, version, 'bin')).reverse();
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}
