// Nexmark queries on one, two and four workers of one circuit: the same changes, by the clock and by the busiest worker.
//
// On a machine with fewer idle cores than workers the clock shows little; `by the busiest worker` is the sum over the steps of the most CPU time
// that any worker took, which is what idle cores would show but for waits within a step.
import { spread } from '../../actors/gateway/bench/statistics.ts';
import { type Measured, markdownTable, script, type Workload, type Workloads } from '../workload.ts';

const events = 1_000_000;
const counts = [1, 2, 4];
const queries = ['q3', 'q4', 'q9', 'q17', 'q20'];

export const workloads: Workloads = Object.fromEntries(
  queries.map((query) => [`workers-${query}`, () => onWorkers(query)]),
);

function onWorkers(query: string): Workload {
  return {
    title: `Nexmark ${query} on ${counts.join(', ')} workers, ${events / 1e6} M events in steps of 40,000, made before`,
    checksum: null,
    contenders: counts.map((workers) => ({
      name: `${workers} worker${workers === 1 ? '' : 's'}`,
      command: script('workers-run', query, workers, events),
    })),
    figures: (runs) => {
      const critical = (run: Measured): number => Number(run['criticalSeconds']);
      const thousands = (own: readonly Measured[], seconds: (run: Measured) => number): number =>
        spread(own.map((run) => run.rows / seconds(run) / 1000)).median;
      const alone = thousands(runs[0] ?? [], critical);
      return {
        lines: markdownTable(
          ['workers', 'thousand events/s by the busiest worker', 'times one', 'by the clock'],
          counts.map((workers, i) => {
            const own = runs[i] ?? [];
            const rate = thousands(own, critical);
            const clock = thousands(own, ({ seconds }) => seconds);
            return [`${workers}`, rate.toFixed(0), (rate / alone).toFixed(2), clock.toFixed(0)];
          }),
        ),
        panels: [
          {
            kind: 'bars',
            title: `Nexmark ${query} on several workers`,
            unit: 'thousand events/s by the busiest worker',
            series: ['thousand events/s'],
            groups: counts.map((workers, i) => ({
              name: `${workers}`,
              values: [{ value: thousands(runs[i] ?? [], critical) }],
            })),
          },
        ],
      };
    },
  };
}
