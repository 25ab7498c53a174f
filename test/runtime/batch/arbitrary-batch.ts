// Random schemas and batches for property tests: every type, every storage, every layout, NULLs, weights, presence, slices.
//
// `arbitraryBatch()` makes both; `arbitraryBatchOf(schema)` makes batches of a given schema. Values are such as the type
// allows as far as its storage knows: text is UTF-8, booleans are 0 or 1, decimals have no more digits than their precision.
// `rowsOfBatch` reads a batch back as plain values, which is what two batches should be compared by.
import fc from 'fast-check';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { presenceBytes } from '../../../runtime/batch/change-batch.ts';
import { type Column, isValid } from '../../../runtime/batch/column.ts';
import { type Field, makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import { type SqlType, storageOf } from '../../../runtime/batch/sql-type.ts';

export interface BatchShape {
  /** Default 24. */
  readonly rowsMax?: number;
  /** Default true: some batches have weights other than +1. */
  readonly weights?: boolean;
  /** Default true: some batches are partial updates. */
  readonly presence?: boolean;
}

export const arbitraryType: fc.Arbitrary<SqlType> = fc.oneof(
  fc.constantFrom<SqlType[]>(
    { kind: 'BOOLEAN' },
    { kind: 'TINYINT' },
    { kind: 'SMALLINT' },
    { kind: 'INTEGER' },
    { kind: 'BIGINT' },
    { kind: 'REAL' },
    { kind: 'DOUBLE' },
    { kind: 'CHAR', length: 4 },
    { kind: 'VARCHAR', length: null },
    { kind: 'VARCHAR', length: 20 },
    { kind: 'BINARY', length: 3 },
    { kind: 'VARBINARY', length: null },
    { kind: 'DATE' },
    { kind: 'TIME' },
    { kind: 'TIMESTAMP' },
    { kind: 'INTERVAL_MONTHS' },
    { kind: 'INTERVAL_MICROS' },
    { kind: 'UUID' },
    { kind: 'VARIANT' },
  ),
  fc
    .integer({ min: 1, max: 38 })
    .chain((precision) =>
      fc.integer({ min: 0, max: precision }).map((scale): SqlType => ({ kind: 'DECIMAL', precision, scale })),
    ),
);

export const arbitrarySchema: fc.Arbitrary<Schema> = fc
  .array(fc.record({ type: arbitraryType, nullable: fc.boolean() }), { minLength: 1, maxLength: 12 })
  .map((columns) => makeSchema(columns.map(({ type, nullable }, i): Field => ({ name: `c${i}`, type, nullable }))));

export function arbitraryBatch(shape: BatchShape = {}): fc.Arbitrary<ChangeBatch> {
  return arbitrarySchema.chain((schema) => arbitraryBatchOf(schema, shape));
}

export function arbitraryBatchOf(schema: Schema, shape: BatchShape = {}): fc.Arbitrary<ChangeBatch> {
  const { rowsMax = 24, weights = true, presence = true } = shape;
  return fc.nat({ max: rowsMax }).chain((rows) => {
    const presenceLength = rows * presenceBytes(schema.fields.length);
    return fc
      .record({
        columns: fc.tuple(...schema.fields.map((field) => arbitraryColumn(field, rows))),
        weights: weights ? fc.option(arbitraryWeights(rows)) : fc.constant(null),
        presence: presence ? fc.option(arbitraryBytes(presenceLength)) : fc.constant(null),
      })
      .map((parts): ChangeBatch => ({ schema, rows, ...parts }));
  });
}

/** Every row as an array of weight and plain values; NULL is null, bytes are hexadecimal, absent fields are 'absent'. */
export function rowsOfBatch(batch: ChangeBatch): unknown[][] {
  const width = presenceBytes(batch.columns.length);
  return Array.from({ length: batch.rows }, (_, row) => [
    batch.weights === null ? 1 : batch.weights[row],
    ...batch.columns.map((column, c) => {
      const { presence } = batch;
      if (presence !== null && (presence[row * width + (c >> 3)]! & (1 << (c & 7))) === 0) return 'absent';
      return valueAt(column, row);
    }),
  ]);
}

function valueAt(column: Column, row: number): unknown {
  if (!isValid(column.validity, row)) return null;
  switch (column.layout) {
    case 'fixed':
      if (storageOf(column.type) === 'i128') return [column.values[row * 2], column.values[row * 2 + 1]];
      return column.values[row];
    case 'bytes':
      return hex(column.bytes, column.offsets[row]!, column.offsets[row + 1]!);
    case 'dictionary': {
      const { offsets, bytes } = column.dictionary;
      const code = column.codes[row]!;
      return hex(bytes, offsets[code]!, offsets[code + 1]!);
    }
  }
}

function hex(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('hex');
}

function arbitraryColumn(field: Field, rows: number): fc.Arbitrary<Column> {
  const { type, nullable } = field;
  const validity = nullable ? fc.option(arbitraryBytes((rows + 7) >> 3)) : fc.constant(null);
  return validity.chain((bits) => {
    if (storageOf(type) !== 'bytes') return arbitraryFixed(type, bits, rows);
    return fc.oneof(arbitraryStrings(type, bits, rows), arbitraryDictionary(type, bits, rows));
  });
}

function arbitraryFixed(type: SqlType, validity: Uint8Array | null, rows: number): fc.Arbitrary<Column> {
  const column = (values: Extract<Column, { layout: 'fixed' }>['values']): Column => ({
    layout: 'fixed',
    type,
    validity,
    values,
  });
  const integers = (min: number, max: number): fc.Arbitrary<number[]> => many(fc.integer({ min, max }), rows);
  switch (storageOf(type)) {
    case 'bool':
      return integers(0, 1).map((values) => column(Uint8Array.from(values)));
    case 'i8':
      return integers(-128, 127).map((values) => column(Int8Array.from(values)));
    case 'i16':
      return integers(-32_768, 32_767).map((values) => column(Int16Array.from(values)));
    case 'i32':
      return integers(...int32Range(type)).map((values) => column(Int32Array.from(values)));
    case 'f32':
      return many(fc.float(), rows).map((values) => column(Float32Array.from(values)));
    case 'f64':
      return many(fc.double(), rows).map((values) => column(Float64Array.from(values)));
    case 'i64':
      return many(arbitraryInt64(type), rows).map((values) => column(BigInt64Array.from(values)));
    case 'i128':
      return many(arbitraryInt128(type), rows).map((values) =>
        column(
          BigInt64Array.from(values.flatMap((value) => [BigInt.asIntN(64, value), BigInt.asIntN(64, value >> 64n)])),
        ),
      );
    case 'bytes':
      throw new Error('bytes are not fixed');
  }
}

function int32Range(type: SqlType): [number, number] {
  // Years 1 to 9999 for dates, 9999 years for intervals.
  if (type.kind === 'DATE') return [-719_162, 2_932_896];
  if (type.kind === 'INTERVAL_MONTHS') return [-119_999, 119_999];
  return [-(2 ** 31), 2 ** 31 - 1];
}

function arbitraryInt64(type: SqlType): fc.Arbitrary<bigint> {
  switch (type.kind) {
    case 'DECIMAL':
      return arbitraryDigits(type.precision);
    case 'TIME':
      return fc.bigInt({ min: 0n, max: 86_399_999_999n });
    case 'TIMESTAMP':
      return fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });
    default:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  }
}

