// `npm run bench [-- WORKLOAD …] [--repeat N]`: measures Millrace beside a rival in the same run, process by process, in turn.
//
// Every figure is the median of N runs (default 5) after one that is not counted, with the A/A noise of its own runs; a
// workload fails when a run's checksum is not the expected one or differs from the rival's.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { noisePercent, spread } from '../actors/gateway/bench/statistics.ts';
import { felderaThousands, nexmarkQueries } from './nexmark-queries.ts';
import { makeOrdersFiles, megabytes } from './orders-data.ts';

const here = dirname(fileURLToPath(import.meta.url));
const orders = 5_000_000;
const users = 100_000;

interface Measured {
  readonly seconds: number;
  readonly rows: number;
  readonly checksum: string;
  readonly [extra: string]: unknown;
}

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  /** Reads the one line of JSON that the command printed. */
  read(line: unknown): Measured;
}

interface Workload {
  readonly name: string;
  readonly title: string;
  readonly contenders: readonly Contender[];
  readonly checksum: string | null;
  readonly figures: (runs: readonly (readonly Measured[])[]) => readonly string[];
}

// SAFETY: the scripts of this folder print these members.
const readMeasured = (line: unknown): Measured => line as Measured;
const script = (name: string, ...args: readonly (string | number)[]): string[] => [
  join(here, `${name}.js`),
  ...args.map(String),
];

function millionRows(runs: readonly Measured[]): string {
  const rates = runs.map((run) => run.rows / run.seconds / 1e6);
  const { min, median, max } = spread(rates);
  return `${median.toFixed(2)} M rows/s (${min.toFixed(2)}–${max.toFixed(2)}, A/A noise ${noisePercent(rates).toFixed(1)} %)`;
}

function ratioLines(names: readonly string[], runs: readonly (readonly Measured[])[]): string[] {
  const lines = runs.map((own, i) => `  ${(names[i] ?? '').padEnd(10)} ${millionRows(own)}`);
  const [ours = [], ...rivals] = runs;
  rivals.forEach((rival, i) => {
    const perRow = (run: Measured | undefined): number => (run === undefined ? Number.NaN : run.seconds / run.rows);
    const ratios = ours.map((run, pair) => perRow(rival[pair]) / perRow(run));
    const { min, median, max } = spread(ratios);
    lines.push(`  ${median.toFixed(2)} times ${names[i + 1] ?? ''} (pairs ${min.toFixed(2)}–${max.toFixed(2)})`);
  });
  return lines;
}

function ordersWorkload(form: 'json' | 'csv'): Workload {
  const files = makeOrdersFiles('bench/data', orders, users);
  const path = resolve(form === 'csv' ? files.ordersCsv : files.ordersJson);
  const columns = "{id: 'BIGINT', user_id: 'BIGINT', amount: 'DECIMAL(10, 2)', ts: 'TIMESTAMP', note: 'VARCHAR'}";
  const reader =
    form === 'csv'
      ? `read_csv('${path}', header = true, columns = ${columns})`
      : `read_json('${path}', format = 'newline_delimited', columns = ${columns})`;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-rival-'));
  const query = join(folder, 'query.sql');
  const result = join(folder, 'spend.ndjson');
  writeFileSync(
    query,
    `COPY (SELECT u.name, COUNT(*) AS orders, SUM(o.amount) AS total FROM ${reader} o
     JOIN read_csv('${resolve(files.users)}', header = true,
       columns = {id: 'BIGINT', name: 'VARCHAR', country: 'VARCHAR'}) u ON o.user_id = u.id GROUP BY u.name)
     TO '${result}' (FORMAT json);
SELECT CAST(SUM(orders) AS VARCHAR) AS n, CAST(CAST(SUM(total) * 100 AS HUGEINT) AS VARCHAR) AS c
     FROM read_json('${result}', columns = {name: 'VARCHAR', orders: 'BIGINT', total: 'DECIMAL(38, 2)'})`,
  );
  return {
    name: `orders-${form}`,
    title: `${orders / 1e6} M orders as ${form === 'csv' ? 'CSV' : 'NDJSON'} (${Math.round(megabytes(path))} MB) join ${users / 1000} k users, group by user, to a file`,
    checksum: null,
    contenders: [
      { name: 'Millrace', command: script('orders-run', form, orders, users), read: readMeasured },
      {
        name: 'DuckDB',
        command: script('duckdb-rival', query),
        read(line): Measured {
          // SAFETY: duckdb-rival prints the rows of the last statement.
          const { seconds, rows } = line as { seconds: number; rows: [[string, string]] };
          return { seconds, rows: orders, checksum: `${rows[0][0]} orders, ${rows[0][1]} cents` };
        },
      },
    ],
    figures: (runs) => [
      ...ratioLines(['Millrace', 'DuckDB'], runs),
      `  Millrace keeps the view up to date all along: ${runs[0]?.[0]?.['lines']} changes in ${runs[0]?.[0]?.['steps']} steps; peak memory ${runs[0]?.[0]?.['peakMegabytes']} MB`,
    ],
  };
}

