// Rows of about 100 bytes from a real server into a view, beside the bare client reading the same bytes. Prints one JSON line
// {seconds, cpuSeconds, rows, megabytes, checksum}.
//
//   node dist/bench/connectors-run.js kafka|s3|postgres millrace|bare ROWS
//
// The server is started and filled before the clock runs. Millrace: from the resumption of the connector, which has connected to nothing
// yet, until the view has every row, COUNT and SUM checked. Bare: from its connection until the client has every byte; rows are counted
// by line breaks, of Kafka by the counts in the headers of its batches.

import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Admin, Connection, Producer } from '@platformatic/kafka';
import pg from 'pg';
import { to } from 'pg-copy-streams';
import { fetchPartitions } from '../connectors/kafka/fetch-request.ts';
import { offsetBehindSet } from '../connectors/kafka/record-set.ts';
import { Pipeline } from '../index.ts';
import { startKafkaServer } from '../test/servers/kafka-server.ts';
import { startPostgresServer } from '../test/servers/postgres-server.ts';
import { s3Access, startS3Server } from '../test/servers/s3-server.ts';

const [transport = 'kafka', contender = 'millrace', rowsText = '1000000'] = process.argv.slice(2);
const rows = Number(rowsText);
const sum = (BigInt(rows) * BigInt(rows - 1)) / 2n;
const note = 'the quick brown fox jumps over the lazy dog and is gone';

interface Prepared {
  readonly config: Readonly<Record<string, unknown>>;
  readonly format: Readonly<Record<string, unknown>> | null;
  readonly bytes: number;
  /** Reads everything and answers with the rows that it saw. */
  bare(): Promise<number>;
  close(): Promise<void>;
}

function lineOf(id: number): string {
  return `{"id":${id},"name":"n${id % 1000}","note":"${note}"}`;
}

async function prepareKafka(): Promise<Prepared> {
  const server = await startKafkaServer();
  if ('missing' in server) throw new Error(server.missing);
  const [host = '', port = ''] = server.bootstrap.split(':');
  const client = { clientId: 'bench', bootstrapBrokers: [server.bootstrap] };
  const admin = new Admin(client);
  await admin.createTopics({ topics: ['t'], partitions: 1, replicas: 1 });
  const producer = new Producer({ ...client, idempotent: true });
  let bytes = 0;
  for (let at = 0; at < rows; at += 5_000) {
    const messages = Array.from({ length: Math.min(5_000, rows - at) }, (_, i) => {
      const value = Buffer.from(lineOf(at + i));
      bytes += value.length;
      return { topic: 't', partition: 0, value };
    });
    await producer.send({ messages });
  }
  await producer.close();
  const topicId = (await admin.metadata({ topics: ['t'] })).topics.get('t')?.id ?? '';
  await admin.close();
  const config = { topic: 't', 'bootstrap.servers': server.bootstrap, start_from: 'earliest' };
  return {
    config,
    format: { name: 'json', config: { update_format: 'raw' } },
    bytes,
    bare: async () => {
      const library = await import('@platformatic/kafka');
      const connection = new Connection('bench');
      await connection.connect(host, Number(port));
      const limits = { maxWaitMs: 250, bytesMax: 8 << 20, partitionBytesMax: 4 << 20, readCommitted: true, rack: '' };
      let seen = 0;
      while (seen < rows) {
        const { partitions } = await fetchPartitions(
          library,
          connection,
          [{ topicId, partitions: [{ partition: 0, offset: seen }] }],
          limits,
        );
        seen = offsetBehindSet(partitions[0]?.chunks ?? [], seen);
      }
      await connection.close();
      return seen;
    },
    close: () => server.close(),
  };
}

