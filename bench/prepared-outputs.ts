// What each connector of the comparison writes to: a real server, a pipeline from a generator to it, and the bare client that writes the same
// number of rows of the same size, which it has as bytes already. `written` asks the server how many have come.
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { Admin, Producer } from '@platformatic/kafka';
import { KafkaCluster } from '../connectors/kafka/kafka-cluster.ts';
import { Pipeline } from '../index.ts';
import { systemClock } from '../runtime/clock.ts';
import { startKafkaServer } from '../test/servers/kafka-server.ts';
import { startPostgresServer } from '../test/servers/postgres-server.ts';
import { s3Access, startS3Server } from '../test/servers/s3-server.ts';
import { type BareRun, bareClient } from './bare-client.ts';

export interface PreparedOutput {
  readonly bytes: number;
  /** From the first row on its way until the last one is where it belongs. */
  millrace(begun: () => void, ended: () => void): Promise<void>;
  /** A client that waits for its beginning, and then writes everything; `asRows`: from rows that it has as objects. */
  bare(asRows: boolean): Promise<BareRun>;
  written(): Promise<number>;
  close(): Promise<void>;
}

const note = 'the quick brown fox jumps over the lazy dog and is gone';
const objectRows = 100_000;
const messagesAtOnce = 5_000;

async function prepareS3(rows: number): Promise<PreparedOutput> {
  const server = await startS3Server(['bench']);
  if ('missing' in server) throw new Error(server.missing);
  const lines = (start: number, count: number): string =>
    Array.from({ length: count }, (_, i) => `{"insert":{"id":${start + i},"note":"${note}"}}\n`).join('');
  const bodies = Array.from({ length: Math.ceil(rows / objectRows) }, (_, i) =>
    Buffer.from(lines(i * objectRows, Math.min(objectRows, rows - i * objectRows))),
  );
  const { client } = server;
  const config = { ...s3Access, bucket_name: 'bench', endpoint_url: server.url, prefix: 'out/' };
  return {
    bytes: bodies.reduce((sum, { length }) => sum + length, 0),
    millrace: (begun, ended) =>
      generated(
        rows,
        {
          transport: { name: 's3_output', config },
          format: { name: 'json', config: { update_format: 'insert_delete' } },
          max_output_buffer_size_records: objectRows,
          max_output_buffer_time_millis: 60_000,
        },
        begun,
        ended,
      ),
    bare: (asRows) =>
      asRows
        ? bareClient({ kind: 's3 prints', address: server.url, rows, rowsAtOnce: objectRows, note })
        : bareClient({ kind: 's3 writes', url: server.url, bodies }),
    written: async () => {
      let seen = 0;
      const { Contents: contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: 'bench', Prefix: 'out/' }),
      );
      for (const { Key } of contents) {
        const { Body: body } = await client.send(new GetObjectCommand({ Bucket: 'bench', Key }));
        for (const byte of (await body?.transformToByteArray()) ?? []) if (byte === 10) seen++;
      }
      return seen;
    },
    close: () => server.close(),
  };
}

async function prepareKafka(rows: number): Promise<PreparedOutput> {
  const server = await startKafkaServer();
  if ('missing' in server) throw new Error(server.missing);
  const { bootstrap } = server;
  const client = { clientId: 'bench', bootstrapBrokers: [bootstrap] };
  const admin = new Admin(client);
  await admin.createTopics({ topics: ['v'], partitions: 1, replicas: 1 });
  await admin.close();
  const values = Array.from({ length: rows }, (_, id) => Buffer.from(`{"insert":{"id":${id},"note":"${note}"}}`));
  const config = { topic: 'v', 'bootstrap.servers': bootstrap };
  return {
    bytes: values.reduce((sum, { length }) => sum + length, 0),
    millrace: (begun, ended) =>
      generated(rows, { transport: { name: 'kafka_output', config }, format: { name: 'json' } }, begun, ended),
    bare: async (asRows) => {
      if (asRows) {
        return await bareClient({ kind: 'kafka prints', address: bootstrap, rows, rowsAtOnce: messagesAtOnce, note });
      }
      return async () => {
        const producer = new Producer({ ...client, idempotent: true });
        for (let at = 0; at < rows; at += messagesAtOnce) {
          const messages = values.slice(at, at + messagesAtOnce).map((value) => ({ topic: 'v', partition: 0, value }));
          await producer.send({ messages });
        }
        await producer.close();
        return { rows: 0, sum: null };
      };
    },
    written: async () => {
      const cluster = new KafkaCluster(config, '.', systemClock);
      const found = await cluster.offsets(await cluster.describe('v'), new Map([[0, 'latest']]));
      await cluster.close();
      return Number(found.get(0));
    },
    close: () => server.close(),
  };
}

async function preparePostgres(rows: number): Promise<PreparedOutput> {
  const server = await startPostgresServer();
  if ('missing' in server) throw new Error(server.missing);
  await server.sql('CREATE TABLE v (id bigint PRIMARY KEY, note text)');
  const chunks = Array.from({ length: Math.ceil(rows / 1000) }, (_, i) =>
    Buffer.from(
      Array.from({ length: Math.min(1000, rows - i * 1000) }, (__, k) => `${i * 1000 + k},${note}\n`).join(''),
    ),
  );
  return {
    bytes: chunks.reduce((sum, { length }) => sum + length, 0),
    millrace: (begun, ended) =>
      generated(
        rows,
        { transport: { name: 'postgres_output', config: { uri: server.uri, table: 'v' } } },
        begun,
        ended,
      ),
    bare: (asRows) =>
      asRows
        ? bareClient({ kind: 'postgres prints', address: server.uri, rows, rowsAtOnce: 1000, note })
        : bareClient({ kind: 'postgres writes', uri: server.uri, chunks }),
    written: async () => Number((await server.sql('SELECT count(*) AS n FROM v')).rows[0]?.['n']),
    close: () => server.close(),
  };
}

/** Rows of a generator through a view to the output; ends when the output has confirmed all of them. */
async function generated(rows: number, output: object, begun: () => void, ended: () => void): Promise<void> {
  const fields = { id: { strategy: 'increment' }, note: { strategy: 'uniform', values: [note] } };
  const pipeline = await Pipeline.open({
    // No key of the engine's: the bare clients keep none either.
    program: 'CREATE TABLE t (id BIGINT NOT NULL, note VARCHAR); CREATE VIEW v AS SELECT id, note FROM t;',
    inputs: {
      g: { stream: 't', paused: true, transport: { name: 'datagen', config: { plan: [{ limit: rows, fields }] } } },
    },
    outputs: { o: { stream: 'v', ...output } },
  });
  await pipeline.start();
  begun();
  await pipeline.resumeConnector('t', 'g');
  await pipeline.waitForCompletion();
  ended();
  await pipeline.stop({ force: true });
}

const makers = { 'kafka-output': prepareKafka, 's3-output': prepareS3, 'postgres-output': preparePostgres };

export function isOutput(transport: string): boolean {
  return Object.hasOwn(makers, transport);
}

export function prepareOutput(transport: string, rows: number): Promise<PreparedOutput> {
  // SAFETY: its own key: whoever asks has looked.
  return makers[transport as keyof typeof makers](rows);
}
