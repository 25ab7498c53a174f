// A slice holds the same rows as the part of the whole, for every layout, with and without nulls.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { isValid } from '../../../runtime/batch/column.ts';
import { makeSchema } from '../../../runtime/batch/schema.ts';
import { sliceBatch } from '../../../runtime/batch/slice-batch.ts';

const schema = makeSchema([
  { name: 'i', type: { kind: 'INTEGER' }, nullable: true },
  { name: 'u', type: { kind: 'UUID' }, nullable: true },
  { name: 's', type: { kind: 'VARCHAR', length: null }, nullable: true },
  { name: 'd', type: { kind: 'VARCHAR', length: null }, nullable: true },
]);
const words = ['', 'a', 'bb', 'ccc'];
const encoded = words.map((word) => new TextEncoder().encode(word));

type Row = readonly [number | null, number];

function batchOf(rows: readonly Row[]): ChangeBatch {
  const builder = new BatchBuilder(schema, 8);
  for (const [value, weight] of rows) {
    builder.reserve(1);
    const [i, u, s, d] = builder.columns;
    const row = builder.rows;
    if (value === null) for (const column of [i!, u!, s!, d!]) column.setNull(row);
    else {
      i!.values[row] = value;
      // SAFETY: UUID is stored in 64-bit words.
      const wide = u!.values as BigInt64Array;
      wide[row * 2] = BigInt(value);
      wide[row * 2 + 1] = BigInt(-value);
      s!.appendBytes(encoded[value % 4]!, 0, encoded[value % 4]!.length);
    }
    if (value === 7) builder.setAbsent(1);
    builder.commitRow(weight);
  }
  const batch = builder.finish();
  const offsets = new Int32Array([0, 0, 1, 3, 6]);
  const dictionary = { identity: {}, size: 4, offsets, bytes: new TextEncoder().encode('abbccc') };
  const codes = Int32Array.from(rows, ([value]) => (value ?? 0) % 4);
  const { type, validity } = batch.columns[3]!;
  return {
    ...batch,
    columns: [...batch.columns.slice(0, 3), { layout: 'dictionary', type, validity, codes, dictionary }],
  };
}

function read(batch: ChangeBatch, row: number): unknown[] {
  const values = batch.columns.map((column) => {
    if (!isValid(column.validity, row)) return null;
    if (column.layout === 'bytes') {
      return new TextDecoder().decode(column.bytes.subarray(column.offsets[row]!, column.offsets[row + 1]!));
    }
    if (column.layout === 'dictionary') return words[column.codes[row]!];
    return column.type.kind === 'UUID' ? [column.values[row * 2], column.values[row * 2 + 1]] : column.values[row];
  });
  return [...values, batch.weights?.[row] ?? 1, batch.presence?.[row] ?? 255];
}

test('row by row, a slice is the part of the whole', () => {
  const row = fc.tuple(fc.option(fc.nat({ max: 20 })), fc.constantFrom(1, 1, -1, 3));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), fc.nat(), fc.nat(), (rows, a, b) => {
      const batch = batchOf(rows);
      const start = a % (rows.length + 1);
      const end = start + (b % (rows.length - start + 1));
      const slice = sliceBatch(batch, start, end);
      assert.is(slice.rows, end - start);
      for (let i = start; i < end; i++) assert.equal(read(slice, i - start), read(batch, i));
      // A slice of a slice, since a batch may be cut again and again.
      const middle = sliceBatch(slice, slice.rows >> 1, slice.rows);
      for (let i = 0; i < middle.rows; i++) assert.equal(read(middle, i), read(slice, (slice.rows >> 1) + i));
    }),
  );
});

test.run();
