// Which type of a Parquet file may become which SQL type, and by which steps. Decided once a file, as plain data, so that
// the decision can travel to the thread that decodes.
//
// A conversion never loses anything silently: a value that does not fit refuses its row; types between which most values
// would not fit are refused when the file is opened. Exceptions as in SQL casts: DOUBLE to REAL rounds, and instants
// finer than a microsecond are cut to it, as the columns hold microseconds.
// The loops are in parquet-value-conversion.ts.
import type { SchemaElement } from 'hyparquet';
import { decimalPrecisionMax, decimalRange, type SqlType } from '../../runtime/batch/sql-type.ts';

/** What a column of a file means, free of the two spellings (converted and logical type) that the format has. */
export type FileType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly bits: number; readonly signed: boolean }
  | { readonly kind: 'float16' }
  | { readonly kind: 'float' }
  | { readonly kind: 'double' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'date' }
  | { readonly kind: 'time'; readonly unit: TimeUnit }
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit }
  | { readonly kind: 'int96' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'other'; readonly name: string };

type TimeUnit = 'MILLIS' | 'MICROS' | 'NANOS';

/** Steps from stored values to the column's storage. Bounds are inclusive decimal texts: bigint is not JSON. */
export type Conversion =
  /** The stored values are the column's values. */
  | { readonly step: 'copy' }
  /** Integers: times `multiply`, divided by `divide` (downwards; with `exact` a remainder refuses), inside the bounds. */
  | {
      readonly step: 'integer';
      readonly unsigned: boolean;
      readonly multiply: string;
      readonly divide: string;
      readonly exact: boolean;
      readonly min: string;
      readonly max: string;
    }
  /** Integers to floating point, divided by `divide`. */
  | { readonly step: 'integer to float'; readonly unsigned: boolean; readonly divide: number }
  | { readonly step: 'float to float'; readonly half: boolean }
  | { readonly step: 'int96' }
  | { readonly step: 'uuid' }
  /** Checks UTF-8. */
  | { readonly step: 'text' }
  /** Checks JSON and takes insignificant white space out. */
  | { readonly step: 'json' }
  | { readonly step: 'bytes' };

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const dayMicros = 86_400_000_000n;

/** The meaning of a leaf of a file's schema. */
export function fileTypeOf(element: SchemaElement): FileType {
  const logical = element.logical_type;
  const converted = element.converted_type;
  const decimal = logical?.type === 'DECIMAL' ? logical : converted === 'DECIMAL' ? element : null;
  if (decimal !== null) return { kind: 'decimal', precision: decimal.precision ?? 18, scale: decimal.scale ?? 0 };
  switch (element.type) {
    case 'BOOLEAN':
      return { kind: 'boolean' };
    case 'FLOAT':
      return { kind: 'float' };
    case 'DOUBLE':
      return { kind: 'double' };
    case 'INT96':
      return { kind: 'int96' };
    case 'INT32':
    case 'INT64':
      return integerMeaning(element);
    case 'FIXED_LEN_BYTE_ARRAY':
      if (logical?.type === 'UUID' && element.type_length === 16) return { kind: 'uuid' };
      if (logical?.type === 'FLOAT16' && element.type_length === 2) return { kind: 'float16' };
      if (converted === 'INTERVAL') return { kind: 'other', name: 'INTERVAL' };
      return { kind: 'bytes' };
    case 'BYTE_ARRAY':
      if (logical?.type === 'JSON' || converted === 'JSON') return { kind: 'json' };
      if (logical?.type === 'STRING' || logical?.type === 'ENUM') return { kind: 'text' };
      if (converted === 'UTF8' || converted === 'ENUM') return { kind: 'text' };
      if (logical === undefined && converted === undefined) return { kind: 'bytes' };
      return { kind: 'other', name: logical?.type ?? converted ?? 'BYTE_ARRAY' };
    default:
      return { kind: 'other', name: String(element.type) };
  }
}

