// postgres_output against a real server: the table is what the view is, through any changes, lost connections and bad settings.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgresOutput } from '../../../connectors/postgres/destination.ts';
import { conformance } from '../../../connectors/sdk/conformance.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { Pipeline } from '../../../index.ts';
import { type PostgresServer, startPostgresServer } from '../../servers/postgres-server.ts';
import { bigint, codeOf, contextFor, relationOf, varchar } from '../connector-context.ts';

const output = suite<{ server: PostgresServer }>('postgres_output');
const server = await startPostgresServer();

if ('missing' in server) {
  console.log(`skipped: postgres_output against a real server: ${server.missing}`);
  output('is not tried here', () => {});
} else {
  const { sql, uri } = server;
  output.after(async () => await server.close());

  const open = (program: string, view: string, config: object): Promise<Pipeline> =>
    Pipeline.open({
      program,
      outputs: { pg: { stream: view, transport: { name: 'postgres_output', config: { uri, ...config } } } },
    });
  const change = async (pipeline: Pipeline, table: string, rows: readonly object[]): Promise<void> => {
    // SAFETY: the rows are changes in the insert_delete form.
    const token = await pipeline.inputJson(table, rows as never, { updateFormat: 'insert_delete' });
    await pipeline.completed(token);
  };

  output('a keyed table follows insertions, updates and deletions', async () => {
    await sql('CREATE TABLE totals (name text PRIMARY KEY, total bigint)');
    await using pipeline = await open(
      `CREATE TABLE sales (name VARCHAR, amount BIGINT);
       CREATE VIEW totals AS SELECT name, SUM(amount) AS total FROM sales GROUP BY name;`,
      'totals',
      { table: 'totals' },
    );
    await pipeline.start();
    const add = (name: string, amount: number): object => ({ insert: { name, amount } });
    await change(pipeline, 'sales', [add('a', 1), add('b', 2), add('a', 5)]);
    await change(pipeline, 'sales', [add('a', -1), { delete: { name: 'b', amount: 2 } }, add('c', 7)]);
    const { rows } = await sql('SELECT name, total FROM totals ORDER BY name');
    assert.equal(rows, [
      { name: 'a', total: '5' },
      { name: 'c', total: '7' },
    ]);
  });

  output('of several rows of one key that come together one is kept, and keys are told apart to the byte', async () => {
    await sql('CREATE TABLE several (k text PRIMARY KEY, n bigint)');
    await using pipeline = await open(
      'CREATE TABLE src (k VARCHAR, n BIGINT); CREATE VIEW several AS SELECT k, n FROM src;',
      'several',
      { table: 'several', key_columns: ['k'] },
    );
    await pipeline.start();
    const add = (k: string, n: number): object => ({ insert: { k, n } });
    await change(pipeline, 'src', [add('a', 1), add('A', 2), add('a', 3), add('ä', 4), add('a', 1), add('', 5)]);
    const { rows } = await sql('SELECT k, n FROM several ORDER BY k COLLATE "C"');
    const ofA = rows.find(({ k }) => k === 'a')?.['n'];
    assert.ok(ofA === '1' || ofA === '3', String(ofA));
    assert.equal(rows, [
      { k: '', n: '5' },
      { k: 'A', n: '2' },
      { k: 'a', n: ofA },
      { k: 'ä', n: '4' },
    ]);
    await change(pipeline, 'src', [add('A', 6), { delete: { k: 'A', n: 2 } }]);
    assert.equal((await sql(`SELECT n FROM several WHERE k = 'A'`)).rows, [{ n: '6' }]);
  });

  output('a table without a key holds as many of each row as the view', async () => {
    await sql('CREATE TABLE bag (n int, t text)');
    await using pipeline = await open(
      'CREATE TABLE src (n INT, t VARCHAR); CREATE VIEW bag AS SELECT n, t FROM src;',
      'bag',
      { table: 'public.bag' },
    );
    await pipeline.start();
    const row = { n: 1, t: null };
    await change(pipeline, 'src', [{ insert: row }, { insert: row }, { insert: row }, { insert: { n: 2, t: '' } }]);
    await change(pipeline, 'src', [{ delete: row }, { delete: { n: 2, t: '' } }, { insert: { n: 3, t: 'x,"y"' } }]);
    const { rows } = await sql('SELECT n, t FROM bag ORDER BY n');
    assert.equal(rows, [row, row, { n: 3, t: 'x,"y"' }]);
  });

  output('mode cdc appends every change with what it was', async () => {
    await sql('CREATE TABLE log (id bigint, t text, __feldera_op text, __feldera_ts bigint)');
    await using pipeline = await open(
      'CREATE TABLE src (id BIGINT NOT NULL PRIMARY KEY, t VARCHAR); CREATE VIEW log AS SELECT id, t FROM src;',
      'log',
      { table: 'log', mode: 'cdc', key_columns: ['id'] },
    );
    await pipeline.start();
    await change(pipeline, 'src', [{ insert: { id: 1, t: 'a' } }]);
    await change(pipeline, 'src', [{ insert: { id: 1, t: 'b' } }]);
    await change(pipeline, 'src', [{ delete: { id: 1 } }]);
    const { rows } = await sql('SELECT id, t, __feldera_op AS op, __feldera_ts > 1600000000000 AS timed FROM log');
    assert.equal(rows, [
      { id: '1', t: 'a', op: 'i', timed: true },
      { id: '1', t: 'b', op: 'u', timed: true },
      { id: '1', t: 'b', op: 'd', timed: true },
    ]);
  });

  output('every type arrives exactly', async () => {
    await sql(`CREATE TABLE kinds (id bigint PRIMARY KEY, b boolean, n numeric(38,10), d double precision, t text, bin bytea, da date,
      ti time, ts timestamp, tz timestamptz, u uuid, j jsonb, a int[])`);
    await using pipeline = await open(
      `CREATE TABLE src (id BIGINT NOT NULL PRIMARY KEY, b BOOLEAN, n DECIMAL(38,10), d DOUBLE, t VARCHAR, bin VARBINARY, da DATE,
        ti TIME, ts TIMESTAMP, tz TIMESTAMP, u UUID, j VARIANT, a INT ARRAY); CREATE VIEW kinds AS SELECT * FROM src;`,
      'kinds',
      { table: 'kinds' },
    );
    await pipeline.start();
    const whole = {
      id: 9223372036854775807n,
      b: true,
      n: '1234567890123456789012345678.0123456789',
      d: 0.1,
      t: 'a "b"\n\\ é',
      bin: new Uint8Array([0, 255]),
      da: '2024-02-29',
      ti: '12:34:56.123456',
      ts: '2024-02-29 12:34:56.123456',
      tz: '2024-02-29 10:34:56',
      u: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      j: { k: [1, 9007199254740993n] },
      a: [1, null, 3],
    };
    await change(pipeline, 'src', [{ insert: whole }, { insert: { id: 2 } }]);
    const { rows } =
      await sql(`SELECT id::text, b, n::text, d, t, encode(bin, 'hex') AS bin, da::text, ti::text, ts::text,
      (tz AT TIME ZONE 'UTC')::text AS tz, u::text, j::text, a FROM kinds ORDER BY id DESC`);
    assert.equal(rows[0], {
      ...whole,
      id: '9223372036854775807',
      bin: '00ff',
      j: '{"k": [1, 9007199254740993]}',
    });
    assert.equal(Object.values(rows[1] ?? {}), ['2', ...Array(12).fill(null)]);
  });

  output('a server that is killed between two flushes costs nothing', async () => {
    await sql('CREATE TABLE kept (id bigint PRIMARY KEY)');
    await using pipeline = await open(
      'CREATE TABLE src (id BIGINT NOT NULL PRIMARY KEY); CREATE VIEW kept AS SELECT id FROM src;',
      'kept',
      { table: 'kept', max_retries: 50 },
    );
    await pipeline.start();
    await change(pipeline, 'src', [{ insert: { id: 1 } }]);
    await server.process.stop('SIGKILL');
    const second = change(pipeline, 'src', [{ insert: { id: 2 } }, { delete: { id: 1 } }]);
    await server.process.start();
    await second;
    assert.equal((await sql('SELECT id FROM kept')).rows, [{ id: '2' }]);
  });

  output('wrong settings are coded errors', async () => {
    await sql('CREATE TABLE narrow (id bigint)');
    const relation = relationOf({ id: bigint, t: varchar });
    const tried = (given: object): Promise<string> =>
      codeOf(async () => {
        const { values, problems } = validateParameters(postgresOutput.parameters, { uri, ...given }, () => ({}), []);
        if (problems[0] !== undefined) throw problems[0];
        const destination = postgresOutput.create(values, contextFor(relation, '.'));
        await destination.open().finally(() => destination.teardown?.());
      });
    assert.is(await tried({ table: 'narrow' }), 'postgres.columns_differ');
    assert.is(await tried({ table: 'absent' }), 'postgres.missing');
    assert.is(await tried({ table: 'narrow', key_columns: ['x'] }), 'config.invalid_value');
    assert.is(await tried({ table: 'narrow', mod: 'cdc' }), 'config.unknown_key mode');
    assert.is(await tried({ table: 'narrow', uri: uri.replace('secret', 'x') }), 'postgres.access_denied');
  });

  await sql('CREATE TABLE conforming (id bigint PRIMARY KEY, t text)');
  const outgoing = ['1,one,1\n2,two,1\n', '3,three,1\n'].map((text, part) => ({
    kind: 'bytes' as const,
    bytes: new TextEncoder().encode(text),
    records: 2 - part,
  }));
  const relation = { ...relationOf({ id: bigint, t: varchar }), primaryKey: [0] };
  const configuration = { uri, table: 'conforming' };
  for (const { title, run } of conformance(postgresOutput, { configuration, relation, outgoing })) output(title, run);
}

output.run();
