// Many connections at once: every one is answered, and the server is as quick as before when they have gone.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestServer } from '../test-server.ts';
import { exchange, statusesOf } from './raw-connection.ts';

const connectionsMax = process.env['MILLRACE_LONG'] === '1' ? 10_000 : 1_000;

test(`${connectionsMax} connections at once are answered, every one`, async () => {
  const server = await startTestServer();
  const bytes = 'GET /v0/pipelines HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';
  const heard = await Promise.all(Array.from({ length: connectionsMax }, () => exchange(server.url, bytes)));
  assert.is(heard.filter(({ text }) => statusesOf(text)[0] === 200).length, connectionsMax);
  assert.is((await fetch(`${server.url}/healthz`)).status, 200);
  await server.close();
});

test.run();
