// Cells and values: what is written is read, for every type, next to NULLs.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import { type CellValue, readCell, writeCell } from '../../../runtime/batch/scalar-values.ts';
import { makeSchema } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const wideMax = 10n ** 38n - 1n;

const cells: readonly (readonly [SqlType, fc.Arbitrary<CellValue>])[] = [
  [{ kind: 'BOOLEAN' }, fc.boolean()],
  [{ kind: 'TINYINT' }, fc.integer({ min: -128, max: 127 })],
  [{ kind: 'SMALLINT' }, fc.integer({ min: -32768, max: 32767 })],
  [{ kind: 'INTEGER' }, fc.integer()],
  [{ kind: 'BIGINT' }, int64],
  [{ kind: 'REAL' }, fc.float()],
  [{ kind: 'DOUBLE' }, fc.double()],
  [{ kind: 'DECIMAL', precision: 18, scale: 2 }, int64],
  [{ kind: 'DECIMAL', precision: 38, scale: 10 }, fc.bigInt({ min: -wideMax, max: wideMax })],
  [{ kind: 'VARCHAR', length: null }, fc.string({ unit: 'grapheme' })],
  [{ kind: 'VARBINARY', length: null }, fc.uint8Array()],
  [{ kind: 'DATE' }, fc.integer()],
  [{ kind: 'TIMESTAMP' }, int64],
  [{ kind: 'INTERVAL_MONTHS' }, fc.integer()],
  [{ kind: 'INTERVAL_MICROS' }, int64],
  [{ kind: 'UUID' }, fc.uuid()],
  [{ kind: 'VARIANT' }, fc.json()],
];

test('every value of every type comes back from its cell', () => {
  for (const [type, arbitrary] of cells) {
    fc.assert(
      fc.property(fc.array(fc.option(arbitrary), { maxLength: 20 }), (values) => {
        const builder = new BatchBuilder(makeSchema([{ name: 'x', type, nullable: true }]));
        values.forEach((value, row) => {
          builder.reserve(1);
          writeCell(builder.columns[0]!, row, value);
          builder.commitRow();
        });
        const column = builder.finish().columns[0]!;
        assert.equal(
          values.map((_, row) => readCell(column, row)),
          values,
        );
      }),
      { numRuns: 50 },
    );
  }
});

test('bytes are copied out of their column', () => {
  const type: SqlType = { kind: 'VARBINARY', length: null };
  const bytes = Uint8Array.of(1, 2, 3);
  const column = { layout: 'bytes', type, validity: null, offsets: Int32Array.of(0, 3), bytes } as const;
  const copy = readCell(column, 0);
  bytes[0] = 9;
  assert.equal(copy, Uint8Array.of(1, 2, 3));
});

test.run();
