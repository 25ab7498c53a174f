// SQL types and how each is stored in a column.
//
// A type says what values mean; its storage says which typed array holds them:
//   bool  Uint8Array, 0 or 1          i8 i16 i32  Int8/16/32Array       i64  BigInt64Array
//   f32 f64  Float32/64Array          i128  BigInt64Array, two entries a row: low word (unsigned), high word (signed)
//   bytes  Int32Array of offsets (rows + 1) and a Uint8Array; or codes into a dictionary
// DECIMAL(p, s) is the integer value · 10^s: i64 up to 18 digits, i128 beyond. DATE is days since 1970-01-01 (i32).
// TIME is microseconds since midnight, TIMESTAMP microseconds since 1970-01-01 00:00:00 UTC (i64). INTERVAL has two kinds:
// months (i32) and microseconds (i64). UUID is i128: high word = first 8 bytes, low word = last 8, both big-endian, and
// compares as unsigned. VARIANT is its JSON text in UTF-8, without insignificant white space. ARRAY, MAP and ROW are JSON text,
// too, in one spelling for each value (public-values.ts), so that equal values are equal bytes.
// Unsigned integers are DECIMALs of scale 0 with `unsigned` bits: 0 to 2^bits - 1, exact and ordered like any DECIMAL, but
// computed, spelled and named as integers.
// Not here: text forms (text-forms.ts), arithmetic (the engine).
import { unreachable } from '../assert.ts';

/** The type of a column or expression. `length: null` means unbounded. */
export type SqlType =
  | { readonly kind: 'BOOLEAN' }
  | { readonly kind: 'TINYINT' }
  | { readonly kind: 'SMALLINT' }
  | { readonly kind: 'INTEGER' }
  | { readonly kind: 'BIGINT' }
  | { readonly kind: 'REAL' }
  | { readonly kind: 'DOUBLE' }
  | { readonly kind: 'DECIMAL'; readonly precision: number; readonly scale: number; readonly unsigned?: UnsignedBits }
  | { readonly kind: 'CHAR'; readonly length: number }
  | { readonly kind: 'VARCHAR'; readonly length: number | null }
  | { readonly kind: 'BINARY'; readonly length: number }
  | { readonly kind: 'VARBINARY'; readonly length: number | null }
  | { readonly kind: 'DATE' }
  | { readonly kind: 'TIME' }
  /** `zoned`: WITH TIME ZONE. The value is the instant in UTC either way; it is shown with its offset. */
  | { readonly kind: 'TIMESTAMP'; readonly zoned?: true }
  | { readonly kind: 'INTERVAL_MONTHS'; readonly unit?: MonthsUnit }
  | { readonly kind: 'INTERVAL_MICROS'; readonly unit?: MicrosUnit }
  | { readonly kind: 'UUID' }
  /** `keepsNull`: a field of a ROW that is NOT NULL: the null of JSON is the VARIANT null there. */
  | { readonly kind: 'VARIANT'; readonly keepsNull?: true }
  /** Elements, keys' values and fields may be NULL. */
  | { readonly kind: 'ARRAY'; readonly element: SqlType }
  | { readonly kind: 'MAP'; readonly key: SqlType; readonly value: SqlType }
  | { readonly kind: 'ROW'; readonly fields: readonly { readonly name: string; readonly type: SqlType }[] }
  /** The type of a bare NULL; never the type of a table's column. */
  | { readonly kind: 'NULL' };

export type UnsignedBits = 8 | 16 | 32 | 64;

/** How an interval is spelled as text and counted as a number; values and storage are the same. Absent: all units of the kind. */
export type MonthsUnit = 'YEAR' | 'MONTH';
export type MicrosUnit =
  | 'DAY'
  | 'HOUR'
  | 'MINUTE'
  | 'SECOND'
  | 'DAY TO HOUR'
  | 'DAY TO MINUTE'
  | 'HOUR TO MINUTE'
  | 'HOUR TO SECOND'
  | 'MINUTE TO SECOND';

export type SqlTypeKind = SqlType['kind'];

/** How the values of a column lie in memory. */
export type Storage = 'bool' | 'i8' | 'i16' | 'i32' | 'i64' | 'f32' | 'f64' | 'i128' | 'bytes';

export const decimalPrecisionMax = 38;
/** The most digits of a DECIMAL that one 64-bit word holds. */
export const decimalWordDigits = 18;

