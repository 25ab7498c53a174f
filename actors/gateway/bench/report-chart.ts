// What the chart of `millrace bench` shows: rows a second, latency, CPU of each thread; a series for each file. Pure.
import type { BenchReport, FileReport, Rate } from './bench-report.ts';
import type { BarPanel, BarValue, Chart } from './svg-chart.ts';

const nameLettersMax = 40;

export function reportChart(report: BenchReport): Chart {
  const { files } = report;
  const series = files.map(({ file }) => endOf(file));
  const bars = (title: string, unit: string, groups: BarPanel['groups']): BarPanel => {
    return { kind: 'bars', title, unit, series, groups };
  };
  const rate = (value: Rate): BarValue => ({ value: value.median, min: value.min, max: value.max });
  const latency = (name: 'p50' | 'p90' | 'p99' | 'max'): BarPanel['groups'][number] => ({
    name: name === 'max' ? 'at most' : name,
    values: files.map(({ latencyMs }) => (latencyMs === null ? null : { value: latencyMs[name] })),
  });
  const threads = [...new Set(files.flatMap((file) => file.threads.map(({ name }) => name)))];
  return {
    title: `${series.join(' and ')}: Millrace ${report.millrace}, Node ${report.node}, ${report.cores} cores`,
    panels: [
      bars('Throughput', 'rows/s, median and range of the runs', [
        { name: 'in', values: files.map((file) => rate(file.rowsInPerSecond)) },
        { name: 'out', values: files.map((file) => rate(file.rowsOutPerSecond)) },
      ]),
      bars('From source to visible effect', 'ms', (['p50', 'p90', 'p99', 'max'] as const).map(latency)),
      bars(
        'CPU of each thread',
        'cores',
        threads.map((name) => ({ name, values: files.map((file) => coresOf(file, name)) })),
      ),
      bars('Memory', 'MB', [
        { name: 'process, at most', values: files.map((file) => ({ value: file.rssBytesMax / 1e6 })) },
        { name: 'state', values: files.map((file) => ({ value: file.stateBytes / 1e6 })) },
      ]),
    ],
  };
}

/** What tells files apart is at the end of their paths. */
function endOf(file: string): string {
  return file.length <= nameLettersMax ? file : `…${file.slice(1 - nameLettersMax)}`;
}

function coresOf(file: FileReport, name: string): BarValue | null {
  const found = file.threads.find((thread) => thread.name === name);
  return found === undefined ? null : { value: found.cores };
}
