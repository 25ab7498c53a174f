// Kafka, S3 and PostgreSQL into a view, beside the bare client that reads the same bytes.
import { spread } from '../../actors/gateway/bench/statistics.ts';
import { medianOf, ratioFigures, script, type Workload, type Workloads } from '../workload.ts';

const rows = 2_000_000;

export const workloads: Workloads = {
  'connectors-kafka': () => connector('kafka', 'of JSON in a topic of Kafka'),
  'connectors-s3': () => connector('s3', 'of JSON in objects of S3'),
  'connectors-postgres': () => connector('postgres', 'of a table of PostgreSQL'),
};

function connector(transport: string, title: string): Workload {
  return {
    title: `${rows / 1e6} M rows of about 100 bytes ${title}, into COUNT and SUM, beside the bare client reading the same bytes`,
    checksum: `${rows} rows`,
    contenders: [
      { name: 'Millrace', command: script('connectors-run', transport, 'millrace', rows) },
      { name: 'bare client', command: script('connectors-run', transport, 'bare', rows) },
    ],
    figures: (runs) => ({
      lines: [
        ...ratioFigures(['Millrace', 'bare client'], runs).lines,
        ...['Millrace', 'bare client'].map((name, i) => {
          const own = runs[i] ?? [];
          const rate = spread(own.map((run) => Number(run['megabytes']) / run.seconds)).median;
          return `  ${name.padEnd(11)} ${rate.toFixed(0)} MB/s, ${medianOf(own, 'cpuSeconds').toFixed(1)} s of CPU`;
        }),
      ],
    }),
  };
}
