// The stream of a view as a whole server gives it: steps of a real engine, life cycle, quoted names, SSE, WebSocket.
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';
import { listen, type Message, type Messages, until } from './egress-fixture.ts';

const program = `
  CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, note VARCHAR);
  CREATE TABLE other (id BIGINT NOT NULL);
  CREATE MATERIALIZED VIEW v AS SELECT id, note FROM t;
  CREATE VIEW "Odd" AS SELECT id AS "Id", note AS n FROM t;`;

let server: TestServer;
let base = '';

async function call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const init = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(`${base}${path}`, { method, headers: { 'Content-Type': 'application/json' }, ...init });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  // SAFETY: replies of the server are objects, or empty.
  return (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>;
}

async function stateIs(key: string, value: string): Promise<void> {
  for (;;) {
    const pipeline = await call('GET', '');
    if (pipeline[key] === value) return;
    await pollPause();
  }
}

async function move(verb: string, state: string): Promise<void> {
  await call('POST', `/${verb}`);
  await stateIs('deployment_status', state);
}

/** Resolves with the step that the rows are in. */
async function push(table: string, lines: readonly unknown[], parameters = ''): Promise<number> {
  const body = lines.map((line) => JSON.stringify(line)).join('\n');
  const { token } = await call('POST', `/ingress/${table}?format=json${parameters}`, body);
  for (;;) {
    const { status, step } = await call('GET', `/completion_status?token=${token}`);
    if (status === 'complete') return Number(step);
    await pollPause();
  }
}

async function throughStep(stream: Messages, step: number): Promise<Message[]> {
  const messages: Message[] = [];
  for (;;) {
    const message = await stream.next();
    messages.push(message);
    if ((message.processed_steps ?? 0) >= step) return messages;
  }
}

test.before(async () => {
  server = await startTestServer();
  base = `${server.url}/v0/pipelines/p`;
  await call('PUT', '', { name: 'p', program_code: program });
  await stateIs('program_status', 'Success');
  await move('start', 'Running');
});

test.after(() => server.close());

test('a row comes out with the step of its token, an update as deletion and insertion', async () => {
  const stream = await listen(`${base}/egress/v?format=json&backpressure=true&array=false`, { method: 'POST' });
  assert.is((await stream.next()).sequence_number, 0);
  const first = await throughStep(stream, await push('t', [{ insert: { id: 1, note: 'a' } }]));
  assert.equal(
    first.flatMap((message) => message.json_data ?? []),
    [{ insert: { id: 1, note: 'a' } }],
  );
  const second = await throughStep(stream, await push('t', [{ insert: { id: 1, note: null } }]));
  assert.equal(
    second.flatMap((message) => message.json_data ?? []),
    [{ delete: { id: 1, note: 'a' } }, { insert: { id: 1, note: null } }],
  );
  const third = await throughStep(stream, await push('other', [{ insert: { id: 1 } }]));
  assert.equal(
    third.flatMap((message) => message.json_data ?? []),
    [],
  );
  await stream.cancel();
});

test('a quoted name is found by its quoted segment, and keys are spelled as in the schema', async () => {
  const stream = await listen(`${base}/egress/%22Odd%22?format=json`);
  await stream.next();
  await push('t', [{ insert: { id: 2, note: 'b' } }]);
  assert.equal((await stream.data()).json_data, [{ insert: { Id: 2, n: 'b' } }]);
  await stream.cancel();
});

test('a paused pipeline sends its contents, and the changes once it goes on', async () => {
  await move('pause', 'Paused');
  const stream = await listen(`${base}/egress/v?format=csv&send_snapshot=true`);
  const contents: string[] = [];
  for (;;) {
    const message = await stream.next();
    assert.is(message.snapshot, message.snapshot_end !== true);
    contents.push(...(message.text_data ?? '').split('\n').filter((line) => line !== ''));
    if (message.snapshot_end === true) break;
  }
  assert.equal(contents.sort(), ['1,,1', '2,b,1']);
  await move('resume', 'Running');
  await push('t', [{ delete: { id: 2 } }]);
  assert.is((await stream.data()).text_data, '2,b,-1\n');
  await stream.cancel();
});

test('a large step comes out whole, deletions first', async () => {
  const stream = await listen(`${base}/egress/v?format=json`);
  await stream.next();
  const ids = Array.from({ length: 20_000 }, (_, i) => 1000 + i);
  await push(
    't',
    ids.map((id) => ({ insert: { id, note: 'x' } })),
  );
  const step = await push(
    't',
    ids.map((id) => ({ delete: { id } })),
  );
  let inserted = 0;
  let deleted = 0;
  for (const { json_data = [] } of await throughStep(stream, step)) {
    for (const record of json_data) record.insert === undefined ? deleted++ : inserted++;
  }
  assert.is(inserted, 20_000);
  assert.is(deleted, 20_000);
  await stream.cancel();
});

test('event stream and WebSocket give the same messages; all end with the pipeline, and do not go on with the next run', async () => {
  const socket = new WebSocket(`${base.replace('http', 'ws')}/egress/v?format=json`);
  const received: Message[] = [];
  socket.on('message', (data) => received.push(JSON.parse(String(data)) as Message));
  const events = await listen(`${base}/egress/v?format=json`, { headers: { Accept: 'text/event-stream' } });
  await until(() => received.length > 0);
  const incarnation = received[0]?.incarnation;
  await push('t', [{ insert: { id: 3, note: 'c' } }]);
  await until(() => received.some((message) => message.json_data !== undefined));
  const lines: string[] = [];
  while (!lines.some((line) => line.includes('json_data'))) lines.push((await events.line()) ?? '');
  const sequence = received.find((message) => message.json_data !== undefined)?.sequence_number;
  assert.ok(lines.includes(`id: ${incarnation}:${sequence}`));
  const over = once(socket, 'close');
  await move('stop?force=true', 'Stopped');
  assert.is((await over)[0], 1000);
  while ((await events.line()) !== null);
  await move('start', 'Running');
  const again = await fetch(`${base}/egress/v?format=json&from=1&incarnation=${incarnation}`);
  assert.is(again.status, 409);
  assert.is(((await again.json()) as { error_code: string }).error_code, 'EgressIncarnationChanged');
});

test('what the server cannot serve is refused', async () => {
  assert.is((await fetch(`${base}/egress/nowhere?format=json`)).status, 404);
  assert.is((await fetch(`${base}/egress/%22Odd%22?format=json&send_snapshot=true`)).status, 400);
  const socket = new WebSocket(`${base.replace('http', 'ws')}/egress/nowhere?format=json`);
  assert.is((await once(socket, 'close'))[0], 4404);
});

test.run();
