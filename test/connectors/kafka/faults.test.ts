// What may go wrong between a pipeline and a real broker: it is stopped and started, the line is cut, slow or dead, topics are not there or
// not what they were, settings are wrong. Nothing is lost, the rest of the pipeline goes on, and the status says what to do.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../../index.ts';
import { CliProcess } from '../../cli/cli-process.ts';
import { startCutProxy } from '../../servers/cut-proxy.ts';
import { freePort } from '../../servers/free-port.ts';
import { startKafkaServer } from '../../servers/kafka-server.ts';

const faults = suite('kafka faults');
const proxy = await startCutProxy();
const proxied = new URL(proxy.url).host;
// So that a broker that was killed is soon known to be another one when it is back.
const sessions = ['broker.session.timeout.ms=3000', 'broker.heartbeat.interval.ms=300'];
const server = await startKafkaServer(sessions, null, {
  protocols: { PROXIED: 'PLAINTEXT' },
  advertised: { PROXIED: proxied },
  authority: '',
  formatArguments: [],
});

if ('missing' in server) {
  console.log(`skipped: faults of Kafka: ${server.missing}`);
  await proxy.close();
  faults('are not tried here', () => {});
} else {
  const { bootstrap } = server;
  proxy.target(`http://${server.listeners.get('PROXIED')}`);
  const client = { clientId: 'test', bootstrapBrokers: [bootstrap], retries: 100, retryDelay: 100 };
  const admin = new Admin(client);
  const producer = new Producer({ ...client, serializers: stringSerializers, idempotent: true });
  faults.after(async () => {
    await admin.close();
    await producer.close();
    await proxy.close();
    await server.close();
  });

  const make = async (
    topic: string,
    partitions = 1,
    configs: { name: string; value: string }[] = [],
  ): Promise<void> => {
    await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs });
  };
  const put = async (topic: string, values: readonly string[], partition = 0): Promise<void> => {
    await producer.send({ messages: values.map((value) => ({ topic, partition, value })) });
  };
  const numbers = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `{"n": ${from + i}}`);
  const json = { name: 'json', config: { update_format: 'raw' } };
  const often = { max_retries: 1_000, 'reconnect.backoff.max.ms': 200 };
  const common = { 'bootstrap.servers': bootstrap, start_from: 'earliest', ...often };
  const input = (config: object, stream = 't', format: object = json): Readonly<Record<string, unknown>> => ({
    stream,
    transport: { name: 'kafka_input', config: { ...common, ...config } },
    format,
  });
  const output = (config: object, stream = 'v'): Readonly<Record<string, unknown>> => ({
    stream,
    transport: { name: 'kafka_output', config: { 'bootstrap.servers': bootstrap, ...often, ...config } },
    format: { name: 'json' },
  });
  const until = async (isSo: () => Promise<boolean> | boolean): Promise<void> => {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  /** Where the numbers of a topic come, and how they are counted. */
  const counting = `CREATE TABLE t (n BIGINT NOT NULL);
    CREATE MATERIALIZED VIEW counted AS SELECT COUNT(*) AS c, COUNT(DISTINCT n) AS d, SUM(n) AS s FROM t;`;
  /** They go out once more, and what has gone out comes back. */
  const returning = `${counting} CREATE VIEW v AS SELECT n FROM t; CREATE TABLE back (n BIGINT);
    CREATE MATERIALIZED VIEW returned AS SELECT COUNT(*) AS c, COUNT(DISTINCT n) AS d, SUM(n) AS s FROM back;`;
  const returned = (topic: string): Readonly<Record<string, unknown>> => input({ topic }, 'back', { name: 'json' });
  /** The numbers from 0 on, each once. */
  const hasEach = async (pipeline: Pipeline, count: number, views = ['counted', 'returned']): Promise<void> => {
    for (const view of views) {
      const counts = async (): Promise<Record<string, unknown>> =>
        (await pipeline.query(`SELECT c, d, s FROM ${view}`))[0] ?? {};
      await until(async () => Number((await counts())['c']) >= count);
      assert.equal({ ...(await counts()) }, { c: count, d: count, s: (count * (count - 1)) / 2 }, view);
    }
  };
  const inputErrors = async (pipeline: Pipeline): Promise<string> =>
    (await pipeline.inputConnectorStats('t', 'i')).transportErrors.map(({ error }) => error.message).join('\n');
  const outputErrors = async (pipeline: Pipeline): Promise<string> =>
    (await pipeline.outputConnectorStats('v', 'o')).transportErrors.map(({ error }) => error.message).join('\n');

  faults(
    'a broker that is killed, a line that is cut, dead or slow: no row is lost or comes twice, in or out',
    async () => {
      await make('line-in');
      await make('line-out');
      await put('line-in', numbers(0, 1_000));
      const through = { 'bootstrap.servers': proxied, 'request.timeout.ms': 400 };
      await using pipeline = await Pipeline.open({
        program: returning,
        inputs: { i: input({ topic: 'line-in', ...through }), b: returned('line-out') },
        outputs: { o: output({ topic: 'line-out', ...through }) },
      });
      await pipeline.start();
      await hasEach(pipeline, 1_000);

      await server.process.stop('SIGKILL');
      await until(async () => (await inputErrors(pipeline)) !== '');
      // What is written meanwhile waits for the broker.
      await pipeline.inputJson('t', [{ n: 1_000 }]);
      await until(async () => (await outputErrors(pipeline)) !== '');
      await server.process.start();
      await put('line-in', numbers(1_001, 9));
      await hasEach(pipeline, 1_010);

      proxy.cut();
      await put('line-in', numbers(1_010, 990));
      const before = await inputErrors(pipeline);
      await until(async () => (await inputErrors(pipeline)) !== before);
      proxy.mend();
      await hasEach(pipeline, 2_000);

      // Connections stay, and nothing comes through.
      proxy.slow(0);
      await put('line-in', numbers(2_000, 10));
      await pipeline.inputJson('t', [{ n: 2_010 }]);
      await until(async () => (await inputErrors(pipeline)).includes('has not answered for'));
      await until(async () => (await outputErrors(pipeline)).includes('has not answered for'));
      proxy.slow(null);
      await hasEach(pipeline, 2_011);

      // For much longer than a broker that says nothing is waited for.
      proxy.slow(400_000);
      await put(
        'line-in',
        numbers(2_011, 10_000).map((text) => text.padEnd(60)),
      );
      await hasEach(pipeline, 12_011);
      proxy.slow(null);
      await pipeline.stop({ force: true });
    },
  );

  faults(
    'a runtime that is killed goes on behind its checkpoint: a view has each row once, a topic each at least once',
    async () => {
      await make('killed-in');
      await make('killed-out');
      const folder = mkdtempSync(join(tmpdir(), 'millrace-killed-'));
      const definition = {
        program: `CREATE TABLE t (n BIGINT); CREATE VIEW v AS SELECT n FROM t;
        CREATE MATERIALIZED VIEW counted AS SELECT COUNT(*) AS c, COUNT(DISTINCT n) AS d, SUM(n) AS s FROM t;`,
        inputs: { i: input({ topic: 'killed-in' }) },
        outputs: { o: output({ topic: 'killed-out' }) },
      };
      writeFileSync(join(folder, 'p.yaml'), JSON.stringify(definition));
      const lines = new Set<string>();
      const consumer = new Consumer({ ...client, groupId: 'killed', deserializers: stringDeserializers });
      const stream = await consumer.consume({ topics: ['killed-out'], mode: 'earliest', autocommit: false });
      stream.on('data', ({ value }) => lines.add(String(value)));
      /** Runs until the topic has the numbers up to `count`, then ends so. */
      const run = async (count: number, signal: NodeJS.Signals): Promise<string> => {
        const child = new CliProcess(['run', 'p.yaml', '--data', 'data', '--json'], { folder });
        await until(() => lines.size >= count);
        child.kill(signal);
        return (await child.exit).out;
      };
      await put('killed-in', numbers(0, 1_000));
      await run(1_000, 'SIGINT');
      await put('killed-in', numbers(1_000, 1_000));
      await run(2_000, 'SIGKILL');
      await put('killed-in', numbers(2_000, 10));
      const summary = (await run(2_010, 'SIGINT')).split('\n').find((line) => line.includes('"event":"summary"'));
      assert.match(summary ?? '', /"rows":\[\{"c":2010,"d":2010,"s":2019045\}\]/);
      assert.is(lines.size, 2_010);
      await stream.close();
      await consumer.close();
      rmSync(folder, { recursive: true, force: true });
    },
  );

  faults('partitions that are added while a topic is read and written are read and written', async () => {
    await make('grown');
    await using pipeline = await Pipeline.open({
      program: counting,
      inputs: { i: input({ topic: 'grown', 'metadata.max.age.ms': 50 }) },
    });
    await pipeline.start();
    await put('grown', numbers(0, 5));
    await hasEach(pipeline, 5, ['counted']);
    const assignments = [{ brokerIds: [1] }, { brokerIds: [1] }];
    await admin.createPartitions({ topics: [{ name: 'grown', count: 3, assignments }] });
    await until(async () => {
      const found = await admin.metadata({ topics: ['grown'], forceUpdate: true });
      return found.topics.get('grown')?.partitions.length === 3;
    });
    await put('grown', numbers(5, 5), 2);
    await hasEach(pipeline, 10, ['counted']);
    await pipeline.stop({ force: true });
  });

  faults('what is wrong of one connector is told with what to do, and the others go on', async () => {
    await make('good');
    await make('good-out');
    await put('good', [...numbers(0, 2), '{"n": "no number"}', 'poison', '{}', ...numbers(2, 1)]);
    const nobody = `127.0.0.1:${await freePort()}`;
    await using pipeline = await Pipeline.open({
      program: returning,
      inputs: {
        i: input({ topic: 'good' }),
        b: returned('good-out'),
        missing: input({ topic: 'goood' }),
        partition: input({ topic: 'good', partitions: [3] }),
        expired: input({ topic: 'good', start_from: { offsets: [999] } }),
        nobody: input({ topic: 'good', 'bootstrap.servers': nobody }),
      },
      outputs: {
        o: output({ topic: 'good-out' }),
        missing: output({ topic: 'goodout' }),
        nobody: output({ topic: 'good-out', 'bootstrap.servers': nobody }),
      },
    });
    await pipeline.start();
    await hasEach(pipeline, 3);
    const told = async (direction: 'in' | 'out', name: string): Promise<string> => {
      const stats =
        direction === 'in'
          ? await pipeline.inputConnectorStats('t', name)
          : await pipeline.outputConnectorStats('v', name);
      const error = stats.error ?? stats.transportErrors[0]?.error;
      return error === undefined ? '' : `${error.code} ${error.message} ${'help' in error ? error.help : ''}`;
    };
    const says = async (
      direction: 'in' | 'out',
      name: string,
      ...parts: readonly (string | RegExp)[]
    ): Promise<void> => {
      await until(async () => (await told(direction, name)) !== '');
      for (const part of parts) assert.match(await told(direction, name), part);
    };
    await says('in', 'missing', 'kafka.topic_missing', 'did you mean "good"', 'topic');
    await says('in', 'partition', 'kafka.partition_missing', 'partitions');
    await says('in', 'expired', 'kafka.offset_lost', 'offset 999', 'start_from', 'resume_earliest_if_data_expires');
    await says('in', 'nobody', 'kafka.unavailable', nobody, 'bootstrap.servers');
    await says('out', 'missing', 'kafka.topic_missing', 'did you mean "good-out"');
    await says('out', 'nobody', 'kafka.unavailable', nobody, 'bootstrap.servers');
    const { numParseErrors, parseErrors, error } = await pipeline.inputConnectorStats('t', 'i');
    assert.equal([numParseErrors, error], [3, null]);
    assert.match(JSON.stringify(parseErrors), /no number/);
    // The good ones still go on.
    await put('good', numbers(3, 1));
    await hasEach(pipeline, 4);
    await pipeline.stop({ force: true });
  });

  faults(
    'records that are deleted unread, a topic that is made anew: it says so, or goes on with what is there',
    async () => {
      await make('expired');
      await put('expired', numbers(0, 12));
      await admin.deleteRecords({ topics: [{ name: 'expired', partitions: [{ partition: 0, offset: 10n }] }] });
      await make('replaced');
      await put('replaced', numbers(0, 10));
      const lenient = { resume_earliest_if_data_expires: true };
      const expired = { topic: 'expired', start_from: { offsets: [5] } };
      const replaced = { topic: 'replaced', 'metadata.max.age.ms': 50 };
      const tables = ['expired', 'expired_goes_on', 'replaced', 'replaced_goes_on'];
      await using pipeline = await Pipeline.open({
        program: tables.map((name) => `CREATE TABLE ${name} (n BIGINT) WITH ('materialized' = 'true');`).join('\n'),
        inputs: {
          expired: input(expired, 'expired'),
          expired_goes_on: input({ ...expired, ...lenient }, 'expired_goes_on'),
          replaced: input(replaced, 'replaced'),
          replaced_goes_on: input({ ...replaced, ...lenient }, 'replaced_goes_on'),
        },
      });
      await pipeline.start();
      const hasRows = async (table: string, c: number, s: number): Promise<void> => {
        const found = async (): Promise<Record<string, unknown>> => ({
          ...(await pipeline.query(`SELECT COUNT(*) AS c, SUM(n) AS s FROM ${table}`))[0],
        });
        await until(async () => Number((await found())['c']) >= c);
        assert.equal(await found(), { c, s }, table);
      };
      const says = async (name: string, code: string): Promise<void> => {
        await until(async () => (await pipeline.inputConnectorStats(name, name)).error !== null);
        const { error } = await pipeline.inputConnectorStats(name, name);
        assert.is(error?.code, code);
        assert.match(error?.help ?? '', 'resume_earliest_if_data_expires');
        const { transportErrors } = await pipeline.inputConnectorStats(`${name}_goes_on`, `${name}_goes_on`);
        assert.ok(transportErrors.some((each) => each.error.code === code));
      };
      await hasRows('expired_goes_on', 2, 21);
      await says('expired', 'kafka.offset_lost');
      await hasRows('replaced', 10, 45);
      await hasRows('replaced_goes_on', 10, 45);
      await admin.deleteTopics({ topics: ['replaced'] });
      await make('replaced');
      // More than there were: nobody could tell by their offsets.
      await put('replaced', numbers(100, 12));
      await hasRows('replaced_goes_on', 22, 45 + 1_266);
      await says('replaced', 'kafka.topic_replaced');
      await hasRows('replaced', 10, 45);
      await pipeline.stop({ force: true });
    },
  );

  faults('batches that a topic finds too large become smaller ones; a message that is too large is told', async () => {
    await make('picky', 1, [{ name: 'max.message.bytes', value: '2000' }]);
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE t (n BIGINT, note VARCHAR); CREATE VIEW v AS SELECT n, note FROM t;
        CREATE TABLE back (n BIGINT);
        CREATE MATERIALIZED VIEW returned AS SELECT COUNT(*) AS c, COUNT(DISTINCT n) AS d, SUM(n) AS s FROM back;`,
      inputs: { b: returned('picky') },
      outputs: { o: output({ topic: 'picky' }) },
    });
    await pipeline.start();
    const note = 'x'.repeat(50);
    const rows = Array.from({ length: 100 }, (_, n) => ({ n, note }));
    await pipeline.completed(await pipeline.inputJson('t', rows));
    await hasEach(pipeline, 100, ['returned']);
    await pipeline.inputJson('t', [{ n: 100, note: 'x'.repeat(3_000) }]);
    await until(async () => (await pipeline.outputConnectorStats('v', 'o')).error !== null);
    const { error } = await pipeline.outputConnectorStats('v', 'o');
    assert.is(error?.code, 'kafka.message_too_large');
    assert.match(error?.help ?? '', 'max.message.bytes');
    await pipeline.stop({ force: true });
  });
}

faults.run();