function integerMeaning(element: SchemaElement): FileType {
  const bits = element.type === 'INT32' ? 32 : 64;
  const logical = element.logical_type;
  const converted = element.converted_type;
  if (logical?.type === 'DATE' || converted === 'DATE') return { kind: 'date' };
  if (logical?.type === 'TIME') return { kind: 'time', unit: logical.unit };
  if (logical?.type === 'TIMESTAMP') return { kind: 'timestamp', unit: logical.unit };
  if (logical?.type === 'INTEGER') return { kind: 'integer', bits: logical.bitWidth, signed: logical.isSigned };
  if (converted?.startsWith('TIME_') === true) {
    return { kind: 'time', unit: converted === 'TIME_MILLIS' ? 'MILLIS' : 'MICROS' };
  }
  if (converted?.startsWith('TIMESTAMP_') === true) {
    return { kind: 'timestamp', unit: converted === 'TIMESTAMP_MILLIS' ? 'MILLIS' : 'MICROS' };
  }
  const named = /^(U?)INT_(\d+)$/.exec(converted ?? '');
  if (named !== null) return { kind: 'integer', bits: Number(named[2]), signed: named[1] === '' };
  return { kind: 'integer', bits, signed: true };
}

/** The type as an error message names it: what is stored, and what it means. */
export function formatFileType(element: SchemaElement): string {
  const type = fileTypeOf(element);
  const stored = element.type ?? 'a group';
  switch (type.kind) {
    case 'integer':
      return `${stored} (${type.signed ? '' : 'unsigned '}integer of ${type.bits} bits)`;
    case 'decimal':
      return `${stored} (DECIMAL(${type.precision}, ${type.scale}))`;
    case 'time':
    case 'timestamp':
      return `${stored} (${type.kind.toUpperCase()} in ${type.unit})`;
    case 'other':
      return `${stored} (${type.name})`;
    default:
      return `${stored} (${type.kind})`;
  }
}

/** How values of `from` become values of `to`; null when they cannot. */
export function chooseConversion(from: FileType, to: SqlType): Conversion | null {
  switch (from.kind) {
    case 'boolean':
      return to.kind === 'BOOLEAN' ? { step: 'copy' } : null;
    case 'integer':
      return fromInteger(from, to);
    case 'float':
    case 'double':
    case 'float16':
      if (to.kind === 'REAL' && from.kind === 'float') return { step: 'copy' };
      if (to.kind === 'DOUBLE' && from.kind === 'double') return { step: 'copy' };
      if (to.kind !== 'REAL' && to.kind !== 'DOUBLE') return null;
      return { step: 'float to float', half: from.kind === 'float16' };
    case 'decimal':
      return fromDecimal(from, to);
    case 'date':
      if (to.kind === 'DATE') return { step: 'copy' };
      return to.kind === 'TIMESTAMP' ? integers({ multiply: dayMicros }) : null;
    case 'time':
      return to.kind === 'TIME' ? toNanos(from.unit) : null;
    case 'timestamp':
      return to.kind === 'TIMESTAMP' ? toMicros(from.unit) : null;
    case 'int96':
      return to.kind === 'TIMESTAMP' ? { step: 'int96' } : null;
    case 'uuid':
      return to.kind === 'UUID' ? { step: 'uuid' } : isBinary(to) ? { step: 'bytes' } : null;
    case 'json':
      if (to.kind === 'VARIANT') return { step: 'json' };
      return isText(to) ? { step: 'text' } : null;
    case 'text':
      return isText(to) ? { step: 'text' } : isBinary(to) ? { step: 'bytes' } : null;
    case 'bytes':
      return isText(to) ? { step: 'text' } : isBinary(to) ? { step: 'bytes' } : null;
    case 'other':
      return null;
  }
}

