// What goes wrong with a table of PostgreSQL that is written to, as a pipeline shows it: a coded error in the status of its connector that says
// what to do, without the password; the outputs beside it go on; and a connection that is cut costs and doubles nothing.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../../index.ts';
import { pollPause } from '../../poll-pause.ts';
import { startCutProxy } from '../../servers/cut-proxy.ts';
import { startPostgresServer } from '../../servers/postgres-server.ts';

const faults = suite('faults of postgres_output');
const server = await startPostgresServer();
if ('missing' in server) {
  console.log(`skipped: faults of postgres_output: ${server.missing}`);
  faults('are not tried here', () => {});
} else {
  const { sql, uri } = server;
  faults.after(async () => await server.close());

  const output = (config: object): Readonly<Record<string, unknown>> => ({
    stream: 'v',
    transport: { name: 'postgres_output', config: { uri, max_retries: 0, ...config } },
  });
  const program =
    'CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, s VARCHAR); CREATE MATERIALIZED VIEW v AS SELECT id, s FROM t;';
  const errorOf = async (pipeline: Pipeline, name: string): Promise<string> => {
    for (;;) {
      const { error } = await pipeline.outputConnectorStats('v', name);
      if (error !== null) {
        assert.not.match(JSON.stringify(error), /secret|wrong-pass|reader-pass/);
        return `${error.code}: ${error.message}`;
      }
      await pollPause();
    }
  };
  const tableBecomes = async (query: string, wanted: readonly object[]): Promise<void> => {
    while (JSON.stringify((await sql(query)).rows) !== JSON.stringify(wanted)) await pollPause();
  };

  faults('tables that cannot be written end their connectors with what to do, and the others go on', async () => {
    await sql(`CREATE TABLE fine (id bigint PRIMARY KEY, s text); CREATE TABLE denied (id bigint PRIMARY KEY, s text);
      CREATE TABLE narrow (id bigint PRIMARY KEY, s varchar(3)); CREATE TABLE padded (id bigint, s char(3));
      CREATE TABLE letters (id bigint PRIMARY KEY, s char(8)); CREATE TABLE typed (id bigint PRIMARY KEY, s int);
      CREATE TABLE bound (id bigint PRIMARY KEY, s text CHECK (s <> 'poison')); CREATE TABLE lacking (id bigint PRIMARY KEY);
      CREATE TABLE keyless (id bigint, s text); CREATE TABLE dropped (id bigint PRIMARY KEY, s text);
      CREATE ROLE reader LOGIN PASSWORD 'reader-pass'; GRANT SELECT ON denied TO reader`);
    await using pipeline = await Pipeline.open({
      program,
      outputs: {
        fine: output({ table: 'fine' }),
        password: output({ table: 'fine', uri: uri.replace('secret', 'wrong-pass') }),
        database: output({ table: 'fine', uri: uri.replace(/postgres$/, 'nowhere') }),
        table: output({ table: 'nowhere' }),
        lacking: output({ table: 'lacking' }),
        denied: output({ table: 'denied', uri: uri.replace('postgres:secret', 'reader:reader-pass') }),
        narrow: output({ table: 'narrow' }),
        padded: output({ table: 'padded' }),
        letters: output({ table: 'letters' }),
        typed: output({ table: 'typed' }),
        bound: output({ table: 'bound' }),
        keyless: output({ table: 'keyless', key_columns: ['id'] }),
        dropped: output({ table: 'dropped' }),
        unreachable: output({ table: 'fine', uri: 'postgres://postgres:secret@127.0.0.1:1/postgres' }),
      },
    });
    await pipeline.start();
    await sql('DROP TABLE dropped');
    const token = await pipeline.inputJson('t', [{ id: 1, s: 'poison' }]);
    const expected: Readonly<Record<string, RegExp>> = {
      password: /^postgres\.access_denied: .*password authentication failed/,
      database: /^postgres\.missing: .*database "nowhere" does not exist/,
      table: /^postgres\.missing: .*relation "nowhere" does not exist/,
      lacking: /^postgres\.columns_differ: .*table lacking has no column "s"/,
      denied: /^postgres\.access_denied: .*permission denied for table denied/,
      narrow: /^postgres\.refused: .*too long for type character varying\(3\)/,
      padded: /^postgres\.refused: .*too long for type character\(3\)/,
      typed: /^postgres\.refused: .*invalid input syntax for type integer: "poison"/,
      bound: /^postgres\.refused: .*violates check constraint/,
      keyless: /^postgres\.refused: .*no unique or exclusion constraint/,
      dropped: /^postgres\.missing: .*relation "dropped" does not exist/,
      unreachable: /^postgres\.unavailable: /,
    };
    for (const [name, pattern] of Object.entries(expected)) assert.match(await errorOf(pipeline, name), pattern, name);
    await pipeline.completed(token);
    await tableBecomes('SELECT id::int, s FROM fine', [{ id: 1, s: 'poison' }]);
    await pipeline.completed(await pipeline.inputJson('t', [{ id: 2, s: 'on' }]));
    assert.is((await sql('SELECT 1 FROM fine')).rows.length, 2);
    // A flush that was refused has left nothing behind.
    assert.equal((await sql('SELECT s FROM letters ORDER BY id')).rows, [{ s: 'poison  ' }, { s: 'on      ' }]);
    for (const table of ['narrow', 'padded', 'bound']) assert.is((await sql(`SELECT 1 FROM ${table}`)).rows.length, 0);
    await pipeline.stop({ force: true });
  });

  faults('a connection that is cut or slow, and a server that is killed, cost nothing and double nothing', async () => {
    await sql('CREATE TABLE kept (id bigint PRIMARY KEY, s text); CREATE TABLE bag (id bigint, s text)');
    const proxy = await startCutProxy();
    proxy.target(uri.replace('postgres://', 'http://'));
    const through = new URL(uri);
    through.port = new URL(proxy.url).port;
    const retried = { uri: through.href, max_retries: 1000 };
    await using pipeline = await Pipeline.open({
      program,
      outputs: { kept: output({ table: 'kept', ...retried }), bag: output({ table: 'bag', ...retried }) },
    });
    await pipeline.start();
    const ids = Array.from({ length: 20 }, (_, i) => i + 1);
    for (const part of ids) {
      await pipeline.inputJson(
        't',
        Array.from({ length: 50 }, (_, i) => ({ id: part * 100 + i, s: `s${part}` })),
      );
      proxy.slow(part < 10 ? 100_000 : null);
      if (part % 5 === 0) {
        proxy.cut();
        proxy.mend();
      }
      if (part === 12) {
        await server.process.stop('SIGKILL');
        const missed = async (): Promise<number> =>
          (await pipeline.outputConnectorStats('v', 'bag')).numTransportErrors;
        const before = await missed();
        while ((await missed()) === before) await pollPause();
        await server.process.start();
      }
    }
    const all = [{ n: 1000, different: 1000 }];
    for (const table of ['kept', 'bag']) {
      await tableBecomes(`SELECT count(*)::int AS n, count(DISTINCT id)::int AS different FROM ${table}`, all);
    }
    await pipeline.stop({ force: true });
    await proxy.close();
  });
}

faults.run();
