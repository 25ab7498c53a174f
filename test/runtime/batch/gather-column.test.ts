// Gathering selected rows: every storage and layout, slices of larger columns, and bitmaps that lose their last NULL.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ScalarValue } from '../../../actors/engine/sql/scalar-value.ts';
import { gatherColumn, gatherWeights } from '../../../runtime/batch/gather-column.ts';
import { readCell } from '../../../runtime/batch/scalar-values.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import * as node from '../../actors/engine/plan/scalar-nodes.ts';

const long = 'long text that is copied as a whole, because it has more than 48 bytes';
const values: readonly (readonly [SqlType, readonly ScalarValue[]])[] = [
  [node.boolean, [true, null, false]],
  [node.tinyint, [-1, null, 2]],
  [node.smallint, [-1, null, 2]],
  [node.integer, [-1, null, 2]],
  [node.bigint, [-1n, null, 2n]],
  [node.real, [-1.5, null, 2]],
  [node.double, [-1.5, null, 2]],
  [node.decimal(38, 0), [-(10n ** 30n), null, 5n]],
  [node.varchar, ['', null, long]],
  [node.varbinary, [Uint8Array.of(1), null, Uint8Array.of(2, 3)]],
  [node.uuid, ['00000000-0000-0000-0000-000000000001', null, 'ffffffff-ffff-ffff-ffff-ffffffffffff']],
];

const selections: readonly (readonly number[])[] = [[], [0], [1], [2, 1, 0, 0], [0, 2]];

test('the selected rows of every storage are in the order of the selection', () => {
  for (const [type, cells] of values) {
    const batch = node.batchOf(
      node.schemaOf([type]),
      cells.map((cell) => [cell]),
    );
    for (const { columns } of [batch, node.withDictionaries(batch)]) {
      for (const rows of selections) {
        const gathered = gatherColumn(columns[0]!, Int32Array.from([...rows, 99]), rows.length);
        const read = rows.map((_, i) => readCell(gathered, i));
        assert.equal(
          read,
          rows.map((row) => cells[row]),
          type.kind,
        );
        assert.is(gathered.validity === null, !rows.includes(1), type.kind);
      }
    }
  }
});

test('a slice of bytes that does not begin at 0 is gathered from its own offsets', () => {
  const bytes = new TextEncoder().encode('xxxabc');
  const slice = {
    layout: 'bytes',
    type: node.varchar,
    validity: null,
    offsets: Int32Array.of(3, 4, 6),
    bytes,
  } as const;
  const gathered = gatherColumn(slice, Int32Array.of(1), 1);
  assert.is(readCell(gathered, 0), 'bc');
});

test('weights follow their rows', () => {
  assert.equal(gatherWeights(Int32Array.of(5, -6, 7), Int32Array.of(2, 1, 0), 2), Int32Array.of(7, -6));
});

test.run();
