// Many listeners of one view over HTTP, the server in one process and its clients in another. Prints one JSON line
// {seconds, rows, checksum, p50, p99, slowRows, megabytes}.
//
//   node dist/bench/egress-run.js LISTENERS SLOW STEPS
//
// Every step changes 10 rows of 1.4 KB; one is pushed every 60 ms. SLOW of the listeners read nothing (backpressure=false); the
// others have to get every row, and the time from push to the arrival of the step is measured for each of them. `rows` are
// rows received. The slow ones read at the end what was kept for them (`slowRows`: of one, in the median). `megabytes` is the
// most memory that the server's process took.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { percentile, spread } from '../actors/gateway/bench/statistics.ts';
import { startBenchServer } from './bench-server.ts';

const [listenersText = '1000', slowText = '100', stepsText = '450'] = process.argv.slice(2);
const rowsOfStep = 10;
const stepEveryMs = 60;
const note = 'x'.repeat(1400);
const program = `CREATE TABLE t (id BIGINT NOT NULL, step BIGINT NOT NULL, note VARCHAR);
CREATE VIEW v AS SELECT id, step, note FROM t;`;

if (listenersText === 'serve') await serve();
else await measure(Number(listenersText), Number(slowText), Number(stepsText));

/** The server's process: prints its port, ends when its input does. */
async function serve(): Promise<void> {
  const server = await startBenchServer();
  await call(server.url, 'PUT', '', JSON.stringify({ name: 'bench', program_code: program }));
  await until(server.url, 'program_status', 'Success');
  await call(server.url, 'POST', '/start');
  await until(server.url, 'deployment_status', 'Running');
  console.log(new URL(server.url).port);
}

async function call(url: string, method: string, to: string, body?: string): Promise<Record<string, unknown>> {
  const init = body === undefined ? {} : { body };
  const response = await fetch(`${url}/v0/pipelines/bench${to}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...init,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${to}: ${response.status} ${text}`);
  // SAFETY: replies of the server are objects, or empty.
  return (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>;
}

async function until(url: string, key: string, value: string): Promise<void> {
  for (;;) {
    const pipeline = await call(url, 'GET', '');
    if (pipeline[key] === value) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

interface Listener {
  rows: number;
  /** Sum of the ids of all rows. */
  sum: number;
  /** A keepalive has come: nothing waits for it. */
  isIdle: boolean;
  begin(): void;
}

/** Cuts the stream into lines and counts the rows of each; `onStep` gets the step of the last row of a line. */
function openListener(url: string, slow: boolean, onStep: (step: number) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const query = `format=json${slow ? '&backpressure=false' : ''}`;
    const sent = request(`${url}/v0/pipelines/bench/egress/v?${query}`, { agent: false }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`a listener got ${response.statusCode}`));
      const listener: Listener = { rows: 0, sum: 0, isIdle: false, begin: () => response.resume() };
      let rest = '';
      let isOpen = false;
      response.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (!isOpen) {
            isOpen = true;
            if (slow) response.pause();
            resolve(listener);
          }
          if (!line.includes('"json_data"')) {
            listener.isIdle = isOpen && !line.includes('processed_steps') && !line.includes('incarnation');
            continue;
          }
          // SAFETY: the message format of the server.
          const { json_data } = JSON.parse(line) as { json_data: { insert: { id: number; step: number } }[] };
          for (const { insert } of json_data) listener.sum += insert.id;
          listener.rows += json_data.length;
          onStep(json_data.at(-1)?.insert.step ?? 0);
        }
      });
    });
    sent.on('error', reject).end();
  });
}

async function measure(listeners: number, slow: number, steps: number): Promise<void> {
  const server = spawn(process.execPath, [fileURLToPath(import.meta.url), 'serve'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const url = `http://127.0.0.1:${await firstLine(server)}`;
  const pushedAt: number[] = [];
  const delays: number[] = [];
  const quick = await Promise.all(
    Array.from({ length: listeners - slow }, () =>
      openListener(url, false, (step) => delays.push(performance.now() - (pushedAt[step] ?? 0))),
    ),
  );
  const slowOnes = await Promise.all(Array.from({ length: slow }, () => openListener(url, true, () => {})));
  const begun = performance.now();
  for (let step = 0; step < steps; step++) {
    const ids = Array.from({ length: rowsOfStep }, (_, i) => step * rowsOfStep + i);
    const body = ids.map((id) => JSON.stringify({ id, step, note })).join('\n');
    pushedAt[step] = performance.now();
    await call(url, 'POST', '/ingress/t?format=json&update_format=raw', body);
    const rest = begun + (step + 1) * stepEveryMs - performance.now();
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  }
  const expected = steps * rowsOfStep;
  while (quick.some(({ rows }) => rows < expected)) await new Promise((resolve) => setTimeout(resolve, 5));
  const seconds = (performance.now() - begun) / 1000;
  const sum = (expected * (expected - 1)) / 2;
  const right = quick.filter((listener) => listener.rows === expected && listener.sum === sum).length;
  const megabytes = peakMegabytes(server.pid ?? 0);
  for (const listener of slowOnes) listener.begin();
  while (slowOnes.some(({ isIdle }) => !isIdle)) await new Promise((resolve) => setTimeout(resolve, 50));
  const line = {
    seconds,
    rows: right * expected,
    checksum: `${right} of ${quick.length} listeners have all rows`,
    p50: percentile(delays, 0.5),
    p99: percentile(delays, 0.99),
    slowRows: spread(slowOnes.map((listener) => listener.rows)).median,
    megabytes,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  server.stdin?.end();
  process.exit(0);
}

function peakMegabytes(pid: number): number {
  const [, kilobytes = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the server has an output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the server has ended');
}
