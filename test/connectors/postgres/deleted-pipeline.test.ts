// A pipeline of a server that follows a table is deleted: its slot and publication go, at once or when the database answers again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CliProcess, secondsOfFileMax } from '../../cli/cli-process.ts';
import { pollPause } from '../../poll-pause.ts';
import { startPostgresServer } from '../../servers/postgres-server.ts';

const deleted = suite('a deleted pipeline and PostgreSQL');
const server = await startPostgresServer();
if ('missing' in server) {
  console.log(`skipped: a deleted pipeline and PostgreSQL: ${server.missing}`);
  deleted('is not tried here', () => {});
} else {
  const { sql, uri } = server;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-deleted-'));
  deleted.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  deleted('what it has made in the database is dropped, also when that is away for a while', async () => {
    await sql('CREATE TABLE first (id bigint PRIMARY KEY); CREATE TABLE second (id bigint PRIMARY KEY)');
    const serve = new CliProcess(['serve', '--port', '0', '--data', 'data'], { folder, secondsMax: secondsOfFileMax });
    await serve.until((out) => /http:\S+/.test(out));
    const url = /http:\S+/.exec(serve.out)?.[0] ?? '';
    const call = async (method: string, path: string, body?: object): Promise<string> => {
      const headers = { 'content-type': 'application/json' };
      const given = body === undefined ? {} : { headers, body: JSON.stringify(body) };
      const response = await fetch(`${url}/v0/pipelines/${path}`, { method, ...given });
      assert.ok(response.ok, `${method} ${path}: ${response.status}`);
      return await response.text();
    };
    const shows = async (name: string, status: string): Promise<void> => {
      while (!(await call('GET', `${name}?selector=status`)).includes(`:"${status}"`)) await pollPause();
    };
    const slots = async (): Promise<number> => (await sql('SELECT 1 FROM pg_replication_slots')).rows.length;
    for (const table of ['first', 'second']) {
      const config = { uri, source_table: table, max_retries: 0 };
      const connectors = JSON.stringify([{ name: 'c', transport: { name: 'postgres_cdc_input', config } }]);
      const code = `CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY) WITH ('connectors' = '${connectors}');`;
      await call('PUT', table, { name: table, program_code: code, runtime_config: {} });
      await shows(table, 'Success');
      await call('POST', `${table}/start`);
      await shows(table, 'Running');
    }
    while ((await slots()) < 2) await pollPause();
    for (const table of ['first', 'second']) {
      await call('POST', `${table}/stop?force=true`);
      await shows(table, 'Stopped');
      await call('POST', `${table}/clear`);
      await shows(table, 'Cleared');
    }
    await call('DELETE', 'first');
    while ((await slots()) > 1) await pollPause();
    await server.process.stop('SIGKILL');
    await call('DELETE', 'second');
    await serve.until((_, err) => /a deleted connector could not be told of it: it is tried again in 1 s/.test(err));
    await server.process.start();
    while ((await slots()) > 0) await pollPause();
    assert.is((await sql('SELECT 1 FROM pg_publication')).rows.length, 0);
    assert.not.match(serve.err, 'secret');
    serve.kill('SIGTERM');
    assert.is((await serve.exit).code, 0);
  });
}

deleted.run();
