// The clock in a running pipeline: NOW() moves by itself, stands still while the pipeline is paused, and ends nothing.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../../index.ts';

test('a view with NOW() is updated without any input, in ticks of the resolution', async () => {
  const pipeline = await Pipeline.open({
    program: `CREATE TABLE t (ts TIMESTAMP);
      CREATE MATERIALIZED VIEW v AS SELECT NOW() AS x;
      CREATE MATERIALIZED VIEW recent AS SELECT COUNT(*) AS c FROM t WHERE ts > NOW() - INTERVAL '1' DAY;`,
    transportDefaults: { clock: { clock_resolution_usecs: 20_000 } },
  });
  await pipeline.start();
  const time = async (): Promise<string> => {
    for (;;) {
      const [row] = await pipeline.query('SELECT CAST(x AS VARCHAR) AS x FROM v');
      if (row !== undefined) return String(row['x']);
    }
  };
  const first = await time();
  let later = first;
  while (later === first) later = await time();
  assert.ok(later > first);
  assert.is(Date.parse(`${later.replace(' ', 'T')}Z`) % 20, 0);
  await pipeline.inputJson('t', [{ ts: later }, { ts: '2001-01-01 00:00:00' }]);
  let count: unknown = 0;
  while (count !== 1) count = (await pipeline.query('SELECT CAST(c AS INT) AS c FROM recent'))[0]?.['c'];
  const { inputs } = await pipeline.stats();
  assert.equal(
    inputs.map(({ endpoint, relation }) => [endpoint, relation]),
    [['now', 'now']],
  );
  await pipeline.pause();
  const [before] = await pipeline.query('SELECT x FROM v');
  const [after] = await pipeline.query('SELECT x FROM v');
  assert.equal(before, after);
  await pipeline.stop({ force: true });
});

test('the clock keeps nobody waiting for the end of the inputs', async () => {
  const pipeline = await Pipeline.open({
    program: `CREATE TABLE t (x INT);
      CREATE MATERIALIZED VIEW v AS SELECT x FROM t WHERE NOW() > TIMESTAMP '2020-01-01 00:00:00';`,
    inputs: { 't.rows': { stream: 't', transport: { name: 'datagen', config: { plan: [{ limit: 3 }] } } } },
  });
  await pipeline.start();
  await pipeline.waitForCompletion();
  assert.is((await pipeline.query('SELECT x FROM v')).length, 3);
  await pipeline.stop({ force: true });
});

test.run();
