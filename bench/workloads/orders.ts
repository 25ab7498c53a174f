// 5 M orders from a file joined with 100 k users, grouped, to a file: the whole pipeline beside DuckDB's one-off query.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeOrdersFiles, megabytes } from '../orders-data.ts';
import { type Measured, ratioFigures, script, type Workload, type Workloads } from '../workload.ts';

const orders = 5_000_000;
const users = 100_000;

export const workloads: Workloads = {
  'orders-json': () => ordersWorkload('json'),
  'orders-csv': () => ordersWorkload('csv'),
};

function ordersWorkload(form: 'json' | 'csv'): Workload {
  const files = makeOrdersFiles('bench/data', orders, users);
  const path = resolve(form === 'csv' ? files.ordersCsv : files.ordersJson);
  const columns = "{id: 'BIGINT', user_id: 'BIGINT', amount: 'DECIMAL(10, 2)', ts: 'TIMESTAMP', note: 'VARCHAR'}";
  const reader =
    form === 'csv'
      ? `read_csv('${path}', header = true, columns = ${columns})`
      : `read_json('${path}', format = 'newline_delimited', columns = ${columns})`;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-rival-'));
  const query = join(folder, 'query.sql');
  const result = join(folder, 'spend.ndjson');
  writeFileSync(
    query,
    `COPY (SELECT u.name, COUNT(*) AS orders, SUM(o.amount) AS total FROM ${reader} o
     JOIN read_csv('${resolve(files.users)}', header = true,
       columns = {id: 'BIGINT', name: 'VARCHAR', country: 'VARCHAR'}) u ON o.user_id = u.id GROUP BY u.name)
     TO '${result}' (FORMAT json);
SELECT CAST(SUM(orders) AS VARCHAR) AS n, CAST(CAST(SUM(total) * 100 AS HUGEINT) AS VARCHAR) AS c
     FROM read_json('${result}', columns = {name: 'VARCHAR', orders: 'BIGINT', total: 'DECIMAL(38, 2)'})`,
  );
  return {
    title: `${orders / 1e6} M orders as ${form === 'csv' ? 'CSV' : 'NDJSON'} (${Math.round(megabytes(path))} MB) join ${users / 1000} k users, group by user, to a file`,
    checksum: null,
    contenders: [
      { name: 'Millrace', command: script('orders-run', form, orders, users) },
      {
        name: 'DuckDB',
        command: script('duckdb-rival', query),
        read(line): Measured {
          // SAFETY: duckdb-rival prints the rows of the last statement.
          const { seconds, rows } = line as { seconds: number; rows: [[string, string]] };
          return { seconds, rows: orders, checksum: `${rows[0][0]} orders, ${rows[0][1]} cents` };
        },
      },
    ],
    figures: (runs) => ({
      lines: [
        ...ratioFigures(['Millrace', 'DuckDB'], runs).lines,
        `  Millrace keeps the view up to date all along: ${runs[0]?.[0]?.['lines']} changes in ${runs[0]?.[0]?.['steps']} steps; peak memory ${runs[0]?.[0]?.['peakMegabytes']} MB`,
      ],
    }),
  };
}
