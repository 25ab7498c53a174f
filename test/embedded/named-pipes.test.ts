// Named pipes as inputs and outputs: they carry rows, and a pipeline whose pipe has nobody at its other side can still be stopped.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../index.ts';
import { content, Fixture, stateOf, statusWhere } from './pipeline-fixture.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());

const program = 'CREATE TABLE t (x BIGINT NOT NULL); CREATE MATERIALIZED VIEW v AS SELECT x FROM t;';

function pipe(name: string): string {
  const path = fixture.path(name);
  execFileSync('mkfifo', [path]);
  return path;
}

const reads = (path: string, follow = false): Record<string, unknown> => ({
  stream: 't',
  transport: { name: 'file_input', config: { path, follow } },
  format: { name: 'csv' },
});
const writes = (path: string): Record<string, unknown> => ({
  stream: 'v',
  transport: { name: 'file_output', config: { path } },
  format: { name: 'json' },
});

test('rows come in through one pipe and go out through another, to the end', async () => {
  const [from, to] = [pipe('from'), pipe('to')];
  const pipeline = await fixture.track(
    Pipeline.open({ program, inputs: { piped: reads(from) }, outputs: { piped: writes(to) } }),
  );
  const written = readFile(to, 'utf8');
  await pipeline.start();
  const rows = Array.from({ length: 100_000 }, (_, x) => x);
  await writeFile(from, `${rows.join('\n')}\n`);
  await pipeline.waitForCompletion();
  assert.equal(await pipeline.query('SELECT COUNT(*) AS n, SUM(x) AS s FROM v'), [{ n: 100_000, s: 4_999_950_000 }]);
  await pipeline.stop();
  const views = content((await written).split('\n').filter((line) => line !== ''));
  assert.is(views.size, rows.length);
  assert.ok(rows.every((x) => views.get(`{"x":${x}}`) === 1));
});

test('a followed pipe is read on when the next process writes into it', async () => {
  const from = pipe('followed');
  const pipeline = await fixture.track(Pipeline.open({ program, inputs: { piped: reads(from, true) } }));
  await pipeline.start();
  const changes = pipeline.listen('v');
  for (const x of [1, 2]) {
    await writeFile(from, `${x}\n`);
    const next = await changes.next();
    assert.equal(next.done ? null : next.value.rows, [{ x }]);
  }
  await changes.close();
  await pipeline.stop();
});

test('a pipeline stops although nobody writes into the pipe that it reads', async () => {
  const pipeline = await fixture.track(Pipeline.open({ program, inputs: { piped: reads(pipe('silent')) } }));
  await pipeline.start();
  await statusWhere(pipeline, (status) => stateOf(status, 't.piped') === 'running');
  await pipeline.stop();
  assert.is(pipeline.status.state, 'stopped');
});

test('a pipeline is stopped by force although nobody empties the pipe that it writes', async () => {
  const path = pipe('full');
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const many = { stream: 't', transport: { name: 'datagen', config: { plan: [{ limit: 500_000 }] } } };
    const pipeline = await fixture.track(
      Pipeline.open({
        program,
        inputs: { many: { ...many, max_queued_records: 10_000 } },
        outputs: { full: { ...writes(path), max_queued_records: 10_000 } },
      }),
    );
    await pipeline.start();
    await statusWhere(pipeline, (status) => stateOf(status, 't.many') === 'throttled');
    await pipeline.stop({ force: true });
    assert.is(pipeline.status.state, 'stopped');
  } finally {
    closeSync(reader);
  }
});

test.run();
