// Writes rows of columns as Avro records: numbers and text go from the arrays of their column to bytes, without a value in between.
//
// What has no way of its own (nested types, schemas of the user's with other units) goes by way of a value and the writer that records use
// (sdk/avro-codec.ts), which refuses what does not fit. Decimals have as few bytes as hold them.
import type { Column } from '../../runtime/batch/column.ts';
import { toPublic } from '../../runtime/batch/public-values.ts';
import { type CellValue, readCell } from '../../runtime/batch/scalar-values.ts';
import type { Field } from '../../runtime/batch/schema.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import { printUuid } from '../../runtime/batch/text-uuid.ts';
import { AvroMismatch, AvroWriter } from '../sdk/avro-codec.ts';
import type { AvroType } from '../sdk/avro-schema.ts';
import type { StructuredValue } from '../sdk/record.ts';
import { type ColumnSource, entryOf } from './column-source.ts';
import {
  targetBigint,
  targetBinary,
  targetBoolean,
  targetDate,
  targetDecimal,
  targetFloat,
  targetInteger,
  targetString,
  targetTime,
  targetTimestamp,
  targetUuid,
  targetVariant,
} from './column-target.ts';
import { type OutputBytes, printBytes } from './output-bytes.ts';

export const cellBoolean = 0;
export const cellInteger = 1;
export const cellLong = 2;
export const cellFloat = 3;
export const cellDouble = 4;
export const cellBytes = 5;
export const cellUuid = 6;
export const cellDecimal = 7;
export const cellGeneral = 8;

/** One field of a record that is written. */
export interface CellPlan {
  readonly source: ColumnSource;
  readonly ordinal: number;
  readonly type: AvroType;
  readonly code: number;
  /** Numbers of the branches of null and of the type in its union; -1: it has none. */
  readonly nullBranch: number;
  readonly valueBranch: number;
}

export function planCell(source: ColumnSource, ordinal: number, type: AvroType): CellPlan {
  const branches = type.kind === 'union' ? type.branches : [type];
  const isUnion = type.kind === 'union';
  const nullBranch = branches.findIndex(({ kind }) => kind === 'null');
  const values = branches.filter(({ kind }) => kind !== 'null');
  const [only] = values;
  // A union of several types is for the writer, which finds the one that fits.
  const inner = values.length === 1 && only !== undefined ? only : type;
  const code = values.length === 1 && only !== undefined ? codeOf(source, only) : cellGeneral;
  const valueBranch = isUnion && values.length === 1 ? branches.indexOf(inner) : -1;
  return { source, ordinal, type: inner, code, nullBranch: isUnion ? nullBranch : -1, valueBranch };
}

function codeOf({ kind, storage, scale }: ColumnSource, type: AvroType): number {
  switch (type.kind) {
    case 'boolean':
      return kind === targetBoolean ? cellBoolean : cellGeneral;
    case 'int':
      return kind === targetInteger || kind === targetDate ? cellInteger : cellGeneral;
    case 'long':
      if (kind === targetInteger) return cellInteger;
      if (kind === targetBigint || (kind === targetTimestamp && type.logical === 'micros')) return cellLong;
      return kind === targetTime && type.annotation === 'time-micros' ? cellLong : cellGeneral;
    case 'float':
      return kind === targetFloat && storage === 'f32' ? cellFloat : cellGeneral;
    case 'double':
      return kind === targetFloat ? cellDouble : cellGeneral;
    case 'string':
      if (kind === targetUuid) return cellUuid;
      return kind === targetString || kind === targetVariant ? cellBytes : cellGeneral;
    case 'bytes':
      if (kind === targetDecimal && type.scale === scale && storage === 'i64') return cellDecimal;
      return kind === targetBinary && type.scale === null ? cellBytes : cellGeneral;
    default:
      return cellGeneral;
  }
}

/** A value as the writer of records takes it. */
function structured(value: CellValue, type: SqlType, avro: AvroType): StructuredValue {
  if (value === null) return null;
  if (typeof value === 'bigint' && type.kind === 'TIMESTAMP') {
    return `${String(toPublic(value, type, {})).replace(' ', 'T')}Z`;
  }
  if (typeof value === 'bigint' && type.kind === 'TIME') {
    return avro.kind === 'int' || (avro.kind === 'long' && avro.annotation === 'time-millis') ? value / 1000n : value;
  }
  return fitting(toPublic(value, type, { integers: 'bigint' }), type);
}

