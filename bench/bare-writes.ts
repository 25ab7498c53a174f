// What a bare client does to write, in its thread: the documented way of each library, with nothing of ours. The `write` functions have their
// bytes ready; the `print` functions have rows as objects, as a user's program does, and print each on its way.
import { once } from 'node:events';
import type { BareSeen, PrintTask } from './bare-client.ts';
import { bareS3 } from './bare-s3.ts';

const nothingSeen: BareSeen = { rows: 0, sum: null };

export function writeS3(url: string, bodies: readonly Uint8Array[]): Promise<BareSeen> {
  return putObjects(url, bodies);
}

export function printS3({ address, rows, rowsAtOnce, note }: PrintTask): Promise<BareSeen> {
  const bodies = function* (): Iterable<string> {
    for (let at = 0; at < rows; at += rowsAtOnce) {
      yield rowsFrom(at, Math.min(rowsAtOnce, rows - at), note)
        .map((row) => `${JSON.stringify({ insert: row })}\n`)
        .join('');
    }
  };
  return putObjects(address, bodies());
}

async function putObjects(url: string, bodies: Iterable<Uint8Array | string>): Promise<BareSeen> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const client = await bareS3(url);
  let objects = 0;
  for (const Body of bodies) {
    await client.send(new PutObjectCommand({ Bucket: 'bench', Key: `out/${objects++}`, Body }));
  }
  client.destroy();
  return nothingSeen;
}

export function writePostgres(uri: string, chunks: readonly Uint8Array[]): Promise<BareSeen> {
  return copyRows(uri, chunks);
}

export function printPostgres({ address, rows, rowsAtOnce, note }: PrintTask): Promise<BareSeen> {
  const chunks = function* (): Iterable<string> {
    for (let at = 0; at < rows; at += rowsAtOnce) {
      yield rowsFrom(at, Math.min(rowsAtOnce, rows - at), note)
        .map((row) => `${row.id},"${row.note.replaceAll('"', '""')}"\n`)
        .join('');
    }
  };
  return copyRows(address, chunks());
}

/** The same work for the server as the connector gives it: texts into a staging table, from there into the table. */
async function copyRows(uri: string, chunks: Iterable<Uint8Array | string>): Promise<BareSeen> {
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
  return nothingSeen;
}

export async function printKafka({ address, rows, rowsAtOnce, note }: PrintTask): Promise<BareSeen> {
  const { Producer } = await import('@platformatic/kafka');
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: [address], idempotent: true });
  for (let at = 0; at < rows; at += rowsAtOnce) {
    const messages = rowsFrom(at, Math.min(rowsAtOnce, rows - at), note).map((row) => ({
      topic: 'v',
      partition: 0,
      value: Buffer.from(JSON.stringify({ insert: row })),
    }));
    await producer.send({ messages });
  }
  await producer.close();
  return nothingSeen;
}

function rowsFrom(start: number, count: number, note: string): { id: number; note: string }[] {
  return Array.from({ length: count }, (_, i) => ({ id: start + i, note }));
}