function engineWorkload(query: 'group' | 'join'): Workload {
  const rivalRows = 200_000;
  const rows = 4_000_000;
  const sums = (count: number): number => (count / 100) * 4950;
  return {
    name: `engine-${query}`,
    title: `circuit only: ${query === 'group' ? 'group by, COUNT and SUM over 1,000 groups' : 'join with 1,000 users'}, steps of 10,000 rows`,
    checksum: null,
    contenders: [
      {
        name: 'Millrace',
        command: script('engine-run', 'millrace', query, rows, 10_000),
        read: (line) => expectChecksum(readMeasured(line), `${rows} rows, sum ${sums(rows)}`),
      },
      {
        name: 'db-ivm',
        command: script('engine-run', 'db-ivm', query, rivalRows, 10_000),
        read: (line) => expectChecksum(readMeasured(line), `${rivalRows} rows, sum ${sums(rivalRows)}`),
      },
    ],
    figures: (runs) => ratioLines(['Millrace', 'db-ivm'], runs),
  };
}

/** Contenders of different sizes are checked one by one; afterwards all count as equal. */
function expectChecksum(measured: Measured, expected: string): Measured {
  if (measured.checksum !== expected) throw new Error(`computed "${measured.checksum}", expected "${expected}"`);
  return { ...measured, checksum: 'as expected' };
}

function latencyWorkload(load: 'idle' | 'busy'): Workload {
  const of = (runs: readonly Measured[], key: string): string =>
    spread(runs.map((run) => Number(run[key]))).median.toFixed(2);
  return {
    name: `latency-${load}`,
    title: `one row, push to listener, ${load === 'idle' ? 'idle' : 'beside 500,000 rows/s from a generator'}`,
    checksum: '2300 seen',
    contenders: [{ name: 'Millrace', command: script('latency-run', load, 2000), read: readMeasured }],
    figures: ([own = []]) => [`  p50 ${of(own, 'p50')} ms, p99 ${of(own, 'p99')} ms (medians of ${own.length} runs)`],
  };
}

function httpWorkload(load: 'bulk' | 'small' | 'wide'): Workload {
  const rows = load === 'bulk' ? 4_000_000 : 200_000;
  const titles = {
    bulk: 'NDJSON rows of 100 bytes over HTTP in 1 MB bodies, 4 connections, into COUNT and SUM; client included',
    small: 'one row a request, 64 connections',
    wide: 'one row a request, 1,000 connections',
  };
  return {
    name: `http-${load}`,
    title: titles[load],
    checksum: 'answered',
    contenders: [
      { name: 'Millrace', command: script('http-run', load, 'millrace', rows), read: readMeasured },
      { name: 'bare node:http', command: script('http-run', load, 'bare', rows), read: readMeasured },
    ],
    figures: (runs) => ratioLines(['Millrace', 'node:http'], runs),
  };
}

function egressWorkload(): Workload {
  const of = (runs: readonly Measured[], key: string): number => spread(runs.map((run) => Number(run[key]))).median;
  return {
    name: 'egress',
    title: '1,000 listeners of one view over HTTP, 100 of them slow, 10 rows of 1.4 KB every 60 ms, 450 times',
    checksum: '900 of 900 listeners have all rows',
    contenders: [{ name: 'Millrace', command: script('egress-run', 1000, 100, 450), read: readMeasured }],
    figures: ([own = []]) => [
      `  push to listener p50 ${of(own, 'p50').toFixed(1)} ms, p99 ${of(own, 'p99').toFixed(1)} ms; a slow one was kept ${of(own, 'slowRows')} of 4500 rows; peak memory of the server ${of(own, 'megabytes')} MB`,
    ],
  };
}

