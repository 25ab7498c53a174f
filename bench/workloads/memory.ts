// Bytes of state for a row of each operator that keeps one; ten million groups in less than a gigabyte, off the V8 heap and without
// long collections. The circuit alone, filled in steps of 65,536 rows, with a turn of the event loop between two of them.
import { setImmediate } from 'node:timers/promises';
import { ThreadAccount } from '../../actors/gateway/bench/thread-answers.ts';
import { BareCircuit } from '../bare-circuit.ts';
import { CoreWaits } from '../core-waits.ts';
import { type Measured, markdownTable, medianOf, type Workloads } from '../workload.ts';

const stepRows = 65_536;

interface Kept {
  readonly sql: string;
  readonly rows: number;
  /** Table and columns of a row. */
  readonly tables: Readonly<Record<string, (row: number) => readonly number[]>>;
  /** Rows that have come out in all. */
  readonly rowsOut: number;
}

const group = (rows: number): Kept => ({
  sql: `CREATE TABLE events (k BIGINT NOT NULL, v BIGINT NOT NULL);
    CREATE VIEW result AS SELECT k, COUNT(*) AS n, SUM(v) AS total FROM events GROUP BY k;`,
  rows,
  tables: { events: (row) => [row, 7] },
  rowsOut: rows,
});

const kept: Readonly<Record<string, Kept>> = {
  'group by, 10 M groups': group(10_000_000),
  'group by': group(1_000_000),
  join: {
    sql: `CREATE TABLE l (k BIGINT NOT NULL, v BIGINT NOT NULL);
      CREATE TABLE r (k BIGINT NOT NULL, w BIGINT NOT NULL);
      CREATE VIEW result AS SELECT l.k, l.v, r.w FROM l JOIN r ON l.k = r.k;`,
    rows: 1_000_000,
    tables: { l: (row) => [row, 1], r: (row) => [row, 2] },
    rowsOut: 1_000_000,
  },
  'top-k': {
    sql: `CREATE TABLE scores (g BIGINT NOT NULL, v BIGINT NOT NULL, id BIGINT NOT NULL);
      CREATE VIEW result AS SELECT g, v, id FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY g ORDER BY v DESC) AS place FROM scores) WHERE place <= 3;`,
    rows: 1_000_000,
    // Partitions of ten, whose best come first.
    tables: { scores: (row) => [Math.floor(row / 10), 10 - (row % 10), row] },
    rowsOut: 300_000,
  },
};

async function measure(name: string): Promise<Measured> {
  const state = kept[name];
  if (state === undefined) throw new Error(`there is no state ${name}`);
  const account = new ThreadAccount();
  const circuit = new BareCircuit(state.sql, 'result');
  const rssBefore = process.memoryUsage.rss();
  let rowsOut = 0;
  let heapBytesMax = 0;
  let gcPauseMsMax = 0;
  let gcOwnMsMax = 0;
  const waits = CoreWaits.ofAll();
  let waitedBefore = 0;
  const look = async (): Promise<void> => {
    // Collections are told of in the turn after them.
    await setImmediate();
    const { heapBytes, gcPauseMsMax: longest } = account.answer(0);
    heapBytesMax = Math.max(heapBytesMax, heapBytes);
    gcPauseMsMax = Math.max(gcPauseMsMax, longest);
    // What no thread of the process waited for a core in the step that it fell in: this thread waits for its helpers, and they for cores.
    const waited = waits.waitedMs();
    gcOwnMsMax = Math.max(gcOwnMsMax, longest - (waited - waitedBefore));
    waitedBefore = waited;
  };
  await look();
  const started = performance.now();
  for (let from = 0; from < state.rows; from += stepRows) {
    const rows = Math.min(stepRows, state.rows - from);
    for (const [table, numbersOf] of Object.entries(state.tables)) {
      rowsOut += circuit.step({ [table]: [circuit.batch(table, rows, (row) => numbersOf(from + row))] });
    }
    await look();
  }
  const seconds = (performance.now() - started) / 1000;
  const rows = state.rows * Object.keys(state.tables).length;
  if (name !== 'top-k' && rowsOut !== state.rowsOut) throw new Error(`${name}: ${rowsOut} rows came out`);
  const stateBytes = circuit.stateBytes;
  const rssBytes = process.memoryUsage.rss() - rssBefore;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  return {
    seconds,
    rows,
    checksum: 'as expected',
    stateBytes,
    rssBytes,
    peakBytes,
    heapBytesMax,
    gcPauseMsMax,
    gcOwnMsMax,
  };
}

const names = Object.keys(kept);

const longestOf = (runs: readonly Measured[], key: string): string =>
  Math.max(...runs.map((run) => Number(run[key]))).toFixed(1);

export const workloads: Workloads = {
  memory: () => ({
    title:
      'bytes of state for a row; 10 million groups of (BIGINT, COUNT, SUM) in less than 1 GB, V8 heap under 200 MB, no GC pause above 20 ms',
    checksum: 'as expected',
    contenders: names.map((name) => ({ name, run: () => measure(name) })),
    figures: (runs) => ({
      lines: markdownTable(
        [
          'state',
          'rows',
          'bytes a row',
          'state MB',
          'process grew by MB',
          'process at most MB',
          'V8 heap at most MB',
          'longest GC pause ms',
          'of it not explained by waiting for a core',
        ],
        names.map((name, i) => {
          const own = runs[i] ?? [];
          const rows = medianOf(own, 'rows');
          const megabytes = (key: string): string => (medianOf(own, key) / 1e6).toFixed(0);
          return [
            name,
            rows.toLocaleString('en-US'),
            (medianOf(own, 'stateBytes') / rows).toFixed(1),
            megabytes('stateBytes'),
            megabytes('rssBytes'),
            megabytes('peakBytes'),
            megabytes('heapBytesMax'),
            longestOf(own, 'gcPauseMsMax'),
            longestOf(own, 'gcOwnMsMax'),
          ];
        }),
      ),
      panels: [
        {
          kind: 'bars',
          title: 'State',
          unit: 'bytes a row',
          series: ['bytes a row'],
          groups: names.map((name, i) => {
            const own = runs[i] ?? [];
            return { name, values: [{ value: medianOf(own, 'stateBytes') / medianOf(own, 'rows') }] };
          }),
        },
      ],
    }),
  }),
};
