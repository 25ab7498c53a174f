// From runs to a report: medians over runs, threads of one name as one, ratios beyond noise.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type BenchReport, comparison, fileReport } from '../../../../actors/gateway/bench/bench-report.ts';
import { reportLines } from '../../../../actors/gateway/bench/report-table.ts';
import type { RunFigures, ThreadFigures } from '../../../../actors/gateway/bench/run-figures.ts';

const thread = (name: string, cpuMs: number, heapBytesMax: number): ThreadFigures => {
  return {
    name,
    actors: [],
    cpuMs,
    busyMs: cpuMs,
    heapBytesMax,
    externalBytesMax: 0,
    gcMs: 1,
    gcPauseMsMax: cpuMs / 100,
  };
};

function run(rows: number, seconds: number, latencyMs: readonly number[] = []): RunFigures {
  return {
    kind: 'whole',
    seconds,
    rowsIn: rows,
    bytesIn: rows * 10,
    rowsOut: 5,
    bytesOut: 50,
    steps: 2,
    stateRows: 1,
    stateBytes: 100,
    latencyMs,
    openMs: 3,
    cpuFrom: 'system',
    cpuMs: 500,
    rssBytesMax: 1e8,
    threads: [thread('engine', 300, 1e6), thread('decoding', 50, 2e6), thread('decoding', 100, 3e6)],
    connectors: [
      {
        endpoint: 't.a',
        direction: 'input',
        records: rows,
        bytes: rows * 10,
        queuedRecordsMean: 3,
        queuedRecordsMax: rows,
        queueFillMean: 0.1,
        queueFillMax: rows / 10_000,
        throttledMs: 4,
      },
    ],
  };
}

test('rates are of each run, latencies of all of them, threads of one name are one', () => {
  const report = fileReport('a.yaml', [run(1000, 1, [1, 2]), run(1000, 2, [3]), run(1000, 4)]);
  assert.equal(report.rowsInPerSecondOfRuns, [1000, 500, 250]);
  assert.equal(
    [report.rowsInPerSecond.min, report.rowsInPerSecond.median, report.rowsInPerSecond.max],
    [250, 500, 1000],
  );
  assert.equal(report.latencyMs, { samples: 3, p50: 2, p90: 3, p99: 3, max: 3 });
  assert.is(report.cpuSecondsPerMillionRows, 500);
  assert.equal(
    report.threads.map(({ name, cpuMs, cores, heapBytesMax }) => [name, cpuMs, cores, heapBytesMax]),
    [
      ['engine', 300, 0.15, 1e6],
      ['decoding', 150, 0.075, 3e6],
    ],
  );
  const [connector] = report.connectors;
  assert.equal([connector?.rowsPerSecond, connector?.queuedRecordsMax, connector?.throttledMs], [500, 1000, 4]);
});

test('runs without rows have no CPU for a row, and print', () => {
  const file = fileReport('a.yaml', [run(0, 1)]);
  assert.is(file.cpuSecondsPerMillionRows, null);
  const report: BenchReport = {
    millrace: '1',
    node: 'v20',
    platform: 'linux',
    cores: 2,
    warmUpSeconds: 2,
    windowSeconds: 10,
    workers: null,
    interrupted: true,
    files: [file],
    against: null,
  };
  const text = reportLines(report).join('\n');
  assert.match(text, 'no rows were followed to their end');
  assert.match(text, '– s for a million rows');
  assert.match(text, 'ended by a signal before all runs were done');
});

test('a file is faster when every pair says so, and by more than runs of one file differ', () => {
  const of = (...rates: readonly number[]): ReturnType<typeof fileReport> =>
    fileReport(
      'x',
      rates.map((rate) => run(rate, 1)),
    );
  assert.equal(comparison(of(200, 200, 200), of(100, 100, 100)), {
    rowsInPerSecond: { min: 2, median: 2, max: 2 },
    isBeyondNoise: true,
  });
  assert.is(comparison(of(110, 90, 100), of(100, 100, 100))?.isBeyondNoise, false, 'pairs disagree');
  assert.is(comparison(of(103, 153, 103, 153), of(100, 150, 100, 150))?.isBeyondNoise, false, 'within the noise');
});

test.run();
