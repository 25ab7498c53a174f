// The order of rows in small steps: by their columns, whatever the order and the batches in which they come.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inRowOrder, orderedRowsMax } from '../../../../actors/gateway/egress/row-order.ts';
import { BatchBuilder } from '../../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { type CellValue, readCell, writeCell } from '../../../../runtime/batch/scalar-values.ts';
import { makeSchema } from '../../../../runtime/batch/schema.ts';

const schema = makeSchema([
  { name: 'a', type: { kind: 'BIGINT' }, nullable: true },
  { name: 'b', type: { kind: 'VARCHAR', length: null }, nullable: true },
  { name: 'c', type: { kind: 'DOUBLE' }, nullable: false },
]);

type Row = readonly [bigint | null, string | null, number];

function batchOf(rows: readonly Row[], weights: readonly number[]): ChangeBatch {
  const builder = new BatchBuilder(schema, 8);
  for (const row of rows) {
    builder.reserve(1);
    row.forEach((value: CellValue, at) => {
      const column = builder.columns[at];
      if (column !== undefined) writeCell(column, builder.rows, value);
    });
    builder.commitRow();
  }
  return { ...builder.finish(), weights: Int32Array.from(weights) };
}

function rowsOf(batches: readonly ChangeBatch[]): readonly string[] {
  return batches.flatMap((batch) =>
    Array.from({ length: batch.rows }, (_, row) =>
      [...batch.columns.map((column) => readCell(column, row)), batch.weights?.[row]].map(String).join('|'),
    ),
  );
}

const cells = fc.tuple(
  fc.option(fc.bigInt({ min: -3n, max: 12n })),
  fc.option(fc.constantFrom('', 'a', 'b', 'ä')),
  fc.constantFrom(1.5, -2, Number.NaN, Number.POSITIVE_INFINITY),
);

test('rows come in one order, however they were dealt out', () => {
  const changes = fc.array(fc.tuple(cells, fc.constantFrom(-1, 1, 2)), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(
      changes,
      fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
      fc.nat({ max: 30 }),
      (rows, noise, cut) => {
        // Rows that are the same in every column may differ in weight alone: those have no order of their own.
        const distinct = [...new Map(rows.map((row) => [String(row[0]), row])).values()];
        const dealt = distinct.map((row, at) => ({ row, at: noise[at] ?? 0 })).sort((a, b) => a.at - b.at);
        const made = (list: readonly (typeof distinct)[number][]): ChangeBatch =>
          batchOf(
            list.map(([row]) => row),
            list.map(([, weight]) => weight),
          );
        const mixed = dealt.map(({ row }) => row);
        const one = rowsOf(inRowOrder([made(distinct)]));
        const parts = [mixed.slice(0, cut), mixed.slice(cut)].filter((part) => part.length > 0).map(made);
        assert.equal(rowsOf(inRowOrder(parts)), one);
        assert.equal([...one].sort(), rowsOf([made(distinct)]).toSorted());
      },
    ),
  );
});

test('NULL is first, numbers are numbers, and ties are told apart by the next column', () => {
  const rows: readonly Row[] = [
    [10n, 'b', 1],
    [2n, null, 1],
    [10n, 'a', Number.NaN],
    [null, 'z', 1],
    [10n, 'a', 3],
  ];
  const ordered = rowsOf(
    inRowOrder([
      batchOf(
        rows,
        rows.map(() => 1),
      ),
    ]),
  );
  assert.equal(ordered, ['null|z|1|1', '2|null|1|1', '10|a|3|1', '10|a|NaN|1', '10|b|1|1']);
});

test('a large step is left as it is', () => {
  const rows = Array.from({ length: orderedRowsMax + 1 }, (_, i): Row => [BigInt(-i), null, 0]);
  const batch = batchOf(
    rows,
    rows.map(() => 1),
  );
  assert.is(inRowOrder([batch])[0], batch);
});

test.run();
