// postgres_cdc_input and what becomes of the table, its publication and its slot behind its back: a publication with columns and conditions,
// tables that go away, slots that are lost.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../../index.ts';
import { pollPause } from '../../poll-pause.ts';
import { startPostgresServer } from '../../servers/postgres-server.ts';

const followed = suite('tables of PostgreSQL that are followed');
const server = await startPostgresServer();
if ('missing' in server) {
  console.log(`skipped: tables of PostgreSQL that are followed: ${server.missing}`);
  followed('are not tried here', () => {});
} else {
  const { sql, uri } = server;
  followed.after(async () => await server.close());

  const cdc = (stream: string, table: string, more: object = {}): Readonly<Record<string, unknown>> => ({
    stream,
    transport: {
      name: 'postgres_cdc_input',
      config: { uri, max_retries: 3, source_table: table, ...more },
    },
  });
  const failureOf = async (pipeline: Pipeline, table: string, name = 'c'): Promise<string> => {
    for (;;) {
      const { error } = await pipeline.inputConnectorStats(table, name);
      if (error !== null) return `${error.code}: ${error.message}`;
      await pollPause();
    }
  };
  const rowsBecome = async (pipeline: Pipeline, query: string, wanted: readonly object[]): Promise<void> => {
    while (JSON.stringify(await pipeline.query(query)) !== JSON.stringify(wanted)) await pollPause();
  };

  followed('a snapshot has the columns and the rows that the publication sends', async () => {
    await sql(`CREATE TABLE people (id bigint PRIMARY KEY, name text, secret text, twice bigint GENERATED ALWAYS AS (id * 2) STORED);
      INSERT INTO people VALUES (1, 'one', 'x'), (-1, 'gone', 'x');
      CREATE PUBLICATION of_people FOR TABLE people (id, name) WHERE (id > 0);
      CREATE TABLE numbers (id bigint PRIMARY KEY, twice bigint GENERATED ALWAYS AS (id * 2) STORED); INSERT INTO numbers VALUES (1);
      CREATE TABLE elders (id bigint PRIMARY KEY); CREATE TABLE heirs (more int) INHERITS (elders);
      INSERT INTO elders VALUES (1); INSERT INTO heirs VALUES (10, 1)`);
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE people (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, secret VARCHAR);
        CREATE TABLE narrow (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR);
        CREATE TABLE numbers (id BIGINT NOT NULL PRIMARY KEY, twice BIGINT);
        CREATE TABLE elders (id BIGINT NOT NULL PRIMARY KEY);`,
      inputs: {
        p: cdc('people', 'people', { publication: 'of_people', slot_name: 'people_1' }),
        narrow: cdc('narrow', 'people', { publication: 'of_people', slot_name: 'people_2' }),
        n: cdc('numbers', 'numbers'),
        e: cdc('elders', 'elders'),
      },
    });
    await pipeline.start();
    await rowsBecome(pipeline, 'SELECT * FROM people', [{ id: 1, name: 'one', secret: null }]);
    await rowsBecome(pipeline, 'SELECT * FROM narrow', [{ id: 1, name: 'one' }]);
    await rowsBecome(pipeline, 'SELECT * FROM numbers', [{ id: 1, twice: null }]);
    await rowsBecome(pipeline, 'SELECT * FROM elders', [{ id: 1 }]);
    await sql(`INSERT INTO people VALUES (2, 'two', 'y'), (-2, 'no', 'y'); UPDATE people SET id = 3 WHERE id = -1;
      UPDATE people SET id = -5 WHERE id = 1; INSERT INTO numbers VALUES (2);
      INSERT INTO heirs VALUES (11, 1); INSERT INTO elders VALUES (2)`);
    const both = [
      { id: 2, name: 'two' },
      { id: 3, name: 'gone' },
    ];
    await rowsBecome(pipeline, 'SELECT id, name FROM people ORDER BY id', both);
    await rowsBecome(pipeline, 'SELECT * FROM narrow ORDER BY id', both);
    await rowsBecome(pipeline, 'SELECT id FROM elders ORDER BY id', [{ id: 1 }, { id: 2 }]);
    await rowsBecome(pipeline, 'SELECT * FROM numbers ORDER BY id', [
      { id: 1, twice: null },
      { id: 2, twice: null },
    ]);
    // What has a column here and is not sent is said, once.
    const said = async (table: string, name: string): Promise<number> =>
      (await pipeline.inputConnectorStats(table, name)).numTransportErrors;
    const counts = [await said('people', 'p'), await said('numbers', 'n'), await said('narrow', 'narrow')];
    assert.equal(counts, [1, 1, 0]);
    await pipeline.stop({ force: true });
  });

  followed(
    'a table that is dropped, renamed, made again or published no more ends its connector, and no other',
    async () => {
      const names = ['dropped', 'renamed', 'again', 'removed', 'unpublished', 'kept'];
      await sql(`${names.map((name) => `CREATE TABLE ${name} (id bigint PRIMARY KEY);`).join('')}
      CREATE PUBLICATION everything FOR ALL TABLES; CREATE PUBLICATION two FOR TABLE removed, kept; CREATE PUBLICATION gone FOR TABLE unpublished`);
      const publications: Readonly<Record<string, object>> = {
        again: { publication: 'everything' },
        removed: { publication: 'two' },
        unpublished: { publication: 'gone' },
      };
      await using pipeline = await Pipeline.open({
        program: names.map((name) => `CREATE TABLE ${name} (id BIGINT NOT NULL PRIMARY KEY);`).join('\n'),
        inputs: Object.fromEntries(
          names.map((name) => [
            `${name}_c`,
            { ...cdc(name, name, { table_check_interval: '300ms', ...publications[name] }), name: 'c' },
          ]),
        ),
      });
      await pipeline.start();
      for (const name of names) await sql(`INSERT INTO ${name} VALUES (1)`);
      for (const name of names) await rowsBecome(pipeline, `SELECT id FROM ${name}`, [{ id: 1 }]);
      await sql(`INSERT INTO dropped VALUES (2); DROP TABLE dropped; ALTER TABLE renamed RENAME TO other; DROP TABLE again;
      CREATE TABLE again (id bigint PRIMARY KEY); INSERT INTO again VALUES (2);
      ALTER PUBLICATION two DROP TABLE removed; DROP PUBLICATION gone`);
      const expected: Readonly<Record<string, RegExp>> = {
        dropped: /^postgres\.missing: .*there is no table dropped any more: it was dropped while it was followed/,
        renamed: /^postgres\.unsupported_change: renamed: it is called public\.other now/,
        again: /^postgres\.unsupported_change: again: it was dropped and made again/,
        removed: /^postgres\.missing: .*publication "two" does not hold the table removed/,
        unpublished: /^postgres\.missing: .*publication "gone" does not (hold|exist)/,
      };
      for (const [name, pattern] of Object.entries(expected)) assert.match(await failureOf(pipeline, name), pattern);
      // What came before the end came.
      assert.equal(await pipeline.query('SELECT id FROM dropped ORDER BY id'), [{ id: 1 }, { id: 2 }]);
      assert.equal(await pipeline.query('SELECT id FROM again'), [{ id: 1 }]);
      await sql('INSERT INTO kept VALUES (2)');
      await rowsBecome(pipeline, 'SELECT id FROM kept ORDER BY id', [{ id: 1 }, { id: 2 }]);
      await pipeline.stop({ force: true });
    },
  );

  followed('a slot that is dropped, invalidated, or made for something else is said to be that', async () => {
    await sql('CREATE TABLE t (id bigint PRIMARY KEY)');
    await sql(
      `SELECT pg_create_physical_replication_slot('physical'), pg_create_logical_replication_slot('decoding', 'test_decoding')`,
    );
    await using pipeline = await Pipeline.open({
      program: 'CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY); CREATE TABLE u (id BIGINT NOT NULL PRIMARY KEY);',
      inputs: {
        dropped: cdc('t', 't', { slot_name: 'to_drop' }),
        invalidated: cdc('u', 't', { slot_name: 'to_lose' }),
        physical: cdc('t', 't', { slot_name: 'physical' }),
        decoding: cdc('t', 't', { slot_name: 'decoding' }),
      },
    });
    await pipeline.start();
    assert.match(await failureOf(pipeline, 't', 'physical'), /^postgres\.slot_unfit: .*"physical" is one of physical/);
    assert.match(
      await failureOf(pipeline, 't', 'decoding'),
      /^postgres\.slot_unfit: .*made for the plugin "test_decoding"/,
    );
    await sql('INSERT INTO t VALUES (1)');
    for (const table of ['t', 'u']) await rowsBecome(pipeline, `SELECT id FROM ${table}`, [{ id: 1 }]);
    // As long as somebody reads it, it cannot be dropped: the one who reads it may be back before that.
    const drop = `SELECT pg_terminate_backend(active_pid), pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'to_drop'`;
    const isThere = `SELECT 1 FROM pg_replication_slots WHERE slot_name = 'to_drop'`;
    while ((await sql(isThere)).rows.length > 0) await sql(drop).catch(() => {});
    assert.match(
      await failureOf(pipeline, 't', 'dropped'),
      /^postgres\.slot_lost: .*replication slot "to_drop", which has been read before, is gone/,
    );
    // A server that keeps so little of its log throws that of a slot away that nobody reads on.
    await pipeline.pauseConnector('u', 'invalidated');
    await sql(`ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'`);
    await sql('SELECT pg_reload_conf()');
    const isLost = `SELECT 1 FROM pg_replication_slots WHERE slot_name = 'to_lose' AND wal_status = 'lost'`;
    while ((await sql(isLost)).rows.length === 0) {
      await sql('INSERT INTO t SELECT max(id) + 1 FROM t; SELECT pg_switch_wal()');
      await sql('CHECKPOINT');
    }
    await pipeline.resumeConnector('u', 'invalidated');
    assert.match(
      await failureOf(pipeline, 'u', 'invalidated'),
      /^postgres\.slot_lost: .*replication slot "to_lose", .* was invalidated: .*max_slot_wal_keep_size/,
    );
    await pipeline.stop({ force: true });
    await sql(`ALTER SYSTEM RESET max_slot_wal_keep_size`);
    await sql('SELECT pg_reload_conf()');
  });

  const isRead = async (slot: string): Promise<void> => {
    const query = `SELECT 1 FROM pg_replication_slots WHERE slot_name = '${slot}' AND active`;
    while ((await sql(query)).rows.length === 0) await pollPause();
  };
  followed('a quiet table holds no server up that is shut down, and its slot stays known', async () => {
    await sql('CREATE TABLE hush (id bigint PRIMARY KEY); CREATE TABLE loud (id bigint)');
    const dataFolder = mkdtempSync(join(tmpdir(), 'millrace-quiet-'));
    const open = (): Promise<Pipeline> =>
      Pipeline.open({
        name: 'quiet',
        dataFolder,
        program: 'CREATE TABLE hush (id BIGINT NOT NULL PRIMARY KEY);',
        inputs: { h: cdc('hush', 'hush', { slot_name: 'hush', max_retries: 1_000 }) },
      });
    await using pipeline = await open();
    await pipeline.start();
    await isRead('hush');
    await sql('INSERT INTO loud SELECT generate_series(1, 10000)');
    // It waits until all that it has logged is durable here, however long that takes: nothing of it is a row.
    await server.process.stop('SIGINT');
    await server.process.start();
    await sql('INSERT INTO hush VALUES (1)');
    await rowsBecome(pipeline, 'SELECT id FROM hush', [{ id: 1 }]);
    await pipeline.stop({ force: true });
    await sql('INSERT INTO hush VALUES (2)');
    await using next = await open();
    await next.start();
    await rowsBecome(next, 'SELECT id FROM hush ORDER BY id', [{ id: 1 }, { id: 2 }]);
    await next.stop({ force: true });
    rmSync(dataFolder, { recursive: true, force: true });
  });
}

followed.run();
