// From the runs of a file, or of two, to what is reported: medians, ranges, A/A noise, ratios of pairs. Pure.
//
// This is also the JSON of `millrace bench --json`. Latencies of all counted runs are one set of samples.
import type { ConnectorFigures, LatencyFigures, RunFigures, RunKind, ThreadFigures } from './run-figures.ts';
import { noisePercent, pairedRatios, percentile, type Spread, spread } from './statistics.ts';

export interface Rate extends Spread {
  /** Null for fewer than two runs. */
  readonly noisePercent: number | null;
}

export interface FileReport {
  readonly file: string;
  readonly kind: RunKind;
  readonly runs: number;
  /** Medians. */
  readonly seconds: number;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly steps: number;
  readonly rowsInPerSecond: Rate;
  readonly bytesInPerSecond: Rate;
  readonly rowsOutPerSecond: Rate;
  readonly bytesOutPerSecond: Rate;
  /** Null when no rows were followed to their end. */
  readonly latencyMs: LatencyFigures | null;
  readonly cpuFrom: RunFigures['cpuFrom'];
  /** CPU of the whole process, all threads, for a million rows that came in; null when none came. */
  readonly cpuSecondsPerMillionRows: number | null;
  /** Cores that were kept busy. */
  readonly cores: number;
  /** The most of any run. */
  readonly rssBytesMax: number;
  readonly stateRows: number;
  readonly stateBytes: number;
  readonly openMs: number;
  readonly connectors: readonly ConnectorReport[];
  readonly threads: readonly ThreadReport[];
  /** Rows a second of each run, in their order. */
  readonly rowsInPerSecondOfRuns: readonly number[];
}

export interface ConnectorReport extends ConnectorFigures {
  readonly rowsPerSecond: number;
  readonly bytesPerSecond: number;
}

export interface ThreadReport extends ThreadFigures {
  /** CPU time over the time on the clock. */
  readonly cores: number;
}

export interface BenchReport {
  readonly millrace: string;
  readonly node: string;
  readonly platform: string;
  readonly cores: number;
  readonly warmUpSeconds: number;
  readonly windowSeconds: number;
  /** What --workers said; null: each file for itself. */
  readonly workers: number | null;
  /** A signal ended it before all rounds were run. */
  readonly interrupted: boolean;
  readonly files: readonly FileReport[];
  /** The first file over the second, by pairs of runs; null without a second file. */
  readonly against: { readonly rowsInPerSecond: Spread; readonly isBeyondNoise: boolean } | null;
}

/** @param runs at least one */
export function fileReport(file: string, runs: readonly RunFigures[]): FileReport {
  const of = (value: (run: RunFigures) => number): number => spread(runs.map(value)).median;
  const rate = (value: (run: RunFigures) => number): Rate => rateOf(runs.map((run) => value(run) / run.seconds));
  const last = runs.at(-1);
  return {
    file,
    kind: last?.kind ?? 'whole',
    runs: runs.length,
    seconds: of((run) => run.seconds),
    rowsIn: of((run) => run.rowsIn),
    rowsOut: of((run) => run.rowsOut),
    steps: of((run) => run.steps),
    rowsInPerSecond: rate((run) => run.rowsIn),
    bytesInPerSecond: rate((run) => run.bytesIn),
    rowsOutPerSecond: rate((run) => run.rowsOut),
    bytesOutPerSecond: rate((run) => run.bytesOut),
    latencyMs: latencyOf(runs.flatMap((run) => run.latencyMs)),
    cpuFrom: last?.cpuFrom ?? 'system',
    cpuSecondsPerMillionRows: runs.some((run) => run.rowsIn === 0)
      ? null
      : of((run) => (run.cpuMs / run.rowsIn) * 1000),
    cores: of((run) => run.cpuMs / 1000 / run.seconds),
    rssBytesMax: Math.max(...runs.map((run) => run.rssBytesMax)),
    stateRows: of((run) => run.stateRows),
    stateBytes: of((run) => run.stateBytes),
    openMs: of((run) => run.openMs),
    connectors: (last?.connectors ?? []).map(({ endpoint, direction }) => connectorReport(endpoint, direction, runs)),
    threads: threadReports(runs),
    rowsInPerSecondOfRuns: runs.map((run) => run.rowsIn / run.seconds),
  };
}

