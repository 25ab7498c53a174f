// A real server is killed while clients push, and started again over its data folder: every row that was acknowledged is
// there exactly once. When it is killed is drawn from seeds, which a failure names; `MILLRACE_LONG=1` draws more of them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', 'main.js');
const program = `
CREATE TABLE events (client INT, n INT) WITH ('materialized' = 'true');
CREATE TABLE latest (id INT NOT NULL PRIMARY KEY, v INT) WITH ('materialized' = 'true');
CREATE MATERIALIZED VIEW totals AS SELECT COUNT(*) AS events FROM events;`;
const clients = [0, 1, 2, 3];

class Server {
  readonly url: string;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(dataFolder: string): Promise<Server> {
    const child = spawn(process.execPath, [main, 'serve', '--port', '0', '--data', dataFolder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^millrace serve: (\S+)/.exec(line)?.[1];
      if (url !== undefined) return new Server(child, url);
    }
    throw new Error('the server has ended before it was ready');
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exit;
  }

  post(path: string, body = ''): Promise<Response> {
    return fetch(`${this.url}/v0/pipelines${path}`, { method: 'POST', body });
  }

  async create(faultTolerance: object): Promise<void> {
    const runtime_config = { fault_tolerance: faultTolerance };
    const made = await this.post('', JSON.stringify({ name: 'p', program_code: program, runtime_config }));
    assert.is(made.status, 201);
    await this.post('/p/start');
    await this.untilRunning();
  }

  async untilRunning(): Promise<void> {
    for (;;) {
      const response = await fetch(`${this.url}/v0/pipelines/p?selector=status`);
      // SAFETY: a descriptor is an object.
      const shown = (await response.json()) as Record<string, unknown>;
      assert.is(shown['deployment_error'], null);
      if (shown['deployment_status'] === 'Running') return;
      await pollPause();
    }
  }

  push(table: string, rows: readonly object[], query = ''): Promise<Response> {
    const body = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    return this.post(`/p/ingress/${table}?format=json&update_format=raw${query}`, body);
  }

  async query(sql: string): Promise<Record<string, number>[]> {
    const response = await fetch(`${this.url}/v0/pipelines/p/query?format=json&sql=${encodeURIComponent(sql)}`);
    const text = (await response.text()).trim();
    assert.is(response.status, 200, text);
    // SAFETY: columns of the tables here are integers.
    return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Record<string, number>);
  }
}

/** What one client has tried and what was acknowledged, over all lives of the server. */
interface Pushed {
  readonly attempted: Set<number>;
  readonly acknowledged: Set<number>;
  next: number;
  latestAcknowledged: number;
}

async function pushUntilKilled(server: Server, client: number, pushed: Pushed): Promise<void> {
  try {
    for (;;) {
      const n = pushed.next++;
      pushed.attempted.add(n);
      const events = await server.push('events', [{ client, n }]);
      await events.text();
      if (events.status === 200) pushed.acknowledged.add(n);
      const latest = await server.push('latest', [{ id: client, v: n }]);
      await latest.text();
      if (latest.status === 200) pushed.latestAcknowledged = n;
    }
  } catch {
    // The server has gone.
  }
}

async function checkpointUntilKilled(server: Server): Promise<void> {
  try {
    for (;;) {
      await (await server.post('/p/checkpoint')).text();
      await pollPause();
    }
  } catch {
    // The server has gone.
  }
}

async function check(server: Server, pushes: readonly Pushed[], place: string): Promise<void> {
  const events = await server.query('SELECT client, n FROM events');
  const counts = new Map<string, number>();
  for (const { client, n } of events) counts.set(`${client}/${n}`, (counts.get(`${client}/${n}`) ?? 0) + 1);
  const wrong: string[] = [];
  for (const [client, { attempted, acknowledged }] of pushes.entries()) {
    for (const n of attempted) {
      const count = counts.get(`${client}/${n}`) ?? 0;
      if (count > 1 || (count === 0 && acknowledged.has(n))) wrong.push(`${client}/${n} is there ${count} times`);
    }
  }
  assert.equal(wrong, [], place);
  assert.equal(await server.query('SELECT events FROM totals'), [{ events: events.length }], place);
  const latest = new Map((await server.query('SELECT id, v FROM latest')).map(({ id, v }) => [id, v ?? -1]));
  for (const [client, { latestAcknowledged, next }] of pushes.entries()) {
    const v = latest.get(client) ?? -1;
    assert.ok(v >= latestAcknowledged && v < next, `${place}: client ${client} has ${v}, not ${latestAcknowledged}`);
  }
}

