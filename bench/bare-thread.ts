// The thread of a bare client: takes its work, answers when it has it, and does it when it is told to begin: the library of the client is loaded then, a connection
// made, every byte read or written, rows of what is read counted by their line breaks. See bare-client.ts.
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import type { S3Client } from '@aws-sdk/client-s3';
import type { BareTask } from './bare-client.ts';

/** As test/servers/s3-server.ts has them: importing that would load the library before its time. */
const credentials = { accessKeyId: 'testkey', secretAccessKey: 'testsecret' };

async function run(task: BareTask): Promise<number> {
  switch (task.kind) {
    case 's3 reads':
      return await readS3(task.url, task.keys);
    case 's3 writes':
      return await writeS3(task.url, task.bodies);
    case 'url reads':
      return await readUrl(task.url);
    case 'postgres reads':
      return await readPostgres(task.uri, task.statement);
    case 'postgres writes':
      return await writePostgres(task.uri, task.chunks);
  }
}

async function readS3(url: string, keys: readonly string[]): Promise<number> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const client = await s3(url);
  let seen = 0;
  for (const Key of keys) {
    const { Body: body } = await client.send(new GetObjectCommand({ Bucket: 'bench', Key }));
    // SAFETY: in Node a body is a Readable of buffers.
    for await (const chunk of body as AsyncIterable<Buffer>) seen += breaksIn(chunk);
  }
  client.destroy();
  return seen;
}

async function writeS3(url: string, bodies: readonly Uint8Array[]): Promise<number> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const client = await s3(url);
  for (const [i, Body] of bodies.entries()) {
    await client.send(new PutObjectCommand({ Bucket: 'bench', Key: `out/${i}`, Body }));
  }
  client.destroy();
  return 0;
}

async function s3(endpoint: string): Promise<S3Client> {
  const { S3Client: Client } = await import('@aws-sdk/client-s3');
  return new Client({ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials });
}

async function readUrl(url: string): Promise<number> {
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent();
  const { body } = await request(url, { dispatcher });
  let seen = 0;
  for await (const chunk of body) seen += breaksIn(chunk);
  await dispatcher.destroy();
  return seen;
}

async function readPostgres(uri: string, statement: string): Promise<number> {
  const { default: pg } = await import('pg');
  const { to } = await import('pg-copy-streams');
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  let seen = 0;
  for await (const chunk of client.query(to(statement))) seen += breaksIn(chunk);
  await client.end();
  return seen;
}

/** The same work for the server as the connector gives it: texts into a staging table, from there into the table. */
async function writePostgres(uri: string, chunks: readonly Uint8Array[]): Promise<number> {
  const { default: pg } = await import('pg');
  const { from } = await import('pg-copy-streams');
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  await client.query('CREATE TEMPORARY TABLE staged (id text, note text)');
  await client.query('BEGIN');
  const stream = client.query(from('COPY staged FROM STDIN (FORMAT csv)'));
  const written = once(stream, 'finish');
  for (const chunk of chunks) if (!stream.write(chunk)) await once(stream, 'drain');
  stream.end();
  await written;
  await client.query(
    'INSERT INTO v SELECT id::bigint, note FROM staged ON CONFLICT (id) DO UPDATE SET note = EXCLUDED.note',
  );
  await client.query('COMMIT');
  await client.end();
  return 0;
}

function breaksIn(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count++;
  return count;
}

const port = parentPort;
if (port === null) throw new Error('a thread of bench/bare-client.ts');
port.once('message', (task: BareTask) => {
  port.once('message', () => {
    run(task).then((seen) => port.postMessage(seen));
  });
  port.postMessage(0);
});
