// Connections that mean harm: heads and bodies that never end, heads that are too long, requests inside of requests, bodies
// over the limit of their key.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestServer, type TestServer } from '../test-server.ts';
import { exchange, statusesOf } from './raw-connection.ts';

const adminKey = 'the-admin-key-of-this-test';
let server: TestServer;
let limited: TestServer;
/** Has time: what it says does not depend on when a request arrives. */
let patient: TestServer;
test.before(async () => {
  server = await startTestServer({ timeouts: { headersMs: 400, bodyMs: 400 } });
  limited = await startTestServer({ adminKey, keyLimits: { bodyBytesMax: 1_000 } });
  patient = await startTestServer();
});
test.after(async () => {
  await server.close();
  await limited.close();
  await patient.close();
});

test('a head that never ends is cut', async () => {
  const heard = await exchange(server.url, 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
  assert.is(heard.isClosed, true);
  assert.equal(statusesOf(heard.text), [408]);
});

test('a connection that says nothing at all is cut', async () => {
  const heard = await exchange(server.url, '');
  assert.is(heard.isClosed, true);
});

test('a JSON body that never ends is refused and its connection closed', async () => {
  const head = 'POST /v0/pipelines HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"na';
  const heard = await exchange(server.url, head);
  assert.is(heard.isClosed, true);
  assert.equal(statusesOf(heard.text), [408]);
  assert.match(heard.text, '"error_code":"RequestTimeout"');
});

test('a head that is too long is 431', async () => {
  const heard = await exchange(
    patient.url,
    `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`,
  );
  assert.is(heard.isClosed, true);
  assert.equal(statusesOf(heard.text), [431]);
});

const hidden = 'GET /v0/pipelines HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const smuggled: Readonly<Record<string, string>> = {
  'a length and chunks': `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  'chunks and a length': `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${hidden}`,
  'two lengths': `Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  'two lengths in one field': `Content-Length: 0, ${hidden.length}\r\n\r\n${hidden}`,
  'a length with a sign': `Content-Length: +${hidden.length}\r\n\r\n${hidden}`,
  'a field that goes on in the next line': `Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${hidden}`,
  'an unknown encoding behind chunked': `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
  'a blank before the colon': `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
  'lines that end with LF alone': `X: y\nContent-Length: 4\n\n${hidden}`,
  'a chunk size that is no number': `Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${hidden}`,
};
for (const [name, rest] of Object.entries(smuggled)) {
  test(`no request hides behind ${name}: refused, and the connection closed`, async () => {
    const heard = await exchange(patient.url, `POST /v0/pipelines HTTP/1.1\r\nHost: 127.0.0.1\r\n${rest}`);
    assert.is(heard.isClosed, true);
    const statuses = statusesOf(heard.text);
    assert.is(statuses.length, 1, heard.text);
    assert.is(statuses[0], 400, heard.text);
  });
}

test('a body over the limit of its key is 413, whether it says its length or not', async () => {
  const head = `POST /v0/pipelines HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${adminKey}\r\n`;
  const announced = await exchange(limited.url, `${head}Content-Length: 5000\r\n\r\n`);
  assert.equal(statusesOf(announced.text), [413]);
  assert.is(announced.isClosed, true);
  const chunk = `3e8\r\n${' '.repeat(1_000)}\r\n`;
  const chunked = await exchange(limited.url, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`);
  assert.equal(statusesOf(chunked.text), [413]);
  assert.is(chunked.isClosed, true);
  assert.match(chunked.text, '"error_code":"PayloadTooLarge"');
  const later = await exchange(limited.url, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(500)}`);
  assert.is(later.isClosed, true);
  assert.ok(later.text === '' || statusesOf(later.text)[0] === 413, later.text);
  const small = await exchange(
    limited.url,
    `${head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`,
  );
  assert.equal(statusesOf(small.text), [400]);
});

test('who has no key is refused before his body is read', async () => {
  const head = 'POST /v0/pipelines HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000\r\n\r\n';
  const heard = await exchange(limited.url, head);
  assert.equal(statusesOf(heard.text), [401]);
  assert.is(heard.isClosed, true);
});

test.run();
