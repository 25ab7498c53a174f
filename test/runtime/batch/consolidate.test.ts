// The normal form of a change, against a sum of weights by hand.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { consolidate } from '../../../runtime/batch/consolidate.ts';
import { hashRows } from '../../../runtime/batch/row-key.ts';
import type { CellValue } from '../../../runtime/batch/scalar-values.ts';
import { batchOf, bigint, double, linesOf, schemaOf, text, type WeightedRow } from '../../actors/engine/zset-rows.ts';

const schema = schemaOf({ a: bigint, s: text, d: double });
const row: fc.Arbitrary<WeightedRow> = fc.tuple<[number, CellValue, CellValue, CellValue]>(
  fc.constantFrom(1, 1, -1, 2),
  fc.option(fc.bigInt({ min: 0n, max: 2n })),
  fc.option(fc.constantFrom('', 'x', 'yy')),
  fc.option(fc.constantFrom(0.5, Number.NaN)),
);

function sums(rows: readonly WeightedRow[]): string[] {
  const weights = new Map<string, number>();
  for (const [weight, ...values] of rows) {
    const key = values.join(', ');
    weights.set(key, (weights.get(key) ?? 0) + weight);
  }
  return [...weights]
    .filter(([, w]) => w !== 0)
    .map(([key, w]) => `${w > 0 ? '+' : ''}${w}: ${key}`)
    .sort();
}

for (const hashMask of [-1, 0]) {
  test(`equal rows are merged and zeros dropped, with the hash masked by ${hashMask}`, () => {
    fc.assert(
      fc.property(fc.array(fc.array(row, { maxLength: 12 }), { minLength: 1, maxLength: 4 }), (batches) => {
        // NULL and '' print alike: keep the test to rows that differ in print.
        const shown = batches.map((rows) =>
          rows.map((one): WeightedRow => [one[0], one[1]!, one[2] ?? 'null', one[3]!]),
        );
        const result = consolidate(
          shown.map((rows) => batchOf(schema, rows)),
          schema,
          hashMask,
        );
        assert.equal(result === null ? [] : linesOf([result]).sort(), sums(shown.flat()));
      }),
    );
  });
}

test('NULL differs from the empty string and from zero', () => {
  const result = consolidate(
    [
      batchOf(schema, [
        [1, null, '', 0],
        [-1, 0n, null, 0],
        [1, null, '', 0],
      ]),
    ],
    schema,
  );
  assert.is(result?.rows, 2);
});

test('nothing left is null', () => {
  assert.is(
    consolidate(
      [
        batchOf(schema, [
          [1, 1n, 'a', 1],
          [-1, 1n, 'a', 1],
        ]),
      ],
      schema,
    ),
    null,
  );
  assert.is(consolidate([], schema), null);
});

test('the hash of a row does not depend on the layout of its strings', () => {
  const bytes = batchOf(schema, [
    [1, 1n, 'abc', 2],
    [1, null, null, null],
  ]);
  const strings = bytes.columns[1]!;
  assert.is(strings.layout, 'bytes');
  if (strings.layout !== 'bytes') return;
  const { type, validity, offsets } = strings;
  const dictionary = { identity: offsets, size: 2, offsets, bytes: strings.bytes };
  const coded = { layout: 'dictionary' as const, type, validity, codes: Int32Array.of(0, 1), dictionary };
  const columns = [bytes.columns[0]!, coded, bytes.columns[2]!];
  assert.equal([...hashRows(columns, 2)], [...hashRows(bytes.columns, 2)]);
});

test.run();
