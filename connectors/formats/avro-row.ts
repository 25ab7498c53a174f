// Reads the data of one Avro record into the current row of every column, along a plan (avro-plan.ts).
//
// Common types go from bytes to the arrays of their column without a value in between: 64-bit integers as two words, text as the bytes
// that it is. What is nested, and text that spells a value, goes by way of a value of JavaScript and the rules of rows that are pushed.
// Bytes that end too soon throw AvroMalformed, which costs the message; a value that a column cannot take is noted in `refusal`.
// The caller commits the row, or rolls it back.
import { fromPublic, Refusal as Unsuitable } from '../../runtime/batch/public-values.ts';
import { formatUuid } from '../../runtime/batch/scalar-text.ts';
import { type CellValue, writeCell } from '../../runtime/batch/scalar-values.ts';
import { decimalRange } from '../../runtime/batch/sql-type.ts';
import { formatVariant, parseVariant } from '../../runtime/batch/variant-json.ts';
import { AvroMalformed, AvroReader } from '../sdk/avro-codec.ts';
import type { AvroType } from '../sdk/avro-schema.ts';
import {
  avroBigint,
  avroBoolean,
  avroBytes,
  avroDecimal,
  avroDouble,
  avroEnum,
  avroFixed,
  avroFloat,
  avroGeneral,
  avroInteger,
  avroIntegerToFloat,
  avroMicros,
  avroNull,
  avroSkip,
  avroText,
  avroUnion,
  type RowPlan,
  type ValuePlan,
} from './avro-plan.ts';
import { writeDefault } from './column-default.ts';
import { type ColumnTarget, targetTime, targetVariant } from './column-target.ts';
import type { Refusal } from './refusal.ts';
import { findInvalidUtf8 } from './utf8.ts';

