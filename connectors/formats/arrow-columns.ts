// SQL columns as Arrow columns: which type, and which arrays.
//
//   TINYINT … BIGINT  Int8 … Int64, UNSIGNED  Uint8 … Uint64    REAL DOUBLE  Float32 Float64    BOOLEAN  Bool (bits)    DECIMAL  Decimal128(p, s)
//   CHAR VARCHAR UUID VARIANT  Utf8    BINARY  LargeBinary    DATE  Date32    TIME  Time64(ns)    TIMESTAMP  Timestamp(us)
//   ARRAY  LargeList    MAP  Map(key, value)    ROW  Struct    (arrow-nested.ts)
//   INTERVAL  YearMonth, or DayTime (days and milliseconds: what lies below is cut off)    NULL  Null
// Arrays are shared where both lay values out alike: integers, floats, DATE, TIMESTAMP, strings; the rest is converted. A
// dictionary is written out, because readers of query results expect plain strings.
import {
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  IntervalDayTime,
  IntervalYearMonth,
  LargeBinary,
  makeData,
  Null,
  TimeNanosecond,
  TimestampMicrosecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow';
import { assert } from '../../runtime/assert.ts';
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { BytesColumn, Column, DictionaryColumn, Values } from '../../runtime/batch/column.ts';
import { columnValues } from '../../runtime/batch/column-values.ts';
import { fromPublic, Refusal } from '../../runtime/batch/public-values.ts';
import { writeCell } from '../../runtime/batch/scalar-values.ts';
import { makeSchema, type Field as RowField } from '../../runtime/batch/schema.ts';
import { formatSqlType, isNested, type SqlType, type UnsignedBits } from '../../runtime/batch/sql-type.ts';
import { scalarTextBytesMax } from '../../runtime/batch/text-digits.ts';
import { printUuid } from '../../runtime/batch/text-uuid.ts';
import { wordsOf } from '../../runtime/batch/text-words.ts';
import { nestedData, nestedType } from './arrow-nested.ts';
import { FormatUnsupportedType } from './format-errors.ts';

/** @throws FormatUnsupportedType */
export function arrowField(field: RowField): Field {
  return new Field(field.name, arrowType(field), field.nullable);
}

function unsignedArrow(bits: UnsignedBits): DataType {
  if (bits === 8) return new Uint8();
  if (bits === 16) return new Uint16();
  return bits === 32 ? new Uint32() : new Uint64();
}

function arrowType(field: RowField): DataType {
  const { type } = field;
  const { kind } = type;
  switch (kind) {
    case 'BOOLEAN':
      return new Bool();
    case 'TINYINT':
      return new Int8();
    case 'SMALLINT':
      return new Int16();
    case 'INTEGER':
      return new Int32();
    case 'BIGINT':
      return new Int64();
    case 'REAL':
      return new Float32();
    case 'DOUBLE':
      return new Float64();
    case 'DECIMAL':
      return type.unsigned === undefined ? new Decimal(type.scale, type.precision, 128) : unsignedArrow(type.unsigned);
    case 'CHAR':
    case 'VARCHAR':
    case 'UUID':
    case 'VARIANT':
      return new Utf8();
    case 'BINARY':
    case 'VARBINARY':
      return new LargeBinary();
    case 'DATE':
      return new DateDay();
    case 'TIME':
      return new TimeNanosecond();
    case 'TIMESTAMP':
      return type.zoned === true ? new TimestampMicrosecond('UTC') : new TimestampMicrosecond();
    case 'INTERVAL_MONTHS':
      return new IntervalYearMonth();
    case 'INTERVAL_MICROS':
      return new IntervalDayTime();
    case 'NULL':
      return new Null();
    case 'ARRAY':
    case 'MAP':
    case 'ROW':
      return nestedType(type, (inner) => arrowType({ ...field, type: inner }));
    default:
      throw new FormatUnsupportedType({ format: 'arrow_ipc', column: field.name, type: formatSqlType(type) });
  }
}

/** The first `rows` values of a column. */
export function arrowData(column: Column, rows: number): Data {
  const { type, validity } = column;
  if (type.kind === 'NULL') return makeData({ type: new Null(), length: rows });
  if (isNested(type)) return nestedData(type, columnValues(column, rows, {}), dataOf);
  const shape = { length: rows, nullCount: validity === null ? 0 : -1, nullBitmap: validity };
  const arrow = arrowType({ name: '', type, nullable: true });
  if (column.layout !== 'fixed') {
    return bytesData(arrow, shape, column.layout === 'bytes' ? column : copyEntries(column, rows), rows);
  }
  // SAFETY: arrowType and arrowValues agree on what lies in the arrays of each type.
  if (type.kind === 'UUID') return uuidData(shape, column.values as BigInt64Array, rows);
  const data = arrowValues(type, column.values, rows);
  // SAFETY: makeData is overloaded by type; the pair is right by the table above.
  return makeData({ ...shape, type: arrow as Int32, data: data as Int32Array });
}

/** Single values as a column. */
function dataOf(type: SqlType, values: readonly unknown[]): Data {
  if (isNested(type)) return nestedData(type, values, dataOf);
  const builder = new BatchBuilder(makeSchema([{ name: 'value', type, nullable: true }]), Math.max(1, values.length));
  builder.reserve(Math.max(1, values.length));
  for (const value of values) {
    const cell = fromPublic(value, type);
    for (const column of builder.columns) writeCell(column, builder.rows, cell instanceof Refusal ? null : cell);
    builder.commitRow(1);
  }
  const column = builder.finish().columns[0];
  assert(column !== undefined, 'a batch has one column for each field');
  return arrowData(column, values.length);
}

interface Shape {
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array | null;
}

function bytesData(arrow: DataType, shape: Shape, column: BytesColumn, rows: number): Data {
  const { offsets, bytes } = column;
  if (arrow instanceof LargeBinary) {
    const wide = BigInt64Array.from(offsets.subarray(0, rows + 1), BigInt);
    return makeData({ ...shape, type: arrow, valueOffsets: wide, data: bytes });
  }
  return makeData({ ...shape, type: new Utf8(), valueOffsets: offsets.subarray(0, rows + 1), data: bytes });
}

function uuidData(shape: Shape, values: BigInt64Array, rows: number): Data {
  const words = wordsOf(values);
  const bytes = new Uint8Array(rows * 36 + scalarTextBytesMax);
  const offsets = new Int32Array(rows + 1);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    at = printUuid(words, row, bytes, at);
    offsets[row + 1] = at;
  }
  return makeData({ ...shape, type: new Utf8(), valueOffsets: offsets, data: bytes });
}

