// A slow sink and many idle sources: what the pipeline holds in memory and in threads stays bounded, and nothing is lost.
//
// The sink is a named pipe that this file reads at its own pace. MILLRACE_LONG=1 runs the full 5,000,000 rows with the
// default bounds of the queues; without it a tenth of that with smaller queues, which fill as quickly.
import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AnyRow, type ChangeListener, Pipeline } from '../../index.ts';
import { Fixture, stateOf, statusWhere } from '../embedded/pipeline-fixture.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());

const isLong = process.env['MILLRACE_LONG'] === '1';
const rowCount = isLong ? 5_000_000 : 500_000;
const queue = isLong ? {} : { max_queued_records: 50_000 };
const slowRowsPerSecond = 1_000;
const slowSeconds = isLong ? 20 : 4;
const rssBytesMax = 300e6;
const deadlineMs = 300_000;

/** Reads `{"insert":{"x":N}}` lines from a named pipe without ever blocking; counts and sums them. */
class PipeReader {
  rows = 0;
  sum = 0n;
  readonly #seen: Uint8Array;
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(256 * 1024);
  #rest = '';
  doubled = 0;

  constructor(path: string, rowsMax: number) {
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#seen = new Uint8Array(rowsMax);
  }

  /** Takes at most so many bytes; returns how many there were. */
  take(bytesMax: number): number {
    let length = 0;
    try {
      length = readSync(this.#fd, this.#buffer, 0, Math.min(bytesMax, this.#buffer.length), null);
    } catch (error) {
      // Nobody has written since the last time.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
    const text = this.#rest + this.#buffer.toString('latin1', 0, length);
    const end = text.lastIndexOf('\n') + 1;
    for (const [, digits] of text.slice(0, end).matchAll(/^\{"insert":\{"x":(\d+)\}\}$/gm)) {
      const x = Number(digits);
      this.rows++;
      this.sum += BigInt(x);
      if (this.#seen[x] !== 0) this.doubled++;
      this.#seen[x] = 1;
    }
    this.#rest = text.slice(end);
    return length;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

const turn = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test(`a sink of ${slowRowsPerSecond} rows/s behind ${rowCount} rows throttles the source, takes little memory and loses nothing`, async () => {
  const path = fixture.path('pipe');
  execFileSync('mkfifo', [path]);
  const reader = new PipeReader(path, rowCount);
  const pipeline = await fixture.track(
    Pipeline.open({
      program: 'CREATE TABLE t (x BIGINT NOT NULL); CREATE VIEW v AS SELECT x FROM t;',
      inputs: {
        many: { stream: 't', transport: { name: 'datagen', config: { plan: [{ limit: rowCount }] } }, ...queue },
      },
      outputs: {
        slow: { stream: 'v', transport: { name: 'file_output', config: { path } }, format: { name: 'json' }, ...queue },
      },
    }),
  );
  let rssBytes = 0;
  const watch = setInterval(() => {
    rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
  }, 20);
  try {
    await pipeline.start();
    await statusWhere(pipeline, (status) => stateOf(status, 't.many') === 'throttled');
    const started = performance.now();
    const deadline = started + deadlineMs;
    // Until it has been slow for long enough, and has got what it could have taken in half of that time.
    for (;;) {
      const seconds = (performance.now() - started) / 1000;
      if (seconds > slowSeconds && reader.rows >= slowRowsPerSecond * slowSeconds * 0.5) break;
      // A line has some 22 bytes; a line more or less does not matter.
      while (reader.rows < seconds * slowRowsPerSecond && reader.take(2_000) > 0);
      assert.ok(performance.now() < deadline, `${reader.rows} rows within ${deadlineMs} ms`);
      await turn(20);
    }
    await statusWhere(pipeline, (status) => stateOf(status, 't.many') === 'throttled');
    const held = await pipeline.stats();
    assert.ok(held.inputs.every((input) => input.throttledMs > 0));
    assert.ok(Number(held.inputs[0]?.totalRecords) < rowCount, 'the source was not read to its end');
    const slowRss = rssBytes;
    assert.ok(slowRss < rssBytesMax, `${Math.round(slowRss / 1e6)} MB while the sink was slow`);

    while (reader.rows < rowCount) {
      if (reader.take(256 * 1024) === 0) await turn(1);
      else await new Promise((resolve) => setImmediate(resolve));
      assert.ok(performance.now() < deadline, `${reader.rows} rows within ${deadlineMs} ms`);
    }
    await pipeline.waitForCompletion({ timeoutMs: deadlineMs });
    assert.is(reader.take(1), 0, 'nothing comes after the last row');
    assert.is(reader.doubled, 0);
    assert.is(reader.rows, rowCount);
    assert.is(reader.sum, (BigInt(rowCount) * BigInt(rowCount - 1)) / 2n);
    assert.ok(rssBytes < rssBytesMax, `${Math.round(rssBytes / 1e6)} MB`);
    console.log(
      `memory at most ${Math.round(rssBytes / 1e6)} MB, ${Math.round(slowRss / 1e6)} MB while the sink was slow`,
    );
  } finally {
    clearInterval(watch);
    await pipeline.stop({ force: true });
    reader.close();
  }
});

const idleCount = 200;

test(`${idleCount} idle connectors take no more threads than cores + 4, and every one of them is awake`, async () => {
  const inputs: Record<string, Record<string, unknown>> = {};
  for (let i = 0; i < idleCount; i++) {
    fixture.write(`idle-${i}.csv`, `${i}\n`);
    inputs[`idle_${i}`] = {
      stream: 't',
      transport: { name: 'file_input', config: { path: `idle-${i}.csv`, follow: true } },
      format: { name: 'csv' },
    };
  }
  // The threads that Node keeps for files start with the first that is looked at, and are none of ours.
  await Promise.all(Array.from({ length: 64 }, () => stat(fixture.folder)));
  const threadsBefore = readdirSync('/proc/self/task').length;
  const pipeline = await fixture.track(
    Pipeline.open({
      program: 'CREATE TABLE t (x BIGINT); CREATE MATERIALIZED VIEW n AS SELECT COUNT(*) AS n, SUM(x) AS s FROM t;',
      baseFolder: fixture.folder,
      inputs,
    }),
  );
  await pipeline.startPaused();
  const changes = pipeline.listen('n');
  await pipeline.resume();
  await untilCount(changes, idleCount);
  for (let i = 0; i < idleCount; i++) appendFileSync(fixture.path(`idle-${i}.csv`), '1000\n');
  await untilCount(changes, 2 * idleCount);
  const { threads } = await pipeline.stats();
  const threadsMore = readdirSync('/proc/self/task').length - threadsBefore;
  assert.equal(await pipeline.query('SELECT * FROM n'), [
    { n: 2 * idleCount, s: (idleCount * (idleCount - 1)) / 2 + 1000 * idleCount },
  ]);
  assert.ok(
    pipeline.status.connectors.every((connector) => connector.state === 'running'),
    JSON.stringify(pipeline.status.connectors.find((connector) => connector.state !== 'running')),
  );
  console.log(`${threadsMore} threads more for ${idleCount} connectors: ${threads.map(({ name }) => name).join(', ')}`);
  assert.ok(threadsMore <= availableParallelism() + 4, `${threadsMore} threads`);
  await changes.close();
  await pipeline.stop();
});

/** Reads changes until the view says that there are so many rows. */
async function untilCount(changes: ChangeListener<AnyRow>, n: number): Promise<void> {
  for (;;) {
    const next = await changes.next();
    if (next.done) throw new Error(`the view ended before there were ${n} rows`);
    const { rows, weights } = next.value;
    if (rows.some((row, i) => row['n'] === n && Number(weights[i]) > 0)) return;
  }
}

test.run();
