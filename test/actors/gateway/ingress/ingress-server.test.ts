// HTTP input into a running pipeline of a whole server: rows are in the tables when their token says so.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';

let server: TestServer;

async function call(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${server.url}/v0/pipelines/${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, text: await response.text() };
}

async function until(key: string, value: string): Promise<void> {
  for (;;) {
    if (JSON.parse((await call('GET', 'p')).text)[key] === value) return;
    await pollPause();
  }
}

const count = async (): Promise<number> => {
  const sql = encodeURIComponent('SELECT COUNT(*) AS n FROM t');
  return JSON.parse((await call('GET', `p/query?format=json&sql=${sql}`)).text).n;
};

test.before(async () => {
  server = await startTestServer();
  const program_code = `CREATE TABLE t (id BIGINT NOT NULL, name VARCHAR) WITH ('materialized' = 'true');
    CREATE TABLE m (id BIGINT, origin VARCHAR DEFAULT CAST(CONNECTOR_METADATA()['from'] AS VARCHAR),
      attempt BIGINT DEFAULT CAST(CONNECTOR_METADATA()['attempt'] AS BIGINT)) WITH ('materialized' = 'true');`;
  assert.is((await call('PUT', 'p', JSON.stringify({ name: 'p', program_code }))).status, 201);
  await until('program_status', 'Success');
  await call('POST', 'p/start');
  await until('deployment_status', 'Running');
});

test.after(() => server.close());

test('rows are in the table when wait=processed answers, and outputs have them with wait=delivered', async () => {
  const processed = await call('POST', 'p/ingress/T?format=json&update_format=raw&wait=processed', '{"id":1} {"id":2}');
  assert.is(processed.status, 200, processed.text);
  assert.is(await count(), 2);
  const delivered = await call('POST', 'p/ingress/t?wait=delivered', '3,a\n4,b\n');
  assert.is(delivered.status, 200, delivered.text);
  assert.is(await count(), 4);
});

test('the metadata of a request fill the columns whose DEFAULT reads them', async () => {
  const push = (metadata: string | null, rows: string): Promise<{ status: number; text: string }> => {
    const query = metadata === null ? '' : `&connector_metadata=${encodeURIComponent(metadata)}`;
    return call('POST', `p/ingress/m?format=json&update_format=raw&wait=processed${query}`, rows);
  };
  assert.is(
    (await push('{"from":"north","attempt":9007199254740993}', '{"id":1} {"id":2,"origin":"own"}')).status,
    200,
  );
  assert.is((await push(null, '{"id":3}')).status, 200);
  assert.is((await push('{"from":null}', '{"id":4,"attempt":null}')).status, 200);
  assert.is((await push('[1]', '{"id":5}')).status, 400);
  assert.is((await push('{"from"', '{"id":5}')).status, 400);
  const sql = encodeURIComponent('SELECT id, origin, CAST(attempt AS VARCHAR) AS attempt FROM m ORDER BY id');
  const { text } = await call('GET', `p/query?format=json&sql=${sql}`);
  assert.equal(
    text
      .trim()
      .split('\n')
      .map((line) => Object.values(JSON.parse(line))),
    [
      [1, 'north', '9007199254740993'],
      [2, 'own', '9007199254740993'],
      [3, null, null],
      [4, null, null],
    ],
  );
});

test('parse errors come as 400 with the shape that clients know', async () => {
  const reply = await call('POST', 'p/ingress/t?format=json&update_format=raw&array=true', '[{"id":"x"}]');
  assert.is(reply.status, 400);
  const { error_code, details } = JSON.parse(reply.text);
  assert.equal([error_code, details.num_errors, details.errors[0].event_number], ['ParseErrors', 1, 1]);
});

test('a pipeline that stops at a row with large integers says so', async () => {
  const program_code = `CREATE TABLE t (a BIGINT, b BIGINT) WITH ('materialized' = 'true');
    CREATE MATERIALIZED VIEW v AS SELECT a + b AS s FROM t;`;
  await call('PUT', 'big', JSON.stringify({ name: 'big', program_code }));
  const shown = async (): Promise<Record<string, unknown>> => JSON.parse((await call('GET', 'big')).text);
  while ((await shown())['program_status'] !== 'Success') await pollPause();
  await call('POST', 'big/start');
  while ((await shown())['deployment_status'] !== 'Running') await pollPause();
  const row = '{"a":9223372036854775807,"b":9007199254740993}';
  assert.is((await call('POST', 'big/ingress/t?format=json&update_format=raw', row)).status, 200);
  while ((await shown())['deployment_error'] === null) await pollPause();
  assert.match(JSON.stringify((await shown())['deployment_error']), /9007199254740993/);
});

test('a paused pipeline waits for no longer than it is told, and force goes through', async () => {
  await call('POST', 'p/pause');
  await until('deployment_status', 'Paused');
  const before = await count();
  assert.is((await call('POST', 'p/ingress/t?timeout_ms=20', '5,c\n')).status, 503);
  assert.is((await call('POST', 'p/ingress/t?force=true&wait=processed', '6,d\n')).status, 200);
  assert.is(await count(), before + 1);
});

test.run();
