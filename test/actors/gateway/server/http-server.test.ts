// The whole server over its port: a pipeline's life, errors as bodies, unknown routes, headers.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
test.before(async () => {
  server = await startTestServer();
});
test.after(async () => {
  await server.close();
});

const call = async (
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: never; response: Response }> => {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as never, response };
};

test('a pipeline is created, compiled, started, paused, resumed, stopped, cleared and deleted', async () => {
  const program = 'CREATE TABLE t (x INT); CREATE MATERIALIZED VIEW v AS SELECT x FROM t;';
  const created = await call('POST', '/v0/pipelines', { name: 'life', program_code: program });
  assert.is(created.status, 201);
  assert.is(created.body['program_status'], 'Pending');
  assert.is(created.body['refresh_version'], 1);
  const compiled = await call('GET', '/v0/pipelines/life');
  assert.is(compiled.body['program_status'], 'Success');
  assert.is(compiled.body['refresh_version'], 3);
  assert.is((await call('POST', '/v0/pipelines/life/start?initial=paused')).status, 202);
  const until = async (status: string): Promise<void> => {
    for (;;) {
      const now = await call('GET', '/v0/pipelines/life?selector=status');
      assert.is(now.body['deployment_error'], null);
      if (now.body['deployment_status'] === status) return;
      await pollPause();
    }
  };
  await until('Paused');
  assert.is((await call('POST', '/v0/pipelines/life/resume')).status, 202);
  await until('Running');
  assert.is((await call('DELETE', '/v0/pipelines/life')).body['error_code'], 'DeleteRestrictedToFullyStopped');
  assert.is((await call('POST', '/v0/pipelines/life/stop?force=true')).status, 202);
  await until('Stopped');
  assert.is((await call('POST', '/v0/pipelines/life/clear')).status, 202);
  assert.is((await call('DELETE', '/v0/pipelines/life')).status, 200);
  assert.is((await call('GET', '/v0/pipelines/life')).body['error_code'], 'UnknownPipelineName');
});

test('a flag that is neither true nor false is refused, and nothing is done', async () => {
  await call('POST', '/v0/pipelines', { name: 'flagged', program_code: '' });
  for (const path of ['start?dismiss_error=maybe', 'start?silent_bootstrap=1', 'stop?force=yes']) {
    const refused = await call('POST', `/v0/pipelines/flagged/${path}`);
    assert.is(refused.status, 400, path);
    assert.is(refused.body['error_code'], 'InvalidParam');
  }
  assert.is((await call('GET', '/v0/pipelines/flagged')).body['deployment_desired_status'], 'Stopped');
});

test('a diff is with a program that is a text, or with none', async () => {
  await call('POST', '/v0/pipelines', { name: 'compared', program_code: 'CREATE TABLE t (x INT);' });
  await call('GET', '/v0/pipelines/compared');
  for (const body of [5, [], { program_code: 5 }]) {
    const refused = await call('POST', '/v0/pipelines/compared/diff', body);
    assert.is(refused.status, 400);
    assert.is(refused.body['error_code'], 'InvalidParam');
  }
});

test('content types carry no charset and every reply has a request id', async () => {
  const { response } = await call('GET', '/healthz');
  assert.is(response.headers.get('content-type'), 'application/json');
  assert.ok(response.headers.get('x-request-id'));
});

test('the address itself says where things are, in a text that a browser shows', async () => {
  const response = await fetch(`${server.url}/`);
  assert.equal([response.status, response.headers.get('content-type')], [200, 'text/plain']);
  const paths = (await response.text()).match(/^ {2}\/\S+/gm) ?? [];
  assert.ok(paths.length > 3);
  for (const path of paths) assert.is((await fetch(`${server.url}${path.trim()}`)).status, 200, path);
});

test('an unknown route is 404 with a body of the usual form', async () => {
  const { status, body } = await call('POST', '/v0/pipelines/x/Start');
  assert.is(status, 404);
  assert.is(body['error_code'], 'UnknownRoute');
});

test('a body that is no JSON is refused with a code, an empty one is none', async () => {
  const response = await fetch(`${server.url}/v0/pipelines`, { method: 'POST', body: '{"name":' });
  assert.is(response.status, 400);
  assert.is(((await response.json()) as { error_code: string }).error_code, 'InvalidParam');
  const empty = await fetch(`${server.url}/v0/pipelines/none/start`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  assert.is(empty.status, 404);
});

test('a packed body is unpacked before it is read, and counts unpacked', async () => {
  const limited = await startTestServer({ bodyBytesMax: 2_000 });
  const text = JSON.stringify({ name: 'packed', program_code: 'CREATE TABLE t (x INT);' });
  const send = async (body: Uint8Array<ArrayBuffer>, coding: string): Promise<{ status: number; code: unknown }> => {
    const headers = { 'content-type': 'application/json', 'content-encoding': coding };
    const response = await fetch(`${limited.url}/v0/pipelines/packed`, { method: 'PUT', headers, body });
    const reply = (await response.json()) as { readonly error_code?: string };
    return { status: response.status, code: reply.error_code };
  };
  try {
    assert.is((await send(gzipSync(text), 'gzip')).status, 201);
    assert.is((await send(brotliCompressSync(text), 'br')).status, 200);
    assert.is((await send(gzipSync(deflateSync(text)), 'deflate, gzip')).status, 200);
    assert.is((await send(gzipSync(''), 'gzip')).code, 'InvalidParam');
    assert.equal(await send(Buffer.from(text), 'gzip'), { status: 400, code: 'InvalidContentEncoding' });
    assert.equal(await send(gzipSync(text).subarray(0, 30), 'gzip'), { status: 400, code: 'InvalidContentEncoding' });
    assert.equal(await send(Buffer.from(text), 'lzw'), { status: 415, code: 'UnsupportedContentEncoding' });
    const long = gzipSync(JSON.stringify({ name: 'packed', description: 'x'.repeat(100_000) }));
    assert.ok(long.length < 2_000);
    assert.equal(await send(long, 'gzip'), { status: 413, code: 'PayloadTooLarge' });
  } finally {
    await limited.close();
  }
});

test('errors of the program come with line, column and snippet', async () => {
  await call('PUT', '/v0/pipelines/wrong', {
    name: 'wrong',
    program_code: 'CREATE TABLE t (x INT);\nCREATE VIEW s AS SELECT * FROM blah;',
  });
  const { body } = await call('GET', '/v0/pipelines/wrong');
  assert.is(body['program_status'], 'SqlError');
  const { sql_compilation: compilation } = body['program_error'] as {
    sql_compilation: { messages: { message: string; snippet: string }[] };
  };
  assert.is(compilation.messages[0]?.message, "From line 2, column 32 to line 2, column 35: Object 'blah' not found");
  assert.match(compilation.messages[0]?.snippet ?? '', /\n {36}\^{4}\n$|\^{4}/);
});

test.run();
