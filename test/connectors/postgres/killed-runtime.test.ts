// The process that runs a pipeline from PostgreSQL and S3 to PostgreSQL is killed again and again (kill -9): what stands in the table in the end
// is what the sources hold, each row once.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CliProcess, secondsOfFileMax } from '../../cli/cli-process.ts';
import { pollPause } from '../../poll-pause.ts';
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
}

killed.run();
