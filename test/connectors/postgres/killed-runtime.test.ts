// The process that runs a pipeline from PostgreSQL and S3 to PostgreSQL is killed again and again (kill -9): what stands in the table in the end
// is what the sources hold, each row once.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CliProcess, secondsOfFileMax } from '../../cli/cli-process.ts';
import { pollPause } from '../../poll-pause.ts';
import { startCutProxy } from '../../servers/cut-proxy.ts';
import { startPostgresServer } from '../../servers/postgres-server.ts';
import { s3Access, startS3Server } from '../../servers/s3-server.ts';

const killed = suite('PostgreSQL and S3, and a runtime that is killed');
const [server, bucket] = await Promise.all([startPostgresServer(), startS3Server(['lake'])]);
if ('missing' in server || 'missing' in bucket) {
  console.log('skipped: PostgreSQL and S3, and a runtime that is killed: a server is missing');
  killed('is not tried here', () => {});
  if (!('missing' in server)) await server.close();
  if (!('missing' in bucket)) await bucket.close();
} else {
  const { sql, uri } = server;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-killed-'));
  killed.after(async () => {
    await Promise.all([server.close(), bucket.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  killed('nothing is lost and nothing counts twice', async () => {
    await sql(`CREATE TABLE src (id bigint PRIMARY KEY, amount bigint NOT NULL);
      CREATE TABLE sums (k bigint PRIMARY KEY, total bigint, n bigint); CREATE TABLE lines (k bigint PRIMARY KEY, n bigint, total bigint);
      INSERT INTO src SELECT i, i FROM generate_series(1, 3000) AS i`);
    const { aws_access_key_id: keyId, aws_secret_access_key: secret } = s3Access;
    const access = {
      bucket_name: 'lake',
      endpoint_url: bucket.url,
      aws_access_key_id: keyId,
      aws_secret_access_key: secret,
    };
    const s3 = { ...access, prefix: 'part/', watch: true, watch_interval: '50ms' };
    const output = (table: string): object => ({
      stream: table,
      transport: { name: 'postgres_output', config: { uri, table, max_retries: 20 } },
    });
    const definition = {
      name: 'killed',
      program: `CREATE TABLE src (id BIGINT NOT NULL PRIMARY KEY, amount BIGINT); CREATE TABLE s3 (id BIGINT);
        CREATE VIEW sums AS SELECT id % 5 AS k, SUM(amount) AS total, COUNT(*) AS n FROM src GROUP BY id % 5;
        CREATE VIEW lines AS SELECT id % 3 AS k, COUNT(*) AS n, SUM(id) AS total FROM s3 GROUP BY id % 3;`,
      inputs: {
        src: {
          stream: 'src',
          transport: { name: 'postgres_cdc_input', config: { uri, source_table: 'src', max_retries: 20 } },
        },
        s3: {
          stream: 's3',
          transport: { name: 's3_input', config: s3 },
          format: { name: 'json', config: { update_format: 'raw' } },
        },
      },
      outputs: { sums: output('sums'), lines: output('lines') },
    };
    writeFileSync(join(folder, 'p.yaml'), JSON.stringify(definition));
    const put = (part: number): Promise<void> =>
      bucket.put(
        'lake',
        `part/${part}.json`,
        Array.from({ length: 500 }, (_, i) => `{"id":${part * 500 + i}}\n`).join(''),
      );
    const counted = async (): Promise<string> => {
      const { rows } = await sql(
        'SELECT (SELECT sum(n) FROM sums)::text || $$ $$ || (SELECT sum(n) FROM lines)::text AS seen',
      );
      return String(rows[0]?.['seen']);
    };
    for (let run = 1; run <= 3; run++) {
      await put(run);
      const process = new CliProcess(['run', 'p.yaml', '--data', 'data'], { folder, secondsMax: secondsOfFileMax });
      await sql(`INSERT INTO src SELECT i, i FROM generate_series(${run * 10_000}, ${run * 10_000 + 199}) AS i;
        UPDATE src SET amount = amount + 1 WHERE id % 100 = ${run}`);
      const { rows } = await sql('SELECT count(*)::text AS n FROM src');
      while ((await counted()) !== `${rows[0]?.['n']} ${run * 500}`) await pollPause();
      process.kill('SIGKILL');
      await process.exit;
      // While nobody is there.
      await sql(`DELETE FROM src WHERE id = ${run}; UPDATE src SET amount = 0 WHERE id = ${100 + run}`);
    }
    const last = new CliProcess(['run', 'p.yaml', '--data', 'data'], { folder, secondsMax: secondsOfFileMax });
    const { rows: wanted } = await sql(
      'SELECT id % 5 AS k, sum(amount)::bigint AS total, count(*) AS n FROM src GROUP BY 1 ORDER BY 1',
    );
    const held = async (): Promise<string> => JSON.stringify((await sql('SELECT * FROM sums ORDER BY k')).rows);
    while ((await held()) !== JSON.stringify(wanted)) await pollPause();
    last.kill('SIGKILL');
    await last.exit;
    const ids = Array.from({ length: 1500 }, (_, i) => i + 500);
    const expected = [0, 1, 2].map((k) => {
      const own = ids.filter((id) => id % 3 === k);
      return { k: String(k), n: String(own.length), total: String(own.reduce((sum, id) => sum + id, 0)) };
    });
    assert.equal((await sql('SELECT * FROM lines ORDER BY k')).rows, expected);
  });

  killed('a query that broke off is read again, and a primary key has each row once', async () => {
    await sql(`CREATE TABLE list (id bigint PRIMARY KEY, t text); CREATE TABLE copied (id bigint PRIMARY KEY, t text, n bigint);
      INSERT INTO list SELECT i, repeat('x', 100) FROM generate_series(1, 60000) AS i`);
    const proxy = await startCutProxy();
    proxy.target(uri.replace('postgres://', 'http://'));
    const through = new URL(uri);
    through.port = new URL(proxy.url).port;
    // The server stops at this row for as long as the test has the lock.
    const query = 'SELECT id, t FROM list WHERE id <> 50000 OR pg_advisory_lock_shared(7)::text IS NOT NULL';
    const definition = {
      name: 'queried',
      program: `CREATE TABLE list (id BIGINT NOT NULL PRIMARY KEY, t VARCHAR);
        CREATE VIEW copied AS SELECT id, MAX(t) AS t, COUNT(*) AS n FROM list GROUP BY id;`,
      inputs: {
        l: { stream: 'list', transport: { name: 'postgres_input', config: { uri: through.href, query } } },
      },
      outputs: { c: { stream: 'copied', transport: { name: 'postgres_output', config: { uri, table: 'copied' } } } },
    };
    writeFileSync(join(folder, 'q.yaml'), JSON.stringify(definition));
    const holder = new pg.Client({ connectionString: uri });
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock(7)');
    const isCopied = async (): Promise<boolean> => (await sql('SELECT 1 FROM copied LIMIT 1')).rows.length > 0;
    const start = (): CliProcess =>
      new CliProcess(['run', 'q.yaml', '--data', 'query-data'], { folder, secondsMax: secondsOfFileMax });
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      // All of them anew, or the view would not change.
      await sql('TRUNCATE copied; UPDATE list SET t = t || 1');
      const child = start();
      while (!(await isCopied())) await pollPause();
      child.kill(signal);
      await child.exit;
    }
    await holder.end();
    proxy.slow(10_000_000);
    const { code, err } = await start().exit;
    assert.is(code, 0, err);
    const { rows } = await sql(
      'SELECT count(*)::int AS c, sum(id)::text AS s, max(n)::int AS n, min(length(t)) AS l FROM copied',
    );
    assert.equal(rows, [{ c: 60_000, s: '1800030000', n: 1, l: 102 }]);
    await proxy.close();
  });
}

killed.run();
