// Conditions beside subqueries: asked first where they may be, so that a subquery is about the rows that they leave.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { batchOf, linesOf, type WeightedRow } from '../zset-rows.ts';

const tables = ['a', 'b', 'c', 'd'].map(
  (name) => `CREATE TABLE ${name} (${name}_id INT NOT NULL, ${name}_x INT NOT NULL);`,
);

function linesOver(query: string, rows: Readonly<Record<string, readonly WeightedRow[]>>): string[] {
  const { program, problems } = compileProgram(`${tables.join('\n')}\nCREATE VIEW v AS ${query};`);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  const circuit = planProgram(program, { onError: 'stop' });
  circuit.observe('v');
  const input = program.tables
    .filter(({ relation }) => rows[relation.name] !== undefined)
    .map(({ relation }) => [relation.name, [batchOf(relation.schema, rows[relation.name]!)]] as const);
  const change = circuit.step(new Map(input)).get('v');
  return change === undefined ? [] : linesOf([change]);
}

test('a subquery beside joins is computed for the joined rows, not for the product of the tables', () => {
  const many = Array.from({ length: 1500 }, (_, i): WeightedRow => [1, i, i]);
  const query = `SELECT COUNT(*) FROM a, b, c WHERE a_x = b_id AND b_x = c_id
    AND EXISTS (SELECT 1 FROM d WHERE d_id = a_id AND d_x <> c_x + 1)
    AND NOT EXISTS (SELECT 1 FROM d WHERE d_id = a_id AND d_x = c_x + 1)
    AND c_x < (SELECT SUM(d_x) + 1 FROM d WHERE d_id = b_id)`;
  assert.equal(linesOver(query, { a: many, b: many, c: many, d: many }), ['+1: 1500']);
});

test('what a condition keeps away is not asked of the subquery behind it', () => {
  const query = 'SELECT a_id FROM a WHERE a_x <> 0 AND EXISTS (SELECT 1 FROM b WHERE b_id = 10 / a_x)';
  const a: WeightedRow[] = [[1, 1, 0], [1, 2, 2], [1, 3, 3]]; // biome-ignore format: a row a value
  assert.equal(linesOver(query, { a, b: [[1, 5, 0]] }), ['+1: 2']);
});

test('a condition that fails on a row which the subquery before it keeps away does not fail', () => {
  const query = 'SELECT a_id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b_id = a_id) AND 10 / a_x > 1';
  const a: WeightedRow[] = [[1, 1, 0], [1, 2, 2], [1, 3, 30]]; // biome-ignore format: a row a value
  assert.equal(linesOver(query, { a, b: [[1, 2, 0], [1, 3, 0]] }), ['+1: 2']); // biome-ignore format: a row a value
});

test('HAVING asks its own conditions first, too', () => {
  const query = `SELECT a_id, SUM(a_x) FROM a GROUP BY a_id
    HAVING SUM(a_x) <> 0 AND EXISTS (SELECT 1 FROM b WHERE b_id = a_id AND b_x = 1) AND COUNT(*) > 1`;
  const a: WeightedRow[] = [[1, 1, 1], [1, 1, 2], [1, 2, 3], [1, 3, 4], [1, 3, -4], [1, 4, 1], [1, 4, 1]]; // biome-ignore format: a row a value
  const b: WeightedRow[] = [1, 2, 3].map((id) => [1, id, 1]);
  assert.equal(linesOver(query, { a, b }), ['+1: 1, 3']);
});

test.run();
