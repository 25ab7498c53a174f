// Nexmark queries on several workers of one circuit: the same changes, by the clock and by the busiest worker. `workers` is ten queries on
// one worker, on two, and in two processes at once that know nothing of one another (workers-apart.ts), which shows what two cores of the machine
// give; `workers-q…` one of them on one, two and four.
//
// On a machine with fewer idle cores than workers the clock shows little; `by the busiest worker` is the sum over the steps of the most CPU time
// that any worker took, which is what idle cores would show but for waits within a step.
import { spread } from '../../actors/gateway/bench/statistics.ts';
import {
  type Contender,
  type Measured,
  markdownTable,
  readMeasured,
  script,
  type Workload,
  type Workloads,
} from '../workload.ts';

const events = 1_000_000;
const counts = [1, 2, 4];
const queries = ['q3', 'q4', 'q9', 'q17', 'q20'];

export const workloads: Workloads = {
  workers: onTwoWorkers,
  ...Object.fromEntries(queries.map((query) => [`workers-${query}`, () => onWorkers(query)])),
};

/** Queries whose state is divided by key, on one worker and on two, and in two processes at once: as fast as two cores can be. */
function onTwoWorkers(): Workload {
  const compared = ['q4', 'q5', 'q7', 'q9', 'q15', 'q16', 'q17', 'q18', 'q19', 'q20'];
  const many = 2_000_000;
  const waysOf = (query: string): readonly Contender[] => {
    const contender = (name: string, command: readonly string[]): Contender => ({
      name: `${query} ${name}`,
      command,
      // Each query has sums of its own: they are compared below.
      read: (line) => ({ ...readMeasured(line), sums: readMeasured(line).checksum, checksum: 'its own' }),
    });
    return [
      contender('on 1', script('workers-run', query, 1, many)),
      contender('on 2', script('workers-run', query, 2, many)),
      contender('twice apart', script('workers-apart', query, many)),
    ];
  };
  return {
    title: `Nexmark on one worker and on two, ${many / 1e6} M events in steps of 40,000, made before`,
    checksum: null,
    contenders: compared.flatMap(waysOf),
    figures: (runs) => {
      const median = (own: readonly Measured[], seconds: (run: Measured) => number): number =>
        spread(own.map(seconds)).median;
      const rows = compared.map((query, i) => {
        const [one = [], two = [], apart = []] = runs.slice(3 * i, 3 * i + 3);
        const sums = new Set([...one, ...two, ...apart].map((run) => run['sums']));
        if (sums.size > 1) throw new Error(`${query} gave different sums: ${[...sums].join(', ')}`);
        const [alone, together, twice] = [one, two, apart].map((own) => median(own, ({ seconds }) => seconds));
        const [times, most] = [alone! / together!, (2 * alone!) / twice!];
        const [cpu, busier] = [median(one, busiest), median(two, busiest)];
        const clock = [alone!, together!, times, twice!, most].map((value, c) =>
          value.toFixed(c === 2 || c === 4 ? 2 : 3),
        );
        const helpers = [one, two].map((own) => median(own, (run) => Number(run['helperSeconds'])).toFixed(3));
        return [query, ...clock, (times / most).toFixed(2), busier.toFixed(3), (cpu / busier).toFixed(2), ...helpers];
      });
      const columns = [
        'query',
        'one worker, s',
        'two, s',
        'times by the clock',
        'two apart, s',
        'times that two cores give',
        'share of it',
        'two, CPU of the busier thread, s',
        'times by the busier thread',
        'helper threads of one, s',
        'of two',
      ];
      return { lines: markdownTable(columns, rows) };
    },
  };
}

function busiest(run: Measured): number {
  // SAFETY: workers-run.ts prints the seconds of each worker.
  const cpu = run['cpu'] as readonly number[];
  return Math.max(...cpu);
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
