// A pipeline that writes to PostgreSQL exactly once is killed (kill -9) at moments that are chosen by what stands in the database, and so is the
// server: the tables hold each change once in the end, and whoever looks in between sees a beginning of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CliProcess } from '../../cli/cli-process.ts';
import { pollPause } from '../../poll-pause.ts';
import { startPostgresServer } from '../../servers/postgres-server.ts';
import { counterModule } from '../counter-module.ts';
import { killRun, startRun, storedCheckpoints } from '../killed-run.ts';

/** Runs more, and kills them at any time. */
const isLong = process.env['MILLRACE_LONG'] === '1';

const kills = suite('exactly once through kill -9');
const server = await startPostgresServer();
if ('missing' in server) {
  console.log(`skipped: exactly once through kill -9: ${server.missing}`);
  kills('is not tried here', () => {});
} else {
  const { sql, uri } = server;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-exact-'));
  kills.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (): CliProcess => startRun(folder);
  const acks = (): number => storedCheckpoints(folder);
  const is = async (condition: string): Promise<boolean> => (await sql(`SELECT ${condition} AS yes`)).rows[0]?.['yes'];
  const becomes = async (condition: string): Promise<void> => {
    // What the condition speaks of may not have been made yet.
    while (!(await is(condition).catch(() => false))) await pollPause();
  };
  /** Every table is what the source has given up to some number; it never goes back. */
  let seen = 0;
  const look = async (): Promise<void> => {
    const { rows } = await sql(
      `SELECT count(*)::int AS n, count(DISTINCT n)::int AS d, coalesce(max(n), 0)::int AS m FROM bag`,
    );
    const { n, d, m } = rows[0] as { n: number; d: number; m: number };
    assert.equal([d, m], [n, n]);
    assert.ok(n >= seen, `${n} rows after ${seen}`);
    seen = n;
  };
  const oneOfThem = (condition: string): string => `EXISTS (SELECT 1 FROM millrace_outputs WHERE ${condition})`;

  kills('each change comes once, at whatever moment the process or the server dies', async () => {
    await sql(`CREATE TABLE bag (n bigint); CREATE TABLE log (n bigint, __feldera_op text, __feldera_ts bigint);
      CREATE TABLE sums (k bigint PRIMARY KEY, c bigint, s bigint)`);
    const output = (view: string, config: object = {}): object => ({
      stream: view,
      transport: {
        name: 'postgres_output',
        config: { uri, table: view, delivery: 'exactly_once', max_retries: 50, ...config },
      },
    });
    const definition = {
      name: 'exact',
      connector_modules: ['./counter.mjs'],
      program: `CREATE TABLE t (n BIGINT); CREATE VIEW bag AS SELECT n FROM t; CREATE VIEW log AS SELECT n FROM t;
        CREATE VIEW sums AS SELECT n % 7 AS k, COUNT(*) AS c, SUM(n) AS s FROM t GROUP BY n % 7;`,
      inputs: { counter: { stream: 't', transport: { name: 'counter', config: {} } } },
      outputs: { bag: output('bag'), log: output('log', { mode: 'cdc' }), sums: output('sums') },
    };
    writeFileSync(join(folder, 'counter.mjs'), counterModule);
    writeFileSync(join(folder, 'p.yaml'), JSON.stringify(definition));

    const blocker = new pg.Client({ connectionString: uri });
    blocker.on('error', () => {});
    await blocker.connect();
    const held = `FROM pg_stat_activity WHERE application_name = 'millrace' AND state = 'idle in transaction' AND query LIKE 'SET CONSTRAINTS%'`;
    /** A checkpoint is under way: one output cannot get on with it, the other two wait for it to be stored. */
    const block = async (): Promise<void> => {
      await blocker.query('BEGIN; LOCK TABLE bag IN SHARE MODE');
      await becomes(`(SELECT count(*) ${held}) = 2 AND ${oneOfThem("output = 'exact/bag.bag' AND prepared <> '[]'")}`);
    };

    // Prepared, and not stored; there is no checkpoint yet.
    let run = start();
    await block();
    await killRun(run);
    await blocker.query('ROLLBACK');
    await look();
    assert.is(seen, 0);

    // Stored, and not committed by one of them: its session stands still, or dies, or does what it was told when nobody is there any more.
    for (const end of ['SIGCONT', 'SIGKILL'] as const) {
      run = start();
      while (acks() === 0) await pollPause();
      await block();
      const pid = Number((await sql(`SELECT pid ${held} ORDER BY pid LIMIT 1`)).rows[0]?.['pid']);
      process.kill(pid, 'SIGSTOP');
      // The n-th checkpoint of a run has a name that ends in n.
      const { rows } = await sql('SELECT prepared FROM millrace_outputs');
      const prepared: string[] = rows.flatMap((row) => row['prepared'].map(([checkpoint]: [string]) => checkpoint));
      const latest = Math.max(...prepared.map((checkpoint) => Number(checkpoint.split(':')[1])));
      await blocker.query('ROLLBACK');
      while (acks() < latest) await pollPause();
      await killRun(run);
      process.kill(pid, end);
      // A session that is killed is a crash of the server: it starts again.
      if (end === 'SIGKILL') await becomes('true');
      await look();
    }

    for (let n = 0; n < (isLong ? 30 : 0); n++) {
      run = start();
      const until = seen + 1 + Math.floor(Math.random() * 4_000);
      await becomes(`(SELECT count(*) FROM bag) >= ${until}`);
      await killRun(run);
      await look();
    }

    writeFileSync(join(folder, 'last'), String(seen + 200));
    assert.is((await start().exit).code, 0);
    await look();
    const last = seen;
    assert.equal(
      (
        await sql(
          `SELECT count(*)::int AS n, count(DISTINCT n)::int AS d, max(n)::int AS m, min(__feldera_op) AS op FROM log`,
        )
      ).rows,
      [{ n: last, d: last, m: last, op: 'i' }],
    );
    assert.equal(
      (await sql('SELECT * FROM sums ORDER BY k')).rows,
      (
        await sql(
          `SELECT (n % 7)::bigint AS k, count(*) AS c, sum(n)::bigint AS s FROM generate_series(1, ${last}) AS n GROUP BY 1 ORDER BY 1`,
        )
      ).rows,
    );
    assert.ok(await is(`NOT ${oneOfThem("prepared <> '[]'")}`));
  });
}

kills.run();
