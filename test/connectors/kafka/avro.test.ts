// Avro in messages of Kafka, with the schemas in a registry: a real broker and a real registry.
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import { Admin, Producer } from '@platformatic/kafka';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeAvro } from '../../../connectors/sdk/avro-codec.ts';
import { parseAvroSchema } from '../../../connectors/sdk/avro-schema.ts';
import type { StructuredData } from '../../../connectors/sdk/record.ts';
import { Pipeline } from '../../../index.ts';
import { startApicurioServer } from '../../servers/apicurio-server.ts';
import { startKafkaServer } from '../../servers/kafka-server.ts';

const avro = suite('avro over kafka');
const [server, registry] = await Promise.all([startKafkaServer(), startApicurioServer()]);

if ('missing' in server || 'missing' in registry) {
  for (const each of [server, registry]) {
    if ('missing' in each) console.log(`skipped: Avro over Kafka: ${each.missing}`);
    else await each.close();
  }
  avro('is not tried here', () => {});
} else {
  const { bootstrap } = server;
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [bootstrap] });
  const producer = new Producer({ clientId: 'test', bootstrapBrokers: [bootstrap], idempotent: true });
  const doors: Server[] = [];
  avro.after(async () => {
    for (const door of doors) door.close();
    await admin.close();
    await producer.close();
    await Promise.all([server.close(), registry.close()]);
  });

  const record = (fields: Readonly<Record<string, unknown>>, name = 'r'): object => ({
    type: 'record',
    name,
    fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
  });
  const message = (id: number, schema: object, data: StructuredData): Buffer => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(id, 1);
    return Buffer.concat([head, encodeAvro(parseAvroSchema(JSON.stringify(schema)), data)]);
  };
  const put = async (topic: string, values: readonly Buffer[]): Promise<void> => {
    await producer.send({ messages: values.map((value) => ({ topic, partition: 0, value })) });
  };
  const input = (topic: string, format: object): object => ({
    transport: { name: 'kafka_input', config: { topic, start_from: 'earliest', 'bootstrap.servers': bootstrap } },
    format: { name: 'avro', config: format },
  });

  /** The rows of a table when there are so many. */
  const rowsOf = async (pipeline: Pipeline, sql: string, count: number): Promise<readonly object[]> => {
    for (;;) {
      const rows = await pipeline.query(sql);
      if (rows.length >= count) return rows;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  avro('rows come by the schema that their message names, also when it changes on the way', async () => {
    await admin.createTopics({ topics: ['orders'], partitions: 1, replicas: 1 });
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 };
    const first = record({ id: 'long', price: decimal, at: { type: 'long', logicalType: 'timestamp-micros' } });
    const second = record({ id: 'long', note: ['null', 'string'], price: decimal, raw: 'bytes' });
    const [one, two] = [await registry.register('orders-value', first), await registry.register('orders-2', second)];
    await put('orders', [
      message(one, first, { id: 9007199254740993n, price: '12.50', at: '2026-08-21T14:34:11.123456Z' }),
      message(two, second, { id: 2n, note: 'a\nb', price: '-0.01', raw: Uint8Array.of(10, 0, 255) }),
      Buffer.from('poison'),
      message(4711, first, { id: 3n, price: '1.00', at: '2026-08-21T14:34:11.123456Z' }),
      message(one, first, { id: 4n, price: '0.00', at: '1970-01-01T00:00:00.000000Z' }),
    ]);
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE orders (id BIGINT NOT NULL PRIMARY KEY, price DECIMAL(12, 2), at TIMESTAMP, note VARCHAR, raw VARBINARY);`,
      inputs: { o: { stream: 'orders', ...input('orders', { registry_urls: [registry.url] }) } },
    });
    await pipeline.start();
    assert.equal(await rowsOf(pipeline, 'SELECT * FROM orders ORDER BY id', 3), [
      { id: 2, price: '-0.01', at: null, note: 'a\nb', raw: Uint8Array.of(10, 0, 255) },
      { id: 4, price: '0.00', at: '1970-01-01 00:00:00', note: null, raw: null },
      { id: 9007199254740993n, price: '12.50', at: '2026-08-21 14:34:11.123456', note: null, raw: null },
    ]);
    const { numParseErrors } = await pipeline.inputConnectorStats('orders', 'o');
    assert.is(numParseErrors, 2);
    await pipeline.stop({ force: true });
  });

  avro(
    'messages whose schema does not fit the table are refused, counted and told; those around them are rows',
    async () => {
      await admin.createTopics({ topics: ['misfits'], partitions: 1, replicas: 1 });
      const good = record({ id: 'long', name: 'string' });
      const others = {
        'another type': [record({ id: 'string', name: 'string' }), { id: 'seven', name: 'x' }],
        'no number at all': [record({ id: { type: 'array', items: 'long' }, name: 'string' }), { id: [7n], name: 'x' }],
        'no key': [record({ name: 'string' }), { name: 'x' }],
      } as const;
      const id = await registry.register('misfits-value', good);
      const values = [message(id, good, { id: 1n, name: 'first' })];
      for (const [at, [schema, data]] of Object.values(others).entries()) {
        values.push(message(await registry.register(`misfits-${at}`, schema), schema, data));
      }
      await put('misfits', [...values, message(id, good, { id: 2n, name: 'last' })]);
      await using pipeline = await Pipeline.open({
        program: 'CREATE TABLE misfits (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR);',
        inputs: { m: { stream: 'misfits', ...input('misfits', { registry_urls: [registry.url] }) } },
      });
      await pipeline.start();
      assert.equal(await rowsOf(pipeline, 'SELECT id FROM misfits ORDER BY id', 2), [{ id: 1 }, { id: 2 }]);
      const { numParseErrors, parseErrors, error } = await pipeline.inputConnectorStats('misfits', 'm');
      assert.equal([numParseErrors, error], [3, null]);
      assert.equal(
        parseErrors.map((each) => each.error.message),
        [
          'field "id" is string, which column id of type BIGINT cannot take',
          'field "id" is array, which column id of type BIGINT cannot take',
          'column id is missing, it is NOT NULL and has no default',
        ],
      );
      await pipeline.stop({ force: true });
    },
  );

  avro('change events of Debezium keep a table as that of the database is', async () => {
    await admin.createTopics({ topics: ['inventory'], partitions: 1, replicas: 1 });
    const row = record(
      { id: 'int', name: ['null', 'string'], day: { type: 'int', 'connect.name': 'io.debezium.time.Date' } },
      'Value',
    );
    const envelope = record({ before: ['null', row], after: ['null', 'Value'], op: 'string' }, 'Envelope');
    const id = await registry.register('inventory-value', envelope);
    const event = (before: StructuredData | null, after: StructuredData | null): Buffer =>
      message(id, envelope, { before, after, op: 'u' });
    await put('inventory', [
      event(null, { id: 1n, name: 'a', day: 0n }),
      event(null, { id: 2n, name: 'b', day: 1n }),
      event({ id: 1n, name: 'a', day: 0n }, { id: 1n, name: 'changed', day: 20686n }),
      event({ id: 2n, name: null, day: 0n }, null),
      event(null, { id: 3n, name: 'last', day: -1n }),
    ]);
    await using pipeline = await Pipeline.open({
      program: 'CREATE TABLE inventory (id INT NOT NULL PRIMARY KEY, name VARCHAR NOT NULL, day DATE);',
      inputs: {
        i: { stream: 'inventory', ...input('inventory', { registry_urls: [registry.url], update_format: 'debezium' }) },
      },
    });
    await pipeline.start();
    await rowsOf(pipeline, 'SELECT * FROM inventory WHERE id = 3', 1);
    assert.equal(await pipeline.query('SELECT * FROM inventory ORDER BY id'), [
      { id: 1, name: 'changed', day: '2026-08-21' },
      { id: 3, name: 'last', day: '1969-12-31' },
    ]);
    await pipeline.stop({ force: true });
  });

  avro('a registry that is away while messages come costs none of them', async () => {
    await admin.createTopics({ topics: ['late'], partitions: 1, replicas: 1 });
    const schema = record({ n: 'long' });
    const id = await registry.register('late-value', schema);
    await put('late', [message(id, schema, { n: 1n })]);
    const seen: string[] = [];
    // A door before the registry, shut at first.
    let isOpen = false;
    const door = createServer((request, response) => {
      if (!isOpen) {
        isOpen = true;
        response.writeHead(503).end();
        return;
      }
      seen.push(`${request.headers.authorization} ${request.headers['x-team']}`);
      fetch(`${registry.url}${request.url}`).then(async (answer) => {
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
      });
    });
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    doors.push(door);
    const address = door.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const format = {
      registry_urls: [`http://127.0.0.1:${port}/`],
      registry_username: 'user',
      registry_password: 'pass',
      registry_headers: { 'X-Team': 'blue' },
    };
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE late (n BIGINT, id INT UNSIGNED DEFAULT CAST(CONNECTOR_METADATA()['avro_schema_id'] AS INT UNSIGNED))
        WITH ('materialized' = 'true');`,
      inputs: { l: { stream: 'late', ...input('late', format) } },
    });
    await pipeline.start();
    assert.equal(await rowsOf(pipeline, 'SELECT n, id FROM late', 1), [{ n: 1, id }]);
    assert.equal(seen, [`Basic ${Buffer.from('user:pass').toString('base64')} blue`]);
    assert.is((await pipeline.inputConnectorStats('late', 'l')).numTransportErrors, 1);
    const [refused] = (await pipeline.inputConnectorStats('late', 'l')).transportErrors;
    assert.is(refused?.error.code, 'schema_registry.unavailable');
    assert.match(JSON.stringify(refused), 'registry_urls');
    await pipeline.stop({ force: true });
  });

  const opened = async (server_: Server): Promise<string> => {
    await new Promise<void>((resolve) => server_.listen(0, '127.0.0.1', resolve));
    doors.push(server_);
    const address = server_.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  };

  avro('schemas that refer to schemas of other subjects are read with them, by who has the token', async () => {
    await admin.createTopics({ topics: ['customers', 'denied'], partitions: 1, replicas: 1 });
    const country = record({ code: 'string' }, 'Country');
    const address = record({ street: 'string', country: 'Country' }, 'Address');
    const customer = record({ id: 'long', home: 'Address', work: ['null', 'Address'] }, 'Customer');
    await registry.register('country', country);
    await registry.register('address', address, [{ name: 'Country', subject: 'country', version: 1 }]);
    const id = await registry.register('customers-value', customer, [
      { name: 'Address', subject: 'address', version: 1 },
    ]);
    const inner = record({ street: 'string', country }, 'Address');
    const whole = record({ id: 'long', home: inner, work: ['null', 'Address'] }, 'Customer');
    const home = { street: 's', country: { code: 'CZ' } };
    await put('customers', [message(id, whole, { id: 1n, home, work: null })]);
    await put('denied', [message(id, whole, { id: 1n, home, work: null })]);
    // Apicurio asks nobody for a token by itself.
    const guard: RequestListener = (request, response) => {
      if (request.headers.authorization !== 'Bearer letmein') {
        response.writeHead(401).end();
        return;
      }
      fetch(`${registry.url}${request.url}`).then(async (answer) => {
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
      });
    };
    const url = await opened(createServer(guard));
    const program = (name: string): string =>
      `CREATE TABLE ${name} (id BIGINT NOT NULL PRIMARY KEY, home ROW(street VARCHAR, country ROW(code VARCHAR)), work ROW(street VARCHAR, country ROW(code VARCHAR)));`;
    const format = { registry_urls: [url], registry_authorization_token: 'letmein' };
    await using pipeline = await Pipeline.open({
      program: program('customers'),
      inputs: { c: { stream: 'customers', ...input('customers', format) } },
    });
    await pipeline.start();
    const rows = await rowsOf(pipeline, 'SELECT id, c.home.country.code AS code, work FROM customers c', 1);
    assert.equal(rows, [{ id: 1, code: 'CZ', work: null }]);
    await pipeline.stop({ force: true });

    await using denied = await Pipeline.open({
      program: program('denied'),
      inputs: {
        d: { stream: 'denied', ...input('denied', { ...format, registry_authorization_token: 'wrong-token' }) },
      },
    });
    await denied.start();
    let fatal: unknown;
    while (fatal === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      fatal = (await denied.inputConnectorStats('denied', 'd')).error ?? undefined;
    }
    assert.match(JSON.stringify(fatal), 'schema_registry.denied');
    assert.not.match(JSON.stringify(fatal), 'wrong-token');
    await denied.stop({ force: true });
  });

  avro('a registry behind a proxy is asked through it', async () => {
    await admin.createTopics({ topics: ['far'], partitions: 1, replicas: 1 });
    const schema = record({ n: 'long' });
    const id = await registry.register('far-value', schema);
    await put('far', [message(id, schema, { n: 7n })]);
    const asked: string[] = [];
    const proxy = createServer((_, response) => void response.writeHead(405).end());
    proxy.on('connect', (request, socket) => {
      asked.push(String(request.url));
      const [host = '', port = ''] = String(request.url).split(':');
      const onward = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      for (const each of [onward, socket]) each.on('error', () => {});
    });
    const format = { registry_urls: [registry.url], registry_proxy: await opened(proxy) };
    await using pipeline = await Pipeline.open({
      program: 'CREATE TABLE far (n BIGINT NOT NULL PRIMARY KEY);',
      inputs: { f: { stream: 'far', ...input('far', format) } },
    });
    await pipeline.start();
    assert.equal(await rowsOf(pipeline, 'SELECT n FROM far', 1), [{ n: 7 }]);
    assert.equal(new Set(asked), new Set([new URL(registry.url).host]));
    await pipeline.stop({ force: true });
  });

  avro('changes of a view go out under the key of an index, and come back as the rows that they were', async () => {
    await admin.createTopics({ topics: ['source', 'totals'], partitions: 2, replicas: 1 });
    const output = (config: object): object => ({
      transport: { name: 'kafka_output', config: { topic: 'totals', 'bootstrap.servers': bootstrap } },
      format: { name: 'avro', config: { registry_urls: [registry.url], ...config } },
    });
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE source (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, price DECIMAL(20, 4), at TIMESTAMP);
        CREATE MATERIALIZED VIEW totals AS SELECT id, name, price * 2 AS price, at FROM source;
        CREATE INDEX totals_key ON totals(id);`,
      outputs: { t: { stream: 'totals', index: 'totals_key', ...output({ subject_name_strategy: 'topic_name' }) } },
    });
    await pipeline.start();
    const rows = [
      { id: 9007199254740993n, name: 'ž', price: '1234567890123456.1234', at: '2026-08-21 14:34:11.123456' },
      { id: 2, name: null, price: null, at: null },
    ];
    await pipeline.completed(await pipeline.inputJson('source', rows));
    await pipeline.completed(await pipeline.inputJson('source', [{ id: 2, name: 'later', price: '0.5', at: null }]));
    const subjects = JSON.stringify(await registry.get('/subjects'));
    assert.match(subjects, /totals-key/);
    assert.match(subjects, /totals-value/);
    await pipeline.stop({ force: true });

    await using back = await Pipeline.open({
      program:
        'CREATE TABLE totals (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, price DECIMAL(38, 4), at TIMESTAMP);',
      inputs: { t: { stream: 'totals', ...input('totals', { registry_urls: [registry.url] }) } },
    });
    await back.start();
    await rowsOf(back, `SELECT * FROM totals WHERE name IN ('later', 'ž')`, 2);
    assert.equal(await back.query('SELECT * FROM totals ORDER BY id'), [
      { id: 2, name: 'later', price: '1.0000', at: null },
      { id: 9007199254740993n, name: 'ž', price: '2469135780246912.2468', at: '2026-08-21 14:34:11.123456' },
    ]);
    await back.stop({ force: true });
  });
}

avro.run();
