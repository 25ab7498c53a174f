// The cost of a step follows the change, not the state: 1,000 changes with 10^4 to 10^7 rows of state, for the operators that have one.
//
// Each operator is a process. Its state grows by 1,000 rows a step, and the longest of these steps is told; at each size, steps of 1,000
// changes all over the state are timed (CPU time, of the least disturbed of several samples, as the machine may have other work), each
// followed by one that takes the changes back, so that the size stays.
import { setImmediate } from 'node:timers/promises';
import { percentile, spread } from '../../actors/gateway/bench/statistics.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { BareCircuit, scattered } from '../bare-circuit.ts';
import { type Measured, markdownTable, type Workloads } from '../workload.ts';

const sizes = [1e4, 1e5, 1e6, 1e7];
const changes = 1000;
const warmSteps = 40;
const samples = 15;
const stepsOfSample = 20;
const promised = 1.5;
/** Collections are told of between turns of the event loop. */
const lookRows = 100_000;
const wordsOfRow = 16;
const linesOfChange = 4;
const memoryName = 'memory alone';

interface Scaled {
  readonly sql: string;
  /** The table of the state, and its n-th row. */
  readonly loaded: string;
  rowOf(n: number): readonly number[];
  /** The n-th change of a state of `size` rows. */
  change(
    circuit: BareCircuit,
    n: number,
    size: number,
  ): { readonly table: string; readonly numbersOf: (row: number) => readonly number[] };
  /** Rows that come out of a change. */
  readonly rowsOut: number | null;
}

/** A key that is nobody else's in the same step: changes spread evenly over the state. */
const spreadKey = (n: number, row: number, size: number): number => {
  const stride = Math.floor(size / changes);
  return row * stride + (scattered(n * 7919 + row) % stride);
};

const operators: Readonly<Record<string, Scaled>> = {
  join: {
    sql: `CREATE TABLE held (k BIGINT NOT NULL, v BIGINT NOT NULL);
      CREATE TABLE moving (k BIGINT NOT NULL, w BIGINT NOT NULL);
      CREATE VIEW result AS SELECT m.k, h.v, m.w FROM moving m JOIN held h ON m.k = h.k;`,
    loaded: 'held',
    rowOf: (n) => [n, n],
    change: (_, n, size) => ({ table: 'moving', numbersOf: (row) => [spreadKey(n, row, size), row] }),
    rowsOut: changes,
  },
  'group by': {
    sql: `CREATE TABLE events (k BIGINT NOT NULL, v BIGINT NOT NULL);
      CREATE VIEW result AS SELECT k, COUNT(*) AS n, SUM(v) AS total FROM events GROUP BY k;`,
    loaded: 'events',
    rowOf: (n) => [n, n],
    change: (_, n, size) => ({ table: 'events', numbersOf: (row) => [spreadKey(n, row, size), row + 1] }),
    rowsOut: 2 * changes,
  },
  distinct: {
    sql: `CREATE TABLE events (k BIGINT NOT NULL);
      CREATE VIEW result AS SELECT DISTINCT k FROM events;`,
    loaded: 'events',
    rowOf: (n) => [2 * n],
    // Keys between those that are there: new ones, all over the state.
    change: (_, n, size) => ({ table: 'events', numbersOf: (row) => [2 * spreadKey(n, row, size) + 1] }),
    rowsOut: changes,
  },
  'top-k': {
    sql: `CREATE TABLE scores (g BIGINT NOT NULL, v BIGINT NOT NULL, id BIGINT NOT NULL);
      CREATE VIEW result AS SELECT g, v, id FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY g ORDER BY v DESC) AS place FROM scores) WHERE place <= 3;`,
    // Groups of ten.
    loaded: 'scores',
    rowOf: (n) => [Math.floor(n / 10), n % 10, n],
    change: (_, n, size) => ({
      table: 'scores',
      numbersOf: (row) => [Math.floor(spreadKey(n, row, size) / 10), 100 + row, -row - 1],
    }),
    rowsOut: null,
  },
};

