// url_input against real HTTP servers that break off, redirect, refuse ranges and change what they serve.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { conformance } from '../../../connectors/sdk/conformance.ts';
import { urlInput } from '../../../connectors/url/source.ts';
import {
  bigint,
  codeOf,
  contextFor,
  eagerClock,
  readBytes,
  relationOf,
  type TestContext,
} from '../connector-context.ts';

const content = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join(''));
const relation = relationOf({ id: bigint });

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** Runs `use` beside a server; both are closed afterwards. */
async function serve(
  handler: Handler,
  use: (url: string, requests: IncomingMessage[]) => Promise<void>,
): Promise<void> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // SAFETY: the server listens on TCP.
  const { port } = server.address() as AddressInfo;
  try {
    await use(`http://127.0.0.1:${port}/data`, requests);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Serves `bytes` as a server that knows ranges; at most `cut` bytes, then it breaks off. */
function serveRange(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
  cut = bytes.length,
  etag = '"1"',
): void {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? 'bytes=0-') ?? [];
  const start = Number(from);
  if (start >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const end = to === '' ? bytes.length : Number(to) + 1;
  const range = `bytes ${start}-${end - 1}/${bytes.length}`;
  response.writeHead(206, { 'content-range': range, 'content-length': end - start, etag });
  sendPart(response, bytes.subarray(start, end), cut);
}

function sendPart(response: ServerResponse, bytes: Buffer, cut: number): void {
  if (cut >= bytes.length) response.end(bytes);
  else response.write(bytes.subarray(0, cut), () => response.destroy());
}

async function fetchAll(
  url: string,
  settings: object = {},
  context: TestContext = contextFor(relation, '.', eagerClock()),
): Promise<string> {
  const source = urlInput.create({ path: url, ...settings }, context);
  try {
    await source.open(null);
    return await readBytes(source);
  } finally {
    await source.teardown?.();
  }
}

test('connections that break off are resumed where they broke off', async () => {
  await serve(
    (request, response) => serveRange(request, response, content, 50_000),
    async (url, requests) => {
      const context = contextFor(relation, '.', eagerClock());
      assert.ok((await fetchAll(url, {}, context)) === content.toString());
      assert.ok(requests.length >= 4);
      assert.ok(requests.slice(1).every((request) => request.headers['if-range'] === '"1"'));
      assert.ok(context.reported.every((code) => code === 'url.unavailable'));
      assert.ok(context.reported.length >= 3);
    },
  );
});

test('a server that ignores ranges sends everything, and what has been read is skipped', async () => {
  await serve(
    (_request, response, count) => {
      response.writeHead(200, { 'content-length': content.length });
      sendPart(response, content, count * 80_000);
    },
    async (url) => assert.ok((await fetchAll(url)) === content.toString()),
  );
});

test('redirects are followed, without the headers of the user to another origin', async () => {
  await serve(
    (request, response) => serveRange(request, response, content),
    async (target, targetRequests) => {
      await serve(
        (request, response) => {
          const to = request.url === '/data' ? '/next' : target;
          response.writeHead(302, { location: to }).end();
        },
        async (url, requests) => {
          assert.ok((await fetchAll(url, { headers: { authorization: 'secret' } })) === content.toString());
          assert.equal(
            requests.map((request) => request.headers.authorization),
            ['secret', 'secret'],
          );
          assert.is(targetRequests[0]?.headers.authorization, undefined);
        },
      );
    },
  );
});

test('redirects without end, refusals and encodings that nobody asked for are coded errors', async () => {
  const ends = async (handler: Handler): Promise<string> => {
    let code = '';
    await serve(handler, async (url) => {
      code = await codeOf(() => fetchAll(url));
    });
    return code;
  };
  assert.is(await ends((_, response) => response.writeHead(302, { location: '/data' }).end()), 'url.redirects');
  assert.is(await ends((_, response) => response.writeHead(404).end()), 'url.status');
  assert.is(
    await ends((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')),
    'url.encoded',
  );
  assert.is(await ends((_, response) => response.writeHead(503).end()), 'url.unavailable');
});

test('a server that is busy for a while is asked again, as late as it says', async () => {
  await serve(
    (request, response, count) => {
      if (count <= 3) response.writeHead(429, { 'retry-after': '7' }).end();
      else serveRange(request, response, content);
    },
    async (url) => {
      const clock = eagerClock();
      assert.ok((await fetchAll(url, {}, contextFor(relation, '.', clock))) === content.toString());
      assert.equal(clock.waited, [7000, 7000, 7000]);
    },
  );
});

test('a resource that changes while it is read is an error', async () => {
  await serve(
    (request, response, count) => serveRange(request, response, content, 50_000, `"${count}"`),
    async (url) => assert.is(await codeOf(() => fetchAll(url)), 'url.changed'),
  );
});

test('reading goes on at a position; at the end of the resource there is nothing', async () => {
  await serve(
    (request, response) => serveRange(request, response, content),
    async (url) => {
      for (const offset of [12_345, content.length]) {
        const source = urlInput.create({ path: url }, contextFor(relation, '.'));
        await source.open({ offset, validator: '"1"' });
        assert.ok((await readBytes(source)) === content.subarray(offset).toString());
        await source.teardown?.();
      }
    },
  );
});

test('random access is there when the server knows ranges, and not when it does not', async () => {
  const context = contextFor(relation, '.', eagerClock());
  await serve(
    (request, response) => serveRange(request, response, content, 3000),
    async (url) => {
      const source = urlInput.create({ path: url }, context);
      await source.open(null);
      const access = source.randomAccess?.();
      assert.is(access?.size, content.length);
      const bytes = await access?.read(1000, 10_000, context.signal);
      assert.ok(content.subarray(1000, 11_000).equals(bytes ?? Buffer.alloc(0)));
      await source.teardown?.();
    },
  );
  await serve(
    (_, response) => response.end(content),
    async (url) => {
      const source = urlInput.create({ path: url }, context);
      await source.open(null);
      assert.is(source.randomAccess?.(), null);
      await source.teardown?.();
    },
  );
});

test('a stop ends the reading at once and without an error', async () => {
  await serve(
    (_, response) => void response.writeHead(200, { 'content-length': 1000 }).write('abc'),
    async (url) => {
      const context = contextFor(relation, '.');
      const source = urlInput.create({ path: url }, context);
      await source.open(null);
      let text = '';
      for await (const payload of source.read()) {
        if (payload.kind === 'bytes') text += Buffer.from(payload.bytes);
        setImmediate(() => context.controller.abort());
      }
      assert.is(text, 'abc');
      await source.teardown?.();
    },
  );
});

test('what is no web address is refused', async () => {
  const create = (path: string): Promise<string> => codeOf(() => urlInput.create({ path }, contextFor(relation, '.')));
  assert.is(await create('ftp://x/y'), 'config.invalid_value');
  assert.is(await create('data.csv'), 'config.invalid_value');
});

const conforming = createServer((request, response) => serveRange(request, response, content));
await new Promise<void>((resolve) => conforming.listen(0, '127.0.0.1', resolve));
test.after(() => {
  conforming.closeAllConnections();
  conforming.close();
});
// SAFETY: the server listens on TCP.
const { port } = conforming.address() as AddressInfo;
const configuration = { path: `http://127.0.0.1:${port}/data` };
for (const { title, run } of conformance(urlInput, { configuration, relation })) test(title, run);

test.run();