function arbitraryInt128(type: SqlType): fc.Arbitrary<bigint> {
  if (type.kind === 'DECIMAL') return arbitraryDigits(type.precision);
  return fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n });
}

function arbitraryDigits(precision: number): fc.Arbitrary<bigint> {
  const max = 10n ** BigInt(precision) - 1n;
  return fc.bigInt({ min: -max, max });
}

function arbitraryStrings(type: SqlType, validity: Uint8Array | null, rows: number): fc.Arbitrary<Column> {
  const before = fc.uint8Array({ maxLength: 5 });
  return fc.tuple(before, many(arbitraryText(type), rows)).map(([prefix, texts]): Column => {
    const { offsets, bytes } = concatenate([prefix, ...texts]);
    // Without its first entry: a slice, whose offsets do not begin at 0.
    return { layout: 'bytes', type, validity, offsets: offsets.subarray(1), bytes };
  });
}

function arbitraryDictionary(type: SqlType, validity: Uint8Array | null, rows: number): fc.Arbitrary<Column> {
  const selector = (text: Uint8Array): string => Buffer.from(text).toString('hex');
  return fc
    .uniqueArray(arbitraryText(type), { minLength: 1, maxLength: 40, selector })
    .chain((entries) => fc.tuple(fc.constant(entries), many(fc.nat({ max: entries.length - 1 }), rows)))
    .map(([entries, chosen]): Column => {
      const codes = Int32Array.from(chosen, (code, row) => (isValid(validity, row) ? code : -1 - code));
      const dictionary = { identity: {}, size: entries.length, ...concatenate(entries) };
      return { layout: 'dictionary', type, validity, codes, dictionary };
    });
}

function concatenate(parts: readonly Uint8Array[]): { offsets: Int32Array; bytes: Uint8Array } {
  const offsets = new Int32Array(parts.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  const bytes = new Uint8Array(offsets[parts.length]!);
  for (const [i, part] of parts.entries()) bytes.set(part, offsets[i]);
  return { offsets, bytes };
}

function arbitraryText(type: SqlType): fc.Arbitrary<Uint8Array> {
  const text = (words: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> =>
    words.map((word) => new TextEncoder().encode(word));
  switch (type.kind) {
    case 'CHAR':
      return text(fc.string({ unit: 'grapheme-ascii', minLength: type.length, maxLength: type.length }));
    case 'VARIANT':
      return text(fc.json());
    case 'BINARY':
      return fc.uint8Array({ minLength: type.length, maxLength: type.length });
    case 'VARBINARY':
      return fc.uint8Array({ maxLength: 12 });
    default:
      return text(fc.string({ unit: 'binary', maxLength: 10 }));
  }
}

function arbitraryWeights(rows: number): fc.Arbitrary<Int32Array> {
  const weight = fc.oneof(fc.constantFrom(1, -1, 2), fc.integer({ min: 1, max: 2 ** 31 - 1 }));
  return many(weight, rows).map((weights) => Int32Array.from(weights));
}

function arbitraryBytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

function many<T>(one: fc.Arbitrary<T>, rows: number): fc.Arbitrary<T[]> {
  return fc.array(one, { minLength: rows, maxLength: rows });
}
