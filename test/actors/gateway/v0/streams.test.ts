// Streams of a pipeline beside its rows: the log with its cursor, and the samples for charts.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';

let server: TestServer;

test.before(async () => {
  server = await startTestServer();
  const body = JSON.stringify({ name: 'p', program_code: 'CREATE TABLE t (x INT);' });
  assert.is((await fetch(`${server.url}/v0/pipelines`, { method: 'POST', body })).status, 201);
  await fetch(`${server.url}/v0/pipelines/p/start`, { method: 'POST' });
  await deployed('Running');
});
test.after(async () => {
  await server.close();
});

async function deployed(wanted: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${server.url}/v0/pipelines/p?selector=status`);
    const status = Object(await response.json());
    assert.is(status.deployment_error, null);
    if (status.deployment_status === wanted) return;
    await pollPause();
  }
}

function logs(parameters: string): Promise<Response> {
  return fetch(`${server.url}/v0/pipelines/p/logs${parameters}`);
}

const numberOf = (response: Response, header: string): number => Number(response.headers.get(`feldera-logs-${header}`));

/** Lines as they come; a reader that has enough leaves. */
async function* linesOf(response: Response): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of response.body ?? []) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

async function take(response: Response, count: number): Promise<readonly string[]> {
  const taken: string[] = [];
  for await (const line of linesOf(response)) {
    taken.push(line);
    if (taken.length === count) break;
  }
  return taken;
}

test('a log that is not followed ends behind its latest line, and every line is numbered', async () => {
  const response = await logs('?follow=false');
  const lines = (await response.text()).split('\n').slice(0, -1);
  assert.ok(lines.length > 1);
  assert.is(numberOf(response, 'seq'), 0);
  assert.is(numberOf(response, 'gap'), 0);
  const epoch = response.headers.get('feldera-logs-epoch') ?? '';
  for (let seen = 0; seen <= lines.length; seen++) {
    const rest = await logs(`?follow=false&cursor=${epoch}:${seen}`);
    assert.is(numberOf(rest, 'seq'), seen);
    assert.equal(
      (await rest.text())
        .split('\n')
        .slice(0, -1)
        .slice(0, lines.length - seen),
      lines.slice(seen),
    );
  }
});

test('whoever names the last line that he has seen goes on behind it, while lines come', async () => {
  const before = await logs('?follow=false');
  const seen = (await before.text()).split('\n').length - 1;
  const following = await logs(`?cursor=${before.headers.get('feldera-logs-epoch')}:${seen}`);
  assert.is(numberOf(following, 'seq'), seen);
  await fetch(`${server.url}/v0/pipelines/p/pause`, { method: 'POST' });
  await deployed('Paused');
  const [line] = await take(following, 1);
  assert.match(line ?? '', /paused/i);
  await fetch(`${server.url}/v0/pipelines/p/resume`, { method: 'POST' });
});

test('a cursor of another life of the log begins at its first line, and one that is none is refused', async () => {
  const response = await logs('?follow=false&cursor=00000000-0000-0000-0000-000000000000:5');
  assert.is(response.status, 200);
  assert.is(numberOf(response, 'seq'), 0);
  assert.match(await response.text(), /Fresh start of pipeline log/);
  const refused = await logs('?cursor=five');
  assert.is(refused.status, 400);
  assert.is(Object(await refused.json()).error_code, 'InvalidParam');
});

test('samples that are there come first, then one for each second, until the pipeline stops', async () => {
  const series = async (): Promise<readonly { readonly t: string }[]> => {
    const response = await fetch(`${server.url}/v0/pipelines/p/time_series`);
    return Object(await response.json()).samples;
  };
  while ((await series()).length === 0) await pollPause();
  const known = await series();
  const stream = linesOf(await fetch(`${server.url}/v0/pipelines/p/time_series_stream`));
  const samples: { readonly t: string; readonly r: number; readonly m: number; readonly s: number }[] = [];
  for await (const line of stream) {
    samples.push(JSON.parse(line));
    if (samples.length === known.length + 2) {
      await fetch(`${server.url}/v0/pipelines/p/stop?force=true`, { method: 'POST' });
    }
  }
  const times = samples.map(({ t }) => t);
  assert.equal(
    times.slice(0, known.length),
    known.map(({ t }) => t),
  );
  assert.equal([...new Set(times)].sort(), times);
  for (const { r, m, s } of samples) assert.ok(r >= 0 && m > 0 && s >= 0);
});

test.run();
