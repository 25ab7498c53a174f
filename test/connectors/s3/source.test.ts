// s3_input against a real S3 server: order, resume, faults, bad settings, and the pipelines of the documentation.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parquetOutput } from '../../../connectors/formats/parquet-output.ts';
import { s3Input } from '../../../connectors/s3/source.ts';
import { conformance } from '../../../connectors/sdk/conformance.ts';
import type { Payload, Position, Source } from '../../../connectors/sdk/source.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { Pipeline } from '../../../index.ts';
import { rowsToBatch } from '../../../runtime/batch/row-objects.ts';
import { startCutProxy } from '../../servers/cut-proxy.ts';
import { freePort } from '../../servers/free-port.ts';
import { type S3Server, s3Access, startS3Server } from '../../servers/s3-server.ts';
import { bigint, codeOf, contextFor, eagerClock, relationOf, type TestContext, varchar } from '../connector-context.ts';

const relation = relationOf({ id: bigint, name: varchar });

const s3 = suite<{ server: S3Server }>('s3_input');
const started = await startS3Server(['lake', 'other']);
if ('missing' in started) {
  console.log(`skipped: s3_input against a real server: ${started.missing}`);
  s3('is not tried here', () => {});
} else {
  const server = started;
  const access = { ...s3Access, bucket_name: 'lake', endpoint_url: server.url, region: 'us-east-1' };
  s3.after(async () => await server.close());

  const open = (given: object, context: TestContext = contextFor(relation, '.')): Source => {
    const { values, problems } = validateParameters(s3Input.parameters, { ...access, ...given }, () => ({}), []);
    if (problems[0] !== undefined) throw problems[0];
    return s3Input.create(values, context);
  };

  /** Text of the payloads, streams separated by |, and every payload. */
  const readFrom = async (
    given: object,
    position: Position | null = null,
  ): Promise<{ text: string; payloads: Payload[] }> => {
    const source = open(given);
    const payloads: Payload[] = [];
    let text = '';
    try {
      await source.open(position);
      for await (const payload of source.read()) {
        payloads.push(payload);
        if (payload.kind !== 'bytes') continue;
        text += Buffer.from(payload.bytes).toString() + (payload.endOfStream === true ? '|' : '');
      }
    } finally {
      await source.teardown?.();
    }
    return { text, payloads };
  };

  s3('objects of a prefix come in the order of their keys, each a stream of its own', async () => {
    for (const key of ['stage/b.csv', 'stage/a.csv', 'stage/c/1.csv', 'stagf.csv', 'stage/a-.csv']) {
      await server.put('lake', key, `${key}\n`);
    }
    const { text } = await readFrom({ prefix: 'stage/', max_concurrent_fetches: 3 });
    assert.is(text, 'stage/a-.csv\n|stage/a.csv\n|stage/b.csv\n|stage/c/1.csv\n|');
    assert.is((await readFrom({ key: 'stagf.csv' })).text, 'stagf.csv\n|');
    assert.is((await readFrom({ prefix: 'nothing/' })).text, '');
  });

  s3('it goes on at any position: in the middle of an object, behind one', async () => {
    for (const name of ['1', '2', '3']) await server.put('lake', `resume/${name}`, `${name}`.repeat(5));
    const { payloads } = await readFrom({ prefix: 'resume/' });
    const second = payloads[1];
    assert.ok(second?.kind === 'bytes');
    const position = JSON.parse(JSON.stringify(second.kind === 'bytes' ? second.positionAfter(2) : null));
    assert.is((await readFrom({ prefix: 'resume/' }, position)).text, '222|33333|');
    const behind = JSON.parse(JSON.stringify(second.kind === 'bytes' ? second.positionAfter(5) : null));
    assert.is((await readFrom({ prefix: 'resume/' }, behind)).text, '|33333|');
    await server.put('lake', 'resume/2', 'other');
    assert.is(await codeOf(() => readFrom({ prefix: 'resume/' }, position)), 's3.object_changed');
  });

  s3('an object of many parts is read whole', async () => {
    const large = Buffer.alloc(9 << 20, 'abcdefghij\n');
    await server.put('lake', 'large/one', large);
    await server.put('lake', 'large/two', '');
    const source = open({ prefix: 'large/' });
    await source.open(null);
    assert.is(source.bytesTotal?.(), 9 << 20);
    await source.teardown?.();
    const { text, payloads } = await readFrom({ prefix: 'large/' });
    assert.ok(text === `${large.toString()}||`);
    assert.is(payloads.length, 4);
  });

  s3('with watch it sees objects that come behind the last key, until it is stopped', async () => {
    await server.put('lake', 'watch/1', 'one');
    const context = contextFor(relation, '.');
    const source = open({ prefix: 'watch/', watch: true, watch_interval: '10ms' }, context);
    await source.open(null);
    let text = '';
    let hasPut = false;
    for await (const payload of source.read()) {
      if (payload.kind === 'idle' && !hasPut) {
        hasPut = true;
        await server.put('lake', 'watch/2', 'two');
      }
      if (payload.kind === 'bytes') text += Buffer.from(payload.bytes).toString();
      if (text === 'onetwo') context.controller.abort();
    }
    assert.is(text, 'onetwo');
    await source.teardown?.();
  });

  s3('wrong settings are coded errors that name the setting', async () => {
    await server.put('lake', 'there', 'x');
    const tried = async (given: object): Promise<string> => await codeOf(() => readFrom(given));
    assert.is(await tried({ key: 'there', bucket_name: 'nowhere' }), 's3.key_missing');
    assert.is(await tried({ prefix: 'there', bucket_name: 'nowhere' }), 's3.bucket_missing');
    assert.is(await tried({ key: 'absent' }), 's3.key_missing');
    assert.is(await tried({ key: 'there', aws_secret_access_key: 'wrong' }), 's3.access_denied');
    assert.is(await tried({ prefix: 'there', aws_secret_access_key: 'wrong' }), 's3.access_denied');
    assert.is(await tried({ prefix: 'there', aws_access_key_id: 'unknown' }), 's3.access_denied');
    assert.is(await tried({ key: 'there', no_sign_request: true }), 's3.access_denied');
    for (const wrong of [{}, { key: 'a', prefix: 'b' }, { key: 'a', watch: true }]) {
      assert.is(await tried(wrong), 'config.invalid_value');
    }
    assert.is(await tried({ key: 'a', endpoint_url: 'nonsense' }), 'config.invalid_value');
    assert.is(await tried({ key: 'a', bucket_nam: 'lake' }), 'config.unknown_key bucket_name');
  });

  s3('a server that cannot be reached is tried again, and reported', async () => {
    const context = contextFor(relation, '.', eagerClock());
    const source = open({ key: 'a', endpoint_url: `http://127.0.0.1:${await freePort()}`, max_retries: 2 }, context);
    assert.is(await codeOf(() => source.open(null)), 's3.unavailable');
    assert.equal(context.reported, ['s3.unavailable', 's3.unavailable']);
    await source.teardown?.();
  });

  s3('a server that is killed and started again while an object is read costs nothing', async () => {
    const lines = Array.from({ length: 400_000 }, (_, i) => `{"id":${i},"name":"n${i}"}\n`).join('');
    await server.put('lake', 'kill/1', lines);
    await server.put('lake', 'kill/2', '{"id":-1,"name":"last"}\n');
    const context = contextFor(relation, '.');
    const source = open({ prefix: 'kill/', max_concurrent_fetches: 1, max_retries: 1_000 }, context);
    await source.open(null);
    const chunks: Buffer[] = [];
    let isKilled = false;
    for await (const payload of source.read()) {
      if (payload.kind !== 'bytes') continue;
      chunks.push(Buffer.from(payload.bytes));
      if (isKilled) continue;
      isKilled = true;
      await server.process.stop('SIGKILL');
      const starting = setInterval(() => {
        // It has been missed.
        if (context.reported.length === 0) return;
        clearInterval(starting);
        void server.process.start();
      }, 20);
    }
    assert.ok(Buffer.concat(chunks).toString() === `${lines}{"id":-1,"name":"last"}\n`);
    assert.ok(context.reported.every((code) => code === 's3.unavailable'));
    await source.teardown?.();
  });

  s3('a connection that is slow and cut again and again costs nothing', async () => {
    const lines = Array.from({ length: 300_000 }, (_, i) => `{"id":${i},"name":"n${i}"}\n`).join('');
    await server.put('lake', 'cut/1', lines);
    const proxy = await startCutProxy();
    proxy.target(server.url);
    proxy.slow(20e6);
    const context = contextFor(relation, '.');
    const source = open(
      { prefix: 'cut/', max_concurrent_fetches: 2, max_retries: 100, endpoint_url: proxy.url },
      context,
    );
    await source.open(null);
    let cuts = 0;
    const cutting = setInterval(() => {
      proxy.cut();
      proxy.mend();
      if (++cuts >= 4 && context.reported.length > 0) clearInterval(cutting);
    }, 60);
    const chunks: Buffer[] = [];
    for await (const payload of source.read()) {
      if (payload.kind === 'bytes') chunks.push(Buffer.from(payload.bytes));
    }
    clearInterval(cutting);
    assert.ok(Buffer.concat(chunks).toString() === lines);
    assert.ok(context.reported.includes('s3.unavailable'));
    await source.teardown?.();
    await proxy.close();
  });

  const parquet = async (rows: readonly object[]): Promise<Uint8Array> => {
    const { values } = validateParameters(parquetOutput.parameters, {}, () => ({}), []);
    const encoder = await parquetOutput.encoder(values, relation);
    const { batch } = rowsToBatch(rows, relation, [null, null], { updateFormat: 'raw' });
    const head = Buffer.from(encoder.encode(batch).bytes);
    return Buffer.concat([head, encoder.finish?.() ?? Buffer.alloc(0)]);
  };

  s3(
    'Parquet objects of a prefix are read one after the other, and the next run goes on behind the last one',
    async () => {
      const name = 'x';
      await server.put('lake', 'pq/', '');
      await server.put('lake', 'pq/2', await parquet([{ id: 3, name }]));
      await server.put(
        'lake',
        'pq/1',
        await parquet([
          { id: 1, name },
          { id: 2, name: null },
        ]),
      );
      const dataFolder = mkdtempSync(join(tmpdir(), 'millrace-parquet-'));
      const run = async (count: number): Promise<readonly object[]> => {
        await using pipeline = await Pipeline.open({
          program: `CREATE TABLE t (
            id BIGINT,
            name VARCHAR,
            object VARCHAR DEFAULT CAST(CONNECTOR_METADATA()['s3_key'] AS VARCHAR)
          ) WITH ('materialized' = 'true');`,
          dataFolder,
          inputs: {
            i: {
              stream: 't',
              transport: {
                name: 's3_input',
                config: { ...access, prefix: 'pq/', watch: true, watch_interval: '50ms' },
              },
              format: { name: 'parquet' },
            },
          },
        });
        await pipeline.start();
        let rows: readonly object[] = [];
        while (rows.length < count) rows = await pipeline.query('SELECT id, name, object FROM t ORDER BY id');
        await pipeline.stop();
        return rows;
      };
      try {
        const first = [
          { id: 1, name, object: 'pq/1' },
          { id: 2, name: null, object: 'pq/1' },
          { id: 3, name, object: 'pq/2' },
        ];
        assert.equal(await run(3), first);
        await server.put('lake', 'pq/3', await parquet([{ id: 4, name }]));
        assert.equal(await run(4), [...first, { id: 4, name, object: 'pq/3' }]);
      } finally {
        rmSync(dataFolder, { recursive: true, force: true });
      }
    },
  );

  s3('users, products, then orders: start_after over S3, with what is left out from the defaults', async () => {
    await server.put('lake', 'users.json', '{"id":1,"name":"Ann"}\n{"id":2,"name":"Bob"}\n');
    await server.put('lake', 'products.csv', 'id,price\n1,10\n2,25\n');
    await server.put('lake', 'orders/1.json', '{"user_id":1,"product_id":2}\n');
    await server.put('lake', 'orders/2.json', '{"user_id":1,"product_id":1}\n{"user_id":2,"product_id":2}\n');
    const { bucket_name: bucket, ...defaults } = access;
    process.env['MILLRACE_S3_BUCKET'] = bucket;
    await using pipeline = await Pipeline.open({
      program: `
        CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR);
        CREATE TABLE products (id BIGINT NOT NULL PRIMARY KEY, price BIGINT) WITH ('connectors' = '[{
          "name": "products", "labels": ["dimension"],
          "transport": {"name": "s3_input", "config": {"key": "products.csv"}},
          "format": {"name": "csv", "config": {"headers": true}}}]');
        CREATE TABLE orders (user_id BIGINT, product_id BIGINT);
        CREATE MATERIALIZED VIEW spent AS SELECT u.name, SUM(p.price) AS total
          FROM orders o JOIN users u ON o.user_id = u.id JOIN products p ON o.product_id = p.id GROUP BY u.name;`,
      transportDefaults: { s3_input: defaults },
      inputs: {
        users: {
          stream: 'users',
          labels: ['dimension'],
          transport: { name: 's3_input', config: { key: 'users.json' } },
          format: { name: 'json', config: { update_format: 'raw' } },
        },
        orders: {
          stream: 'orders',
          start_after: ['dimension'],
          transport: { name: 's3_input', config: { prefix: 'orders/' } },
          format: { name: 'json', config: { update_format: 'raw' } },
        },
      },
    });
    await pipeline.start();
    await pipeline.waitForCompletion();
    assert.equal(await pipeline.query('SELECT name, total FROM spent ORDER BY name'), [
      { name: 'Ann', total: 35 },
      { name: 'Bob', total: 25 },
    ]);
  });

  await server.put('other', 'c/1', 'first\nsecond\n');
  await server.put('other', 'c/2', 'third\n');
  const configuration = { ...access, bucket_name: 'other', prefix: 'c/', no_sign_request: false };
  for (const { title, run } of conformance(s3Input, { configuration, relation })) s3(title, run);
}

s3.run();
