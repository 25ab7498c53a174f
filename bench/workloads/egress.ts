// A thousand listeners of one view over HTTP, a tenth of them slow.
import { medianOf, script, type Workloads } from '../workload.ts';

export const workloads: Workloads = {
  egress: () => ({
    title: '1,000 listeners of one view over HTTP, 100 of them slow, 10 rows of 1.4 KB every 60 ms, 450 times',
    checksum: '900 of 900 listeners have all rows',
    contenders: [{ name: 'Millrace', command: script('egress-run', 1000, 100, 450) }],
    figures: ([own = []]) => ({
      lines: [
        `  push to listener p50 ${medianOf(own, 'p50').toFixed(1)} ms, p99 ${medianOf(own, 'p99').toFixed(1)} ms; a slow one was kept ${medianOf(own, 'slowRows')} of 4500 rows; peak memory of the server ${medianOf(own, 'megabytes')} MB`,
      ],
    }),
  }),
};
