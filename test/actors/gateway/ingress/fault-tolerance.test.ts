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
import { startTestServer } from '../server/test-server.ts';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', 'main.js');
const program = `
CREATE TABLE events (client INT, n INT) WITH ('materialized' = 'true');
CREATE TABLE latest (id INT NOT NULL PRIMARY KEY, v INT) WITH ('materialized' = 'true');
CREATE MATERIALIZED VIEW totals AS SELECT COUNT(*) AS events FROM events;`;
const clients = process.env['MILLRACE_LONG'] === '1' ? [0, 1, 2, 3] : [0, 1];

class Server {
  readonly url: string;
  readonly #child: ChildProcess | null;

  /** Null: it is one of this process, and is not killed. */
  constructor(child: ChildProcess | null, url: string) {
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
    const child = this.#child;
    if (child === null) throw new Error('a server of the test process is not killed');
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  post(path: string, body = ''): Promise<Response> {
    return fetch(`${this.url}/v0/pipelines${path}`, { method: 'POST', body });
  }

  async create(faultTolerance: object, pipeline = 'p'): Promise<void> {
    const runtime_config = { fault_tolerance: faultTolerance };
    const made = await this.post('', JSON.stringify({ name: pipeline, program_code: program, runtime_config }));
    assert.is(made.status, 201);
    await this.post(`/${pipeline}/start`);
    await this.untilRunning(pipeline);
  }

  async untilRunning(pipeline = 'p'): Promise<void> {
    for (;;) {
      const response = await fetch(`${this.url}/v0/pipelines/${pipeline}?selector=status`);
      // SAFETY: a descriptor is an object.
      const shown = (await response.json()) as Record<string, unknown>;
      assert.is(shown['deployment_error'], null);
      if (shown['deployment_status'] === 'Running') return;
      await pollPause();
    }
  }

  push(table: string, rows: readonly object[], query = '', pipeline = 'p'): Promise<Response> {
    const body = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    return this.post(`/${pipeline}/ingress/${table}?format=json&update_format=raw${query}`, body);
  }

  async query(sql: string, pipeline = 'p'): Promise<Record<string, number>[]> {
    const response = await fetch(
      `${this.url}/v0/pipelines/${pipeline}/query?format=json&sql=${encodeURIComponent(sql)}`,
    );
    const text = (await response.text()).trim();
    assert.is(response.status, 200, text);
    // SAFETY: columns of the tables here are integers.
    return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Record<string, number>);
  }
}

/** What one client of a pipeline has tried and what was acknowledged, over all lives of the server. */
interface Pushed {
  readonly pipeline: string;
  readonly client: number;
  readonly attempted: Set<number>;
  readonly acknowledged: Set<number>;
  next: number;
  latestAcknowledged: number;
}

async function pushUntilKilled(server: Server, pushed: Pushed): Promise<void> {
  const { pipeline, client } = pushed;
  try {
    for (;;) {
      const n = pushed.next++;
      pushed.attempted.add(n);
      const events = await server.push('events', [{ client, n }], '', pipeline);
      await events.text();
      if (events.status === 200) pushed.acknowledged.add(n);
      const latest = await server.push('latest', [{ id: client, v: n }], '', pipeline);
      await latest.text();
      if (latest.status === 200) pushed.latestAcknowledged = n;
    }
  } catch {
    // The server has gone.
  }
}

async function checkpointUntilKilled(server: Server, pipeline: string): Promise<void> {
  try {
    for (;;) {
      await (await server.post(`/${pipeline}/checkpoint`)).text();
      await pollPause();
    }
  } catch {
    // The server has gone.
  }
}

async function check(server: Server, pipeline: string, pushes: readonly Pushed[], place: string): Promise<void> {
  const events = await server.query('SELECT client, n FROM events', pipeline);
  const counts = new Map<string, number>();
  for (const { client, n } of events) counts.set(`${client}/${n}`, (counts.get(`${client}/${n}`) ?? 0) + 1);
  const wrong: string[] = [];
  for (const { client, attempted, acknowledged } of pushes) {
    for (const n of attempted) {
      const count = counts.get(`${client}/${n}`) ?? 0;
      if (count > 1 || (count === 0 && acknowledged.has(n))) wrong.push(`${client}/${n} is there ${count} times`);
    }
  }
  assert.equal(wrong, [], place);
  assert.equal(await server.query('SELECT events FROM totals', pipeline), [{ events: events.length }], place);
  const latest = new Map((await server.query('SELECT id, v FROM latest', pipeline)).map(({ id, v }) => [id, v ?? -1]));
  for (const { client, latestAcknowledged, next } of pushes) {
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

const long = process.env['MILLRACE_LONG'] === '1';
const livesMax = long ? 5 : 2;
/** Of all clients together in one life. */
const rowsMax = long ? 300 : 120;
const seeds = long ? Array.from({ length: 20 }, (_, n) => n + 1) : [1];
/** Pipelines of one server, which are killed at the same moment. */
const models = { exact: 'exactly_once', least: 'at_least_once' } as const;

for (const seed of seeds) {
  test(`acknowledged rows are there exactly once after kills at random moments (seed ${seed})`, async () => {
    await inFolder(async (folder, started) => {
      const random = generator(seed);
      const pipelines = Object.keys(models);
      const pushes = pipelines.flatMap((pipeline) =>
        clients.map((client): Pushed => {
          return { pipeline, client, attempted: new Set(), acknowledged: new Set(), next: 0, latestAcknowledged: -1 };
        }),
      );
      const ofPipeline = (name: string): readonly Pushed[] => pushes.filter(({ pipeline }) => pipeline === name);
      const acknowledged = (name: string): number =>
        ofPipeline(name).reduce((sum, each) => sum + each.acknowledged.size, 0);
      const restarted = async (place: string): Promise<void> => {
        server = started(await Server.start(folder));
        for (const pipeline of pipelines) {
          await server.untilRunning(pipeline);
          await check(server, pipeline, ofPipeline(pipeline), `seed ${seed}, ${pipeline}, ${place}`);
        }
      };
      let server = started(await Server.start(folder));
      for (const [pipeline, model] of Object.entries(models))
        await server.create({ model, checkpoint_interval_secs: 1 }, pipeline);
      for (let life = 0; life < livesMax; life++) {
        const more = Math.floor(random() * rowsMax);
        const until = new Map(pipelines.map((pipeline) => [pipeline, acknowledged(pipeline) + more]));
        const pushing = pushes.map((pushed) => pushUntilKilled(server, pushed));
        // The first life has no checkpoint but those of its own clock.
        if (life > 0) pushing.push(...pipelines.map((pipeline) => checkpointUntilKilled(server, pipeline)));
        while ([...until].some(([pipeline, rows]) => acknowledged(pipeline) < rows)) await pollPause();
        await server.kill();
        await Promise.all(pushing);
        await restarted(`life ${life}`);
      }
      // What a graceful end has checkpointed is not replayed on top of it.
      await server.kill('SIGTERM');
      await restarted('after a graceful end');
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

async function withServer(work: (server: Server) => Promise<void>): Promise<void> {
  const server = await startTestServer();
  try {
    await work(new Server(null, server.url));
  } finally {
    await server.close();
  }
}

test('clearing the storage forgets logged rows, a forced stop does not', async () => {
  await withServer(async (server) => {
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
  await withServer(async (server) => {
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
