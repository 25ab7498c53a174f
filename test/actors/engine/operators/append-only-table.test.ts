// What an append-only table lets pass and what it refuses.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AppendOnlyTable } from '../../../../actors/engine/operators/append-only-table.ts';
import { batchOf, bigint, schemaOf, step } from '../zset-rows.ts';

const schema = schemaOf({ n: bigint });

test('insertions pass and each deletion is refused', () => {
  const refused: number[] = [];
  const table = new AppendOnlyTable('t', (_, row) => refused.push(row));
  assert.equal(
    step(table, [
      0,
      batchOf(schema, [
        [1, 1n],
        [-1, 2n],
        [2, 3n],
      ]),
    ]),
    ['+1: 1', '+2: 3'],
  );
  assert.equal(step(table, [0, batchOf(schema, [[-1, 1n]])]), []);
  assert.equal(refused, [1, 0]);
});

test.run();