async function measure(name: string): Promise<Measured> {
  const operator = operators[name];
  if (operator === undefined) throw new Error(`there is no operator ${name}`);
  const circuit = new BareCircuit(operator.sql, 'result');
  const begun = performance.now();
  const micros: number[] = [];
  const bytes: number[] = [];
  const growing: number[] = [];
  let size = 0;
  let steps = 0;
  const pair = (n: number): void => {
    const { table, numbersOf } = operator.change(circuit, n, size);
    const [there, back]: ChangeBatch[] = [
      circuit.batch(table, changes, numbersOf),
      circuit.batch(table, changes, numbersOf, -1),
    ];
    batches.push([table, there as ChangeBatch], [table, back as ChangeBatch]);
  };
  let batches: [table: string, batch: ChangeBatch][] = [];
  const run = (): number => {
    const before = cpuMicros();
    for (const [table, batch] of batches) {
      const rows = circuit.step({ [table]: [batch] });
      if (operator.rowsOut !== null && rows !== operator.rowsOut) {
        throw new Error(`${name}: ${rows} rows came out of ${changes} changes, ${operator.rowsOut} were expected`);
      }
    }
    const took = (cpuMicros() - before) / batches.length;
    steps += batches.length;
    batches = [];
    return took;
  };
  for (const wanted of sizes) {
    while (size < wanted) {
      const from = size;
      const batch = circuit.batch(operator.loaded, changes, (row) => operator.rowOf(from + row));
      const before = cpuMicros();
      circuit.step({ [operator.loaded]: [batch] });
      growing.push(cpuMicros() - before);
      size += changes;
      if (size % lookRows === 0) await setImmediate();
    }
    let n = 0;
    while (n < warmSteps) pair(n++);
    run();
    const took: number[] = [];
    for (let sample = 0; sample < samples; sample++) {
      await setImmediate();
      for (let i = 0; i < stepsOfSample / 2; i++) pair(n++);
      took.push(run());
    }
    micros.push(spread(took).min);
    bytes.push(circuit.stateBytes / size);
  }
  const seconds = (performance.now() - begun) / 1000;
  // The first steps are those in which code is compiled.
  const grown = growing.slice(growing.length / 10);
  const growth = [percentile(grown, 0.5), percentile(grown, 0.99), Math.max(...grown)];
  return { seconds, rows: steps * changes, checksum: 'as expected', micros, bytes, growth };
}

/**
 * What the machine's memory costs by itself, beside which the operators are to be read: for each change four lines of 64 bytes, found
 * by a hash, somewhere in as much memory as a state of that size takes. No operator can do with less than one.
 */
async function measureMemory(): Promise<Measured> {
  const begun = performance.now();
  const micros: number[] = [];
  let sum = 0;
  for (const size of sizes) {
    const words = new Int32Array(size * wordsOfRow).fill(1);
    const took: number[] = [];
    let n = 0;
    for (let sample = 0; sample < samples; sample++) {
      await setImmediate();
      const before = cpuMicros();
      for (const end = n + stepsOfSample * changes; n < end; n++) {
        for (let line = 0; line < linesOfChange; line++) {
          sum += words[(scattered(n * linesOfChange + line) % size) * wordsOfRow]!;
        }
      }
      took.push((cpuMicros() - before) / stepsOfSample);
    }
    micros.push(spread(took).min);
  }
  const reads = sizes.length * samples * stepsOfSample * changes * linesOfChange;
  if (sum !== reads) throw new Error(`${sum} lines were read, ${reads} were expected`);
  const seconds = (performance.now() - begun) / 1000;
  return { seconds, rows: reads / linesOfChange, checksum: 'as expected', micros };
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const names = Object.keys(operators);

export const workloads: Workloads = {
  scaling: () => ({
    title: 'circuit only: a step of 1,000 changes with 10^4 to 10^7 rows of state, in CPU time',
    checksum: 'as expected',
    contenders: [
      ...names.map((name) => ({ name, run: () => measure(name) })),
      { name: memoryName, run: () => measureMemory() },
    ],
    figures: (runs) => {
      const costs = runs.map((own) =>
        sizes.map((_, i) => spread(own.map((run) => listOf(run, 'micros')[i] ?? Number.NaN)).median / 1000),
      );
      const rows = [...names, memoryName].map((name, i) => {
        const own = costs[i] ?? [];
        const factor = Math.max(...own) / Math.min(...own);
        const verdict = name === memoryName ? '' : factor <= promised ? 'yes' : 'no';
        return [name, ...own.map((ms) => ms.toFixed(3)), factor.toFixed(2), verdict];
      });
      const growth = names.map((name, i) => {
        const own = runs[i] ?? [];
        const of = (k: number): string =>
          (spread(own.map((run) => listOf(run, 'growth')[k] ?? Number.NaN)).median / 1000).toFixed(3);
        return [name, of(0), of(1), of(2)];
      });
      return {
        lines: [
          ...markdownTable(
            [
              'operator',
              ...sizes.map((size) => `ms, 10^${Math.log10(size)} rows`),
              'most over least',
              `within ${promised}`,
            ],
            rows,
          ),
          '',
          ...markdownTable(
            ['operator, from 10^6 to 10^7 rows', 'a step that adds 1,000 rows, p50 ms', 'p99', 'the longest'],
            growth,
          ),
        ],
        panels: [
          {
            kind: 'lines',
            title: 'A step of 1,000 changes',
            unit: 'ms of CPU',
            x: 'rows of state',
            series: [...names, memoryName].map((name, i) => ({
              name,
              points: sizes.map((x, k) => ({ x, y: costs[i]?.[k] ?? Number.NaN })),
            })),
          },
        ],
      };
    },
  }),
};

function listOf(run: Measured, key: string): readonly number[] {
  // SAFETY: `measure` above returns lists under these names.
  return run[key] as readonly number[];
}
