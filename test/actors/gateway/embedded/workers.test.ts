// `workers: N` of a pipeline: what is seen of it from outside is what one worker gives.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError, type OpenOptions, Pipeline } from '../../../../index.ts';

const program = `
CREATE TABLE orders (id BIGINT PRIMARY KEY, customer BIGINT, amount DECIMAL(10, 2)) WITH ('materialized' = 'true');
CREATE TABLE customers (id BIGINT PRIMARY KEY, name VARCHAR) WITH ('materialized' = 'true');
CREATE MATERIALIZED VIEW spent AS
  SELECT c.name, COUNT(*) AS orders, SUM(o.amount) AS amount FROM orders o JOIN customers c ON o.customer = c.id GROUP BY c.name;
CREATE MATERIALIZED VIEW total AS SELECT COUNT(*) AS c, MAX(amount) AS m FROM orders;`;

const customers = Array.from({ length: 7 }, (_, id) => ({ id, name: `customer ${id}` }));
const orders = (from: number, to: number): object[] =>
  Array.from({ length: to - from }, (_, i) => ({ id: from + i, customer: (from + i) % 7, amount: `${from + i}.25` }));

async function opened(options: Partial<OpenOptions>): Promise<Pipeline> {
  // SAFETY: the program is there.
  const pipeline = await Pipeline.open({ program, ...options } as OpenOptions);
  await pipeline.start();
  return pipeline;
}

async function seen(pipeline: Pipeline): Promise<unknown> {
  return [
    await pipeline.query('SELECT * FROM spent ORDER BY name'),
    await pipeline.query('SELECT * FROM total'),
    await pipeline.query('SELECT COUNT(*) AS c FROM orders WHERE amount > 100'),
  ];
}

async function run(options: Partial<OpenOptions>): Promise<unknown> {
  const pipeline = await opened(options);
  try {
    await pipeline.inputJson('customers', customers);
    await pipeline.completed(await pipeline.inputJson('orders', orders(0, 300)));
    const first = await seen(pipeline);
    const deletions = [
      { delete: { id: 3 } },
      { delete: { id: 299 } },
      { insert: { id: 4, customer: 1, amount: '9.00' } },
    ];
    await pipeline.completed(await pipeline.inputJson('orders', deletions, { updateFormat: 'insert_delete' }));
    return [first, await seen(pipeline)];
  } finally {
    await pipeline.stop({ force: true });
  }
}

test('queries see with three workers what they see with one', async () => {
  assert.equal(await run({ workers: 3 }), await run({}));
});

test('a checkpoint goes on with the workers that took it, whatever is asked for', async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'millrace-workers-'));
  try {
    const first = await opened({ workers: 2, dataFolder });
    await first.inputJson('customers', customers);
    await first.completed(await first.inputJson('orders', orders(0, 50)));
    const before = await seen(first);
    await first.stop();
    const lines: string[] = [];
    const second = await opened({ workers: 3, dataFolder, log: (entry) => lines.push(entry.message) });
    assert.equal(await seen(second), before);
    await second.completed(await second.inputJson('orders', orders(50, 60)));
    assert.equal(await second.query('SELECT c FROM total'), [{ c: 60 }]);
    await second.stop({ force: true });
    assert.ok(
      lines.some((line) => line.includes('taken by 2 workers')),
      lines.join('\n'),
    );
  } finally {
    rmSync(dataFolder, { recursive: true });
  }
});

test('a row that cannot be computed fails the pipeline, whichever worker it is on', async () => {
  const failing = 'CREATE TABLE t (k BIGINT, n BIGINT); CREATE VIEW v AS SELECT k, SUM(1 / n) AS s FROM t GROUP BY k;';
  const pipeline = await opened({ program: failing, workers: 3 });
  try {
    const rows = Array.from({ length: 20 }, (_, k) => ({ k, n: k === 13 ? 0 : 1 }));
    const token = await pipeline.inputJson('t', rows);
    const error: unknown = await pipeline.completed(token).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, MillraceError);
    const causes = (thrown: unknown): string =>
      thrown instanceof Error ? `${thrown.message}; ${causes(thrown.cause)}` : '';
    assert.match(causes(error), /division by zero/i);
  } finally {
    await pipeline.stop({ force: true });
  }
});

test('statistics say how many workers there are, and which views one of them computes alone', async () => {
  const pipeline = await opened({ workers: 3 });
  try {
    const { sharing } = (await pipeline.stats()).engine ?? {};
    assert.is(sharing?.asked, 3);
    assert.is(sharing?.workers, 3);
    assert.is(sharing?.alone.length, 1);
    assert.match(sharing?.alone[0] ?? '', /: total: aggregate of all rows/);
  } finally {
    await pipeline.stop({ force: true });
  }
});

test('a number of workers that is none is refused', async () => {
  const error: unknown = await Pipeline.open({ program, workers: 0 }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, MillraceError);
  assert.match(String(error), /workers/);
});

test.run();
