// Every route of /openapi.json without a key, with a wrong one, with one that is good for less, and one that is good for it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestServer, type TestServer } from '../test-server.ts';
import { type DescribedRoute, describedRoutes, pathOf } from './described-routes.ts';

const adminKey = 'the-admin-key-of-this-test';
/** What everybody may ask: whether it is up, and how to prove who one is. */
const open = [
  ...['/', '/healthz', '/info', '/readyz', '/openapi.json', '/v0/config'],
  ...['/config/authentication', '/v0/config/authentication'],
];
/** What a key is told of the server whatever it is good for. */
const aboutServer = /^\/v0\/(config|cluster_healthz)/;

let server: TestServer;
let routes: readonly DescribedRoute[];
test.before(async () => {
  server = await startTestServer({ adminKey });
  routes = (await describedRoutes(server.url)).filter(({ path }) => !open.includes(path));
  assert.ok(routes.length > 40);
});
test.after(async () => {
  await server.close();
});

async function ask(route: DescribedRoute, key: string | null, body?: string): Promise<readonly [number, string]> {
  const response = await fetch(server.url + pathOf(route, 'none'), {
    method: route.method,
    headers: key === null ? {} : { authorization: `Bearer ${key}` },
    ...(body === undefined || route.method === 'GET' ? {} : { body }),
  });
  if (response.status < 400) {
    await response.body?.cancel();
    return [response.status, ''];
  }
  // SAFETY: a field that is not there fails the comparison.
  const { error_code: code, details } = (await response.json()) as {
    error_code?: string;
    details?: readonly { reason: string }[];
  };
  return [response.status, code ?? details?.[0]?.reason ?? ''];
}

async function makeKey(name: string, scopes: readonly string[], pipelines: readonly string[] | null): Promise<string> {
  const response = await fetch(`${server.url}/v0/api_keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}` },
    body: JSON.stringify({ name, scopes, pipelines }),
  });
  // SAFETY: a key that is not there fails every request with it.
  return ((await response.json()) as { api_key: string }).api_key;
}

const title = (route: DescribedRoute): string => `${route.method} ${route.path}`;
const isIngress = (route: DescribedRoute): boolean => route.path.includes('/ingress/');
const isRead = (route: DescribedRoute): boolean => route.method === 'GET' || route.path.includes('/egress/');

test('without a key every route but the open ones is 401, before its body is looked at', async () => {
  for (const route of routes) {
    assert.equal(await ask(route, null), [401, 'InvalidApiKey'], title(route));
    assert.equal(await ask(route, null, '{"no json'), [401, 'InvalidApiKey'], title(route));
  }
});

test('with a wrong key, or one of the right form, every route is 401', async () => {
  for (const route of routes) {
    assert.equal(await ask(route, 'wrong'), [401, 'InvalidApiKey'], title(route));
    assert.equal(await ask(route, `apikey:${'A'.repeat(65)}`), [401, 'InvalidApiKey'], title(route));
  }
});

test('a key that may only ingest is 403 everywhere else', async () => {
  const key = await makeKey('only-ingest', ['ingest'], null);
  for (const route of routes) {
    if (aboutServer.test(route.path)) continue;
    const [status] = await ask(route, key);
    if (isIngress(route)) assert.is(status, 404, title(route));
    else assert.is(status, 403, title(route));
  }
});

test('a key that may only read is 403 for everything that changes something, and for keys', async () => {
  const key = await makeKey('only-read', ['read'], null);
  for (const route of routes) {
    const [status] = await ask(route, key);
    const isDenied = route.path.startsWith('/v0/api_keys') || !isRead(route);
    // Checking a program changes nothing, nor does comparing it.
    if (route.path === '/v0/validate_program' || route.path.endsWith('/diff')) continue;
    assert.is(status === 403, isDenied, `${title(route)} is ${status}`);
  }
});

test('a key of another pipeline is 403 for this one', async () => {
  const key = await makeKey('other', ['write'], ['another']);
  for (const route of routes.filter(({ path }) => path.includes('{pipeline_name}'))) {
    assert.equal(await ask(route, key), [403, 'InsufficientPermissions'], title(route));
  }
});

test('a key that has been revoked is 401 at once', async () => {
  const key = await makeKey('revoked', ['read'], null);
  assert.is((await fetch(`${server.url}/v0/pipelines`, { headers: { authorization: `Bearer ${key}` } })).status, 200);
  await fetch(`${server.url}/v0/api_keys/revoked`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${adminKey}` },
  });
  assert.is((await fetch(`${server.url}/v0/pipelines`, { headers: { authorization: `Bearer ${key}` } })).status, 401);
});

test.run();
