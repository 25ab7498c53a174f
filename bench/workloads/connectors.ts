// Kafka, S3, URLs and PostgreSQL into a view, and a view to each of them but URLs, beside the bare client that reads or writes the same bytes.
import { pairedRatios, spread } from '../../actors/gateway/bench/statistics.ts';
import { medianOf, type Runs, ratioFigures, script, type Workload, type Workloads } from '../workload.ts';

const rows = 2_000_000;

/** `bare client` is what the goal is measured by. `rows parsed`: the bare client that has every row as an object, as a user's program has. */
const names = ['Millrace', 'bare client', 'rows parsed'];

export const workloads: Workloads = {
  'connectors-kafka': () => connector('kafka', 'of JSON in a topic of Kafka'),
  'connectors-s3': () => connector('s3', 'of JSON in objects of S3'),
  'connectors-postgres': () => connector('postgres', 'of a query of PostgreSQL'),
  'connectors-snapshot': () => connector('snapshot', 'of a table of PostgreSQL that is to be followed'),
  'connectors-url': () => connector('url', 'of JSON over HTTP'),
  'connectors-kafka-output': () => connector('kafka-output', 'to a topic of Kafka', 'from a generator'),
  'connectors-s3-output': () => connector('s3-output', 'to objects of S3', 'from a generator'),
  'connectors-postgres-output': () => connector('postgres-output', 'to a table of PostgreSQL', 'from a generator'),
};

function connector(transport: string, title: string, where = 'into COUNT and SUM'): Workload {
  return {
    title: `${rows / 1e6} M rows of about 100 bytes ${title}, ${where}, beside the bare client with the same bytes`,
    checksum: `${rows} rows`,
    contenders: [
      { name: 'Millrace', command: script('connectors-run', transport, 'millrace', rows) },
      { name: 'bare client', command: script('connectors-run', transport, 'bare', rows) },
      { name: 'rows parsed', command: script('connectors-run', transport, 'parsed', rows) },
    ],
    figures: (runs) => ({
      lines: [
        ...ratioFigures(names, runs).lines,
        ...steadyLines(runs),
        ...names.map((name, i) => {
          const own = runs[i] ?? [];
          const rate = spread(own.map((run) => Number(run['megabytes']) / run.seconds)).median;
          const busier = medianOf(own, 'busierSeconds');
          const bound =
            busier === 0 ? '' : `, ${(rows / 1e6 / busier).toFixed(2)} M rows a second of its busier thread`;
          return `  ${name.padEnd(11)} ${rate.toFixed(0)} MB/s, ${medianOf(own, 'cpuSeconds').toFixed(1)} s of CPU${bound}`;
        }),
      ],
    }),
  };
}

/** Of inputs: the rate behind the start, and what the start took, apart; nothing of outputs. */
function steadyLines(runs: Runs): readonly string[] {
  const known = runs.map((own) => own.filter((run) => typeof run['steadyRowsPerSecond'] === 'number'));
  if (known.some((own) => own.length === 0)) return [];
  const rates = known.map((own) => own.map((run) => Number(run['steadyRowsPerSecond'])));
  const [ours = [], ...rivals] = rates;
  return [
    ...names.map((name, i) => {
      const { min, median, max } = spread(rates[i] ?? []);
      const text = (rate: number): string => (rate / 1e6).toFixed(2);
      const start = medianOf(known[i] ?? [], 'startSeconds');
      return `  ${name.padEnd(11)} behind the first quarter ${text(median)} M rows/s (${text(min)}–${text(max)}), its start ${start.toFixed(2)} s`;
    }),
    ...rivals.map((rival, i) => {
      const { min, median, max } = pairedRatios(ours, rival);
      return `  behind the first quarter ${median.toFixed(2)} times ${names[i + 1] ?? ''} (pairs ${min.toFixed(2)}–${max.toFixed(2)})`;
    }),
  ];
}
