// postgres_input against a real server: every type exact, wrong settings, lost connections.
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgresInput } from '../../../connectors/postgres/source.ts';
import { conformance } from '../../../connectors/sdk/conformance.ts';
import { Pipeline } from '../../../index.ts';
import { pollPause } from '../../poll-pause.ts';
import { freePort } from '../../servers/free-port.ts';
import { type PostgresServer, startPostgresServer } from '../../servers/postgres-server.ts';
import { bigint, codeOf, contextFor, eagerClock, relationOf, varchar } from '../connector-context.ts';

const postgres = suite<{ server: PostgresServer }>('postgres_input');
const server = await startPostgresServer();
if ('missing' in server) {
  console.log(`skipped: postgres_input against a real server: ${server.missing}`);
  postgres('is not tried here', () => {});
} else {
  postgres.after(async () => await server.close());

  postgres('rows of a query that goes on for long are in the table before it has ended', async () => {
    const gate = new pg.Client({ connectionString: server.uri });
    await gate.connect();
    await gate.query('SELECT pg_advisory_lock(42)');
    // The last row waits for whoever holds the lock; those before it are longer than what the server gathers before it sends.
    const query = `SELECT i AS id, repeat('x', 20000) AS t FROM generate_series(1, 2) AS i
      UNION ALL SELECT 2 + count(pg_advisory_lock_shared(42)), ''`;
    await using pipeline = await Pipeline.open({
      program: 'CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, t VARCHAR);',
      inputs: { c: { stream: 't', transport: { name: 'postgres_input', config: { uri: server.uri, query } } } },
    });
    await pipeline.start();
    while ((await pipeline.query('SELECT id FROM t')).length < 1) await pollPause();
    const { totalRecords, state } = await pipeline.inputConnectorStats('t', 'c');
    assert.equal([totalRecords, state], [1, 'running']);
    await gate.query('SELECT pg_advisory_unlock(42)');
    await gate.end();
    await pipeline.waitForCompletion();
    assert.is((await pipeline.query('SELECT id FROM t')).length, 3);
  });

  postgres('every type comes out as it went in', async () => {
    await server.sql(`CREATE TYPE mood AS ENUM ('sad', 'ok');
      CREATE TABLE kinds (id bigint, b boolean, i2 smallint, i4 int, i8 bigint, n numeric(38,10), r real, d double precision,
        t text, c char(4), v varchar(10), bin bytea, da date, ti time, ts timestamp, tz timestamptz, u uuid, j jsonb, a int[],
        e mood, iv interval);
      INSERT INTO kinds VALUES (1, true, -32768, 2147483647, 9223372036854775807, 1234567890123456789012345678.0123456789,
        1.5, 0.1, E'a "quoted", text\nwith a line', 'ab', 'vé', '\\x00ff0a', '2024-02-29', '23:59:59.999999',
        '2024-02-29 12:34:56.123456', '2024-02-29 12:34:56.5+02', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"k": [1, 9007199254740993]}',
        '{1,NULL,3}', 'ok', '1 day 02:03:04');
      INSERT INTO kinds (id) VALUES (2);
      INSERT INTO kinds VALUES (3, false, 0, 0, -9223372036854775808, 0, '-0.5', '-0', '', '', '', '', '0001-01-01',
        '00:00', '1969-12-31 23:59:59', '1970-01-01 00:00:00+00', '00000000-0000-0000-0000-000000000000', 'null', '{}', 'sad', '-1 month');`);
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE kinds (id BIGINT NOT NULL PRIMARY KEY, b BOOLEAN, i2 SMALLINT, i4 INT, i8 BIGINT, n DECIMAL(38,10), r REAL,
        d DOUBLE, t VARCHAR, c VARCHAR, v VARCHAR(10), bin VARBINARY, da DATE, ti TIME, ts TIMESTAMP, tz TIMESTAMP, u UUID,
        j VARIANT, a INT ARRAY, e VARCHAR, iv VARCHAR);`,
      inputs: {
        k: {
          stream: 'kinds',
          transport: { name: 'postgres_input', config: { uri: server.uri, query: 'SELECT * FROM kinds;' } },
        },
      },
    });
    await pipeline.start();
    await pipeline.waitForCompletion();
    const [first, second, third] = await pipeline.query('SELECT * FROM kinds ORDER BY id');
    assert.equal(first, {
      id: 1,
      b: true,
      i2: -32768,
      i4: 2147483647,
      i8: 9223372036854775807n,
      n: '1234567890123456789012345678.0123456789',
      r: 1.5,
      d: 0.1,
      t: 'a "quoted", text\nwith a line',
      c: 'ab  ',
      v: 'vé',
      bin: new Uint8Array([0, 255, 10]),
      da: '2024-02-29',
      ti: '23:59:59.999999',
      ts: '2024-02-29 12:34:56.123456',
      tz: '2024-02-29 10:34:56.5',
      u: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      j: { k: [1, 9007199254740993n] },
      a: [1, null, 3],
      e: 'ok',
      iv: '1 2:03:04',
    });
    assert.equal(Object.values(second ?? {}), [2, ...Array(20).fill(null)]);
    assert.is(third?.['i8'], -9223372036854775808n);
    assert.is(third?.['t'], '');
    assert.equal(third?.['bin'], new Uint8Array(0));
    assert.is((await pipeline.inputConnectorStats('kinds', 'k')).numParseErrors, 0);
  });

  postgres('wrong settings are coded errors, and the password is in none of them', async () => {
    const relation = relationOf({ id: bigint, t: varchar });
    const tried = async (given: object, context = contextFor(relation, '.')): Promise<string> => {
      const settings = { uri: server.uri, query: 'SELECT 1 AS id', verify_hostname: true, max_retries: 1, ...given };
      let thrown = '';
      const code = await codeOf(async () => {
        const source = postgresInput.create(settings, context);
        try {
          await source.open(null);
        } catch (error) {
          thrown = String(error);
          throw error;
        } finally {
          await source.teardown?.();
        }
      });
      assert.not.match(thrown, /secret|wrong-pass/);
      return code;
    };
    assert.is(await tried({}), 'no error');
    assert.is(await tried({ uri: server.uri.replace('secret', 'wrong-pass') }), 'postgres.access_denied');
    assert.is(await tried({ uri: server.uri.replace(/postgres$/, 'nowhere') }), 'postgres.missing');
    assert.is(await tried({ query: 'SELECT * FROM nothing' }), 'postgres.missing');
    assert.is(await tried({ query: 'SELEC 1' }), 'postgres.refused');
    assert.is(await tried({ query: 'SELECT 1 AS idx' }), 'postgres.columns_differ id');
    assert.is(await tried({ uri: 'mysql://x' }), 'config.invalid_value');
    const context = contextFor(relation, '.', eagerClock());
    const unreachable = { uri: `postgres://postgres:secret@127.0.0.1:${await freePort()}/postgres` };
    assert.is(await tried(unreachable, context), 'postgres.unavailable');
    assert.equal(context.reported, ['postgres.unavailable']);
  });

  postgres('a server that is killed in the middle fails the connector in a way that may pass', async () => {
    const relation = relationOf({ id: bigint });
    const context = contextFor(relation, '.');
    const query = 'SELECT i AS id FROM generate_series(1, 20000000) AS i';
    const settings = { uri: server.uri, query, verify_hostname: true, max_retries: 0 };
    const source = postgresInput.create(settings, context);
    await source.open(null);
    const code = await codeOf(async () => {
      let payloads = 0;
      for await (const _ of source.read()) if (++payloads === 2) await server.process.stop('SIGINT');
    });
    assert.is(code, 'postgres.unavailable');
    await source.teardown?.();
    await server.process.start();
  });

  postgres('a stop in the middle of a query is soon, and no error', async () => {
    const relation = relationOf({ id: bigint });
    const context = contextFor(relation, '.');
    const query = 'SELECT i AS id FROM generate_series(1, 20000000) AS i';
    const source = postgresInput.create({ uri: server.uri, query, verify_hostname: true, max_retries: 0 }, context);
    await source.open(null);
    let payloads = 0;
    for await (const _ of source.read()) if (++payloads === 2) context.controller.abort();
    assert.ok(payloads < 10);
    await source.teardown?.();
  });

  await server.sql(
    'CREATE TABLE conforming (id bigint, t text); INSERT INTO conforming SELECT n, n::text FROM generate_series(1, 9) n',
  );
  const configuration = { uri: server.uri, query: 'SELECT * FROM conforming ORDER BY id' };
  const relation = relationOf({ id: bigint, t: varchar });
  for (const { title, run } of conformance(postgresInput, { configuration, relation, startsOver: true }))
    postgres(title, run);
}

postgres.run();
