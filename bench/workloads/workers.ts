// Nexmark queries on several workers of one circuit: the same changes, by the clock and by the busiest worker. `workers` is ten queries on
// one worker and on two; `workers-q…` one of them on one, two and four.
//
// On a machine with fewer idle cores than workers the clock shows little; `by the busiest worker` is the sum over the steps of the most CPU time
// that any worker took, which is what idle cores would show but for waits within a step.
import { spread } from '../../actors/gateway/bench/statistics.ts';
import { type Measured, markdownTable, readMeasured, script, type Workload, type Workloads } from '../workload.ts';

const events = 1_000_000;
const counts = [1, 2, 4];
const queries = ['q3', 'q4', 'q9', 'q17', 'q20'];

export const workloads: Workloads = {
  workers: onTwoWorkers,
  ...Object.fromEntries(queries.map((query) => [`workers-${query}`, () => onWorkers(query)])),
};

/** Queries whose state is divided by key, on one worker and on two. */
function onTwoWorkers(): Workload {
  const compared = ['q4', 'q5', 'q7', 'q9', 'q15', 'q16', 'q17', 'q18', 'q19', 'q20'];
  const many = 2_000_000;
  const runsOf = compared.flatMap((query) => [1, 2].map((workers) => ({ query, workers })));
  return {
    title: `Nexmark on one worker and on two, ${many / 1e6} M events in steps of 40,000, made before`,
    checksum: null,
    contenders: runsOf.map(({ query, workers }) => ({
      name: `${query} on ${workers}`,
      command: script('workers-run', query, workers, many),
      // Each query has sums of its own: they are compared below.
      read: (line) => ({ ...readMeasured(line), sums: readMeasured(line).checksum, checksum: 'its own' }),
    })),
    figures: (runs) => {
      const busiest = (run: Measured): number => {
        // SAFETY: workers-run.ts prints the seconds of each worker.
        const cpu = run['cpu'] as readonly number[];
        return Math.max(...cpu);
      };
      const median = (at: number, seconds: (run: Measured) => number): number =>
        spread((runs[at] ?? []).map(seconds)).median;
      const rows = compared.map((query, i) => {
        const [one, two] = [2 * i, 2 * i + 1];
        const sums = new Set([...(runs[one] ?? []), ...(runs[two] ?? [])].map((run) => run['sums']));
        if (sums.size > 1) throw new Error(`${query} on two workers gave something else: ${[...sums].join(', ')}`);
        const ratio = (seconds: (run: Measured) => number): string =>
          (median(one, seconds) / median(two, seconds)).toFixed(2);
        const seconds = [median(one, busiest), median(two, busiest)].map((value) => value.toFixed(3));
        return [query, ...seconds, ratio(busiest), ratio((run) => run.seconds)];
      });
      const columns = ['query', 'CPU of one (s)', 'of the busier of two (s)', 'one / two', 'by the clock'];
      return { lines: markdownTable(columns, rows) };
    },
  };
}

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
