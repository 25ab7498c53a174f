// Who may do what: keys, scopes, pipelines, limits, and the server that asks for no key.
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AccessControl, type AccessOptions } from '../../../../actors/gateway/access/access-control.ts';
import { HttpProblem } from '../../../../actors/gateway/http/http-problem.ts';
import type { AccessScope, StoredApiKey } from '../../../../actors/store/messages.ts';
import { systemClock } from '../../../../runtime/clock.ts';

function memoryKeys(): AccessOptions['store'] & { readonly kept: StoredApiKey[] } {
  const kept: StoredApiKey[] = [];
  return {
    kept,
    apiKeys: async () => [...kept],
    addApiKey: async (key) => void kept.push(key),
    removeApiKey: async (id) =>
      kept.splice(0, kept.length, ...kept.filter((key) => key.id !== id)).length > kept.length,
  };
}

async function open(options: Partial<AccessOptions> = {}): Promise<AccessControl> {
  return await AccessControl.open({ store: memoryKeys(), clock: systemClock, host: '127.0.0.1', ...options });
}

function request(url: string, headers: Record<string, string> = {}, method = 'GET'): IncomingMessage {
  const made = new IncomingMessage(new Socket());
  Object.assign(made, { url, method, headers: { host: '127.0.0.1:8080', ...headers } });
  return made;
}

const bearer = (secret: string): Record<string, string> => ({ authorization: `Bearer ${secret}` });

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof HttpProblem) return `${error.status} ${error.code}`;
    throw error;
  }
  return 'allowed';
}

test('without keys everybody on this machine may do everything, on any other address nobody', async () => {
  const local = await open();
  assert.is(local.isOff, true);
  assert.is(
    refusal(() => local.authorize(request('/v0/pipelines'), { scope: 'admin', pipeline: null })),
    'allowed',
  );
  const open0 = await open({ host: '0.0.0.0' });
  assert.is(open0.isOff, false);
  assert.is(
    refusal(() => open0.authorize(request('/v0/pipelines'), { scope: 'read', pipeline: null })),
    '401 InvalidApiKey',
  );
  assert.is(
    refusal(() => open0.authorize(request('/healthz'), { scope: 'none', pipeline: null })),
    'allowed',
  );
});

test('without keys a foreign page and a foreign name for this machine are refused', async () => {
  const access = await open({ corsOrigins: ['https://ours.example'] });
  const outcome = (headers: Record<string, string>): string =>
    refusal(() => access.authorize(request('/v0/pipelines', headers), { scope: 'write', pipeline: null }));
  assert.is(outcome({ host: 'attacker.example:8080' }), '403 InsufficientPermissions');
  assert.is(outcome({ origin: 'https://attacker.example' }), '403 InsufficientPermissions');
  assert.is(outcome({ origin: 'null' }), '403 InsufficientPermissions');
  assert.is(outcome({ origin: 'https://attacker.example', ...bearer('whatever') }), '403 InsufficientPermissions');
  assert.is(outcome({ origin: 'https://ours.example' }), 'allowed');
  assert.is(outcome({ origin: 'http://localhost:3000', host: '[::1]:8080' }), 'allowed');
});

test('the first key closes the server; without an admin key loopback can still manage keys', async () => {
  const access = await open();
  const { key, secret } = await access.createKey({ name: 'reader', scopes: ['read'], pipelines: null });
  const outcome = (url: string, headers: Record<string, string>, scope: AccessScope): string =>
    refusal(() => access.authorize(request(url, headers), { scope, pipeline: null }));
  assert.is(outcome('/v0/pipelines', {}, 'read'), '401 InvalidApiKey');
  assert.is(outcome('/v0/pipelines', bearer(secret), 'read'), 'allowed');
  assert.is(outcome('/v0/pipelines', bearer(secret), 'write'), '403 InsufficientPermissions');
  assert.is(
    outcome('/v0/pipelines', bearer(`${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`), 'read'),
    '401 InvalidApiKey',
  );
  assert.is(outcome('/v0/pipelines', { authorization: `Basic ${secret}` }, 'read'), '401 InvalidApiKey');
  assert.is(outcome(`/v0/pipelines?api_key=${secret}`, {}, 'read'), 'allowed');
  assert.is(outcome('/v0/api_keys', {}, 'admin'), 'allowed');
  await access.createKey({ name: 'boss', scopes: ['admin'], pipelines: null });
  assert.is(outcome('/v0/api_keys', {}, 'admin'), '401 InvalidApiKey');
  assert.is(outcome('/v0/api_keys', bearer(secret), 'admin'), '403 InsufficientPermissions');
  await access.revokeKey(key.id);
  assert.is(outcome('/v0/pipelines', bearer(secret), 'read'), '401 InvalidApiKey');
});

