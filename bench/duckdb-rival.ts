// DuckDB's one-off batch query over the same file, as a rival: a process of its own, timed from the query's start to its
// result, with the default number of threads. Prints one JSON line {seconds, rows, checksum}.
//
//   node dist/bench/duckdb-rival.js QUERY-FILE
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
const statements = readFileSync(process.argv[2] ?? '', 'utf8').split(';\n');
const started = performance.now();
let rows: unknown[] = [];
for (const statement of statements) {
  if (statement.trim() !== '') rows = (await connection.runAndReadAll(statement)).getRowsJson();
}
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${JSON.stringify({ seconds, rows })}\n`);
