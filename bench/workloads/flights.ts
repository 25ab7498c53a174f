// examples/flights as a user runs it: Parquet and CSV to three views.
import { ratioFigures, script, type Workloads } from '../workload.ts';

export const workloads: Workloads = {
  flights: () => ({
    title: 'examples/flights: 3,003,376 rows, Parquet and CSV to three views',
    checksum: '3000000 flights',
    contenders: [{ name: 'Millrace', command: script('flights-run') }],
    figures: (runs) => ratioFigures(['Millrace'], runs),
  }),
};
