// One timed run of the orders pipeline in a process of its own: file -> join -> group by -> file. Prints one JSON line
// {seconds, rows, checksum, peakMegabytes}; the checksum is made from the output file: rows counted at the far end.
//
//   node dist/bench/orders-run.js json|csv NUMBER-OF-ORDERS NUMBER-OF-USERS
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Pipeline } from '../index.ts';
import { makeOrdersFiles } from './orders-data.ts';

const [form = 'json', orders = '5000000', users = '100000'] = process.argv.slice(2);
const files = makeOrdersFiles('bench/data', Number(orders), Number(users));
const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
const sink = join(folder, 'spend.ndjson');

export const program: string = `
  CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, country VARCHAR);
  CREATE TABLE orders (id BIGINT, user_id BIGINT, amount DECIMAL(10, 2), ts TIMESTAMP, note VARCHAR);
  CREATE MATERIALIZED VIEW spend AS
  SELECT u.name, COUNT(*) AS orders, SUM(o.amount) AS total
  FROM orders o JOIN users u ON o.user_id = u.id GROUP BY u.name;
`;

const pipeline = await Pipeline.open({
  program,
  inputs: {
    users: {
      stream: 'users',
      labels: ['dimension'],
      transport: { name: 'file_input', config: { path: resolve(files.users) } },
      format: { name: 'csv', config: { headers: true } },
    },
    orders: {
      stream: 'orders',
      start_after: 'dimension',
      transport: {
        name: 'file_input',
        config: { path: resolve(form === 'csv' ? files.ordersCsv : files.ordersJson) },
      },
      format:
        form === 'csv'
          ? { name: 'csv', config: { headers: true } }
          : { name: 'json', config: { update_format: 'raw' } },
    },
  },
  outputs: {
    spend: {
      stream: 'spend',
      transport: { name: 'file_output', config: { path: sink } },
      format: { name: 'json' },
    },
  },
});
const started = performance.now();
await pipeline.start();
await pipeline.waitForCompletion();
const seconds = (performance.now() - started) / 1000;
const stats = await pipeline.stats();
await pipeline.stop();

// Off the clock: integrate the changes that were written.
let counted = 0n;
let cents = 0n;
let lines = 0;
const pattern = /^\{"(insert|delete)":\{"name":"[^"]*","orders":(\d+),"total":(\d+)\.(\d\d)\}\}$/;
for await (const line of createInterface({ input: createReadStream(sink), crlfDelay: Number.POSITIVE_INFINITY })) {
  const match = pattern.exec(line);
  if (match === null) throw new Error(`unexpected line ${line}`);
  const sign = match[1] === 'insert' ? 1n : -1n;
  counted += sign * BigInt(match[2] ?? 0);
  cents += sign * BigInt(`${match[3]}${match[4]}`);
  lines += 1;
}
await rm(folder, { recursive: true, force: true });
const checksum = `${counted} orders, ${cents} cents`;
const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1000);
const steps = stats.engine?.steps ?? 0;
process.stdout.write(`${JSON.stringify({ seconds, rows: Number(orders), lines, steps, checksum, peakMegabytes })}\n`);
