// Nexmark: every query compared with DuckDB, then timed as a pipeline with its generator and as a circuit alone, beside the dataflow
// libraries of JavaScript on the queries that are the same in them. Its table and its chart stand in docs/benchmarks.md.
import { spread } from '../../actors/gateway/bench/statistics.ts';
import type { BarValue } from '../../actors/gateway/bench/svg-chart.ts';
import type { DataflowName } from '../dataflow-rivals.ts';
import { felderaThousands, nexmarkQueries } from '../nexmark-queries.ts';
import {
  type Contender,
  type Figures,
  type Measured,
  markdownTable,
  medianOf,
  type Runs,
  script,
  type Workloads,
} from '../workload.ts';

const events = 2_000_000;
/** As many as the figures of Feldera are of, so that what starting costs counts for the same. */
const pipelineEvents = 5_000_000;
const rivalEvents = 200_000;
const rivalQueries = ['q0', 'q1', 'q2', 'q3'];
const rivals: readonly DataflowName[] = ['db-ivm', 'd2ts'];

export const workloads: Workloads = {
  nexmark: () => ({
    title: `Nexmark, ${pipelineEvents / 1e6} M events as a pipeline, ${events / 1e6} M as a circuit in steps of 40,000; each query is compared with DuckDB over 60,000 events first`,
    checksum: 'as DuckDB',
    contenders: [
      ...nexmarkQueries.flatMap((query): Contender[] => [
        { name: query, command: script('nexmark-run', 'pipeline', query, pipelineEvents) },
        { name: `${query} circuit`, command: script('nexmark-run', 'circuit', query, events) },
      ]),
      ...rivals.flatMap((rival) =>
        rivalQueries.map((query): Contender => {
          return { name: `${rival} ${query}`, command: script('nexmark-rival', rival, query, rivalEvents) };
        }),
      ),
    ],
    figures,
  }),
};

const thousands = (own: readonly Measured[], seconds: (run: Measured) => number): BarValue => {
  const { min, median, max } = spread(own.map((run) => run.rows / seconds(run) / 1000));
  return { value: median, min, max };
};
const alone = (run: Measured): number => run.seconds;
const withGenerator = (run: Measured): number => run.seconds + Number(run['generating']);
const byTheClock = (run: Measured): number => Number(run['wallSeconds']);
const allThreads = (run: Measured): number => run.seconds + Number(run['second']) + Number(run['otherSeconds']);

function summary(ratios: readonly number[]): string {
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  const least = Math.min(...ratios);
  const behind = nexmarkQueries.filter((_, i) => (ratios[i] ?? 0) < 1);
  const below = behind.length === 0 ? 'none' : behind.join(', ');
  return `geometric mean ${mean.toFixed(2)} times, least ${least.toFixed(2)} (${nexmarkQueries[ratios.indexOf(least)]}), below 1: ${below}.`;
}

/** Markdown, for docs/benchmarks.md. */
function figures(runs: Runs): Figures {
  const ratios: number[] = [];
  const clockRatios: number[] = [];
  const pipelineOf = (query: string): readonly Measured[] => runs[2 * nexmarkQueries.indexOf(query)] ?? [];
  const circuitOf = (query: string): readonly Measured[] => runs[2 * nexmarkQueries.indexOf(query) + 1] ?? [];
  const rivalOf = (rival: number, query: string): BarValue | null => {
    const at = rivalQueries.indexOf(query);
    const own = at < 0 ? undefined : runs[2 * nexmarkQueries.length + rival * rivalQueries.length + at];
    return own === undefined ? null : thousands(own, alone);
  };
  const rows = nexmarkQueries.map((query) => {
    const [pipeline, own] = [pipelineOf(query), circuitOf(query)];
    const threads = thousands(pipeline, alone).value;
    const clock = thousands(pipeline, byTheClock).value;
    const circuit = thousands(own, alone).value;
    const feldera = felderaThousands[query] ?? Number.NaN;
    ratios.push(threads / feldera);
    clockRatios.push(clock / feldera);
    const rivalTexts = rivals.map((_, rival) => {
      const theirs = rivalOf(rival, query);
      return theirs === null ? '' : `${theirs.value.toFixed(0)} (${(circuit / theirs.value).toFixed(1)} times)`;
    });
    return [
      query,
      feldera.toFixed(0),
      clock.toFixed(0),
      (clock / feldera).toFixed(2),
      threads.toFixed(0),
      (threads / feldera).toFixed(2),
      ...[thousands(pipeline, allThreads), thousands(own, withGenerator)].map(({ value }) => value.toFixed(0)),
      circuit.toFixed(0),
      ...rivalTexts,
      medianOf(own, 'compileMs').toFixed(0),
      medianOf(own, 'peakMegabytes').toFixed(0),
    ];
  });
  return {
    lines: [
      ...markdownTable(
        [
          'query',
          'Feldera in Rust',
          'by the clock',
          'times',
          'two threads, by the busier one',
          'times',
          'CPU of all threads',
          'one thread, generator included',
          'circuit alone',
          ...rivals.map((rival) => `${rival}, circuit alone`),
          'compiled in ms',
          'peak MB',
        ],
        rows,
      ),
      '',
      `By the clock: ${summary(clockRatios)}`,
      `By the busier thread: ${summary(ratios)}`,
    ],
    panels: [
      {
        kind: 'bars',
        title: 'Nexmark, generator included, by the CPU time of the busier thread',
        unit: 'thousand events/s; Feldera was measured elsewhere',
        series: ['Millrace', 'Feldera in Rust'],
        groups: nexmarkQueries.map((query) => {
          const feldera = felderaThousands[query];
          const theirs = feldera === undefined ? null : { value: feldera };
          return { name: query, values: [thousands(pipelineOf(query), alone), theirs] };
        }),
      },
      {
        kind: 'bars',
        title: 'Nexmark, circuit alone',
        unit: 'thousand events/s of CPU time',
        series: ['Millrace', ...rivals],
        groups: rivalQueries.map((query) => ({
          name: query,
          values: [thousands(circuitOf(query), alone), ...rivals.map((_, rival) => rivalOf(rival, query))],
        })),
      },
    ],
  };
}
