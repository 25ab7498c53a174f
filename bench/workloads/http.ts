// Rows over HTTP into a view, beside a bare node:http server that answers the same client.
import { ratioFigures, script, type Workload, type Workloads } from '../workload.ts';

export const workloads: Workloads = {
  http: () =>
    http(
      'bulk',
      'NDJSON rows of 100 bytes over HTTP in 1 MB bodies, 4 connections, into COUNT and SUM; client included',
    ),
  'http-small': () => http('small', 'one row a request, 64 connections'),
  'http-wide': () => http('wide', 'one row a request, 1,000 connections'),
};

function http(load: 'bulk' | 'small' | 'wide', title: string): Workload {
  const rows = load === 'bulk' ? 4_000_000 : 200_000;
  return {
    title,
    checksum: 'answered',
    contenders: [
      { name: 'Millrace', command: script('http-run', load, 'millrace', rows) },
      { name: 'bare node:http', command: script('http-run', load, 'bare', rows) },
    ],
    figures: (runs) => ratioFigures(['Millrace', 'node:http'], runs),
  };
}
