// State of one million groups of (BIGINT, COUNT, SUM), in the circuit alone. Prints one JSON line
// {seconds, rows, checksum, stateMegabytes, heapMegabytes, bytesPerGroup}.
import { planProgram } from '../actors/engine/plan/planner.ts';
import { compileProgram } from '../actors/engine/sql/compile-program.ts';
import { BatchBuilder } from '../runtime/batch/batch-builder.ts';

const groups = Number(process.argv[2] ?? 1_000_000);
const { program } = compileProgram(`
  CREATE TABLE events (k BIGINT NOT NULL, v BIGINT NOT NULL);
  CREATE VIEW totals AS SELECT k, COUNT(*) AS n, SUM(v) AS total FROM events GROUP BY k;
`);
const schema = program?.tables[0]?.relation.schema;
if (program === null || schema === undefined) throw new Error('the program does not compile');
const circuit = planProgram(program, { onError: 'stop' });
circuit.observe('totals');
let emitted = 0;
const started = performance.now();
for (let from = 0; from < groups; from += 65_536) {
  const rows = Math.min(65_536, groups - from);
  const builder = new BatchBuilder(schema, rows);
  for (let i = 0; i < rows; i++) {
    // SAFETY: both columns are BIGINT.
    (builder.columns[0]!.values as BigInt64Array)[i] = BigInt(from + i);
    (builder.columns[1]!.values as BigInt64Array)[i] = 7n;
  }
  builder.commitRows(rows, null);
  emitted += circuit.step(new Map([['events', [builder.finish()]]])).get('totals')?.rows ?? 0;
}
const seconds = (performance.now() - started) / 1000;
const stateBytes = circuit.statistics().reduce((sum, operator) => sum + operator.stateBytes, 0);
const line = {
  seconds,
  rows: groups,
  checksum: `${emitted} groups`,
  stateMegabytes: Math.round(stateBytes / 1e6),
  heapMegabytes: Math.round(process.memoryUsage().heapUsed / 1e6),
  bytesPerGroup: Math.round(stateBytes / groups),
};
process.stdout.write(`${JSON.stringify(line)}\n`);
