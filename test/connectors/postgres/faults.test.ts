// What goes wrong with PostgreSQL, as a pipeline shows it: each fault is a coded error in the status of its connector that says what to do,
// no password is in it, and the connectors beside it go on.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../../index.ts';
import { pollPause } from '../../poll-pause.ts';
import { startPostgresServer } from '../../servers/postgres-server.ts';

const faults = suite('faults of PostgreSQL');
const server = await startPostgresServer();
if ('missing' in server) {
  console.log(`skipped: faults of PostgreSQL: ${server.missing}`);
  faults('are not tried here', () => {});
} else {
  const { sql, uri } = server;
  faults.after(async () => await server.close());

  const input = (stream: string, name: string, config: object): Readonly<Record<string, unknown>> => ({
    stream,
    transport: { name, config: { uri, max_retries: 0, ...config } },
  });
  const cdc = (stream: string, table: string, more: object = {}): Readonly<Record<string, unknown>> =>
    input(stream, 'postgres_cdc_input', { source_table: table, ...more });
  /** Resolves with the error that the connector has ended with, or waits to be tried again with. */
  const failureOf = async (pipeline: Pipeline, table: string, name: string): Promise<string> => {
    for (;;) {
      const { error, lastFailure } = await pipeline.inputConnectorStats(table, name);
      const shown = error ?? lastFailure?.error ?? null;
      // Connections of the test before may still be counted by the server, which refuses others meanwhile: that passes.
      if (shown !== null && (shown.code !== 'postgres.unavailable' || name === 'unreachable')) {
        assert.not.match(JSON.stringify(shown), /secret|wrong-pass/);
        return `${shown.code}: ${shown.message}`;
      }
      await pollPause();
    }
  };
  const rowsBecome = async (pipeline: Pipeline, query: string, wanted: readonly object[]): Promise<void> => {
    while (JSON.stringify(await pipeline.query(query)) !== JSON.stringify(wanted)) await pollPause();
  };

  faults('wrong settings end their connectors with what to do, and the others go on', async () => {
    await sql(`CREATE TABLE fine (id bigint PRIMARY KEY, t text); CREATE TABLE other (id bigint PRIMARY KEY);
      CREATE ROLE reader LOGIN PASSWORD 'reader-pass'; CREATE PUBLICATION of_other FOR TABLE other`);
    const asReader = uri.replace('postgres:secret', 'reader:reader-pass');
    const holder = 'holder_slot';
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE fine (id BIGINT NOT NULL PRIMARY KEY, t VARCHAR); CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, t VARCHAR);`,
      inputs: {
        fine: cdc('fine', 'fine', { slot_name: holder }),
        password: cdc('t', 'fine', { uri: uri.replace('secret', 'wrong-pass') }),
        database: cdc('t', 'fine', { uri: uri.replace(/postgres$/, 'nowhere') }),
        denied: input('t', 'postgres_input', { uri: asReader, query: 'SELECT * FROM fine' }),
        notreplica: cdc('t', 'fine', { uri: asReader }),
        table: cdc('t', 'nowhere'),
        publication: cdc('t', 'fine', { publication: 'absent' }),
        unpublished: cdc('t', 'fine', { publication: 'of_other' }),
        columns: input('t', 'postgres_input', { query: 'SELECT id, t AS tt FROM fine' }),
        taken: { ...cdc('t', 'fine', { slot_name: holder, snapshot: false }), paused: true },
        unreachable: cdc('t', 'fine', { uri: 'postgres://postgres:secret@127.0.0.1:1/postgres' }),
      },
    });
    await pipeline.start();
    const expected: Readonly<Record<string, RegExp>> = {
      password: /^postgres\.access_denied: .*password authentication failed/,
      database: /^postgres\.missing: .*database "nowhere" does not exist/,
      denied: /^postgres\.access_denied: .*permission denied for table fine/,
      notreplica: /^postgres\.access_denied: /,
      table: /^postgres\.missing: .*nowhere/,
      publication: /^postgres\.missing: .*there is no publication "absent"/,
      unpublished: /^postgres\.missing: .*publication "of_other" does not hold the table fine/,
      columns: /^postgres\.columns_differ: .*"tt"/,
      unreachable: /^postgres\.unavailable: /,
    };
    for (const [name, pattern] of Object.entries(expected)) assert.match(await failureOf(pipeline, 't', name), pattern);
    await sql(`INSERT INTO fine VALUES (1, 'goes on')`);
    await rowsBecome(pipeline, 'SELECT * FROM fine', [{ id: 1, t: 'goes on' }]);
    // The one that has its rows has the slot.
    await pipeline.resumeConnector('t', 'taken');
    assert.match(await failureOf(pipeline, 't', 'taken'), /^postgres\.slot_taken: /);
    await pipeline.stop({ force: true });
  });

  faults('a table without an identity is followed as far as that goes, and what is missing is said', async () => {
    await sql(`CREATE TABLE blind (id bigint, t text); ALTER TABLE blind REPLICA IDENTITY NOTHING;
      CREATE TABLE keyed (id bigint PRIMARY KEY, t text); INSERT INTO keyed VALUES (1, 'x'), (2, 'y');
      CREATE TABLE twokeys (id bigint PRIMARY KEY, code text UNIQUE NOT NULL); INSERT INTO twokeys VALUES (1, 'a')`);
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE blind (id BIGINT, t VARCHAR) WITH ('materialized' = 'true');
        CREATE TABLE keyed (id BIGINT, t VARCHAR) WITH ('materialized' = 'true');
        CREATE TABLE twokeys (id BIGINT, code VARCHAR NOT NULL PRIMARY KEY);`,
      inputs: { b: cdc('blind', 'blind'), k: cdc('keyed', 'keyed'), w: cdc('twokeys', 'twokeys') },
    });
    await pipeline.start();
    await rowsBecome(pipeline, 'SELECT id FROM keyed ORDER BY id', [{ id: 1 }, { id: 2 }]);
    await rowsBecome(pipeline, 'SELECT id FROM twokeys', [{ id: 1 }]);
    for (const [table, name] of [
      ['blind', 'b'],
      ['keyed', 'k'],
    ] as const) {
      assert.is((await pipeline.inputConnectorStats(table, name)).numTransportErrors, 1, table);
    }
    await sql(`INSERT INTO blind VALUES (7, 'seven'); DELETE FROM keyed WHERE id = 1; DELETE FROM twokeys`);
    await rowsBecome(pipeline, 'SELECT id FROM blind', [{ id: 7 }]);
    // The server names the deleted row by its key alone, which is none of the SQL table: nothing wrong is deleted.
    assert.match(
      await failureOf(pipeline, 'keyed', 'k'),
      /^postgres\.unsupported_change: keyed: the SQL table has no primary key: deletions can be followed only with ALTER TABLE keyed REPLICA IDENTITY FULL/,
    );
    assert.match(
      await failureOf(pipeline, 'twokeys', 'w'),
      /^postgres\.unsupported_change: twokeys: the server identifies rows by other columns/,
    );
    assert.equal(await pipeline.query('SELECT id FROM keyed ORDER BY id'), [{ id: 1 }, { id: 2 }]);
    await pipeline.stop({ force: true });
  });

  faults('columns that come, go and change while a table is followed, and a table that is renamed', async () => {
    await sql(`CREATE TABLE added (id bigint PRIMARY KEY, t text); CREATE TABLE dropped (id bigint PRIMARY KEY, t text);
      CREATE TABLE changed (id bigint PRIMARY KEY, t int); CREATE TABLE worse (id bigint PRIMARY KEY, t int); CREATE TABLE before (id bigint PRIMARY KEY, t text);
      CREATE TABLE parts (id bigint PRIMARY KEY, t text) PARTITION BY RANGE (id); CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10)`);
    const names = ['added', 'dropped', 'changed', 'worse', 'before', 'parts'];
    await using pipeline = await Pipeline.open({
      program: names
        .map(
          (name) =>
            `CREATE TABLE ${name} (id BIGINT NOT NULL PRIMARY KEY, t ${/changed|worse/.test(name) ? 'INT' : 'VARCHAR'});`,
        )
        .join('\n'),
      inputs: Object.fromEntries(names.map((name) => [name, cdc(name, name)])),
    });
    await pipeline.start();
    for (const name of names) await sql(`INSERT INTO ${name} VALUES (1, '1')`);
    for (const name of names) await rowsBecome(pipeline, `SELECT id FROM ${name}`, [{ id: 1 }]);
    await sql(`ALTER TABLE dropped DROP COLUMN t; INSERT INTO dropped VALUES (2);
      ALTER TABLE changed ALTER COLUMN t TYPE bigint; INSERT INTO changed VALUES (2, 2);
      ALTER TABLE worse ALTER COLUMN t TYPE boolean USING t = 1; INSERT INTO worse VALUES (2, true);
      ALTER TABLE added ADD COLUMN more int; INSERT INTO added VALUES (2, 'x', 3);
      ALTER TABLE before RENAME TO behind; INSERT INTO behind VALUES (2, 'x');
      CREATE TABLE part2 PARTITION OF parts FOR VALUES FROM (10) TO (20); INSERT INTO parts VALUES (12, 'x')`);
    await rowsBecome(pipeline, 'SELECT * FROM dropped ORDER BY id', [
      { id: 1, t: '1' },
      { id: 2, t: null },
    ]);
    await rowsBecome(pipeline, 'SELECT * FROM changed ORDER BY id', [
      { id: 1, t: 1 },
      { id: 2, t: 2 },
    ]);
    await rowsBecome(pipeline, 'SELECT id FROM parts ORDER BY id', [{ id: 1 }, { id: 12 }]);
    assert.match(
      await failureOf(pipeline, 'added', 'added'),
      /^postgres\.columns_differ: .*"more" is not among those of added/,
    );
    assert.match(await failureOf(pipeline, 'worse', 'worse'), /^postgres\.columns_differ: .*"t" is of type boolean/);
    assert.match(
      await failureOf(pipeline, 'before', 'before'),
      /^postgres\.unsupported_change: before: it is called public\.behind now/,
    );
    await pipeline.stop({ force: true });
  });

  faults('a server that does not log for replication says which setting to change', async () => {
    await sql(`ALTER SYSTEM SET wal_level = 'replica'`);
    // It does not start while there are slots; those who served them need a moment to end.
    const drop = 'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active';
    while ((await sql('SELECT 1 FROM pg_replication_slots')).rows.length > 0) {
      await sql(drop);
      await pollPause();
    }
    await server.process.stop('SIGINT');
    await server.process.start();
    await using pipeline = await Pipeline.open({
      program: 'CREATE TABLE fine (id BIGINT NOT NULL PRIMARY KEY, t VARCHAR);',
      inputs: {
        f: cdc('fine', 'fine', { slot_name: 'late' }),
        q: input('fine', 'postgres_input', { query: 'SELECT * FROM fine' }),
      },
    });
    await pipeline.start();
    assert.match(
      await failureOf(pipeline, 'fine', 'f'),
      /^postgres\.wal_level: .*needs wal_level "logical", not "replica"/,
    );
    await rowsBecome(pipeline, 'SELECT id FROM fine', [{ id: 1 }]);
    await pipeline.stop({ force: true });
  });
}

faults.run();
