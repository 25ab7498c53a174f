// error_view: the rows that LATENESS drops, as a relation.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Circuit } from '../../../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { ShardedCircuit } from '../../../oracle/sharded-circuit.ts';
import { problemOf } from '../sql/program-rows.ts';
import { batchOf, type WeightedRow } from '../zset-rows.ts';

const program = `CREATE TABLE t (x INT LATENESS 1, at TIMESTAMP, s VARCHAR);
  CREATE MATERIALIZED VIEW doubled AS SELECT 2 * x AS z FROM t;
  LATENESS doubled.z 0;
  CREATE VIEW counted AS SELECT message, COUNT(*) AS c FROM error_view GROUP BY message;
  CREATE MATERIALIZED VIEW v AS SELECT * FROM error_view;
  CREATE MATERIALIZED VIEW c AS SELECT * FROM counted;`;
const compiled = compileProgram(program).program!;
const { schema } = compiled.tables[0]!.relation;

const at = BigInt(Date.UTC(2024, 0, 1)) * 1000n;
const steps: readonly (readonly WeightedRow[])[] = [
  [[1, 5, at, 'a']],
  [
    [1, 3, at, 'late'],
    [1, 4, at, 'late of the view'],
    [1, 6, null, 'b'],
  ],
  [[-1, 1, null, null]],
];

function linesOf(batches: Iterable<ChangeBatch>): string[] {
  return [...batches]
    .flatMap((batch) => Array.from({ length: batch.rows }, (_, row) => JSON.stringify(rowFromBatch(batch, row))))
    .sort();
}

const expected = [
  '{"table_or_view_name":"doubled","message":"Late value","metadata":"{\\"z\\":8}"}',
  '{"table_or_view_name":"t","message":"Late value","metadata":"{\\"x\\":1,\\"at\\":null,\\"s\\":null}"}',
  '{"table_or_view_name":"t","message":"Late value","metadata":"{\\"x\\":3,\\"at\\":\\"2024-01-01 00:00:00\\",\\"s\\":\\"late\\"}"}',
];

test('late rows of tables and views are rows of error_view, in the step in which they come, across restarts', () => {
  const started = (parts?: Uint8Array[]): Circuit => {
    const circuit = planProgram(compiled, { onError: 'stop' });
    if (parts !== undefined) circuit.restore(parts);
    circuit.observe('v');
    return circuit;
  };
  let circuit = started();
  const changes = steps.map((rows) => {
    circuit = started(circuit.snapshot());
    const change = circuit.step(new Map([['t', [batchOf(schema, rows)]]])).get('v');
    return linesOf(change === undefined ? [] : [change]);
  });
  assert.equal(changes, [[], [expected[0], expected[2]], [expected[1]]]);
  assert.equal(linesOf(circuit.contents('v')), expected);
  assert.equal(linesOf(circuit.contents('c')), ['{"message":"Late value","c":3}']);
});

test('several workers tell of a row once', () => {
  for (const workers of [2, 3]) {
    const circuit = new ShardedCircuit(compiled, workers);
    for (const rows of steps) circuit.step(new Map([['t', [batchOf(schema, rows)]]]));
    assert.equal(linesOf(circuit.contents('v')), expected);
    assert.equal(linesOf(circuit.contents('c')), ['{"message":"Late value","c":3}']);
  }
});

test('nothing else has its name', () => {
  assert.match(problemOf('CREATE TABLE error_view (x INT);'), /"error_view" is declared twice/);
});

test.run();