function passthroughWorkload(kind: string, what: string): Workload {
  const lines = 2_000_000;
  // Twice the same: what the second shows is the noise of the first (A/A).
  const contender = (name: string): Contender => ({
    name,
    command: script('passthrough-run', kind, lines),
    read: readMeasured,
  });
  return {
    name: `passthrough-${kind}`,
    title: `${what}, ${lines / 1e6} M lines, counted in the file at the far end`,
    checksum: `${lines} lines`,
    contenders: [contender('Millrace'), contender('again')],
    figures: (runs) => [
      ...ratioLines(['Millrace', 'itself'], runs),
      `  ${(spread(runs.flat().map((run) => Number(run['cpuSeconds']))).median / (lines / 1e6)).toFixed(2)} s of CPU for a million records, all threads together`,
      '  Conduit, as its authors publish it (benchi/METHODOLOGY.md, counted in a file, on a machine of their own): 338,200 records/s',
      '  in the median for its default engine, 252,954 for its second one; it is not run beside',
    ],
  };
}

function connectorWorkload(transport: string, title: string): Workload {
  const rows = 2_000_000;
  return {
    name: `connectors-${transport}`,
    title: `${rows / 1e6} M rows of about 100 bytes ${title}, into COUNT and SUM, beside the bare client reading the same bytes`,
    checksum: `${rows} rows`,
    contenders: [
      { name: 'Millrace', command: script('connectors-run', transport, 'millrace', rows), read: readMeasured },
      { name: 'bare client', command: script('connectors-run', transport, 'bare', rows), read: readMeasured },
    ],
    figures: (runs) => [
      ...ratioLines(['Millrace', 'bare client'], runs),
      ...['Millrace', 'bare client'].map((name, i) => {
        const own = runs[i] ?? [];
        const rate = spread(own.map((run) => Number(run['megabytes']) / run.seconds)).median;
        const cpu = spread(own.map((run) => Number(run['cpuSeconds']))).median;
        return `  ${name.padEnd(11)} ${rate.toFixed(0)} MB/s, ${cpu.toFixed(1)} s of CPU`;
      }),
    ],
  };
}

function nexmarkWorkload(): Workload {
  const events = 2_000_000;
  const rivalQueries = ['q0', 'q1', 'q2', 'q3'];
  const rivals = rivalQueries.map((query): Contender => {
    return { name: `db-ivm ${query}`, command: script('nexmark-rival', query, 200_000), read: readMeasured };
  });
  return {
    name: 'nexmark',
    title: `Nexmark, ${events / 1e6} M events, steps of 40,000; each query is compared with DuckDB over 60,000 events first`,
    checksum: 'as DuckDB',
    contenders: [
      ...nexmarkQueries.flatMap((query): Contender[] => [
        { name: query, command: script('nexmark-run', 'pipeline', query, events), read: readMeasured },
        { name: `${query} circuit`, command: script('nexmark-run', 'circuit', query, events), read: readMeasured },
      ]),
      ...rivals,
    ],
    figures: (runs) => nexmarkTable(runs, rivalQueries),
  };
}