function arrowValues(type: SqlType, values: Values, rows: number): ArrayBufferView {
  switch (type.kind) {
    case 'BOOLEAN':
      // SAFETY: BOOLEAN is stored as bytes of 0 and 1.
      return packBits(values as Uint8Array, rows);
    case 'DECIMAL': {
      if (type.unsigned !== undefined) return toUnsigned(values, type.unsigned, rows);
      // SAFETY: DECIMAL is stored in one or two 64-bit words.
      const words = wordsOf(values as BigInt64Array);
      return type.precision <= 18 ? widen(words, rows) : new Uint32Array(words.slice(0, rows * 4).buffer);
    }
    case 'INTERVAL_MICROS':
      // SAFETY: intervals are stored in 64-bit words.
      return toDaysAndMilliseconds(values as BigInt64Array, rows);
    default:
      return values.subarray(0, rows);
  }
}

// ── data plane ──

function packBits(values: Uint8Array, rows: number): Uint8Array {
  const bits = new Uint8Array((rows + 7) >> 3);
  for (let row = 0; row < rows; row++) bits[row >> 3]! |= (values[row]! & 1) << (row & 7);
  return bits;
}

/** The lowest words of DECIMALs, of which an unsigned integer fills no more than it has bits. */
function toUnsigned(values: Values, bits: UnsignedBits, rows: number): ArrayBufferView {
  // SAFETY: unsigned integers are stored as DECIMALs, in one or two 64-bit words.
  const words = values as BigInt64Array;
  if (bits === 64) {
    const wide = new BigUint64Array(rows);
    for (let row = 0; row < rows; row++) wide[row] = BigInt.asUintN(64, words[2 * row]!);
    return wide;
  }
  const ints = wordsOf(words);
  const narrow = bits === 8 ? new Uint8Array(rows) : bits === 16 ? new Uint16Array(rows) : new Uint32Array(rows);
  for (let row = 0; row < rows; row++) narrow[row] = ints[2 * row]!;
  return narrow;
}

/** 64-bit words as 128-bit ones. */
function widen(words: Int32Array, rows: number): Uint32Array {
  const wide = new Uint32Array(rows * 4);
  for (let row = 0; row < rows; row++) {
    const high = words[2 * row + 1]!;
    wide[4 * row] = words[2 * row]!;
    wide[4 * row + 1] = high;
    wide[4 * row + 2] = high >> 31;
    wide[4 * row + 3] = high >> 31;
  }
  return wide;
}

function toDaysAndMilliseconds(micros: BigInt64Array, rows: number): Int32Array {
  const pairs = new Int32Array(rows * 2);
  for (let row = 0; row < rows; row++) {
    const milliseconds = micros[row]! / 1000n;
    pairs[2 * row] = Number(milliseconds / 86_400_000n);
    pairs[2 * row + 1] = Number(milliseconds % 86_400_000n);
  }
  return pairs;
}

/** The strings behind the codes, one for each row. */
function copyEntries(column: DictionaryColumn, rows: number): BytesColumn {
  const { codes, validity, dictionary, type } = column;
  const offsets = new Int32Array(rows + 1);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const code = codes[row]!;
    // The code under a NULL may be any.
    const isThere = validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0;
    if (isThere) total += dictionary.offsets[code + 1]! - dictionary.offsets[code]!;
    offsets[row + 1] = total;
  }
  const bytes = new Uint8Array(total);
  for (let row = 0; row < rows; row++) {
    const at = offsets[row]!;
    const length = offsets[row + 1]! - at;
    if (length === 0) continue;
    const from = dictionary.offsets[codes[row]!]!;
    bytes.set(dictionary.bytes.subarray(from, from + length), at);
  }
  return { layout: 'bytes', type, validity, offsets, bytes };
}
