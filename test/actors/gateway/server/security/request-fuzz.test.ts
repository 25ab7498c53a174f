// Requests made up from /openapi.json: whatever stands in path, query, head and body, the reply is one that the document
// lists, with a body like the schema that stands there, problems have the form of problems, and nothing is a defect.
import { request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { unlikeDescribed } from '../described-reply.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { type DescribedRoute, describedRoutes } from './described-routes.ts';

const numRuns = process.env['MILLRACE_LONG'] === '1' ? 20_000 : 700;
const limitMs = 60_000;

let server: TestServer;
let routes: readonly DescribedRoute[];
const defects: string[] = [];
test.before(async () => {
  server = await startTestServer({
    onLog: (entry) => {
      if (entry.message === 'a request has failed') defects.push(JSON.stringify(entry.fields));
    },
  });
  routes = await describedRoutes(server.url);
  const program_code = 'CREATE TABLE t (x INT); CREATE MATERIALIZED VIEW v AS SELECT x FROM t;';
  await fetch(`${server.url}/v0/pipelines`, { method: 'POST', body: JSON.stringify({ name: 'p', program_code }) });
});
test.after(async () => {
  await server.close();
});

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

interface Reply {
  readonly status: number;
  readonly contentType: string | undefined;
  /** Empty where the reply is a stream. */
  readonly text: string;
}

/** The whole reply, but the head alone of one without a length: it may be a stream that does not end. */
function send({ method, path, headers: given, body }: Sent): Promise<Reply> {
  // Without it the body of a DELETE would be no body but a second request.
  const headers = body === null ? given : { ...given, 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const request = httpRequest(server.url + path, { method, headers, timeout: limitMs, agent: false }, (response) => {
      const status = response.statusCode ?? 0;
      const contentType = response.headers['content-type'];
      if (response.headers['content-length'] === undefined) {
        response.destroy();
        return resolve({ status, contentType, text: '' });
      }
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status, contentType, text: Buffer.concat(chunks).toString('utf8') }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no reply')));
    request.on('error', reject);
    request.end(body ?? undefined);
  });
}

const segment = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('p', 't', 'v', 'start', 'pause', 'c') },
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map(encodeURIComponent) },
  { weight: 1, arbitrary: fc.constantFrom('%zz', '%', '%00', '..', '.', '%2e%2e%2f', '%ff', 'a'.repeat(3_000), '-1') },
);
const value = fc.oneof(
  fc.constantFrom(
    '',
    'true',
    'false',
    '-1',
    '1e999',
    'null',
    'json',
    'csv',
    'paused',
    'status',
    '99999999999999999999',
  ),
  fc.constantFrom('SELECT 1', 'SELECT * FROM v', "'; DROP TABLE t; --", '%', '\u0000'),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
);
const header = fc.record(
  {
    'content-type': fc.constantFrom('application/json', 'text/csv', 'application/octet-stream', ';;', 'a/b; charset=x'),
    'content-encoding': fc.constantFrom('gzip', 'br', 'identity', 'nothing'),
    accept: fc.constantFrom('text/event-stream', 'application/json', '*/*', ';'),
    'x-request-id': fc.constantFrom('id-1', 'x y', '"', '{}', 'x'.repeat(200)),
    'last-event-id': fc.constantFrom('1', '-', 'NaN'),
    origin: fc.constantFrom('http://localhost:1', 'http://elsewhere.example', 'null'),
    authorization: fc.constantFrom('Bearer', 'Bearer x', 'Basic eDp5', `Bearer apikey:${'A'.repeat(65)}`),
  },
  { requiredKeys: [] },
);
const sqlOrName = fc.constantFrom('p', 'q', '', 'CREATE TABLE t (x INT);', 'SELECT', '\u0000', 'x'.repeat(200));
const document = fc.oneof(
  fc.record(
    {
      name: fc.oneof(sqlOrName, fc.jsonValue()),
      program_code: fc.oneof(sqlOrName, fc.jsonValue()),
      runtime_config: fc.jsonValue(),
      program_config: fc.jsonValue(),
      tags: fc.jsonValue(),
      scopes: fc.jsonValue(),
      role: fc.jsonValue(),
      transport: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);
const body = fc.oneof(
  { weight: 4, arbitrary: document.map((item) => Buffer.from(JSON.stringify(item))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constant(Buffer.from('{"__proto__":{"x":1},"constructor":{"prototype":1}}')) },
  { weight: 1, arbitrary: fc.constant(Buffer.from('['.repeat(50_000))) },
);

test('every reply to a made-up request is one that the document lists, and none is a defect', async () => {
  const sent = fc.record({
    route: fc.nat().map((at) => routes[at % routes.length]),
    segments: fc.array(segment, { minLength: 4, maxLength: 4 }),
    values: fc.array(fc.option(value), { minLength: 12, maxLength: 12 }),
    stray: fc.dictionary(fc.string({ maxLength: 8 }), value, { maxKeys: 2 }),
    headers: header,
    body: fc.option(body),
  });
  await fc.assert(
    fc.asyncProperty(sent, async (made) => {
      const { route } = made;
      if (route === undefined) throw new Error('there is no route');
      let next = 0;
      const path = route.path.replaceAll(/\{[^}]+\}/g, () => made.segments[next++ % 4] ?? 'p');
      const query = new URLSearchParams(made.stray);
      for (const [at, name] of route.query.entries()) {
        const text = made.values[at % 12];
        if (text !== null && text !== undefined) query.set(name, text);
      }
      const isBodiless = route.method === 'GET';
      const reply = await send({
        method: route.method,
        path: query.size === 0 ? path : `${path}?${query}`,
        headers: made.headers,
        body: isBodiless ? null : made.body,
      });
      // Dots may lead to the address itself.
      if (route.path !== '/' && reply.text.startsWith('This is a Millrace server')) return;
      const told = `${route.method} ${path}?${query}: ${reply.status} ${reply.text}\n${defects.join('\n')}`;
      // A path of dots is another path when it arrives.
      const isOther = /"UnknownRoute"|"code":5,"message":"Not Found","details":\[\]/.test(reply.text);
      assert.ok(isOther || route.statuses.includes(reply.status), told);
      assert.is.not(reply.status, 500, told);
      assert.is(defects.length, 0, told);
      if (reply.status < 400) {
        const isStream = reply.text === '' && reply.contentType !== undefined;
        if (isStream) return;
        return assert.equal(unlikeDescribed(route.bodies[reply.status] ?? {}, reply.contentType, reply.text), [], told);
      }
      // SAFETY: the form is what is tested.
      const problem = JSON.parse(reply.text) as Record<string, unknown>;
      assert.type(problem['message'], 'string', told);
      assert.ok('details' in problem, told);
      const isStatus = isOther ? 'code' in problem : route.problem === 'Status';
      if (!isStatus) return assert.type(problem['error_code'], 'string', told);
      assert.type(problem['code'], 'number', told);
      assert.ok(Array.isArray(problem['details']), told);
      for (const detail of problem['details']) assert.type(detail.reason, 'string', told);
    }),
    { numRuns, interruptAfterTimeLimit: process.env['MILLRACE_LONG'] === '1' ? 600_000 : 12_000 },
  );
});

for (const path of ['//', '//x:99999/', '/%', '/%zz?api_key=hidden', '*', '/v0/../x', '/v0/pipelines/%ff/start']) {
  test(`a path like ${path} is a problem of the client, told without its query`, async () => {
    const { exchange, statusesOf } = await import('./raw-connection.ts');
    for (const method of ['GET', 'POST', 'OPTIONS', 'PROPFIND', 'TRACE']) {
      const bytes = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`;
      const { text } = await exchange(server.url, bytes);
      const [status = 0] = statusesOf(text);
      assert.ok(status >= 400 && status < 500, text);
      assert.match(text, '"error_code"');
      assert.not.match(text, 'hidden');
    }
  });
}

test.run();
