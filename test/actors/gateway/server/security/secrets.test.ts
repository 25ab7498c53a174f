// Keys are shown once, to the one who makes them: not in logs, not in the audit log, not in replies, not on disk.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../../poll-pause.ts';
import { startTestServer } from '../test-server.ts';
import { exchange } from './raw-connection.ts';

const adminKey = 'admin-secret-5f2a91c7';

function contents(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return Buffer.concat(files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file)));
}

test('no key is in a log, the audit log, a reply or the data folder', async () => {
  const logged: string[] = [];
  const replies: string[] = [];
  const server = await startTestServer({ adminKey, onLog: (entry) => logged.push(JSON.stringify(entry)) });
  const ask = async (method: string, path: string, key: string, body?: string): Promise<string> => {
    const response = await fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${key}` },
      ...(body === undefined ? {} : { body }),
    });
    return await response.text();
  };
  const made = await ask('POST', '/v0/api_keys', adminKey, '{"name":"k","scopes":["read"]}');
  // SAFETY: a key that is not there is refused below.
  const { api_key: secret } = JSON.parse(made) as { api_key: string };
  assert.match(secret, /^apikey:/);
  for (const key of [adminKey, secret]) {
    for (const path of [
      '/v0/pipelines',
      '/v0/api_keys',
      '/v0/nothing',
      '/%zz',
      '/v0/pipelines/x/egress/y',
      '/v0/config',
    ]) {
      replies.push(await ask('GET', path, key));
      const withQuery = `${path}?api_key=${encodeURIComponent(key)}`;
      replies.push(await (await fetch(server.url + withQuery)).text());
      replies.push(await (await fetch(server.url + withQuery, { method: 'POST' })).text());
      const upgrade =
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
      replies.push(
        (await exchange(server.url, `GET ${withQuery} HTTP/1.1\r\nHost: 127.0.0.1\r\n${upgrade}\r\n\r\n`)).text,
      );
    }
    replies.push(await ask('POST', '/v0/api_keys', key, '{"name":'));
    replies.push(await ask('DELETE', '/v0/api_keys/none', key));
  }
  assert.is(await ask('GET', '/v0/api_keys', adminKey).then((text) => text.includes('"k"')), true);
  const { dataFolder } = server;
  await ask('POST', '/v0/pipelines', secret, '{}');
  const audit = (): string => readFileSync(join(dataFolder, 'audit.log'), 'utf8');
  while (!audit().includes('"status":403')) await pollPause();
  const stored = contents(dataFolder).toString('latin1');
  for (const key of [adminKey, secret, secret.slice('apikey:'.length + 22)]) {
    for (const text of [...logged, ...replies, stored]) assert.not.match(text, key);
  }
  assert.match(audit(), '"key":"k"');
  await server.close();
});

test.run();
