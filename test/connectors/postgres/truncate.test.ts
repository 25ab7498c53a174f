// TRUNCATE of a table that is followed, against a real server: in its place among other changes, of several tables at once, in a pipeline
// of two workers, after a restart, and where it cannot be followed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgresCdcInput } from '../../../connectors/postgres/cdc-source.ts';
import type { Position } from '../../../connectors/sdk/source.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { Pipeline } from '../../../index.ts';
import { pollPause } from '../../poll-pause.ts';
import { startPostgresServer } from '../../servers/postgres-server.ts';
import { bigint, codeOf, contextFor, relationOf, varchar } from '../connector-context.ts';

const truncate = suite('TRUNCATE of a followed table');
const server = await startPostgresServer();
if ('missing' in server) {
  console.log(`skipped: TRUNCATE against a real server: ${server.missing}`);
  truncate('is not tried here', () => {});
} else {
  const { sql } = server;
  truncate.after(async () => await server.close());

  const follows = (stream: string, table: string, more: object = {}): Readonly<Record<string, unknown>> => ({
    stream,
    transport: { name: 'postgres_cdc_input', config: { uri: server.uri, source_table: table, ...more } },
  });

  /** Resolves when the query gives this. */
  const becomes = async (pipeline: Pipeline, query: string, wanted: readonly object[]): Promise<void> => {
    const text = JSON.stringify(wanted);
    for (;;) {
      const rows = await pipeline.query(query);
      if (JSON.stringify(rows) === text) return;
      for (const { endpoint, error } of (await pipeline.stats()).inputs)
        assert.not.ok(error, `${endpoint}: ${error?.message}`);
      await pollPause();
    }
  };

  const program = `
    CREATE TABLE orders (id BIGINT NOT NULL PRIMARY KEY, customer BIGINT, amount BIGINT);
    CREATE TABLE visits (customer BIGINT, page VARCHAR) WITH ('materialized' = 'true');
    CREATE MATERIALIZED VIEW spent AS SELECT customer, SUM(amount) AS amount FROM orders GROUP BY customer;
    CREATE MATERIALIZED VIEW pages AS SELECT page, COUNT(*) AS n FROM visits GROUP BY page;`;

  for (const workers of [1, 2]) {
    truncate(`the tables are emptied in their place among the other changes, with ${workers} workers`, async () => {
      await sql(`DROP TABLE IF EXISTS lines, orders, visits;
        CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint, amount bigint);
        CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint REFERENCES orders);
        CREATE TABLE visits (customer bigint, page text); ALTER TABLE visits REPLICA IDENTITY FULL;
        INSERT INTO orders SELECT i, i % 3, i FROM generate_series(1, 300) AS i;
        INSERT INTO visits SELECT i % 5, 'home' FROM generate_series(1, 100) AS i`);
      const slots = (name: string): object => ({ slot_name: `${name}_${workers}` });
      await using pipeline = await Pipeline.open({
        program,
        workers,
        inputs: { o: follows('orders', 'orders', slots('o')), v: follows('visits', 'public.visits', slots('v')) },
      });
      await pipeline.start();
      const orders = 'SELECT * FROM orders ORDER BY id';
      const spent = 'SELECT * FROM spent ORDER BY customer';
      const pages = 'SELECT * FROM pages ORDER BY page';
      await becomes(pipeline, 'SELECT COUNT(*) AS n FROM orders', [{ n: 300 }]);
      await becomes(pipeline, pages, [{ page: 'home', n: 100 }]);
      // Rows before it and behind it in one transaction; another table is emptied with it.
      await sql(`BEGIN; INSERT INTO orders VALUES (1000, 9, 9); INSERT INTO visits VALUES (1, 'gone');
        TRUNCATE orders, visits CASCADE; INSERT INTO orders VALUES (2, 7, 70), (1000, 7, 1); INSERT INTO visits VALUES (1, 'new'); COMMIT`);
      await becomes(pipeline, orders, [
        { id: 2, customer: 7, amount: 70 },
        { id: 1000, customer: 7, amount: 1 },
      ]);
      await becomes(pipeline, spent, [{ customer: 7, amount: 71 }]);
      await becomes(pipeline, pages, [{ page: 'new', n: 1 }]);
      // By way of another table: the one that is followed is emptied with what it refers to.
      await sql(`INSERT INTO lines VALUES (1, 2); TRUNCATE orders RESTART IDENTITY CASCADE`);
      await becomes(pipeline, orders, []);
      await becomes(pipeline, spent, []);
      await becomes(pipeline, pages, [{ page: 'new', n: 1 }]);
      await sql('TRUNCATE visits; TRUNCATE visits');
      await becomes(pipeline, pages, []);
      await sql(`INSERT INTO visits VALUES (1, 'again'); UPDATE visits SET page = 'once more'`);
      await sql('BEGIN; TRUNCATE visits; ROLLBACK');
      await becomes(pipeline, pages, [{ page: 'once more', n: 1 }]);
      await pipeline.stop({ force: true });
    });
  }

  truncate('a pipeline that goes on from its data folder empties the table once, and in the right place', async () => {
    await sql(`CREATE TABLE kept (id bigint PRIMARY KEY, t text); INSERT INTO kept VALUES (1, 'x')`);
    const dataFolder = mkdtempSync(join(tmpdir(), 'millrace-truncate-'));
    const options = {
      name: 'kept',
      dataFolder,
      program: 'CREATE TABLE kept (id BIGINT NOT NULL PRIMARY KEY, t VARCHAR);',
      inputs: { k: follows('kept', 'kept') },
    };
    const query = 'SELECT * FROM kept ORDER BY id';
    try {
      for (const [before, during] of [
        ['TRUNCATE kept', `INSERT INTO kept VALUES (2, 'y')`],
        [`TRUNCATE kept; INSERT INTO kept VALUES (3, 'z')`, 'TRUNCATE kept'],
        [`INSERT INTO kept VALUES (4, 'a'); TRUNCATE kept`, `INSERT INTO kept VALUES (5, 'b')`],
      ]) {
        await using pipeline = await Pipeline.open(options);
        await pipeline.start();
        await becomes(
          pipeline,
          query,
          (await sql(query)).rows.map(({ id, t }) => ({ id: Number(id), t })),
        );
        await sql(before ?? '');
        await becomes(
          pipeline,
          query,
          (await sql(query)).rows.map(({ id, t }) => ({ id: Number(id), t })),
        );
        await pipeline.stop();
        await sql(during ?? '');
      }
      await using pipeline = await Pipeline.open(options);
      await pipeline.start();
      await becomes(pipeline, query, [{ id: 5, t: 'b' }]);
      await pipeline.stop({ force: true });
    } finally {
      rmSync(dataFolder, { recursive: true, force: true });
    }
  });

  truncate(
    'a table that keeps no rows ends its connector, says what to do, and leaves the others at work',
    async () => {
      await sql(`CREATE TABLE loose (id bigint, t text); ALTER TABLE loose REPLICA IDENTITY FULL; INSERT INTO loose VALUES (1, 'x');
      CREATE TABLE firm (id bigint PRIMARY KEY, t text)`);
      await using pipeline = await Pipeline.open({
        program: `CREATE TABLE loose (id BIGINT, t VARCHAR); CREATE TABLE firm (id BIGINT NOT NULL PRIMARY KEY, t VARCHAR);
        CREATE MATERIALIZED VIEW n AS SELECT COUNT(*) AS n FROM loose;`,
        inputs: { l: follows('loose', 'loose'), f: follows('firm', 'firm') },
      });
      await pipeline.start();
      await becomes(pipeline, 'SELECT * FROM n', [{ n: 1 }]);
      await sql(`INSERT INTO loose VALUES (2, 'y'); TRUNCATE loose, firm`);
      for (;;) {
        const stats = await pipeline.inputConnectorStats('loose', 'l');
        if (stats.error !== null) {
          assert.is(stats.error.code, 'source.table_not_cleared');
          assert.match(stats.error.message, /no primary key and is not materialized/);
          break;
        }
        await pollPause();
      }
      await sql(`INSERT INTO firm VALUES (1, 'works')`);
      // What came before it is taken, too.
      for (const query of [`SELECT id FROM firm WHERE t = 'works'`, 'SELECT n FROM n WHERE n = 2']) {
        while ((await pipeline.query(query)).length === 0) await pollPause();
      }
      await pipeline.stop({ force: true });
    },
  );

  truncate('it is one change of a position, and can be passed over or end the connector', async () => {
    await sql('CREATE TABLE p (id bigint PRIMARY KEY, t text)');
    const relation = { ...relationOf({ 'id!': bigint, t: varchar }), primaryKey: [0] };
    const read = async (
      given: object,
      position: Position | null,
      count: number,
      onFirstIdle = '',
    ): Promise<{ readonly changes: string[]; readonly positions: Position[] }> => {
      const context = contextFor(relation, '.');
      const settings = { uri: server.uri, source_table: 'p', slot_name: 'p_slot', ...given };
      const { values } = validateParameters(postgresCdcInput.parameters, settings, () => ({}), []);
      const source = postgresCdcInput.create(values, context);
      const changes: string[] = [];
      const positions: Position[] = [];
      let isTold = onFirstIdle === '';
      try {
        await source.open(position);
        for await (const payload of source.read()) {
          if (payload.kind === 'clear') {
            changes.push('clear');
            positions.push(payload.position);
          }
          if (payload.kind === 'bytes') {
            for (let at = 0; at < payload.bytes.length; ) {
              const end = payload.bytes.indexOf(10, at) + 1;
              changes.push(Object.keys(JSON.parse(Buffer.from(payload.bytes.subarray(at, end)).toString())).join());
              positions.push(payload.positionAfter(end));
              at = end;
            }
          }
          if (payload.kind === 'idle' && !isTold) {
            isTold = true;
            await sql(onFirstIdle);
          }
          if (changes.length >= count && payload.kind === 'idle') context.controller.abort();
        }
      } finally {
        await source.teardown?.();
      }
      return { changes, positions };
    };
    const work = `BEGIN; INSERT INTO p VALUES (1, 'a'), (2, 'b'); TRUNCATE p; INSERT INTO p VALUES (3, 'c'); TRUNCATE p;
      INSERT INTO p VALUES (4, 'd'); COMMIT; DELETE FROM p`;
    const all = ['insert', 'insert', 'clear', 'insert', 'clear', 'insert', 'delete'];
    const start = await read({ snapshot: true }, null, 0);
    assert.equal(start.changes, []);
    await sql(work);
    const { rows: slots } = await sql(
      `SELECT confirmed_flush_lsn AS lsn FROM pg_replication_slots WHERE slot_name = 'p_slot'`,
    );
    const from = { lsn: String(slots[0]?.['lsn']), skip: 0 };
    const whole = await read({}, from, all.length);
    assert.equal(whole.changes, all);
    for (const [i, position] of whole.positions.entries()) {
      if (i === all.length - 1) continue;
      const rest = await read({}, position, all.length - i - 1);
      assert.equal(rest.changes, all.slice(i + 1), `behind change ${i}`);
    }
    const rows = all.filter((change) => change !== 'clear');
    assert.equal((await read({ on_truncate: 'ignore' }, from, rows.length)).changes, rows);
    // A position of the one is one of the other.
    assert.equal((await read({ on_truncate: 'ignore' }, whole.positions[3] ?? null, 2)).changes, ['insert', 'delete']);
    assert.is(await codeOf(() => read({ on_truncate: 'fail' }, from, rows.length)), 'postgres.unsupported_change');
  });
}

truncate.run();
