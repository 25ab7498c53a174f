// Pages of other origins: a preflight is answered for those that are allowed, and for no other.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestServer, type TestServer } from '../test-server.ts';

const friend = 'https://friend.example';
const stranger = 'https://stranger.example';
const adminKey = 'the-admin-key-of-this-test';
let server: TestServer;
test.before(async () => {
  server = await startTestServer({ corsOrigins: [friend], adminKey });
});
test.after(async () => {
  await server.close();
});

function preflight(origin: string): Promise<Response> {
  return fetch(`${server.url}/v0/pipelines`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });
}

test('a preflight of an allowed origin is answered without a key', async () => {
  const response = await preflight(friend);
  assert.is(response.status, 204);
  assert.is(response.headers.get('access-control-allow-origin'), friend);
  assert.match(response.headers.get('access-control-allow-methods') ?? '', 'DELETE');
  assert.is(response.headers.get('access-control-allow-headers'), 'authorization,content-type');
  assert.is(response.headers.get('access-control-allow-credentials'), null);
  assert.is(response.headers.get('vary'), 'Origin');
});

test('a preflight of another origin is given nothing', async () => {
  const response = await preflight(stranger);
  assert.is(response.headers.get('access-control-allow-origin'), null);
  assert.is(response.headers.get('access-control-allow-methods'), null);
  await response.text();
});

test('replies, problems among them, can be read by allowed origins alone', async () => {
  for (const [origin, expected] of [
    [friend, friend],
    [stranger, null],
  ] as const) {
    for (const path of ['/healthz', '/v0/pipelines', '/v0/nothing']) {
      const response = await fetch(server.url + path, { headers: { origin } });
      await response.text();
      assert.is(response.headers.get('access-control-allow-origin'), expected);
    }
  }
});

test('without keys a page of a foreign origin and a foreign host name are refused', async () => {
  const keyless = await startTestServer();
  const response = await fetch(`${keyless.url}/v0/pipelines`, { headers: { origin: stranger } });
  assert.is(response.status, 403);
  assert.is(((await response.json()) as { error_code: string }).error_code, 'InsufficientPermissions');
  await keyless.close();
});

test.run();
