// NOW() of a hosted pipeline as its runtime configuration sets it: anchored, driven by requests, in another zone.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';

let server: TestServer;
test.before(async () => {
  server = await startTestServer();
});
test.after(async () => {
  await server.close();
});

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${server.url}/v0/pipelines/${path}`, { method, ...init });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : Object(JSON.parse(text)) };
}

const program_code = 'CREATE MATERIALIZED VIEW v AS SELECT CAST(NOW() AS VARCHAR) AS t;';

async function deployed(name: string, wanted: string): Promise<void> {
  for (;;) {
    const { body } = await call('GET', `${name}?selector=status`);
    assert.is(body['deployment_error'], null);
    if (body['deployment_status'] === wanted) return;
    await pollPause();
  }
}

async function start(name: string, runtime_config: object): Promise<void> {
  assert.is((await call('PUT', name, { name, program_code, runtime_config })).status, 201);
  await call('POST', `${name}/start`);
  await deployed(name, 'Running');
}

async function shows(name: string, wanted: RegExp): Promise<void> {
  for (;;) {
    const response = await fetch(`${server.url}/v0/pipelines/${name}/query?format=json&sql=SELECT%20t%20FROM%20v`);
    if (wanted.test(await response.text())) return;
    await pollPause();
  }
}

test('a clock that requests drive stands at its anchor, moves by what it is told, and never back', async () => {
  const dev_tweaks = { now_offset: '1950-01-01T00:00:00Z', now_http_driven: true };
  await start('driven', { clock_resolution_usecs: 1_000_000, clock_timezone_offset: '+05:30', dev_tweaks });
  const begin = Date.parse('1950-01-01T05:30:00Z');
  const advance = (delta_ms: unknown): Promise<Answer> => call('POST', 'driven/clock/advance', { delta_ms });
  assert.equal((await advance(0)).body, { now_ms: begin, now: '1950-01-01T05:30:00.000Z' });
  await shows('driven', /1950-01-01 05:30:00/);
  assert.is((await advance(null)).body['now_ms'], begin + 1_000);
  assert.is((await advance(60_000)).body['now_ms'], begin + 61_000);
  await shows('driven', /1950-01-01 05:31:01/);
  for (const wrong of [-1, 1.5, 'x', 1e30]) {
    const { status, body } = await advance(wrong);
    assert.is(status, 400);
    assert.is(body['error_code'], 'InvalidParam');
  }
  assert.is((await advance(0)).body['now_ms'], begin + 61_000);
  // Behind a checkpoint the clock goes on where it was.
  await call('POST', 'driven/stop?force=false');
  await deployed('driven', 'Stopped');
  await call('POST', 'driven/start');
  await deployed('driven', 'Running');
  assert.is((await advance(0)).body['now_ms'], begin + 61_000);
  await shows('driven', /1950-01-01 05:31:01/);
});

test('an anchored clock goes on from its anchor by itself', async () => {
  await start('anchored', { clock_resolution_usecs: 20_000, dev_tweaks: { now_offset: '2030-01-01T00:00:00Z' } });
  await shows('anchored', /2030-01-01 00:/);
  const { status, body } = await call('POST', 'anchored/clock/advance', { delta_ms: 1 });
  assert.is(status, 400);
  assert.is(body['error_code'], 'ClockNotHttpDriven');
});

test('an offset that is none is refused', async () => {
  const { status, body } = await call('PUT', 'wrong', {
    name: 'wrong',
    program_code,
    runtime_config: { clock_timezone_offset: 'Mars' },
  });
  assert.is(status, 400);
  assert.is(body['error_code'], 'InvalidRuntimeConfig');
});

test.run();
