// kafka_input and kafka_output against a real broker: offsets, compression, transactions, faults, bad settings.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import { Admin, Producer, stringSerializers } from '@platformatic/kafka';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { kafkaOutput } from '../../../connectors/kafka/destination.ts';
import { kafkaInput } from '../../../connectors/kafka/source.ts';
import { conformance } from '../../../connectors/sdk/conformance.ts';
import { validSettings } from '../../../connectors/sdk/setting-rules.ts';
import type { Payload, Position } from '../../../connectors/sdk/source.ts';
import { Pipeline } from '../../../index.ts';
import { CliProcess, secondsOfFileMax } from '../../cli/cli-process.ts';
import { pollPause } from '../../poll-pause.ts';
import { freePort } from '../../servers/free-port.ts';
import { type KafkaServer, startKafkaServer } from '../../servers/kafka-server.ts';
import { makeCertificates } from '../../servers/test-certificates.ts';
import { bigint, codeOf, contextFor, eagerClock, relationOf, type TestContext } from '../connector-context.ts';

const kafka = suite<{ server: KafkaServer }>('kafka');
const relation = relationOf({ n: bigint });
const certificates = makeCertificates();
const server = await startKafkaServer([], certificates?.server ?? null);

if ('missing' in server) {
  console.log(`skipped: Kafka against a real broker: ${server.missing}`);
  kafka('is not tried here', () => {});
} else {
  const { bootstrap } = server;
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [bootstrap] });
  // A retry of the library's own must not send anything twice.
  const client = { clientId: 'test', bootstrapBrokers: [bootstrap], serializers: stringSerializers, idempotent: true };
  const producer = new Producer(client);
  kafka.after(async () => {
    await admin.close();
    await producer.close();
    await server.close();
  });

  const make = async (topic: string, partitions = 1): Promise<void> => {
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  };
  const put = async (
    topic: string,
    values: readonly (string | null)[],
    partition = 0,
    compression = 'none',
  ): Promise<void> => {
    // SAFETY: a null value is a tombstone, which the types of the library leave out.
    const messages = values.map((value) => ({
      topic,
      partition,
      value: value as string,
      key: 'k',
      headers: { h: 'x' },
    }));
    // SAFETY: the caller names one of the library's algorithms.
    await producer.send({ messages, compression: compression as 'none' });
  };

  /** Reads until `until` is satisfied with the lines of each partition's payloads. */
  const read = async (
    given: object,
    position: Position | null,
    until: (lines: readonly string[], idle: boolean) => boolean,
    context: TestContext = contextFor(relation, '.'),
  ): Promise<{ lines: string[]; payloads: Extract<Payload, { kind: 'bytes' }>[]; context: TestContext }> => {
    const settings = { 'bootstrap.servers': bootstrap, start_from: 'earliest', ...given };
    const values = validSettings(kafkaInput, settings, 'kafka_input');
    const source = kafkaInput.create(values, context);
    const lines: string[] = [];
    const payloads: Extract<Payload, { kind: 'bytes' }>[] = [];
    try {
      await source.open(position);
      for await (const payload of source.read()) {
        if (payload.kind === 'bytes') {
          payloads.push(payload);
          lines.push(...Buffer.from(payload.bytes).toString().trimEnd().split('\n'));
        }
        if (until(lines, payload.kind === 'idle')) context.controller.abort();
      }
    } finally {
      await source.teardown?.();
    }
    return { lines, payloads, context };
  };
  const throughJson = (position: Position): Position => JSON.parse(JSON.stringify(position));

  kafka('every partition is read from its start, and it goes on behind any record', async () => {
    await make('two', 2);
    await put('two', ['a0', 'a1', 'a2']);
    await put('two', ['b0', 'b1'], 1);
    const first = await read({ topic: 'two' }, null, (lines) => lines.length === 5);
    assert.equal([...first.lines].sort(), ['a0', 'a1', 'a2', 'b0', 'b1']);
    const ofA = first.payloads.find(({ bytes }) => bytes[0] === 97);
    const middle = throughJson(ofA?.positionAfter(3) ?? {});
    const rest = await read({ topic: 'two', partitions: [0] }, middle, (lines) => lines.length === 2);
    assert.equal(rest.lines, ['a1', 'a2']);
    const last = throughJson(first.payloads.at(-1)?.positionAfter(1e6) ?? {});
    await put('two', ['new'], 1);
    assert.equal((await read({ topic: 'two' }, last, (lines) => lines.length === 1)).lines, ['new']);
  });

  kafka('several topics are read at once, each from its own place', async () => {
    await make('left', 2);
    await make('right');
    await put('left', ['l0', 'l1']);
    await put('left', ['m0'], 1);
    await put('right', ['r0', 'r1']);
    const topics = ['left', 'right'];
    const first = await read({ topics }, null, (lines) => lines.length === 5);
    assert.equal([...first.lines].sort(), ['l0', 'l1', 'm0', 'r0', 'r1']);
    const last = throughJson(first.payloads.at(-1)?.positionAfter(1e6) ?? {});
    await put('right', ['r2']);
    await put('left', ['m1'], 1);
    const rest = await read({ topics }, last, (lines) => lines.length === 2);
    assert.equal([...rest.lines].sort(), ['m1', 'r2']);
  });

  kafka('messages whose headers do not satisfy the filter are not read, and do not come later', async () => {
    await make('filtered');
    const headers = [{ kind: 'created' }, { kind: 'created', skip: 'true' }, { kind: 'recreated' }, {}, { kind: '' }];
    await producer.send({
      messages: headers.map((own, i) => ({ topic: 'filtered', partition: 0, value: `${i}`, headers: own })),
    });
    const created = { header: { name: 'kind', pattern: 'created|updated' } };
    const skipped = { header: { name: 'skip', pattern: '.*' } };
    const lines = async (filter: object, count: number): Promise<readonly string[]> =>
      (await read({ topic: 'filtered', header_filter: filter }, null, (seen) => seen.length >= count)).lines;
    assert.equal(await lines(created, 2), ['0', '1']);
    assert.equal(await lines({ and: [created, { not: skipped }] }, 1), ['0']);
    assert.equal(await lines({ or: [skipped, { header: { name: 'kind', pattern: '' } }] }, 2), ['1', '4']);
    const first = await read({ topic: 'filtered', header_filter: created }, null, (seen) => seen.length === 2);
    await put('filtered', ['last']);
    const behind = throughJson(first.payloads.at(-1)?.positionAfter(1e6) ?? {});
    assert.equal((await read({ topic: 'filtered' }, behind, (seen) => seen.includes('last'))).lines, ['last']);
    for (const wrong of [
      {},
      { header: { name: 'a' } },
      { and: {} },
      { header: { name: 'a', pattern: '(' } },
      { nor: [] },
    ]) {
      assert.is(await codeOf(() => lines(wrong, 0)), 'config.invalid_value');
    }
  });

  kafka('columns read where a message stands, its key, its time and its headers', async () => {
    await make('described', 2);
    const headers = { 'event-type': 'created', empty: '' };
    await producer.send({
      messages: [
        { topic: 'described', partition: 1, key: 'k1', value: '{"n": 1}', headers, timestamp: 1787322851123n },
        { topic: 'described', partition: 1, value: '{"n": 2, "o": 77}' },
        { topic: 'described', partition: 0, value: '{"n": 3}{"n": 4}' },
      ],
    });
    const described = ['topic', 'partition', 'offset', 'timestamp', 'headers', 'key'];
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE t (
        n BIGINT NOT NULL PRIMARY KEY,
        t VARCHAR DEFAULT CAST(CONNECTOR_METADATA()['kafka_topic'] AS VARCHAR),
        p INT DEFAULT CAST(CONNECTOR_METADATA()['kafka_partition'] AS INT),
        o BIGINT DEFAULT CAST(CONNECTOR_METADATA()['kafka_offset'] AS BIGINT) + 100,
        at TIMESTAMP DEFAULT CAST(CONNECTOR_METADATA()['kafka_timestamp'] AS TIMESTAMP),
        h MAP<VARCHAR, VARBINARY> DEFAULT CAST(CONNECTOR_METADATA()['kafka_headers'] AS MAP<VARCHAR, VARBINARY>),
        k VARBINARY DEFAULT CAST(CONNECTOR_METADATA()['kafka_key'] AS VARBINARY)
      );
      CREATE MATERIALIZED VIEW v AS SELECT n, BIN2UTF8(h['event-type']) AS kind FROM t;`,
      inputs: {
        i: {
          stream: 't',
          transport: {
            name: 'kafka_input',
            config: {
              'bootstrap.servers': bootstrap,
              topics: ['described'],
              start_from: 'earliest',
              ...Object.fromEntries(described.map((part) => [`include_${part}`, true])),
            },
          },
          format: { name: 'json', config: { update_format: 'raw' } },
        },
      },
    });
    await pipeline.start();
    let rows: readonly object[] = [];
    while (rows.length < 4) rows = await pipeline.query('SELECT n, t, p, o, at, k FROM t ORDER BY n');
    const [first, second, third, fourth] = rows.map((row): Record<string, unknown> => ({ ...row }));
    assert.equal(first, {
      n: 1,
      t: 'described',
      p: 1,
      o: 100,
      at: '2026-08-21 14:34:11.123',
      k: new TextEncoder().encode('k1'),
    });
    // What a message says itself counts.
    assert.equal([second?.['o'], second?.['p'], second?.['k']], [77, 1, null]);
    assert.equal([third?.['p'], third?.['o'], fourth?.['o']], [0, 100, 100]);
    assert.equal(await pipeline.query('SELECT kind FROM v WHERE n = 1'), [{ kind: 'created' }]);
    await pipeline.stop({ force: true });
  });

  kafka('it begins at the end, at given offsets or at a time', async () => {
    await make('starts');
    await put('starts', ['0', '1', '2']);
    const now = Date.now() + 60_000;
    let isPut = false;
    const latest = await read({ topic: 'starts', start_from: 'latest' }, null, (lines, idle) => {
      if (idle && !isPut) {
        isPut = true;
        put('starts', ['3']);
      }
      return lines.length === 1;
    });
    assert.equal(latest.lines, ['3']);
    const offsets = { offsets: [2] };
    assert.equal((await read({ topic: 'starts', start_from: offsets }, null, (lines) => lines.length === 2)).lines, [
      '2',
      '3',
    ]);
    const whole = { timestamp: 0 };
    assert.is(
      (await read({ topic: 'starts', start_from: whole }, null, (lines) => lines.length === 4)).lines.length,
      4,
    );
    const future = { timestamp: now };
    assert.equal((await read({ topic: 'starts', start_from: future }, null, (_, idle) => idle)).lines, []);
  });

  kafka('with enable.partition.eof it ends behind the last record of every partition, and goes on there', async () => {
    await make('finite', 3);
    await put('finite', ['a', 'b', 'c']);
    await put('finite', ['x'], 2);
    const given = { topic: 'finite', 'enable.partition.eof': 'true' };
    const all = await read(given, null, () => false);
    assert.equal([...all.lines].sort(), ['a', 'b', 'c', 'x']);
    const last = throughJson(all.payloads.at(-1)?.positionAfter(1e6) ?? {});
    assert.equal((await read(given, last, () => false)).lines, []);
    await put('finite', ['y'], 1);
    assert.equal((await read(given, last, () => false)).lines, ['y']);
    const transport = {
      name: 'kafka_input',
      config: { 'bootstrap.servers': bootstrap, start_from: 'earliest', ...given },
    };
    const format = { name: 'csv' };
    await using pipeline = await Pipeline.open({
      program: 'CREATE TABLE t (v VARCHAR); CREATE TABLE later (v VARCHAR);',
      inputs: {
        backfill: { stream: 't', labels: ['backfill'], transport, format },
        live: { stream: 'later', start_after: 'backfill', transport, format },
      },
    });
    await pipeline.start();
    await pipeline.waitForCompletion();
    assert.is((await pipeline.inputConnectorStats('later', 'live')).state, 'ended');
    await pipeline.stop();
  });

  kafka('where the first records have gone before any was read it goes on as auto.offset.reset says', async () => {
    await make('short');
    await put('short', ['a', 'b']);
    const gone = { topic: 'short', start_from: { offsets: [99] }, 'enable.partition.eof': true };
    const earliest = await read({ ...gone, 'auto.offset.reset': 'earliest' }, null, () => false);
    assert.equal(earliest.lines, ['a', 'b']);
    assert.equal(earliest.context.reported, ['kafka.offset_lost']);
    const latest = await read({ ...gone, 'auto.offset.reset': 'latest' }, null, () => false);
    assert.equal(latest.lines, []);
    const position = { offsets: { 0: 99 } };
    assert.is(
      await codeOf(() => read({ ...gone, 'auto.offset.reset': 'earliest' }, position, () => false)),
      'kafka.offset_lost',
    );
    // Of configurations from before start_from it says where to begin.
    const former = { topic: undefined, topics: ['short'], start_from: undefined, 'enable.partition.eof': true };
    assert.equal((await read({ ...former, 'auto.offset.reset': 'smallest' }, null, () => false)).lines, ['a', 'b']);
    assert.equal((await read(former, null, () => false)).lines, []);
  });

  kafka('compressed batches are read, and records without a value are left out', async () => {
    await make('packed');
    const expected: string[] = [];
    for (const algorithm of ['gzip', 'snappy', 'lz4']) {
      const values = Array.from({ length: 300 }, (_, i) => `${algorithm} ${i} ${'x'.repeat(50)}`);
      await put('packed', values, 0, algorithm);
      expected.push(...values);
    }
    await put('packed', [null, 'last']);
    const { lines } = await read({ topic: 'packed' }, null, (seen) => seen.length === 901);
    assert.equal(lines, [...expected, 'last']);
  });

  kafka('what is written with a compression is read as it was', async () => {
    await make('written');
    const expected: string[] = [];
    for (const name of ['none', 'gzip', 'snappy', 'lz4']) {
      const values = Array.from({ length: 300 }, (_, i) => `${name} ${i} ${'x'.repeat(50)}`);
      const settings = { topic: 'written', 'bootstrap.servers': bootstrap, 'compression.type': name };
      const destination = kafkaOutput.create(
        validSettings(kafkaOutput, settings, 'kafka_output'),
        contextFor(relation, '.'),
      );
      await destination.open();
      const bytes = new TextEncoder().encode(`${values.join('\n')}\n`);
      await destination.write({ kind: 'bytes', bytes, records: values.length });
      await destination.flush?.();
      await destination.teardown?.();
      expected.push(...values);
    }
    const { lines } = await read({ topic: 'written' }, null, (seen) => seen.length === expected.length);
    assert.equal(lines, expected);
  });

  kafka('batches of zstd are read by every version of Node, and written by those that can', async () => {
    const configs = [{ name: 'compression.type', value: 'zstd' }];
    await admin.createTopics({ topics: ['zstd'], partitions: 1, replicas: 1, configs });
    const values = Array.from({ length: 2_000 }, (_, i) => `${i} ${'žluťoučký '.repeat(10)}.`);
    // The broker packs them.
    await put('zstd', values);
    const { lines } = await read({ topic: 'zstd' }, null, (seen) => seen.length === values.length);
    assert.equal(lines, values);
    const settings = { topic: 'zstd', 'bootstrap.servers': bootstrap, 'compression.type': 'zstd' };
    const validated = validSettings(kafkaOutput, settings, 'kafka_output');
    const destination = kafkaOutput.create(validated, contextFor(relation, '.'));
    const canWrite = typeof Reflect.get(zlib, 'zstdCompressSync') === 'function';
    assert.is(await codeOf(() => destination.open()), canWrite ? 'no error' : 'config.invalid_value');
    await destination.teardown?.();
  });

  kafka('records of a transaction are read when it is committed, those of an aborted one never', async () => {
    await make('atomic');
    const transactional = new Producer({
      clientId: 'test',
      bootstrapBrokers: [bootstrap],
      serializers: stringSerializers,
      idempotent: true,
      transactionalId: 'tx-1',
    });
    const send = async (value: string, commit: boolean): Promise<void> => {
      const transaction = await transactional.beginTransaction();
      await transaction.send({ messages: [{ topic: 'atomic', partition: 0, value }] });
      await (commit ? transaction.commit() : transaction.abort());
    };
    await send('kept 1', true);
    await send('dropped', false);
    await send('kept 2', true);
    await transactional.close();
    await put('atomic', ['plain']);
    const { lines } = await read({ topic: 'atomic' }, null, (seen) => seen.includes('plain'));
    assert.equal(lines, ['kept 1', 'kept 2', 'plain']);
    const all = { topic: 'atomic', 'isolation.level': 'read_uncommitted' };
    assert.equal((await read(all, null, (seen) => seen.includes('plain'))).lines, [
      'kept 1',
      'dropped',
      'kept 2',
      'plain',
    ]);
  });

  kafka('wrong settings are coded errors', async () => {
    const tried = (given: object, context?: TestContext): Promise<string> =>
      codeOf(() => read({ topic: 'two', ...given }, null, () => true, context));
    assert.is(await tried({ topic: 'nowhere' }), 'kafka.topic_missing');
    assert.is(await tried({ topic: undefined }), 'config.missing_key');
    assert.is(await tried({ topics: ['two'] }), 'config.invalid_value');
    assert.is(await tried({ topic: undefined, topics: ['two', 'two'] }), 'config.invalid_value');
    assert.is(await tried({ topic: undefined, topics: ['two'], partitions: [0] }), 'config.invalid_value');
    assert.is(await tried({ partitions: [7] }), 'kafka.partition_missing');
    assert.is(await tried({ start_from: { offsets: [1] } }), 'kafka.partition_missing');
    assert.is(await tried({ start_from: 'early' }), 'config.invalid_value');
    assert.is(await tried({ 'bootstrap.server': bootstrap }), 'config.unknown_key bootstrap.servers');
    assert.is(await tried({ 'bootstrap.servers': 'a b' }), 'config.invalid_value');
    assert.is(await tried({ start_from: { offsets: [999, 999] } }), 'kafka.offset_lost');
    const unreachable = { 'bootstrap.servers': `127.0.0.1:${await freePort()}`, max_retries: 2 };
    const context = contextFor(relation, '.', eagerClock());
    assert.is(await tried(unreachable, context), 'kafka.unavailable');
    assert.equal(context.reported, ['kafka.unavailable', 'kafka.unavailable']);
  });

  if (certificates === null) console.log('skipped: Kafka over TLS: there is no openssl');
  else {
    kafka('over TLS it reads and writes what the authority of the broker vouches for, and nothing else', async () => {
      await make('sealed');
      await put('sealed', ['a', 'b']);
      const tls = { topic: 'sealed', 'bootstrap.servers': server.tlsBootstrap, 'security.protocol': 'SSL' };
      const trusted = { ...tls, 'ssl.ca.pem': certificates.authority };
      assert.equal((await read(trusted, null, (lines) => lines.length === 2)).lines, ['a', 'b']);
      const values = validSettings(kafkaOutput, trusted, 'kafka_output');
      const destination = kafkaOutput.create(values, contextFor(relation, '.'));
      await destination.open();
      await destination.write({ kind: 'bytes', bytes: new TextEncoder().encode('c\n'), records: 1 });
      await destination.flush?.();
      await destination.teardown?.();
      assert.equal((await read(trusted, null, (lines) => lines.length === 3)).lines, ['a', 'b', 'c']);
      const tried = (given: object): Promise<string> => codeOf(() => read({ ...tls, ...given }, null, () => true));
      assert.is(await tried({}), 'kafka.tls');
      assert.is(await tried({ 'ssl.ca.pem': certificates.otherAuthority }), 'kafka.tls');
      const unchecked = { ...tls, 'enable.ssl.certificate.verification': 'false' };
      assert.is((await read(unchecked, null, (lines) => lines.length === 3)).lines.length, 3);
    });
  }

  kafka('a view over a topic, and its changes in another one', async () => {
    await make('orders');
    await make('totals', 2);
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE orders (name VARCHAR, amount BIGINT);
        CREATE MATERIALIZED VIEW totals AS SELECT name, SUM(amount) AS total FROM orders GROUP BY name;`,
      transportDefaults: {
        kafka_input: { 'bootstrap.servers': bootstrap },
        kafka_output: { 'bootstrap.servers': bootstrap },
      },
      inputs: {
        o: {
          stream: 'orders',
          paused: true,
          transport: { name: 'kafka_input', config: { topic: 'orders', start_from: 'earliest', 'group.id': 'any' } },
          format: { name: 'json', config: { update_format: 'raw' } },
        },
      },
      outputs: {
        t: {
          stream: 'totals',
          transport: { name: 'kafka_output', config: { topic: 'totals', 'compression.type': 'gzip' } },
          format: { name: 'json' },
        },
      },
    });
    await put('orders', [
      '{"name": "a", "amount": 1}',
      '{"name": "b", "amount": 9007199254740993}',
      'poison',
      '{"name": "a", "amount": 2}',
    ]);
    await pipeline.start();
    assert.is((await pipeline.inputConnectorStats('orders', 'o')).totalRecords, 0);
    await pipeline.resumeConnector('orders', 'o');
    const { lines } = await read({ topic: 'totals' }, null, (seen) => seen.length >= 2);
    const inserted = lines.filter((line) => line.includes('insert')).join('\n');
    assert.match(inserted, /"name":"b","total":9007199254740993/);
    assert.equal(await pipeline.query(`SELECT total FROM totals WHERE name = 'a'`), [{ total: 3 }]);
    assert.is((await pipeline.inputConnectorStats('orders', 'o')).numParseErrors, 1);
    await pipeline.stop({ force: true });
  });

  kafka('changes as events of Debezium, and a table that follows them by their key', async () => {
    await make('prices');
    const kafkaAt = { topic: 'prices', 'bootstrap.servers': bootstrap };
    const debezium = { update_format: 'debezium', json_flavor: 'kafka_connect_json_converter' };
    const columns = 'id BIGINT NOT NULL PRIMARY KEY, price DECIMAL(38, 2), at TIMESTAMP';
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE given (${columns}); CREATE MATERIALIZED VIEW prices AS SELECT * FROM given;
        CREATE TABLE followed (${columns}) WITH ('materialized' = 'true');`,
      inputs: {
        f: {
          stream: 'followed',
          transport: { name: 'kafka_input', config: { ...kafkaAt, start_from: 'earliest' } },
          format: { name: 'json', config: debezium },
        },
      },
      outputs: {
        p: {
          stream: 'prices',
          transport: { name: 'kafka_output', config: kafkaAt },
          format: { name: 'json', config: { update_format: 'debezium', key_fields: ['id'] } },
        },
      },
    });
    await pipeline.start();
    const row = (id: number, price: string): object => ({ id, price, at: '1969-12-31 23:59:59.999' });
    const wide = '123456789012345678901234567890123456.78';
    for (const rows of [[row(1, '1.00'), row(2, '2.00')], [row(1, wide)]]) {
      await pipeline.completed(await pipeline.inputJson('given', rows));
    }
    const token = await pipeline.inputJson('given', [{ delete: { id: 2 } }], { updateFormat: 'insert_delete' });
    await pipeline.completed(token);
    for (;;) {
      const rows = await pipeline.query('SELECT * FROM followed');
      if (rows.length === 1 && rows[0]?.['price'] === wide) break;
      await pollPause();
    }
    assert.equal(await pipeline.query('SELECT * FROM followed'), [row(1, wide)]);
    await pipeline.stop({ force: true });
  });

  kafka('events wait until they are resumed by hand: the file of the example, by `millrace run`', async () => {
    await make('events', 2);
    await make('totals-of-events');
    const kinds = ['order', 'refund', 'visit'];
    await put(
      'events',
      Array.from({ length: 99 }, (_, i) => JSON.stringify({ kind: kinds[i % 3], amount: 1 })),
    );
    const folder = mkdtempSync(join(tmpdir(), 'millrace-events-'));
    const file = fileURLToPath(new URL('../../../../examples/kafka/pipeline.yaml', import.meta.url));
    const text = readFileSync(file, 'utf8').replace('topic: totals', 'topic: totals-of-events');
    writeFileSync(join(folder, 'p.yaml'), text);
    const environment = { KAFKA: bootstrap };
    const run = new CliProcess(['run', 'p.yaml', '--control', '--json'], {
      folder,
      environment,
      isFed: true,
      secondsMax: secondsOfFileMax,
    });
    run.feed('status\n');
    await run.until((out) => out.includes('events.events is paused'));
    assert.not.match(run.out, /"totalRecords":[1-9]/);
    run.feed('resume events.events\n');
    const isLast = (line: string): boolean => /insert/.test(line) && /"events":33,"total":33/.test(line);
    await read({ topic: 'totals-of-events' }, null, (seen) => seen.filter(isLast).length >= 3);
    run.kill('SIGTERM');
    const { code, out, err } = await run.exit;
    assert.is(code, 0, err);
    assert.match(out, 'events.events is resumed');
    rmSync(folder, { recursive: true, force: true });
  });

  await make('conforming');
  await put('conforming', ['a', 'b', 'c', 'd']);
  const configuration = { 'bootstrap.servers': bootstrap, topic: 'conforming', start_from: 'earliest' };
  for (const { title, run } of conformance(kafkaInput, { configuration, relation, rows: 4 })) kafka(title, run);
  await make('conforming-out');
  const outgoing = ['1\n2\n', '3\n'].map((lines) => ({
    kind: 'bytes' as const,
    bytes: new TextEncoder().encode(lines),
    records: lines.length / 2,
  }));
  const output = { 'bootstrap.servers': bootstrap, topic: 'conforming-out' };
  for (const { title, run } of conformance(kafkaOutput, { configuration: output, relation, outgoing }))
    kafka(title, run);
}

kafka.run();