/** Integers as bigints at every depth, so that none is taken for a double. */
function fitting(value: unknown, type: SqlType): StructuredValue {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
      return typeof value === 'number' ? BigInt(value) : (value as StructuredValue); // SAFETY: a bigint.
    case 'TIMESTAMP':
      return typeof value === 'string' ? `${value.replace(' ', 'T')}Z` : null;
    case 'ARRAY':
      return Array.isArray(value) ? value.map((item: unknown) => fitting(item, type.element)) : null;
    case 'MAP':
      return mapped(value, () => type.value);
    case 'ROW':
      return mapped(value, (name) => type.fields.find((field) => field.name === name)?.type ?? { kind: 'NULL' });
    case 'VARIANT':
      return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner));
    default:
      // SAFETY: the public forms of the other types are texts, numbers, booleans and bytes.
      return value as StructuredValue;
  }
}

function mapped(value: unknown, typeOf: (name: string) => SqlType): StructuredValue {
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fitting(inner, typeOf(name))]));
}

function writeGeneral(plan: CellPlan, field: Field, column: Column, row: number, out: OutputBytes, at: number): number {
  const writer = new AvroWriter();
  writer.value(plan.type, structured(readCell(column, row), field.type, plan.type), field.name);
  const bytes = writer.finish();
  out.reserve(at, bytes.length);
  return printBytes(bytes, 0, bytes.length, out.bytes, at);
}

// ── data plane ──

/** Writes the fields of row `row` behind `at`; returns the position behind them. @throws AvroMismatch for a value that does not fit. */
export function writeAvroRow(
  plans: readonly CellPlan[],
  columns: readonly Column[],
  row: number,
  out: OutputBytes,
  start: number,
): number {
  let at = start;
  for (let f = 0; f < plans.length; f++) {
    const plan = plans[f]!;
    const source = plan.source;
    out.reserve(at, 64);
    const validity = source.validity;
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) {
      if (plan.nullBranch >= 0) at = writeLength(plan.nullBranch, out.bytes, at);
      else if (plan.type.kind !== 'null') {
        throw new AvroMismatch({ path: source.field.name, expected: plan.type.kind, got: 'null' });
      }
      continue;
    }
    if (plan.valueBranch >= 0) at = writeLength(plan.valueBranch, out.bytes, at);
    switch (plan.code) {
      case cellBoolean:
        out.bytes[at++] = source.bools[row]!;
        break;
      case cellInteger: {
        const value = source.ints[row]!;
        at = writeLong(value, value >> 31, out.bytes, at);
        break;
      }
      case cellLong:
        at = writeLong(source.words[2 * row]!, source.words[2 * row + 1]!, out.bytes, at);
        break;
      case cellFloat:
        out.view.setFloat32(at, source.floats[row]!, true);
        at += 4;
        break;
      case cellDouble:
        out.view.setFloat64(at, source.floats[row]!, true);
        at += 8;
        break;
      case cellBytes: {
        const entry = entryOf(source, row);
        const from = source.offsets[entry]!;
        const to = source.offsets[entry + 1]!;
        out.reserve(at, to - from + 8);
        at = printBytes(source.bytes, from, to, out.bytes, writeLength(to - from, out.bytes, at));
        break;
      }
      case cellUuid:
        at = printUuid(source.words, row, out.bytes, writeLength(36, out.bytes, at));
        break;
      case cellDecimal:
        at = writeDecimal(source.words[2 * row]!, source.words[2 * row + 1]!, out.bytes, at);
        break;
      default:
        at = writeGeneral(plan, source.field, columns[plan.ordinal]!, row, out, at);
    }
  }
  return at;
}

/** A zigzag varint of a length below 2^30. */
export function writeLength(length: number, out: Uint8Array, start: number): number {
  let at = start;
  let rest = length << 1;
  while (rest > 127) {
    out[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  out[at] = rest;
  return at + 1;
}

function writeLong(low: number, high: number, out: Uint8Array, start: number): number {
  const sign = high >> 31;
  let lowWord = ((low << 1) ^ sign) >>> 0;
  let highWord = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
  let at = start;
  while (highWord !== 0 || lowWord > 127) {
    out[at++] = (lowWord & 127) | 128;
    lowWord = ((lowWord >>> 7) | (highWord << 25)) >>> 0;
    highWord >>>= 7;
  }
  out[at] = lowWord;
  return at + 1;
}

/** Two's complement, the highest byte first, as few bytes as hold it. */
function writeDecimal(low: number, high: number, out: Uint8Array, start: number): number {
  let bytes = 8;
  const sign = high >> 31;
  // A byte that only repeats the sign of the one behind it says nothing.
  while (bytes > 1) {
    const top = byteOf(low, high, bytes - 1);
    const next = byteOf(low, high, bytes - 2);
    if (top !== (sign & 255) || next >> 7 !== (sign & 1)) break;
    bytes--;
  }
  let at = writeLength(bytes, out, start);
  for (let b = bytes - 1; b >= 0; b--) out[at++] = byteOf(low, high, b);
  return at;
}

/** Byte `n` of a 64-bit integer, from the lowest. */
function byteOf(low: number, high: number, n: number): number {
  return n < 4 ? (low >>> (8 * n)) & 255 : (high >>> (8 * (n - 4))) & 255;
}
