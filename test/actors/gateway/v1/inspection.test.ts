// Looking at records under `/v1`: what each place shows, that nobody is waited for, and how a session ends.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';
import { reasonOf, type V1Client, v1Client } from './v1-client.ts';

interface Item {
  readonly result?: {
    readonly position: string;
    readonly operation: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly key: unknown;
    readonly payload: { readonly before: unknown; readonly after: { readonly rawData?: string } };
  };
  readonly error?: { readonly code: number; readonly message: string };
}

let server: TestServer;
let client: V1Client;
let folder: string;
test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-v1-inspection-'));
  server = await startTestServer();
  client = v1Client(server.url);
});
test.after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Looker {
  next(): Promise<Item>;
  leave(): Promise<void>;
}

async function lookAt(path: string): Promise<Looker> {
  const leaving = new AbortController();
  const response = await fetch(`${server.url}/v1/${path}`, { signal: leaving.signal });
  assert.is(response.status, 200);
  assert.ok(response.body !== null);
  const input = Readable.fromWeb(response.body);
  input.on('error', () => {});
  const lines = createInterface({ input })[Symbol.asyncIterator]();
  return {
    // SAFETY: what the server sends is compared with what is expected.
    next: async () => JSON.parse((await lines.next()).value) as Item,
    leave: async () => leaving.abort(),
  };
}

interface Made {
  readonly pipeline: string;
  readonly source: string;
  readonly destination: string;
  readonly out: string;
  processor(parent: 'source' | 'destination' | 'pipeline', plugin: string, settings: object): Promise<string>;
  start(): Promise<void>;
  lines(): readonly string[];
}

async function makePipeline(name: string, recordCount: number): Promise<Made> {
  const { body } = await client.post('/v1/pipelines', { config: { name } });
  const pipeline: string = body['id'];
  const out = join(folder, `${name}.txt`);
  const connector = async (type: string, plugin: string, settings: object): Promise<string> => {
    const made = await client.post('/v1/connectors', {
      type,
      plugin,
      pipelineId: pipeline,
      config: { name: type, settings },
    });
    assert.is(made.status, 200, JSON.stringify(made.body));
    return made.body['id'];
  };
  const generated = { recordCount: String(recordCount), 'format.type': 'structured', 'format.options.id': 'int' };
  const source = await connector('TYPE_SOURCE', 'builtin:generator', generated);
  const destination = await connector('TYPE_DESTINATION', 'builtin:file', { path: out });
  return {
    pipeline,
    source,
    destination,
    out,
    processor: async (parent, plugin, settings) => {
      const id = { source, destination, pipeline }[parent];
      const type = parent === 'pipeline' ? 'TYPE_PIPELINE' : 'TYPE_CONNECTOR';
      const made = await client.post('/v1/processors', { plugin, parent: { type, id }, config: { settings } });
      assert.is(made.status, 200, JSON.stringify(made.body));
      return made.body['id'];
    },
    start: async () => {
      const started = await client.post(`/v1/pipelines/${pipeline}/start`, {});
      assert.is(started.status, 200, JSON.stringify(started.body));
    },
    lines: () => (existsSync(out) ? readFileSync(out, 'utf8').split('\n').slice(0, -1) : []),
  };
}

const setMark = (value: string): object => ({ field: '.Metadata.mark', value });