async function prepareS3(): Promise<Prepared> {
  const server = await startS3Server(['bench']);
  if ('missing' in server) throw new Error(server.missing);
  const keys: string[] = [];
  let bytes = 0;
  for (let at = 0; at < rows; at += 100_000) {
    const lines = Array.from({ length: Math.min(100_000, rows - at) }, (_, i) => lineOf(at + i));
    const body = Buffer.from(`${lines.join('\n')}\n`);
    const key = `rows/${String(at).padStart(12, '0')}.json`;
    await server.put('bench', key, body);
    keys.push(key);
    bytes += body.length;
  }
  return {
    config: { ...s3Access, bucket_name: 'bench', endpoint_url: server.url, prefix: 'rows/' },
    format: { name: 'json', config: { update_format: 'raw' } },
    bytes,
    bare: async () => {
      let seen = 0;
      for (const Key of keys) {
        const { Body: body } = await server.client.send(new GetObjectCommand({ Bucket: 'bench', Key }));
        // SAFETY: in Node a body is a Readable of buffers.
        for await (const chunk of body as AsyncIterable<Buffer>) seen += breaksIn(chunk);
      }
      return seen;
    },
    close: () => server.close(),
  };
}

async function preparePostgres(): Promise<Prepared> {
  const server = await startPostgresServer();
  if ('missing' in server) throw new Error(server.missing);
  await server.sql(
    `CREATE TABLE t AS SELECT i::bigint AS id, 'n' || i % 1000 AS name, '${note}' AS note FROM generate_series(0, ${rows - 1}) AS i`,
  );
  const { rows: found } = await server.sql(`SELECT sum(length(t::text))::bigint AS bytes FROM t`);
  return {
    config: { uri: server.uri, query: 'SELECT * FROM t' },
    format: null,
    bytes: Number(found[0]?.bytes),
    bare: async () => {
      const client = new pg.Client({ connectionString: server.uri });
      await client.connect();
      let seen = 0;
      for await (const chunk of client.query(to('COPY t TO STDOUT (FORMAT csv)'))) seen += breaksIn(chunk);
      await client.end();
      return seen;
    },
    close: () => server.close(),
  };
}

function breaksIn(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count++;
  return count;
}

async function millrace({ config, format }: Prepared, begun: () => void, ended: () => void): Promise<string> {
  const pipeline = await Pipeline.open({
    program: `CREATE TABLE t (id BIGINT, name VARCHAR, note VARCHAR);
      CREATE MATERIALIZED VIEW v AS SELECT COUNT(*) AS c, SUM(id) AS s FROM t;`,
    integers: 'bigint',
    inputs: {
      i: {
        stream: 't',
        paused: true,
        transport: { name: `${transport}_input`, config },
        ...(format === null ? {} : { format }),
      },
    },
  });
  await pipeline.start();
  const changes = pipeline.listen('v', { sendSnapshot: true });
  begun();
  await pipeline.resumeConnector('t', 'i');
  for await (const { rows: changed, weights } of changes) {
    const last = changed.findLast((_, i) => (weights[i] ?? 1) > 0);
    if (last !== undefined && BigInt(String(last['c'])) === BigInt(rows)) {
      ended();
      await pipeline.stop({ force: true });
      if (BigInt(String(last['s'])) !== sum) throw new Error(`the sum is ${last['s']}, not ${sum}`);
      return `${rows} rows`;
    }
  }
  throw new Error('the pipeline ended before its last row');
}

const makers = { kafka: prepareKafka, s3: prepareS3, postgres: preparePostgres };
if (!Object.hasOwn(makers, transport)) throw new Error(`no transport ${transport}`);
// SAFETY: its own key, as was just looked at.
const prepared = await makers[transport as keyof typeof makers]();
try {
  let startedAt = performance.now();
  let cpuBefore = process.cpuUsage();
  let seconds = 0;
  let cpu = cpuBefore;
  const begun = (): void => {
    startedAt = performance.now();
    cpuBefore = process.cpuUsage();
  };
  const ended = (): void => {
    seconds = (performance.now() - startedAt) / 1000;
    cpu = process.cpuUsage(cpuBefore);
  };
  begun();
  const checksum = contender === 'bare' ? `${await prepared.bare()} rows` : await millrace(prepared, begun, ended);
  if (contender === 'bare') ended();
  const megabytes = prepared.bytes / 1e6;
  console.log(JSON.stringify({ seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6, rows, megabytes, checksum }));
} finally {
  await prepared.close();
}
process.exit(0);