function fromInteger(from: { readonly bits: number; readonly signed: boolean }, to: SqlType): Conversion | null {
  const unsigned = !from.signed;
  const bits = { TINYINT: 8, SMALLINT: 16, INTEGER: 32, BIGINT: 64 };
  switch (to.kind) {
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT': {
      const half = 2n ** BigInt(bits[to.kind] - 1);
      const sameWidth = (to.kind === 'INTEGER' && from.bits === 32) || (to.kind === 'BIGINT' && from.bits === 64);
      if (sameWidth && !unsigned) return { step: 'copy' };
      return integers({ unsigned, min: -half, max: half - 1n });
    }
    case 'REAL':
    case 'DOUBLE':
      return { step: 'integer to float', unsigned, divide: 1 };
    case 'DECIMAL': {
      const [min, max] = decimalRange(to);
      return integers({ unsigned, multiply: 10n ** BigInt(to.scale), min, max });
    }
    default:
      return null;
  }
}

function fromDecimal(from: { readonly precision: number; readonly scale: number }, to: SqlType): Conversion | null {
  if (to.kind === 'REAL' || to.kind === 'DOUBLE') {
    return { step: 'integer to float', unsigned: false, divide: 10 ** from.scale };
  }
  if (to.kind !== 'DECIMAL') return null;
  const [min, max] = decimalRange(to);
  const shift = BigInt(to.scale - from.scale);
  const multiply = shift > 0n ? 10n ** shift : 1n;
  const divide = shift < 0n ? 10n ** -shift : 1n;
  return integers({ multiply, divide, exact: true, min, max });
}

function toMicros(unit: TimeUnit): Conversion {
  if (unit === 'MICROS') return { step: 'copy' };
  return unit === 'MILLIS' ? integers({ multiply: 1000n }) : integers({ divide: 1000n });
}

/** A TIME counts nanoseconds and lies within a day. */
function toNanos(unit: TimeUnit): Conversion {
  const multiply = { MILLIS: 1_000_000n, MICROS: 1000n, NANOS: 1n }[unit];
  return integers({ multiply, min: 0n, max: dayMicros * 1000n - 1n });
}

function integers(options: {
  readonly unsigned?: boolean;
  readonly multiply?: bigint;
  readonly divide?: bigint;
  readonly exact?: boolean;
  readonly min?: bigint;
  readonly max?: bigint;
}): Conversion {
  return {
    step: 'integer',
    unsigned: options.unsigned ?? false,
    multiply: String(options.multiply ?? 1n),
    divide: String(options.divide ?? 1n),
    exact: options.exact ?? false,
    min: String(options.min ?? int64Min),
    max: String(options.max ?? int64Max),
  };
}

function isText(type: SqlType): boolean {
  return type.kind === 'VARCHAR' || type.kind === 'CHAR';
}

function isBinary(type: SqlType): boolean {
  return type.kind === 'VARBINARY' || type.kind === 'BINARY';
}

/** The SQL type that holds every value of a file's column, or null when there is none. */
export function naturalSqlType(from: FileType): SqlType | null {
  switch (from.kind) {
    case 'boolean':
      return { kind: 'BOOLEAN' };
    case 'integer': {
      const bits = from.signed ? from.bits : from.bits + 1;
      if (bits <= 8) return { kind: 'TINYINT' };
      if (bits <= 16) return { kind: 'SMALLINT' };
      if (bits <= 32) return { kind: 'INTEGER' };
      return bits <= 64 ? { kind: 'BIGINT' } : { kind: 'DECIMAL', precision: 20, scale: 0 };
    }
    case 'float16':
    case 'float':
      return { kind: 'REAL' };
    case 'double':
      return { kind: 'DOUBLE' };
    case 'decimal': {
      const precision = Math.max(from.precision, from.scale, 1);
      return precision > decimalPrecisionMax ? null : { kind: 'DECIMAL', precision, scale: from.scale };
    }
    case 'date':
      return { kind: 'DATE' };
    case 'time':
      return { kind: 'TIME' };
    case 'timestamp':
    case 'int96':
      return { kind: 'TIMESTAMP' };
    case 'uuid':
      return { kind: 'UUID' };
    case 'json':
      return { kind: 'VARIANT' };
    case 'text':
      return { kind: 'VARCHAR', length: null };
    case 'bytes':
      return { kind: 'VARBINARY', length: null };
    case 'other':
      return null;
  }
}