test('each place shows the records that pass it, from the first of a run', async () => {
  const made = await makePipeline('places', 3);
  const ofPipeline = await made.processor('pipeline', 'field.set', setMark('pipeline'));
  const ofDestination = await made.processor('destination', 'field.set', setMark('destination'));
  const places = [
    `connectors/${made.source}/inspect`,
    `processors/${ofPipeline}/inspect-in`,
    `processors/${ofPipeline}/inspect-out`,
    `processors/${ofDestination}/inspect-in`,
    `processors/${ofDestination}/inspect-out`,
    `connectors/${made.destination}/inspect`,
  ];
  const lookers = await Promise.all(places.map(lookAt));
  await made.start();
  const marks: (string | undefined)[][] = [];
  for (const looker of lookers) {
    const seen = [await looker.next(), await looker.next(), await looker.next()];
    marks.push(seen.map(({ result }) => result?.metadata['mark']));
    assert.is(new Set(seen.map(({ result }) => result?.position)).size, 3);
    assert.ok(seen.every(({ result }) => result?.metadata['opencdc.readAt'] !== undefined));
  }
  assert.equal(
    marks.map(([first]) => first),
    [undefined, undefined, 'pipeline', 'pipeline', 'destination', 'destination'],
  );
  assert.ok(marks.every((each) => new Set(each).size === 1));
  await client.post(`/v1/pipelines/${made.pipeline}/stop`, {});
  // The same sessions see the next run, in which the generator goes on behind its last record.
  const settings = { recordCount: '5', 'format.type': 'structured', 'format.options.id': 'int' };
  await client.put(`/v1/connectors/${made.source}`, { config: { name: 'more', settings } });
  await made.start();
  for (const [place, looker] of lookers.entries()) {
    assert.is((await looker.next()).result?.metadata['mark'], marks[place]?.[0]);
  }
  await Promise.all(lookers.map((looker) => looker.leave()));
});

test('a session ends with an error item when what it looks at is deleted', async () => {
  const made = await makePipeline('deleted', 1);
  const processor = await made.processor('source', 'field.set', setMark('x'));
  const [first, second] = await Promise.all([
    lookAt(`processors/${processor}/inspect-out`),
    lookAt(`connectors/${made.source}/inspect`),
  ]);
  await client.delete(`/v1/processors/${processor}`);
  assert.equal((await first?.next())?.error, { code: 2, message: 'inspector session closed', details: [] });
  await client.delete(`/v1/connectors/${made.source}`);
  assert.is((await second?.next())?.error?.message, 'inspector session closed');
});

test('over a WebSocket a record is a message, as many as there is room for, and nobody is waited for', async () => {
  const records = 50_000;
  const made = await makePipeline('socket', records);
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/connectors/${made.destination}/inspect`);
  const first = new Promise<Item>((resolve, reject) => {
    socket.once('message', (data: Buffer) => {
      // It reads no further.
      socket.pause();
      resolve(JSON.parse(data.toString('utf8')));
    });
    socket.once('error', reject);
  });
  await new Promise((resolve) => socket.once('open', resolve));
  await made.start();
  const { result } = await first;
  assert.is(result?.operation, 'OPERATION_CREATE');
  assert.equal(Object.keys(result ?? {}), ['position', 'operation', 'metadata', 'key', 'payload']);
  assert.is(result?.payload.before, null);
  while (made.lines().length < records) await pollPause();
  const metrics = await (await fetch(`${server.url}/v0/metrics`)).text();
  const dropped = new RegExp(`inspector_dropped_records_total\\{[^}]*endpoint="${made.destination}"\\} (\\d+)`).exec(
    metrics,
  );
  assert.ok(Number(dropped?.[1]) > 0, metrics);
  socket.terminate();
});

test('a pipeline with SQL has no records to show, and what is not there is not found', async () => {
  const program = `CREATE TABLE t (a INT) WITH ('connectors' = '[{"name": "in", "transport":
    {"name": "datagen", "config": {"plan": [{"limit": 1}]}}}]');`;
  const stored = await fetch(`${server.url}/v0/pipelines/with-program`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'with-program', program_code: program }),
  });
  assert.is(stored.status, 201);
  let connector: string | undefined;
  const { body: pipeline } = await client.get('/v1/pipelines?name=with-program');
  const id: string = pipeline[0]?.['id'] ?? '';
  while (connector === undefined) {
    const listed: readonly { readonly id: string }[] = (await client.get(`/v1/connectors?pipelineId=${id}`)).body;
    connector = listed[0]?.id;
  }
  const refused = await client.get(`/v1/connectors/${encodeURIComponent(connector)}/inspect`);
  assert.equal([refused.status, reasonOf(refused)], [409, 'pipeline.has_program']);
  const unknown = await client.get('/v1/processors/nobody/inspect-in');
  assert.equal([unknown.status, reasonOf(unknown)], [404, 'processor.instance_not_found']);
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/connectors/nobody/inspect`);
  const status = await new Promise((resolve) => {
    socket.on('error', () => {});
    socket.once('unexpected-response', (_, response) => {
      resolve(response.statusCode);
      response.destroy();
    });
  });
  assert.is(status, 404);
});

test.run();