test('a key that is bound to pipelines is good for these, and for what the server says of itself', async () => {
  const access = await open();
  const { secret } = await access.createKey({ name: 'k', scopes: ['write'], pipelines: ['mine'] });
  const outcome = (url: string, pipeline: string | null, scope: AccessScope): string =>
    refusal(() => access.authorize(request(url, bearer(secret)), { scope, pipeline }));
  assert.is(outcome('/v0/pipelines/mine', 'mine', 'write'), 'allowed');
  assert.is(outcome('/v0/pipelines/mine/ingress/t', 'mine', 'ingest'), 'allowed');
  assert.is(outcome('/v0/pipelines/other', 'other', 'read'), '403 InsufficientPermissions');
  assert.is(outcome('/v0/pipelines', null, 'read'), '403 InsufficientPermissions');
  assert.is(outcome('/v0/config', null, 'read'), 'allowed');
});

test('each key has its own rate and size', async () => {
  let now = 0;
  const clock = { ...systemClock, monotonic: () => now };
  const access = await open({ clock, rate: { perSecond: 2, burst: 3 }, bodyBytesMax: 100 });
  const a = await access.createKey({ name: 'a', scopes: ['read'], pipelines: null });
  const b = await access.createKey({ name: 'b', scopes: ['read'], pipelines: null });
  const outcome = (secret: string, headers: Record<string, string> = {}): string =>
    refusal(() =>
      access.authorize(request('/v0/pipelines', { ...bearer(secret), ...headers }), { scope: 'read', pipeline: null }),
    );
  assert.equal(
    [1, 2, 3, 4].map(() => outcome(a.secret)),
    ['allowed', 'allowed', 'allowed', '429 TooManyRequests'],
  );
  assert.is(outcome(b.secret), 'allowed');
  now = 500;
  assert.equal(
    [1, 2].map(() => outcome(a.secret)),
    ['allowed', '429 TooManyRequests'],
  );
  assert.is(outcome(b.secret, { 'content-length': '101' }), '413 PayloadTooLarge');
});

test('what is kept of a key does not contain it, and keys survive a new start', async () => {
  const store = memoryKeys();
  const access = await open({ store });
  const { secret } = await access.createKey({ name: 'a', scopes: ['read'], pipelines: null });
  assert.not(JSON.stringify(store.kept).includes(secret.slice(-43)));
  assert.match(secret, /^apikey:[A-Za-z0-9_-]{65}$/);
  const again = await open({ store });
  const seen = request('/v0/pipelines', bearer(secret));
  again.authorize(seen, { scope: 'read', pipeline: null });
  assert.is(again.principalOf(seen)?.key, 'a');
});

test('a key of the environment is an admin key', async () => {
  const access = await open({ host: '0.0.0.0', adminKey: 'let me in' });
  const outcome = (secret: string): string =>
    refusal(() => access.authorize(request('/v0/api_keys', bearer(secret)), { scope: 'admin', pipeline: null }));
  // A bearer token has no spaces.
  assert.is(outcome('let me in'), '401 InvalidApiKey');
  const better = await open({ host: '0.0.0.0', adminKey: 'letmein' });
  assert.is(
    refusal(() => better.authorize(request('/v0/api_keys', bearer('letmein')), { scope: 'admin', pipeline: null })),
    'allowed',
  );
});

test.run();
