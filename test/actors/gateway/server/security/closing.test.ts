// `millrace serve` ends when it is told to, whatever its pipelines are doing just then and whoever is still connected.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../../poll-pause.ts';

const binary = fileURLToPath(new URL('../../../../../main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-closing-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

interface Served {
  readonly url: string;
  readonly child: ChildProcess;
  readonly exit: Promise<number | NodeJS.Signals | null>;
}

/** Variables of clients and tests are in its environment too, and no matter. */
async function serve(name: string): Promise<Served> {
  const child = spawn(process.execPath, [binary, 'serve', '--port', '0', '--data', join(folder, name)], {
    cwd: folder,
    env: {
      ...process.env,
      MILLRACE_CHROMIUM: '/x',
      MILLRACE_URL: 'http://x',
      MILLRACE_API_KEY: 'k',
      MILLRACE_S3_BUCKET: 'b',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
    // It never takes as long; who hangs is ended.
    timeout: 100_000,
    killSignal: 'SIGKILL',
  });
  const exit = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('exit', (code, signal) => resolve(signal ?? code));
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      const found = /http:\S+/.exec(chunk.toString());
      if (found !== null) resolve(found[0]);
    });
    exit.then((code) => reject(new Error(`serve has ended with ${code}`)));
  });
  return { url, child, exit };
}

async function startPipeline(url: string): Promise<void> {
  const program_code = 'CREATE TABLE t (x INT); CREATE MATERIALIZED VIEW v AS SELECT x FROM t;';
  await fetch(`${url}/v0/pipelines`, { method: 'POST', body: JSON.stringify({ name: 'p', program_code }) });
  const started = await fetch(`${url}/v0/pipelines/p/start`, { method: 'POST' });
  assert.is(started.status, 202);
}

test('a signal right after a start ends the server with 0, and the next one starts the pipeline again', async () => {
  const first = await serve('starting');
  await startPipeline(first.url);
  first.child.kill('SIGTERM');
  assert.is(await first.exit, 0);
  const second = await serve('starting');
  for (;;) {
    const reply = await fetch(`${second.url}/v0/pipelines/p?selector=status`);
    // SAFETY: a field that is not there ends the loop never, and the process's time limit does.
    const { deployment_status: status } = (await reply.json()) as { deployment_status: string };
    if (status === 'Running') break;
    await pollPause();
  }
  second.child.kill('SIGINT');
  assert.is(await second.exit, 0);
});

test('a connection that its client never ends does not hold up the end', async () => {
  const { url, child, exit } = await serve('connected');
  const { port } = new URL(url);
  const socket = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.on('connect', () => resolve()));
  socket.write('POST /v0/pipelines HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n{');
  await (await fetch(`${url}/healthz`)).text();
  child.kill('SIGTERM');
  assert.is(await exit, 0);
  socket.destroy();
});

test('a second signal ends it at once', async () => {
  const { url, child, exit } = await serve('twice');
  const { port } = new URL(url);
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.on('connect', () => resolve()));
  socket.write('POST /v0/pipelines HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n{');
  await (await fetch(`${url}/healthz`)).text();
  child.kill('SIGTERM');
  // The port is closed when the first signal has been taken.
  for (;;) {
    const isOpen = await fetch(`${url}/healthz`, { headers: { connection: 'close' } }).then(
      () => true,
      () => false,
    );
    if (!isOpen) break;
    await pollPause();
  }
  // What comes within a moment of the first is the same wish.
  let isOver = false;
  const code = exit.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    child.kill('SIGTERM');
    await pollPause();
  }
  assert.is(await code, 130);
  socket.destroy();
});

test.run();
