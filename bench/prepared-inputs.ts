// What each connector of the comparison reads: a real server with rows of about 100 bytes, the connector's configuration, and the bare client
// that reads the same bytes from it. Servers are started and filled here, before any clock runs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin, Producer } from '@platformatic/kafka';
import { fetchPartitions } from '../connectors/kafka/fetch-request.ts';
import { KafkaCluster } from '../connectors/kafka/kafka-cluster.ts';
import { surveySet } from '../connectors/kafka/record-set.ts';
import { systemClock } from '../runtime/clock.ts';
import { startKafkaServer } from '../test/servers/kafka-server.ts';
import { startPostgresServer } from '../test/servers/postgres-server.ts';
import { s3Access, startS3Server } from '../test/servers/s3-server.ts';
import { type BareRun, bareClient } from './bare-client.ts';
import { RowProgress } from './row-progress.ts';

const note = 'the quick brown fox jumps over the lazy dog and is gone';

export interface PreparedInput {
  /** The connector's transport. */
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly format: Readonly<Record<string, unknown>> | null;
  readonly bytes: number;
  /** A client that waits for its beginning, then reads everything and answers with the rows that it saw; `asRows`: as a user's program has them. */
  bare(asRows: boolean): Promise<BareRun>;
  close(): Promise<void>;
}

function lineOf(id: number): string {
  return `{"id":${id},"name":"n${id % 1000}","note":"${note}"}`;
}

/** A hundred thousand lines at a time, from row `at` on: all of them would be longer than a text may be. */
function* linesOf(rows: number): Generator<{ readonly at: number; readonly body: Buffer }> {
  const linesMax = 100_000;
  for (let at = 0; at < rows; at += linesMax) {
    const lines = Array.from({ length: Math.min(linesMax, rows - at) }, (_, i) => lineOf(at + i));
    yield { at, body: Buffer.from(`${lines.join('\n')}\n`) };
  }
}

async function prepareKafka(rows: number): Promise<PreparedInput> {
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
    name: 'kafka_input',
    config,
    format: { name: 'json', config: { update_format: 'raw' } },
    bytes,
    bare: async (asRows) => {
      if (asRows) return await bareClient({ kind: 'kafka reads', bootstrap: server.bootstrap, topic: 't', rows });
      return async () => {
        const cluster = new KafkaCluster(config, '.', systemClock);
        const limits = { maxWaitMs: 250, bytesMax: 8 << 20, partitionBytesMax: 4 << 20, readCommitted: true, rack: '' };
        const progress = new RowProgress();
        let seen = 0;
        while (seen < rows) {
          const wanted = [{ topicId, partitions: [{ partition: 0, offset: seen }] }];
          const { partitions } = await cluster.ask({ host, port: Number(port) }, (connection) =>
            fetchPartitions(connection, wanted, limits),
          );
          seen = surveySet(partitions[0]?.records ?? new Uint8Array(0), seen).behind;
          progress.seen(seen);
        }
        await cluster.close();
        return { rows: seen, sum: null, marks: progress.marks };
      };
    },
    close: () => server.close(),
  };
}

async function prepareS3(rows: number): Promise<PreparedInput> {
  const server = await startS3Server(['bench']);
  if ('missing' in server) throw new Error(server.missing);
  const keys: string[] = [];
  let bytes = 0;
  for (const { at, body } of linesOf(rows)) {
    const key = `rows/${String(at).padStart(12, '0')}.json`;
    await server.put('bench', key, body);
    keys.push(key);
    bytes += body.length;
  }
  return {
    name: 's3_input',
    config: { ...s3Access, bucket_name: 'bench', endpoint_url: server.url, prefix: 'rows/' },
    format: { name: 'json', config: { update_format: 'raw' } },
    bytes,
    bare: (asRows) => bareClient({ kind: 's3 reads', url: server.url, keys, asRows }),
    close: () => server.close(),
  };
}

async function preparePostgres(rows: number): Promise<PreparedInput> {
  const server = await startPostgresServer();
  if ('missing' in server) throw new Error(server.missing);
  await server.sql(
    `CREATE TABLE t AS SELECT i::bigint AS id, 'n' || i % 1000 AS name, '${note}' AS note FROM generate_series(0, ${rows - 1}) AS i`,
  );
  const { rows: found } = await server.sql(`SELECT sum(length(t::text))::bigint AS bytes FROM t`);
  return {
    name: 'postgres_input',
    config: { uri: server.uri, query: 'SELECT * FROM t' },
    format: null,
    bytes: Number(found[0]?.bytes),
    bare: (asRows) => bareClient({ kind: 'postgres reads', uri: server.uri, table: 't', asRows }),
    close: () => server.close(),
  };
}

/** The rows of a table as they are, by postgres_cdc_input: its snapshot. */
async function prepareSnapshot(rows: number): Promise<PreparedInput> {
  const prepared = await preparePostgres(rows);
  const { uri } = prepared.config;
  return { ...prepared, name: 'postgres_cdc_input', config: { uri, source_table: 't' } };
}

/** A file over HTTP, from a process of its own. */
async function prepareUrl(rows: number): Promise<PreparedInput> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-url-'));
  const path = join(folder, 'rows.json');
  let bytes = 0;
  for (const { body } of linesOf(rows)) {
    appendFileSync(path, body);
    bytes += body.length;
  }
  const server = spawn(process.execPath, ['-e', serverCode, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(server.stdout, 'data');
  const url = `http://127.0.0.1:${String(port).trim()}/rows.json`;
  return {
    name: 'url_input',
    config: { path: url },
    format: { name: 'json', config: { update_format: 'raw' } },
    bytes,
    bare: (asRows) => bareClient({ kind: 'url reads', url, asRows }),
    close: async () => {
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const serverCode = `const { createReadStream, statSync } = require('node:fs');
const [, path] = process.argv;
const size = statSync(path).size;
const server = require('node:http').createServer((request, response) => {
  const [, from = '0', to = ''] = /^bytes=(\\d+)-(\\d*)$/.exec(request.headers.range ?? '') ?? [];
  const [start, end] = [Number(from), to === '' ? size - 1 : Number(to)];
  const headers = { 'content-length': end + 1 - start, 'content-range': 'bytes ' + start + '-' + end + '/' + size };
  response.writeHead(206, headers);
  createReadStream(path, { start, end, highWaterMark: 1 << 20 }).pipe(response);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

const makers = {
  kafka: prepareKafka,
  s3: prepareS3,
  postgres: preparePostgres,
  snapshot: prepareSnapshot,
  url: prepareUrl,
};

/** @throws Error when there is none of this name, or no server. */
export function prepareInput(transport: string, rows: number): Promise<PreparedInput> {
  if (!Object.hasOwn(makers, transport)) throw new Error(`no transport ${transport}`);
  // SAFETY: its own key, as was just looked at.
  return makers[transport as keyof typeof makers](rows);
}