/** Whether one file is faster than the other by more than both differ from themselves. */
export function comparison(ours: FileReport, theirs: FileReport): BenchReport['against'] {
  const ratio = pairedRatios(ours.rowsInPerSecondOfRuns, theirs.rowsInPerSecondOfRuns);
  const noise = Math.max(ours.rowsInPerSecond.noisePercent ?? 100, theirs.rowsInPerSecond.noisePercent ?? 100);
  const isOneSided = ratio.min > 1 || ratio.max < 1;
  return { rowsInPerSecond: ratio, isBeyondNoise: isOneSided && Math.abs(ratio.median - 1) * 100 > noise };
}

export function rateOf(values: readonly number[]): Rate {
  const noise = noisePercent(values);
  return { ...spread(values), noisePercent: Number.isFinite(noise) ? noise : null };
}

function latencyOf(samples: readonly number[]): LatencyFigures | null {
  if (samples.length === 0) return null;
  const at = (share: number): number => percentile(samples, share);
  return { samples: samples.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

function connectorReport(
  endpoint: string,
  direction: ConnectorFigures['direction'],
  runs: readonly RunFigures[],
): ConnectorReport {
  const own = runs.flatMap((run) => {
    const found = run.connectors.find((other) => other.endpoint === endpoint && other.direction === direction);
    return found === undefined ? [] : [{ ...found, seconds: run.seconds }];
  });
  const of = (value: (figures: ConnectorFigures & { readonly seconds: number }) => number): number =>
    spread(own.map(value)).median;
  return {
    endpoint,
    direction,
    records: of(({ records }) => records),
    bytes: of(({ bytes }) => bytes),
    queuedRecordsMean: of(({ queuedRecordsMean }) => queuedRecordsMean),
    queuedRecordsMax: Math.max(...own.map(({ queuedRecordsMax }) => queuedRecordsMax)),
    queueFillMean: of(({ queueFillMean }) => queueFillMean),
    queueFillMax: Math.max(...own.map(({ queueFillMax }) => queueFillMax)),
    throttledMs: of(({ throttledMs }) => throttledMs),
    rowsPerSecond: of(({ records, seconds }) => records / seconds),
    bytesPerSecond: of(({ bytes, seconds }) => bytes / seconds),
  };
}

/** Threads by name; several of one name (of the decoding pool) are one row, their sum. */
function threadReports(runs: readonly RunFigures[]): readonly ThreadReport[] {
  const names = new Set(runs.flatMap((run) => run.threads.map(({ name }) => name)));
  const reports = [...names].map((name): ThreadReport => {
    const own = runs.map((run) => ({ seconds: run.seconds, threads: run.threads.filter((one) => one.name === name) }));
    const sum = (value: (thread: ThreadFigures) => number | null): number | null => {
      const isKnown = own.some(({ threads }) => threads.some((thread) => value(thread) !== null));
      const sums = own.map(({ threads }) => threads.reduce((all, thread) => all + (value(thread) ?? 0), 0));
      return isKnown ? spread(sums).median : null;
    };
    const most = (value: (thread: ThreadFigures) => number | null): number | null => {
      const all = own.flatMap(({ threads }) => threads.map(value)).filter((each) => each !== null);
      return all.length === 0 ? null : Math.max(...all);
    };
    return {
      name,
      actors: [...new Set(own.flatMap(({ threads }) => threads.flatMap(({ actors }) => actors)))],
      cpuMs: sum(({ cpuMs }) => cpuMs) ?? 0,
      cores: spread(
        own.map(({ seconds, threads }) => threads.reduce((all, { cpuMs }) => all + cpuMs, 0) / 1000 / seconds),
      ).median,
      busyMs: sum(({ busyMs }) => busyMs),
      heapBytesMax: most(({ heapBytesMax }) => heapBytesMax),
      externalBytesMax: most(({ externalBytesMax }) => externalBytesMax),
      gcMs: sum(({ gcMs }) => gcMs),
      gcPauseMsMax: most(({ gcPauseMsMax }) => gcPauseMsMax),
    };
  });
  return reports.sort((a, b) => b.cpuMs - a.cpuMs);
}
