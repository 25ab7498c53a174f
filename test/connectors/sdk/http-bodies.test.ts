// Bodies of HTTP straight into their place: whatever pieces a server sends them in, connections that go and come, back-pressure, aborts;
// and what is left to a library.
import { once } from 'node:events';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createNet, type Server, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BodyAnswer, HttpBodies } from '../../../connectors/sdk/http-bodies.ts';
import type { TlsOptions } from '../../../connectors/sdk/tls-settings.ts';
import { WholeBody } from '../../../connectors/sdk/whole-body.ts';
import { pollPause } from '../../poll-pause.ts';
import { makeCertificates } from '../../servers/test-certificates.ts';

const test = suite('bodies of HTTP');
const closers: (() => void)[] = [];
test.after.each(() => {
  for (const close of closers.splice(0)) close();
});

const signal = new AbortController().signal;

function bodies(tls: TlsOptions = {}): HttpBodies {
  const made = new HttpBodies({ tls, connectMs: 200_000, idleMs: 200_000, keptMax: 4 });
  closers.push(() => made.close());
  return made;
}

async function listening(server: Server, protocol = 'http'): Promise<URL> {
  const sockets = new Set<Socket>();
  server.on(protocol === 'https' ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // SAFETY: a server that listens on a port has such an address.
  return new URL(`${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/** A server that writes these texts on each connection, one behind each other, for each request that comes. */
function saying(...answers: readonly (readonly string[])[]): Promise<URL> {
  let asked = 0;
  const server = createNet((socket) => {
    socket.setNoDelay(true);
    socket.on('data', async () => {
      for (const piece of answers[asked++] ?? []) {
        socket.write(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  });
  return listening(server);
}

const http = (listener: RequestListener): Promise<URL> => listening(createHttp(listener));

async function got(answer: BodyAnswer | null): Promise<string> {
  if (answer?.length == null) return 'ask a library';
  const bytes = new Uint8Array(answer.length);
  await answer.read(new WholeBody(bytes));
  return `${answer.status} ${Buffer.from(bytes)}`;
}

test('bodies come whole over one connection that is used again, empty ones and long ones', async () => {
  const long = 'abcdefghij'.repeat(300_000);
  const connections = new Set<Socket>();
  const url = await http((request, response) => {
    connections.add(request.socket);
    const body = request.url === '/long' ? long : request.url === '/empty' ? '' : `${request.headers['x-mine']}`;
    response.writeHead(200, { 'content-length': body.length }).end(body);
  });
  const own = bodies();
  for (let i = 0; i < 3; i++) {
    assert.is(await got(await own.get({ url, path: '/long', headers: {} }, signal)), `200 ${long}`);
    assert.is(await got(await own.get({ url, path: '/empty', headers: {} }, signal)), '200 ');
    const headers = { 'x-mine': 'a header of the caller which is as long as that: '.repeat(8) };
    assert.is(await got(await own.get({ url, path: '/', headers }, signal)), `200 ${headers['x-mine'].trim()}`);
  }
  assert.is(connections.size, 1);
});

test('a head may come byte by byte, and a body in pieces of any size', async () => {
  const answer = 'HTTP/1.1 206 Partial\r\nContent-Length: 5\r\nX-A: 1\r\nx-a:2 \r\n\r\nhello';
  const own = bodies();
  const url = await saying([...answer], [answer], [answer.slice(0, 70), answer.slice(70)]);
  for (let i = 0; i < 3; i++) {
    const found = await own.get({ url, path: '/', headers: {} }, signal);
    assert.is(found?.headers.get('x-a'), '1, 2');
    assert.is(await got(found), '206 hello');
  }
});

test('what is not plain is left to a library', async () => {
  const own = bodies();
  const chunked = await http((_, response) => void response.writeHead(200).write('chunks'));
  const begun = await own.get({ url: chunked, path: '/', headers: {} }, signal);
  assert.equal([begun?.status, begun?.length], [200, null]);
  begun?.close();
  assert.is(await own.get({ url: chunked, path: '/', headers: {} }, signal), null, 'it is known now');
  for (const head of [
    'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na',
    'HTTP/1.1 100 Continue\r\n\r\n',
    `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(20_000)}`,
    'SSH-2.0-server\r\n\r\n',
  ]) {
    const url = await saying([head]);
    assert.is(await own.get({ url, path: '/', headers: {} }, signal), null, head.slice(0, 40));
  }
  for (const headers of [
    'Content-Length: 1\r\nContent-Length: 2\r\n\r\na',
    'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ]) {
    const url = await saying([`HTTP/1.1 200 OK\r\n${headers}`]);
    const answer = await own.get({ url, path: '/', headers: {} }, signal);
    assert.is(answer?.length, null, headers);
    answer?.close();
  }
  const url = await http((_, response) => void response.writeHead(200, { 'content-length': 0 }).end());
  assert.is(await own.get({ url, path: '/', headers: { a: 'b\r\nc: d' } }, signal), null);
  assert.is(await own.get({ url, path: '/a b', headers: {} }, signal), null);
});

test('a connection that the server has closed meanwhile is replaced, and one that breaks off says so', async () => {
  const sockets: Socket[] = [];
  const url = await http((request, response) => {
    sockets.push(request.socket);
    response.writeHead(200, { 'content-length': 4 });
    if (request.url === '/broken') response.write('ab', () => request.socket.destroy());
    else if (request.url === '/silent') request.socket.destroy();
    else response.end('body');
  });
  const own = bodies();
  for (let i = 0; i < 3; i++) {
    assert.is(await got(await own.get({ url, path: '/', headers: {} }, signal)), '200 body');
    sockets.at(-1)?.destroy();
  }
  const failure = async (path: string): Promise<string> => {
    try {
      return await got(await own.get({ url, path, headers: {} }, signal));
    } catch (error) {
      return String(error);
    }
  };
  assert.match(await failure('/broken'), /closed|ECONNRESET/);
  assert.match(await failure('/silent'), /closed|ECONNRESET/);
  assert.is(await failure('/'), '200 body');
});

test('a server that sends more than it said is not listened to any longer', async () => {
  const own = bodies();
  const url = await saying(['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc']);
  const answer = await own.get({ url, path: '/', headers: {} }, signal);
  const thrown = await got(answer).then(
    () => null,
    (error: unknown) => error,
  );
  assert.match(String(thrown), /more than it said/);
});

test('a target that takes no more holds the server up, and gets the rest when it goes on', async () => {
  const size = 32 << 20;
  let flowed = 0;
  const url = await http((_, response) => {
    response.writeHead(200, { 'content-length': size });
    const piece = Buffer.alloc(1 << 20, 7);
    const push = (): void => {
      for (; flowed < size; ) {
        flowed += piece.length;
        if (!response.write(piece)) return void response.once('drain', push);
      }
      response.end();
    };
    push();
  });
  const answer = await bodies().get({ url, path: '/', headers: {} }, signal);
  const room = new Uint8Array(64 << 10);
  let seen = 0;
  let sum = 0;
  let isHeld = true;
  const reading = answer?.read({
    room: () => room,
    filled: (bytes) => {
      seen += bytes;
      for (let i = 0; i < bytes; i++) sum += room[i] ?? 0;
      return !isHeld;
    },
  });
  while (seen === 0) await pollPause();
  const before = seen;
  for (let i = 0; i < 20; i++) await pollPause();
  assert.is(seen, before);
  assert.ok(flowed < size, 'the server waits');
  isHeld = false;
  answer?.goOn();
  await reading;
  assert.equal([seen, sum], [size, size * 7]);
});

test('an abort ends what is under way with its reason', async () => {
  const url = await http((request, response) => {
    if (request.url === '/') response.writeHead(200, { 'content-length': 4 }).write('ab');
  });
  const own = bodies();
  for (const path of ['/', '/never']) {
    const abort = new AbortController();
    const reading = own.get({ url, path, headers: {} }, abort.signal).then(got);
    setImmediate(() => abort.abort(new Error('enough')));
    const thrown = await reading.then(
      () => null,
      (error: unknown) => error,
    );
    assert.match(String(thrown), /enough/, path);
  }
});

const certificates = makeCertificates();
if (certificates === null) console.log('skipped: bodies over TLS: there is no openssl');
else {
  test('over TLS it is the same, and a certificate that nobody has signed is refused', async () => {
    const { authority, server } = certificates;
    const body = 'abc'.repeat(100_000);
    const listener: RequestListener = (_, response) =>
      void response.writeHead(200, { 'content-length': body.length }).end(body);
    const url = await listening(createHttps({ cert: server.certificate, key: server.key }, listener), 'https');
    const own = bodies({ ca: authority });
    for (let i = 0; i < 3; i++) {
      assert.is(await got(await own.get({ url, path: '/', headers: {} }, signal)), `200 ${body}`);
    }
    const thrown = await bodies()
      .get({ url, path: '/', headers: {} }, signal)
      .then(
        () => null,
        (error: unknown) => error,
      );
    assert.match(String(thrown), /certificate/);
  });
}

test.run();
