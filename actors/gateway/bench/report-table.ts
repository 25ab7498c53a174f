// A report of a benchmark as lines for a person. Pure.
import { formatBytes, formatCount } from '../terminal/quantities.ts';
import { textTable } from '../terminal/text-table.ts';
import type { BenchReport, FileReport, Rate } from './bench-report.ts';

export function reportLines(report: BenchReport): readonly string[] {
  const [ours, theirs] = report.files;
  const lines = report.files.flatMap((file, i) => [...(i === 0 ? [] : ['']), ...fileLines(file)]);
  const { against } = report;
  if (against !== null && ours !== undefined && theirs !== undefined) {
    const { min, median, max } = against.rowsInPerSecond;
    const pairs = Math.min(ours.runs, theirs.runs);
    const verdict = against.isBeyondNoise ? '' : '; no more than the noise of these runs';
    lines.push(
      '',
      `${ours.file} is ${median.toFixed(2)} times as fast as ${theirs.file} (${pairs} pairs, ${min.toFixed(2)}–${max.toFixed(2)}${verdict})`,
    );
  }
  if (report.interrupted) lines.push('', 'ended by a signal before all runs were done');
  return lines;
}

function fileLines(file: FileReport): readonly string[] {
  const many = `${file.runs} run${file.runs === 1 ? '' : 's'}`;
  const what =
    file.kind === 'whole'
      ? `${many} from start to end, ${formatCount(file.rowsIn)} rows in ${file.seconds.toFixed(2)} s`
      : `${many} of ${file.seconds.toFixed(1)} s after the warm-up`;
  const { latencyMs } = file;
  const latency =
    latencyMs === null
      ? 'no rows were followed to their end'
      : `p50 ${ms(latencyMs.p50)}, p90 ${ms(latencyMs.p90)}, p99 ${ms(latencyMs.p99)}, at most ${ms(latencyMs.max)} (${formatCount(latencyMs.samples)} samples, source to visible effect)`;
  return [
    `${file.file}: ${what}`,
    `  in       ${rateText(file.rowsInPerSecond, file.bytesInPerSecond)}`,
    `  out      ${rateText(file.rowsOutPerSecond, file.bytesOutPerSecond)}`,
    `  latency  ${latency}`,
    `  CPU      ${file.cpuSecondsPerMillionRows?.toFixed(2) ?? '–'} s for a million rows, ${file.cores.toFixed(2)} cores busy${file.cpuFrom === 'system' ? '' : ' (by the event loops: this Node does not count threads)'}`,
    `  memory   ${formatBytes(file.rssBytesMax)} at most; state ${formatCount(file.stateRows)} rows, ${formatBytes(file.stateBytes)}`,
    `  steps    ${formatCount(file.steps)}; opened in ${Math.round(file.openMs)} ms`,
    '',
    ...connectorTable(file),
    '',
    ...threadTable(file),
  ];
}

function rateText(rows: Rate, bytes: Rate): string {
  const noise = rows.noisePercent === null ? '' : `, A/A noise ${rows.noisePercent.toFixed(1)} %`;
  const range = `${formatCount(Math.round(rows.min))}–${formatCount(Math.round(rows.max))}`;
  return `${formatCount(Math.round(rows.median))} rows/s (${range}${noise}), ${megabytes(bytes.median)} MB/s`;
}

function connectorTable(file: FileReport): readonly string[] {
  const columns = ['connector', '', 'rows/s', 'MB/s', 'queued', 'most', 'full %', 'most %', 'throttled ms'];
  const rows = file.connectors.map((connector) => ({
    connector: connector.endpoint,
    '': connector.direction === 'input' ? 'in' : 'out',
    'rows/s': formatCount(Math.round(connector.rowsPerSecond)),
    'MB/s': megabytes(connector.bytesPerSecond),
    queued: formatCount(Math.round(connector.queuedRecordsMean)),
    most: formatCount(connector.queuedRecordsMax),
    'full %': (connector.queueFillMean * 100).toFixed(1),
    'most %': (connector.queueFillMax * 100).toFixed(1),
    'throttled ms': Math.round(connector.throttledMs),
  }));
  return textTable(columns, rows).map((line) => `  ${line}`);
}

function threadTable(file: FileReport): readonly string[] {
  const columns = ['thread', 'CPU ms', 'cores', 'busy %', 'heap MB', 'other MB', 'GC ms', 'longest GC ms', 'actors'];
  const rows = file.threads.map((thread) => ({
    thread: thread.name,
    'CPU ms': Math.round(thread.cpuMs),
    cores: thread.cores.toFixed(2),
    'busy %': thread.busyMs === null ? '' : ((thread.busyMs / 1000 / file.seconds) * 100).toFixed(0),
    'heap MB': thread.heapBytesMax === null ? '' : megabytes(thread.heapBytesMax),
    'other MB': thread.externalBytesMax === null ? '' : megabytes(thread.externalBytesMax),
    'GC ms': thread.gcMs === null ? '' : thread.gcMs.toFixed(1),
    'longest GC ms': thread.gcPauseMsMax === null ? '' : thread.gcPauseMsMax.toFixed(1),
    actors: thread.actors.join(', '),
  }));
  return textTable(columns, rows).map((line) => `  ${line}`);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes >= 100e6 ? 0 : 1);
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}
