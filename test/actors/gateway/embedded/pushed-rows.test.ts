// Pushed rows: all or nothing, in batches of bounded size.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pushedBatches, RowsRefused } from '../../../../actors/gateway/embedded/pushed-rows.ts';
import { makeSchema, type Relation } from '../../../../runtime/batch/schema.ts';

const relation: Relation = {
  name: 't',
  schema: makeSchema([
    { name: 'id', type: { kind: 'BIGINT' }, nullable: false },
    { name: 'name', type: { kind: 'VARCHAR', length: null }, nullable: true },
  ]),
  primaryKey: [0],
};
const raw = { updateFormat: 'raw', force: false } as const;

test('many rows become several batches, no row lost', () => {
  const rows = Array.from({ length: 40_000 }, (_, id) => ({ id, name: `n${id}` }));
  const batches = pushedBatches(rows, relation, [null, null], raw);
  assert.ok(batches.length > 1);
  assert.is(
    batches.reduce((sum, batch) => sum + batch.rows, 0),
    40_000,
  );
});

test('no rows are no batches', () => {
  assert.equal(pushedBatches([], relation, [null, null], raw), []);
});

test('rows that do not fit refuse the whole push, each with its position', () => {
  const rows: unknown[] = Array.from({ length: 20_000 }, (_, id) => ({ id }));
  rows[3] = { id: 'x' };
  rows[17_000] = { name: 'no id' };
  try {
    pushedBatches(rows, relation, [null, null], raw);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, RowsRefused);
    // SAFETY: checked above.
    const { fields, code } = error as InstanceType<typeof RowsRefused>;
    assert.is(code, 'push.rows_refused');
    assert.is(fields.numProblems, 2);
    assert.equal(
      fields.problems.map((problem) => problem.row),
      [4, 17_001],
    );
  }
});

test.run();