/** The bytes of one call and a place in them; the two words of the latest long. */
export class AvroInput {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 0;
  end = 0;
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

const depthMax = 256;
const dayMicros = 86_400_000_000;

/** By way of values: whatever has no kernel. False: refused. */
function readGeneral(
  input: AvroInput,
  { type }: ValuePlan,
  target: ColumnTarget,
  row: number,
  refusal: Refusal,
): boolean {
  const start = input.at;
  const reader = new AvroReader(input.bytes.subarray(0, input.end), start);
  const value = reader.value(type, 0);
  input.at = reader.position;
  const cell = cellOf(value, type, target);
  if (cell instanceof Unsuitable) {
    refusal.set('value', target.ordinal, start, input.at, `column ${target.field.name}: ${cell.reason}`);
    return false;
  }
  writeCell(target.column, row, cell);
  return true;
}

function cellOf(value: unknown, type: AvroType, target: ColumnTarget): CellValue | Unsuitable {
  if (target.kind === targetVariant && type.kind === 'string') return variantOf(String(value));
  if (type.kind === 'fixed' && value instanceof Uint8Array && target.field.type.kind === 'UUID') {
    const view = new DataView(value.buffer, value.byteOffset, 16);
    return formatUuid(view.getBigInt64(8), view.getBigInt64(0));
  }
  return fromPublic(value, target.field.type);
}

/** Text of a VARIANT is JSON, as what writes VARIANT to Avro has it. */
function variantOf(text: string): CellValue | Unsuitable {
  try {
    return formatVariant(parseVariant(text)) ?? new Unsuitable('the text is no JSON');
  } catch {
    return new Unsuitable('the text is no JSON');
  }
}

/** A decimal of any size and scale. */
function writeLargeDecimal(
  input: AvroInput,
  start: number,
  length: number,
  plan: ValuePlan,
  row: number,
  refusal: Refusal,
): boolean {
  const { target, type } = plan;
  const isDecimal = target !== null && target.field.type.kind === 'DECIMAL';
  if (!isDecimal || target.field.type.kind !== 'DECIMAL' || (type.kind !== 'bytes' && type.kind !== 'fixed'))
    return false;
  let value = 0n;
  for (let i = start; i < start + length; i++) value = (value << 8n) | BigInt(input.bytes[i]!);
  value = BigInt.asIntN(Math.max(1, length) * 8, value);
  const shift = target.scale - (type.scale ?? 0);
  const power = 10n ** BigInt(Math.abs(shift));
  if (shift < 0 && value % power !== 0n) {
    refusal.set('inexact', target.ordinal, start, -1);
    return false;
  }
  const scaled = shift < 0 ? value / power : value * power;
  const [min, max] = decimalRange(target.field.type);
  if (scaled < min || scaled > max) {
    refusal.set('range', target.ordinal, start, -1);
    return false;
  }
  writeCell(target.column, row, scaled);
  return true;
}

/** A long in units of which none is a whole number of microseconds. */
function writeNanos(input: AvroInput, target: ColumnTarget, row: number): void {
  const nanos = (BigInt(input.high) << 32n) | BigInt(input.low >>> 0);
  const rest = ((nanos % 1000n) + 1000n) % 1000n;
  writeCell(target.column, row, (nanos - rest) / 1000n);
}

// ── data plane ── Codes are compared from the commonest on; `input` is a record of numbers that loops write to.

/** Reads a record into row `row`. False: refused, and `refusal` says why. @throws AvroMalformed */
export function readAvroRow(
  input: AvroInput,
  plan: RowPlan,
  row: number,
  defaults: readonly (Uint8Array | null)[],
  refusal: Refusal,
): boolean {
  const { fields, absent, unused } = plan;
  let isGood = true;
  for (let f = 0; f < fields.length; f++) {
    // What follows a refused value is walked all the same: whoever reads the message goes on behind the row.
    if (isGood) isGood = readValue(input, fields[f]!, row, refusal);
    else skipAvro(input, fields[f]!.type, 0);
  }
  if (!isGood) return false;
  for (let c = 0; c < absent.length; c++) {
    const target = absent[c]!;
    if (!writeDefault(defaults, target, row, refusal)) {
      refusal.set('missing', target.ordinal, input.at, -1);
      return false;
    }
  }
  for (let c = 0; c < unused.length; c++) unused[c]!.writeUnused(row);
  return true;
}

function readValue(input: AvroInput, plan: ValuePlan, row: number, refusal: Refusal): boolean {
  const target = plan.target;
  if (target === null) {
    skipAvro(input, plan.type, 0);
    return true;
  }
  const { bytes } = input;
  switch (plan.code) {
    case avroUnion: {
      const branch = plan.branches[readLength(input)];
      if (branch === undefined) throw malformed('a union has no such branch');
      return readValue(input, branch, row, refusal);
    }
    case avroNull:
      if (!target.nullable) {
        refusal.set('null', target.ordinal, input.at, -1);
        return false;
      }
      target.column.setNull(row);
      return true;
    case avroBigint:
      readLong(input);
      target.words[2 * row] = input.low;
      target.words[2 * row + 1] = input.high;
      return true;
    case avroInteger: {
      const start = input.at;
      readLong(input);
      const value = input.low;
      if (input.high !== value >> 31 || value < target.min || value > target.max) {
        refusal.set('range', target.ordinal, start, -1, `column ${target.field.name}: ${longOf(input)} does not fit`);
        return false;
      }
      target.ints[row] = value;
      return true;
    }
    case avroText: {
      const length = readLength(input);
      const start = take(input, length);
      const invalid = findInvalidUtf8(bytes, start, start + length);
      if (invalid >= 0) {
        refusal.set('utf8', target.ordinal, invalid, -1);
        return false;
      }
      target.column.appendBytes(bytes, start, start + length);
      return true;
    }
    case avroMicros:
      readLong(input);
      return writeMicros(input, plan.micros, target, row, refusal);
    case avroDouble: {
      const start = take(input, 8);
      target.floats[row] = input.view.getFloat64(start, true);
      return true;
    }
    case avroFloat: {
      const start = take(input, 4);
      target.floats[row] = input.view.getFloat32(start, true);
      return true;
    }
    case avroIntegerToFloat:
      readLong(input);
      target.floats[row] = input.high * 4294967296 + (input.low >>> 0);
      return true;
    case avroBoolean:
      target.bools[row] = bytes[take(input, 1)] === 0 ? 0 : 1;
      return true;
    case avroBytes:
    case avroFixed: {
      const length = plan.type.kind === 'fixed' ? plan.type.size : readLength(input);
      const start = take(input, length);
      target.column.appendBytes(bytes, start, start + length);
      return true;
    }
    case avroEnum: {
      const symbol = plan.symbols[readLength(input)];
      if (symbol === undefined) throw malformed('an enum has no such symbol');
      target.column.appendBytes(symbol, 0, symbol.length);
      return true;
    }
    case avroDecimal: {
      const length = plan.type.kind === 'fixed' ? plan.type.size : readLength(input);
      return writeDecimal(input, take(input, length), length, plan, target, row, refusal);
    }
    case avroGeneral:
      return readGeneral(input, plan, target, row, refusal);
    case avroSkip:
      skipAvro(input, plan.type, 0);
      return true;
    default:
      return false;
  }
}

function writeMicros(input: AvroInput, micros: number, target: ColumnTarget, row: number, refusal: Refusal): boolean {
  const units = input.high * 4294967296 + (input.low >>> 0);
  const value = units * micros;
  if (target.kind === targetTime && !(value >= 0 && value < dayMicros)) {
    refusal.set(
      'range',
      target.ordinal,
      input.at,
      -1,
      `column ${target.field.name}: ${longOf(input)} is no time of a day`,
    );
    return false;
  }
  if (micros < 1) {
    writeNanos(input, target, row);
    return true;
  }
  if (micros === 1) {
    target.words[2 * row] = input.low;
    target.words[2 * row + 1] = input.high;
    return true;
  }
  if (!(value >= -9007199254740991 && value <= 9007199254740991)) {
    refusal.set('range', target.ordinal, input.at, -1, `column ${target.field.name}: ${longOf(input)} does not fit`);
    return false;
  }
  const high = Math.floor(value / 4294967296);
  target.words[2 * row] = (value - high * 4294967296) | 0;
  target.words[2 * row + 1] = high;
  return true;
}

/** Two's complement, the highest byte first. */
function writeDecimal(
  input: AvroInput,
  start: number,
  length: number,
  plan: ValuePlan,
  target: ColumnTarget,
  row: number,
  refusal: Refusal,
): boolean {
  const { bytes } = input;
  const scale = plan.type.kind === 'bytes' || plan.type.kind === 'fixed' ? plan.type.scale : null;
  // Up to 48 bits a double holds the value, and so the comparison with the bound is exact.
  if (length > 6 || length === 0 || scale !== target.scale || target.storage !== 'i64' || target.unsigned !== 0) {
    return writeLargeDecimal(input, start, length, plan, row, refusal);
  }
  let low = 0;
  let high = bytes[start]! >= 128 ? -1 : 0;
  if (high < 0) low = -1;
  for (let i = start; i < start + length; i++) {
    high = (high << 8) | (low >>> 24);
    low = (low << 8) | bytes[i]!;
  }
  const value = high * 4294967296 + (low >>> 0);
  const bound = 10 ** target.precision;
  if (value >= bound || value <= -bound) {
    refusal.set('range', target.ordinal, start, -1, `column ${target.field.name}: the decimal does not fit`);
    return false;
  }
  target.words[2 * row] = low;
  target.words[2 * row + 1] = high;
  return true;
}

/** Moves behind `length` bytes; returns where they begin. */
function take(input: AvroInput, length: number): number {
  const start = input.at;
  if (length > input.end - start) throw malformed('it is cut');
  input.at = start + length;
  return start;
}

/** A long that counts something: a length, a branch, a symbol. */
export function readLength(input: AvroInput): number {
  const { bytes, at } = input;
  const byte = at < input.end ? bytes[at]! : 128;
  if (byte < 128 && (byte & 1) === 0) {
    input.at = at + 1;
    return byte >> 1;
  }
  readLong(input);
  if (input.high !== 0 || input.low < 0) throw malformed('a length is negative, or beyond all bounds');
  return input.low;
}

/** A zigzag varint into the two words of `input`. */
function readLong(input: AvroInput): void {
  const { bytes, end } = input;
  let at = input.at;
  let low = 0;
  let middle = 0;
  let high = 0;
  let shift = 0;
  for (;;) {
    if (at >= end) throw malformed('it is cut');
    const byte = bytes[at++]!;
    if (shift < 28) low |= (byte & 127) << shift;
    else if (shift < 56) middle |= (byte & 127) << (shift - 28);
    else high |= (byte & 127) << (shift - 56);
    if (byte < 128) break;
    shift += 7;
    if (shift >= 70) throw malformed('a number has more than ten bytes');
  }
  input.at = at;
  const lowWord = low | (middle << 28);
  const highWord = (middle >>> 4) | (high << 24);
  const sign = -(lowWord & 1);
  input.low = ((lowWord >>> 1) | (highWord << 31)) ^ sign;
  input.high = (highWord >>> 1) ^ sign;
}

function longOf({ low, high }: AvroInput): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** Moves behind a value. */
export function skipAvro(input: AvroInput, type: AvroType, depth: number): void {
  if (depth > depthMax) throw malformed(`it is nested more than ${depthMax} deep`);
  switch (type.kind) {
    case 'null':
      return;
    case 'boolean':
      take(input, 1);
      return;
    case 'int':
    case 'long':
    case 'enum':
      readLong(input);
      return;
    case 'float':
      take(input, 4);
      return;
    case 'double':
      take(input, 8);
      return;
    case 'string':
    case 'bytes':
      take(input, readLength(input));
      return;
    case 'fixed':
      take(input, type.size);
      return;
    case 'record':
      for (const field of type.fields) skipAvro(input, field.type, depth + 1);
      return;
    case 'union': {
      const branch = type.branches[readLength(input)];
      if (branch === undefined) throw malformed('a union has no such branch');
      skipAvro(input, branch, depth + 1);
      return;
    }
    case 'array':
    case 'map':
      skipBlocks(input, type, depth);
  }
}

function skipBlocks(input: AvroInput, type: Extract<AvroType, { kind: 'array' | 'map' }>, depth: number): void {
  for (;;) {
    readLong(input);
    const count = input.high * 4294967296 + (input.low >>> 0);
    if (count === 0) return;
    if (count < 0) {
      // A block with a negative count says how long it is.
      take(input, readLength(input));
      continue;
    }
    for (let i = 0; i < count; i++) {
      if (input.at >= input.end) throw malformed('an array or a map is cut');
      if (type.kind === 'map') take(input, readLength(input));
      skipAvro(input, type.kind === 'map' ? type.values : type.items, depth + 1);
    }
  }
}

function malformed(detail: string): Error {
  return new AvroMalformed({ detail });
}