/** The storage of a type. NULL is stored as bool; all its values are null. */
export function storageOf(type: SqlType): Storage {
  switch (type.kind) {
    case 'BOOLEAN':
    case 'NULL':
      return 'bool';
    case 'TINYINT':
      return 'i8';
    case 'SMALLINT':
      return 'i16';
    case 'INTEGER':
    case 'DATE':
    case 'INTERVAL_MONTHS':
      return 'i32';
    case 'BIGINT':
    case 'TIME':
    case 'TIMESTAMP':
    case 'INTERVAL_MICROS':
      return 'i64';
    case 'REAL':
      return 'f32';
    case 'DOUBLE':
      return 'f64';
    case 'DECIMAL':
      return type.precision <= decimalWordDigits ? 'i64' : 'i128';
    case 'UUID':
      return 'i128';
    case 'CHAR':
    case 'VARCHAR':
    case 'BINARY':
    case 'VARBINARY':
    case 'VARIANT':
    case 'ARRAY':
    case 'MAP':
    case 'ROW':
      return 'bytes';
    default:
      return unreachable(type);
  }
}

/** The type as SQL spells it, such as `DECIMAL(10, 2)`. */
export function formatSqlType(type: SqlType): string {
  switch (type.kind) {
    case 'DECIMAL':
      return unsignedName(type) ?? `DECIMAL(${type.precision}, ${type.scale})`;
    case 'CHAR':
    case 'BINARY':
      return `${type.kind}(${type.length})`;
    case 'VARCHAR':
    case 'VARBINARY':
      return type.length === null ? type.kind : `${type.kind}(${type.length})`;
    case 'TIMESTAMP':
      return type.zoned === true ? 'TIMESTAMP WITH TIME ZONE' : type.kind;
    case 'INTERVAL_MONTHS':
      return `INTERVAL ${type.unit ?? 'YEAR TO MONTH'}`;
    case 'INTERVAL_MICROS':
      return `INTERVAL ${type.unit ?? 'DAY TO SECOND'}`;
    case 'ARRAY':
      return `${formatSqlType(type.element)} ARRAY`;
    case 'MAP':
      return `MAP<${formatSqlType(type.key)}, ${formatSqlType(type.value)}>`;
    case 'ROW':
      return `ROW(${type.fields.map((field) => `${field.name} ${formatSqlType(field.type)}`).join(', ')})`;
    default:
      return type.kind;
  }
}

const unsignedDigits: Readonly<Record<UnsignedBits, number>> = { 8: 3, 16: 5, 32: 10, 64: 20 };
const unsignedNames: Readonly<Record<UnsignedBits, string>> = {
  8: 'TINYINT UNSIGNED',
  16: 'SMALLINT UNSIGNED',
  32: 'INTEGER UNSIGNED',
  64: 'BIGINT UNSIGNED',
};

export function unsignedType(bits: UnsignedBits): Extract<SqlType, { kind: 'DECIMAL' }> {
  return { kind: 'DECIMAL', precision: unsignedDigits[bits], scale: 0, unsigned: bits };
}

/** The bits of an unsigned integer type; 0 for all other types. */
export function unsignedBitsOf(type: SqlType): UnsignedBits | 0 {
  return type.kind === 'DECIMAL' ? (type.unsigned ?? 0) : 0;
}

/** The least and the greatest integer (value · 10^scale) of a DECIMAL. */
export function decimalRange(type: {
  readonly precision: number;
  readonly unsigned?: UnsignedBits;
}): readonly [min: bigint, max: bigint] {
  if (type.unsigned !== undefined) return [0n, 2n ** BigInt(type.unsigned) - 1n];
  const max = 10n ** BigInt(type.precision) - 1n;
  return [-max, max];
}

function unsignedName(type: SqlType): string | undefined {
  const bits = unsignedBitsOf(type);
  return bits === 0 ? undefined : unsignedNames[bits];
}

export type NestedType = Extract<SqlType, { readonly kind: 'ARRAY' | 'MAP' | 'ROW' }>;

/** Whether values of the type are made of others. */
export function isNested(type: SqlType): type is NestedType {
  return type.kind === 'ARRAY' || type.kind === 'MAP' || type.kind === 'ROW';
}

/** Whether two types are the same in kind and parameters. */
export function sameSqlType(a: SqlType, b: SqlType): boolean {
  return formatSqlType(a) === formatSqlType(b);
}
