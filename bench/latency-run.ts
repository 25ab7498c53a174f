// Latency of one row, from `inputJson` in the user's thread to the change at a listener there. Prints one JSON line
// {seconds, rows, checksum, p50, p99} (milliseconds).
//
//   node dist/bench/latency-run.js idle|busy ROWS
//
// busy: a datagen connector feeds another table of the same pipeline at 500,000 rows/s meanwhile, about half of what it takes.

import { percentile } from '../actors/gateway/bench/statistics.ts';
import { Pipeline } from '../index.ts';

const [load = 'idle', rowsText = '2000'] = process.argv.slice(2);
const rows = Number(rowsText);
const warmUp = 300;

const pipeline = await Pipeline.open<{ ticks: { id: number }; seen: { id: number } }>({
  program: `
    CREATE TABLE ticks (id BIGINT NOT NULL);
    CREATE VIEW seen AS SELECT id FROM ticks;
    CREATE TABLE noise (id BIGINT, amount BIGINT);
    CREATE VIEW noise_total AS SELECT id % 100 AS bucket, COUNT(*) AS n, SUM(amount) AS total FROM noise GROUP BY id % 100;
  `,
  inputs:
    load === 'busy'
      ? { noise: { stream: 'noise', transport: { name: 'datagen', config: { plan: [{ rate: 500_000 }] } } } }
      : {},
});
await pipeline.start();
const changes = pipeline.listen('seen')[Symbol.asyncIterator]();
const samples: number[] = [];
let received = 0;
const begun = performance.now();
for (let id = 0; id < warmUp + rows; id++) {
  const started = performance.now();
  const pushed = pipeline.inputJson('ticks', [{ id }]);
  const next = await changes.next();
  const elapsed = performance.now() - started;
  if (!next.done && next.value.rows[0]?.id === id) received += 1;
  if (id >= warmUp) samples.push(elapsed);
  await pushed;
}
const seconds = (performance.now() - begun) / 1000;
await pipeline.stop({ force: true });
const line = {
  seconds,
  rows: warmUp + rows,
  checksum: `${received} seen`,
  p50: percentile(samples, 0.5),
  p99: percentile(samples, 0.99),
};
process.stdout.write(`${JSON.stringify(line)}\n`);
