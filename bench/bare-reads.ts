// What a bare client does to read, in its thread: the documented way of each library, with nothing of ours. Without `asRows` its rows are
// counted by their line breaks; with it every row becomes an object, as a user's program has it, and COUNT and SUM of its id are computed.
import { StringDecoder } from 'node:string_decoder';
import type { BareSeen, BareTask } from './bare-client.ts';
import { bareS3 } from './bare-s3.ts';
import { RowProgress } from './row-progress.ts';

type Reads<Kind extends BareTask['kind']> = Extract<BareTask, { readonly kind: Kind }>;

/** Rows of one round trip: pg gives the rows of a statement all at once. */
const fetchedRows = 10_000;

/** The library of a task that reads; nothing for one that writes. */
export async function loadForReads(kind: BareTask['kind']): Promise<void> {
  if (kind === 's3 reads') await import('@aws-sdk/client-s3');
  else if (kind === 'url reads') await import('undici');
  else if (kind === 'kafka reads') await import('@platformatic/kafka');
  else if (kind === 'postgres reads') await Promise.all([import('pg'), import('pg-copy-streams')]);
}

export async function readS3({ url, keys, asRows }: Reads<'s3 reads'>): Promise<BareSeen> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const client = await bareS3(url);
  const lines = linesOf(asRows);
  for (const Key of keys) {
    const { Body: body } = await client.send(new GetObjectCommand({ Bucket: 'bench', Key }));
    // SAFETY: in Node a body is a Readable of buffers.
    for await (const chunk of body as AsyncIterable<Buffer>) lines.take(chunk);
  }
  client.destroy();
  return lines.seen();
}

export async function readUrl({ url, asRows }: Reads<'url reads'>): Promise<BareSeen> {
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent();
  const { body } = await request(url, { dispatcher });
  const lines = linesOf(asRows);
  for await (const chunk of body) lines.take(chunk);
  await dispatcher.destroy();
  return lines.seen();
}

export async function readPostgres({ uri, table, asRows }: Reads<'postgres reads'>): Promise<BareSeen> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  if (!asRows) {
    const { to } = await import('pg-copy-streams');
    const lines = new CountedLines();
    for await (const chunk of client.query(to(`COPY ${table} TO STDOUT (FORMAT csv)`))) lines.take(chunk);
    await client.end();
    return lines.seen();
  }
  const progress = new RowProgress();
  let count = 0;
  let sum = 0;
  await client.query('BEGIN');
  await client.query(`DECLARE c NO SCROLL CURSOR FOR SELECT * FROM ${table}`);
  for (;;) {
    const { rows } = await client.query<{ id: string }>(`FETCH ${fetchedRows} FROM c`);
    if (rows.length === 0) break;
    for (const { id } of rows) {
      count++;
      sum += Number(id);
    }
    progress.seen(count);
  }
  await client.end();
  return { rows: count, sum, marks: progress.marks };
}

export async function readKafka({ bootstrap, topic, rows }: Reads<'kafka reads'>): Promise<BareSeen> {
  const { Consumer, jsonDeserializer } = await import('@platformatic/kafka');
  const consumer = new Consumer({
    groupId: 'bench',
    clientId: 'bench',
    bootstrapBrokers: [bootstrap],
    autocommit: false,
    deserializers: { value: jsonDeserializer<{ id: number }> },
  });
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', maxBytes: 4 << 20, maxWaitTime: 250 });
  const progress = new RowProgress();
  let count = 0;
  let sum = 0;
  for await (const { value } of stream) {
    count++;
    sum += value?.id ?? Number.NaN;
    progress.seen(count);
    if (count === rows) break;
  }
  // What it would still say to the broker, its leaving the group, is no part of reading.
  return { rows: count, sum, marks: progress.marks };
}

interface Lines {
  take(chunk: Buffer): void;
  seen(): BareSeen;
}

function linesOf(asRows: boolean): Lines {
  return asRows ? new ParsedLines() : new CountedLines();
}

class CountedLines implements Lines {
  readonly #progress = new RowProgress();
  #rows = 0;

  take(chunk: Buffer): void {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) this.#rows++;
    this.#progress.seen(this.#rows);
  }

  seen(): BareSeen {
    return { rows: this.#rows, sum: null, marks: this.#progress.marks };
  }
}

class ParsedLines implements Lines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #progress = new RowProgress();
  #rest = '';
  #rows = 0;
  #sum = 0;

  take(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      // SAFETY: a line of prepared-inputs.ts.
      const { id } = JSON.parse(line) as { id: number };
      this.#rows++;
      this.#sum += id;
    }
    this.#progress.seen(this.#rows);
  }

  seen(): BareSeen {
    if (this.#rest !== '') throw new Error('the last line has no end');
    return { rows: this.#rows, sum: this.#sum, marks: this.#progress.marks };
  }
}