/** Markdown, for docs/benchmarks.md. */
function nexmarkTable(runs: readonly (readonly Measured[])[], rivalQueries: readonly string[]): readonly string[] {
  const of = (own: readonly Measured[], value: (run: Measured) => number): number => spread(own.map(value)).median;
  const thousands = (own: readonly Measured[], seconds: (run: Measured) => number): number =>
    of(own, (run) => run.rows / seconds(run) / 1000);
  const ratios: number[] = [];
  const lines = nexmarkQueries.map((query, i) => {
    const pipeline = runs[2 * i] ?? [];
    const own = runs[2 * i + 1] ?? [];
    const threads = thousands(pipeline, ({ seconds }) => seconds);
    const clock = thousands(pipeline, (run) => Number(run['wallSeconds']));
    const all = thousands(pipeline, (run) => run.seconds + Number(run['second']) + Number(run['otherSeconds']));
    const circuit = thousands(own, ({ seconds }) => seconds);
    const whole = thousands(own, (run) => run.seconds + Number(run['generating']));
    const feldera = felderaThousands[query] ?? Number.NaN;
    ratios.push(threads / feldera);
    const rival = runs[2 * nexmarkQueries.length + rivalQueries.indexOf(query)];
    const rivalText =
      rivalQueries.includes(query) && rival !== undefined ? thousands(rival, (run) => run.seconds) : null;
    const cells = [
      query,
      threads.toFixed(0),
      feldera.toFixed(0),
      (threads / feldera).toFixed(2),
      clock.toFixed(0),
      all.toFixed(0),
      whole.toFixed(0),
      circuit.toFixed(0),
      rivalText === null ? '' : `${rivalText.toFixed(0)} (${(circuit / rivalText).toFixed(0)} times)`,
      of(own, (run) => Number(run['compileMs'])).toFixed(0),
      of(own, (run) => Number(run['peakMegabytes'])).toFixed(0),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  const behind = nexmarkQueries.filter((_, i) => (ratios[i] ?? 0) < 1);
  return [
    '| query | two threads, by the busier one | Feldera in Rust | times | by the clock | CPU of all threads | one thread, generator included | circuit alone | db-ivm, circuit alone | compiled in ms | peak MB |',
    `|${' --- |'.repeat(11)}`,
    ...lines,
    '',
    `Geometric mean: ${mean.toFixed(2)} times. Below 1: ${behind.length === 0 ? 'none' : behind.join(', ')}.`,
  ];
}

const workloads: Readonly<Record<string, () => Workload>> = {
  'passthrough-file': () => passthroughWorkload('file-file', 'a file of lines of 100 bytes copied'),
  'passthrough-json': () => passthroughWorkload('file-json', 'lines of 100 bytes to whole records (opencdc/json)'),
  'passthrough-generator': () => passthroughWorkload('generator-file', 'made-up raw records of three fields to lines'),
  'orders-json': () => ordersWorkload('json'),
  'orders-csv': () => ordersWorkload('csv'),
  flights: () => ({
    name: 'flights',
    title: 'examples/flights: 3,003,376 rows, Parquet and CSV to three views',
    checksum: '3000000 flights',
    contenders: [{ name: 'Millrace', command: script('flights-run'), read: readMeasured }],
    figures: (runs) => ratioLines(['Millrace'], runs),
  }),
  'latency-idle': () => latencyWorkload('idle'),
  'latency-busy': () => latencyWorkload('busy'),
  'engine-group': () => engineWorkload('group'),
  'engine-join': () => engineWorkload('join'),
  nexmark: nexmarkWorkload,
  'connectors-kafka': () => connectorWorkload('kafka', 'of JSON in a topic of Kafka'),
  'connectors-s3': () => connectorWorkload('s3', 'of JSON in objects of S3'),
  'connectors-postgres': () => connectorWorkload('postgres', 'of a table of PostgreSQL'),
  http: () => httpWorkload('bulk'),
  'http-small': () => httpWorkload('small'),
  'http-wide': () => httpWorkload('wide'),
  egress: egressWorkload,
  memory: () => ({
    name: 'memory',
    title: 'one million groups of (BIGINT, COUNT, SUM)',
    checksum: '1000000 groups',
    contenders: [{ name: 'Millrace', command: script('memory-run', 1_000_000), read: readMeasured }],
    figures: ([own = []]) => [
      `  ${own[0]?.['stateMegabytes']} MB of state (${own[0]?.['bytesPerGroup']} bytes a group), V8 heap ${own[0]?.['heapMegabytes']} MB`,
    ],
  }),
};

function runOnce(contender: Contender): Measured {
  const result = spawnSync(process.execPath, [...contender.command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  if (result.status !== 0) throw new Error(`${contender.name} exited with ${result.status}`);
  return contender.read(JSON.parse(result.stdout.trim().split('\n').at(-1) ?? ''));
}

function measure(workload: Workload, repeat: number): void {
  console.log(`\n${workload.name}: ${workload.title}`);
  const runs: Measured[][] = workload.contenders.map(() => []);
  for (let round = 0; round <= repeat; round++) {
    workload.contenders.forEach((contender, i) => {
      const measured = runOnce(contender);
      const expected = workload.checksum ?? runs[0]?.[0]?.checksum ?? measured.checksum;
      if (measured.checksum !== expected) {
        throw new Error(`${contender.name} computed "${measured.checksum}", expected "${expected}"`);
      }
      // The first round warms the file cache and is not counted.
      if (round > 0) runs[i]?.push(measured);
    });
  }
  console.log(`  result checked: ${runs[0]?.[0]?.checksum}`);
  for (const line of workload.figures(runs)) console.log(line);
}

const { values, positionals } = parseArgs({
  options: { repeat: { type: 'string', default: '5' } },
  allowPositionals: true,
});
// A name stands for all workloads that begin with it and a dash, too: `connectors`, `orders`.
const chosen =
  positionals.length === 0
    ? Object.keys(workloads)
    : positionals.flatMap((name) => {
        const group = Object.keys(workloads).filter((known) => known.startsWith(`${name}-`));
        return name in workloads || group.length === 0 ? [name] : group;
      });
const unknown = chosen.filter((name) => !(name in workloads));
if (unknown.length > 0) {
  console.error(`no workload ${unknown.join(', ')}; there are ${Object.keys(workloads).join(', ')}`);
  process.exit(2);
}
console.log(`node ${process.version}, ${availableParallelism()} cores, ${values.repeat} runs each`);
for (const name of chosen) {
  const make = workloads[name];
  if (make !== undefined) measure(make(), Number(values.repeat));
}