/** mulberry32: from 0 to 1. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function inFolder(work: (folder: string, started: (server: Server) => Server) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
  let running: Server | null = null;
  try {
    await work(folder, (server) => {
      running = server;
      return server;
    });
  } finally {
    // SAFETY: the compiler does not see the assignment in the callback.
    await (running as Server | null)?.kill().catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  }
}

const livesMax = process.env['MILLRACE_LONG'] === '1' ? 5 : 2;
/** Of all clients together in one life. */
const rowsMax = process.env['MILLRACE_LONG'] === '1' ? 300 : 120;
const seeds = process.env['MILLRACE_LONG'] === '1' ? Array.from({ length: 20 }, (_, n) => n + 1) : [1, 2];

for (const seed of seeds) {
  test(`acknowledged rows are there exactly once after kills at random moments (seed ${seed})`, async () => {
    await inFolder(async (folder, started) => {
      const random = generator(seed);
      const pushes = clients.map(
        (): Pushed => ({ attempted: new Set(), acknowledged: new Set(), next: 0, latestAcknowledged: -1 }),
      );
      let server = started(await Server.start(folder));
      await server.create({ model: seed % 2 === 0 ? 'at_least_once' : 'exactly_once', checkpoint_interval_secs: 1 });
      for (let life = 0; life < livesMax; life++) {
        const until = pushes.reduce((sum, each) => sum + each.acknowledged.size, 0) + Math.floor(random() * rowsMax);
        const pushing = clients.map((client) => pushUntilKilled(server, client, pushes[client] as Pushed)); // SAFETY: one a client
        // The first life has no checkpoint but those of its own clock.
        if (life > 0) pushing.push(checkpointUntilKilled(server));
        while (pushes.reduce((sum, each) => sum + each.acknowledged.size, 0) < until) await pollPause();
        await server.kill();
        await Promise.all(pushing);
        server = started(await Server.start(folder));
        await server.untilRunning();
        await check(server, pushes, `seed ${seed}, life ${life}`);
      }
      // What a graceful end has checkpointed is not replayed on top of it.
      await server.kill('SIGTERM');
      server = started(await Server.start(folder));
      await server.untilRunning();
      await check(server, pushes, `seed ${seed}, after a graceful end`);
    });
  });
}

test('an atomic request is there as a whole after a kill, in CSV and JSON', async () => {
  await inFolder(async (folder, started) => {
    let server = started(await Server.start(folder));
    await server.create({ model: 'exactly_once' });
    const rows = Array.from({ length: 70_000 }, (_, n) => ({ client: 9, n }));
    assert.is((await server.push('events', rows, '&atomic=true')).status, 200);
    assert.is((await server.post('/p/ingress/events?format=csv', '8,1\n8,2\n')).status, 200);
    await server.kill();
    server = started(await Server.start(folder));
    await server.untilRunning();
    assert.equal(await server.query('SELECT events FROM totals'), [{ events: 70_002 }]);
  });
});

test('clearing the storage forgets logged rows, a forced stop does not', async () => {
  await inFolder(async (folder, started) => {
    const server = started(await Server.start(folder));
    await server.create({ model: 'at_least_once' });
    assert.is((await server.push('events', [{ client: 1, n: 1 }])).status, 200);
    const restart = async (): Promise<void> => {
      await server.post('/p/start');
      await server.untilRunning();
    };
    await stopped(server);
    await restart();
    assert.equal(await server.query('SELECT events FROM totals'), [{ events: 1 }]);
    await stopped(server);
    await server.post('/p/clear');
    await restart();
    assert.equal(await server.query('SELECT events FROM totals'), [{ events: 0 }]);
  });
});

test('a checkpoint within a transaction is refused and holds no input up', async () => {
  await inFolder(async (folder, started) => {
    const server = started(await Server.start(folder));
    await server.create({ model: 'at_least_once' });
    await server.post('/p/start_transaction');
    assert.is((await server.push('events', [{ client: 1, n: 1 }])).status, 200);
    await server.post('/p/checkpoint');
    // The reply says that it has begun; what became of it is told later.
    for (let status = ''; !/transaction/.test(status); await pollPause()) {
      status = await (await fetch(`${server.url}/v0/pipelines/p/checkpoint_status`)).text();
    }
    assert.is((await server.push('events', [{ client: 1, n: 2 }])).status, 200);
    await server.post('/p/commit_transaction');
    assert.is((await server.push('events', [{ client: 1, n: 3 }], '&wait=processed')).status, 200);
  });
});

async function stopped(server: Server): Promise<void> {
  await server.post('/p/stop?force=true');
  for (;;) {
    const response = await fetch(`${server.url}/v0/pipelines/p?selector=status`);
    // SAFETY: a descriptor is an object.
    const shown = (await response.json()) as Record<string, unknown>;
    if (shown['deployment_status'] === 'Stopped') return;
    await pollPause();
  }
}

test.run();
