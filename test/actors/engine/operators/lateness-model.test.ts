// LATENESS against a model: views over a table are what they are over the changes that were in time, whatever has been forgotten.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Circuit } from '../../../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../../../../actors/engine/sql/bound.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { batchOf, type WeightedRow } from '../zset-rows.ts';

const lateness = 4;
const views = [
  'SELECT x, COUNT(*) AS c, SUM(y) AS s FROM t GROUP BY x',
  'SELECT DISTINCT x FROM t',
  'SELECT a.x, a.y, b.y AS z FROM t a JOIN t b ON a.x = b.x',
  'SELECT x, MAX(y) AS m, ARRAY_AGG(y ORDER BY y) AS ys FROM t GROUP BY x HAVING COUNT(*) > 1',
  'SELECT x, y, ROW_NUMBER() OVER (PARTITION BY x ORDER BY y) AS n FROM t',
];

function programOf(table: string): BoundProgram {
  const declared = views.map((sql, i) => `CREATE VIEW v${i} AS ${sql};`);
  const { program, problems } = compileProgram(`${table}; ${declared.join('\n')}`);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  return program;
}

function observed(program: BoundProgram): Circuit {
  const circuit = planProgram(program, { onError: 'stop' });
  views.forEach((_, i) => {
    circuit.observe(`v${i}`);
  });
  return circuit;
}

function add(sums: Map<string, number>, batch: ChangeBatch | undefined): void {
  for (let row = 0; row < (batch?.rows ?? 0); row++) {
    const key = JSON.stringify(rowFromBatch(batch!, row));
    const weight = (sums.get(key) ?? 0) + (batch!.weights === null ? 1 : batch!.weights[row]!);
    if (weight === 0) sums.delete(key);
    else sums.set(key, weight);
  }
}

test('views are those of the rows that were in time, across restarts', () => {
  const late = programOf(`CREATE TABLE t (x INT LATENESS ${lateness}, y INT)`);
  const plain = programOf('CREATE TABLE t (x INT, y INT)');
  const { schema } = late.tables[0]!.relation;
  const plainSchema = plain.tables[0]!.relation.schema;
  // Time goes on: a row lies some way before or behind the step that it comes in.
  const row = fc.tuple(fc.integer({ min: -8, max: 3 }), fc.integer({ min: 0, max: 2 }), fc.boolean());
  const steps = fc.array(fc.array(row, { maxLength: 8 }), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(steps, (history) => {
      let circuit = observed(late);
      const sums = views.map(() => new Map<string, number>());
      const accepted: (readonly [number, number])[] = [];
      let greatest = Number.NEGATIVE_INFINITY;
      history.forEach((changes, at) => {
        if (at === history.length >> 1) {
          const parts = circuit.snapshot();
          circuit = observed(late);
          circuit.restore(parts);
        }
        const below = greatest - lateness;
        const batch = changes.map(([offset, y, deletes]): WeightedRow => {
          const x = at + offset;
          const known = deletes ? accepted.findIndex(([a, b]) => a === x && b === y) : -1;
          if (x < below) return [deletes ? -1 : 1, x, y];
          if (known >= 0) accepted.splice(known, 1);
          else {
            accepted.push([x, y]);
            greatest = Math.max(greatest, x);
          }
          return [known >= 0 ? -1 : 1, x, y];
        });
        const emitted = circuit.step(new Map([['t', [batchOf(schema, batch)]]]));
        views.forEach((_, i) => {
          add(sums[i]!, emitted.get(`v${i}`));
        });
      });
      const whole = observed(plain);
      const rows = accepted.map(([x, y]): WeightedRow => [1, x, y]);
      const expected = whole.step(new Map([['t', [batchOf(plainSchema, rows)]]]));
      views.forEach((sql, i) => {
        const sum = new Map<string, number>();
        add(sum, expected.get(`v${i}`));
        assert.equal([...sums[i]!].sort(), [...sum].sort(), sql);
      });
    }),
    { numRuns: process.env['MILLRACE_LONG'] === '1' ? 2000 : 60 },
  );
});

test.run();
