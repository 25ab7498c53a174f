// Rows over HTTP, the server in one process and its clients in another. Prints one JSON line {seconds, rows, checksum}.
//
//   node dist/bench/http-run.js bulk|small|wide millrace|bare ROWS
//
// bulk: NDJSON rows of 100 bytes in bodies of 1 MB over 4 connections into a COUNT and SUM; the clock stops when the view
// has them all. small: one row a request over 64 connections, wide: over 1,000. `bare` is a node:http server that reads the
// body and answers 200: what Node itself can do on this machine, with the same client.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startBenchServer } from './bench-server.ts';
import { requestBytes, sendAll } from './http-client.ts';

const [load = 'bulk', contender = 'millrace', rowsText = '1000000'] = process.argv.slice(2);
const rows = Number(rowsText);
const path = '/v0/pipelines/bench/ingress/t?format=json&update_format=raw';
const rowBytes = 100;
const bodyRows = 10_000;
const program = `CREATE TABLE t (id BIGINT NOT NULL, amount BIGINT NOT NULL, note VARCHAR);
CREATE MATERIALIZED VIEW v AS SELECT COUNT(*) AS n, SUM(amount) AS total FROM t;`;

if (load === 'serve') await serve();
else await measure();

/** The server's process: prints its port, ends when its input does. */
async function serve(): Promise<void> {
  process.stdin.resume();
  process.stdin.once('end', () => process.exit(0));
  if (contender === 'bare') {
    const server = createServer((request, response) => {
      request.resume();
      request.once('end', () => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 });
        response.end('{}');
      });
    });
    server.listen(0, '127.0.0.1', () => {
      // SAFETY: it listens on a TCP port.
      console.log((server.address() as AddressInfo).port);
    });
    return;
  }
  const server = await startBenchServer();
  await call(server.url, 'PUT', '/v0/pipelines/bench', { name: 'bench', program_code: program });
  await until(server.url, 'program_status', 'Success');
  await call(server.url, 'POST', '/v0/pipelines/bench/start');
  await until(server.url, 'deployment_status', 'Running');
  console.log(new URL(server.url).port);
}

async function call(url: string, method: string, to: string, body?: unknown): Promise<Record<string, unknown>> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${url}${to}`, { method, headers: { 'content-type': 'application/json' }, ...init });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${to}: ${response.status} ${text}`);
  // SAFETY: replies of the server are objects, or empty.
  return (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>;
}

async function until(url: string, key: string, value: string): Promise<void> {
  for (;;) {
    const pipeline = await call(url, 'GET', '/v0/pipelines/bench');
    if (pipeline[key] === value) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function row(id: number): string {
  const bare = `{"id":${id},"amount":${id % 1000},"note":""}\n`;
  return `{"id":${id},"amount":${id % 1000},"note":"${'x'.repeat(rowBytes - bare.length)}"}\n`;
}

async function measure(): Promise<void> {
  const script = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [script, 'serve', contender], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const port = await portOf(child);
    const size = load === 'bulk' ? bodyRows : 1;
    const connections = load === 'bulk' ? 4 : load === 'wide' ? 1000 : 64;
    // As many different bodies as fit into memory without being in the way; the sum is that of what was sent.
    const bodies = Math.min(32, rows / size);
    const requests = Array.from({ length: bodies }, (_, body) =>
      requestBytes(path, Array.from({ length: size }, (_, i) => row(body * size + i)).join('')),
    );
    const requestAt = (ordinal: number): Buffer => requests[ordinal % bodies] ?? Buffer.alloc(0);
    const count = rows / size;
    // Both sides are warm before anything is counted.
    const warm = load === 'bulk' ? bodies : 5000;
    await sendAll({ port, connections, requests: warm, requestAt }, () => {});
    let begun = 0;
    await sendAll({ port, connections, requests: count, requestAt }, () => {
      begun = performance.now();
    });
    const accepted = (performance.now() - begun) / 1000;
    let checksum = 'answered';
    if (contender === 'millrace') {
      const last = requestBytes(`${path}&wait=delivered`, '');
      await sendAll({ port, connections: 1, requests: 1, requestAt: () => last }, () => {});
    }
    const seconds = load === 'bulk' ? (performance.now() - begun) / 1000 : accepted;
    if (contender === 'millrace') {
      const sql = encodeURIComponent('SELECT n, total FROM v');
      const result = await call(`http://127.0.0.1:${port}`, 'GET', `/v0/pipelines/bench/query?format=json&sql=${sql}`);
      let expected = 0;
      for (const requestsOf of [warm, count]) {
        for (let request = 0; request < requestsOf; request++) {
          const first = (request % bodies) * size;
          for (let i = 0; i < size; i++) expected += (first + i) % 1000;
        }
      }
      checksum = `${result['n']} rows, sum ${result['total']}`;
      const wanted = `${(warm + count) * size} rows, sum ${expected}`;
      if (checksum !== wanted) throw new Error(`the view holds ${checksum}, but ${wanted} were sent`);
      checksum = 'answered';
    }
    process.stdout.write(`${JSON.stringify({ seconds, rows, checksum, connections })}\n`);
  } finally {
    child.stdin?.end();
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('the server has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    if (/^\d+$/.test(line)) return Number(line);
  }
  throw new Error('the server has not started');
}
