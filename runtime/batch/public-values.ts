// Single values in the forms that users of the embedded API see, to and from those of cells (scalar-values.ts).
//
//   integers    number while safe, else bigint; BIGINT always bigint with `integers: 'bigint'`
//   DECIMAL     text with all digits of its scale, '12.50'
//   DATE TIME TIMESTAMP   SQL text, `YYYY-MM-DD HH:MM:SS[.f]` with as many of six fraction digits as are needed; with
//               `timestamps: 'date'` DATE and TIMESTAMP are Date (UTC; microseconds are cut to milliseconds), TIME stays text
//   INTERVAL    text: years-months, or days hours:minutes:seconds[.f]
//   ARRAY MAP ROW   array, object by key, object by field, of public forms
//   VARBINARY   Uint8Array      UUID  text      VARIANT  the parsed JSON value, big integers as bigint      NULL  null
// On the way in also: bigint and numeric text for every number, Date or text for temporal types, arrays of bytes.
import * as text from './scalar-text.ts';
import type { CellValue } from './scalar-values.ts';
import { formatSqlType, isNested, type NestedType, type SqlType } from './sql-type.ts';
import { formatVariant, parseVariant } from './variant-json.ts';

export interface PublicForms {
  /** `auto` (default): a number while it is a safe integer, a bigint beyond. `bigint`: BIGINT always as bigint. */
  readonly integers?: 'auto' | 'bigint';
  /** `text` (default): `'2026-01-31 10:00:00.5'`. `date`: DATE and TIMESTAMP as `Date` in UTC, microseconds cut to milliseconds. */
  readonly timestamps?: 'text' | 'date';
}

/** A value of a cell in its public form. */
export function toPublic(value: CellValue, type: SqlType, forms: PublicForms): unknown {
  if (value === null) return null;
  if (typeof value === 'bigint') return publicBigint(value, type, forms);
  if (typeof value === 'number') {
    if (type.kind === 'DATE') {
      return forms.timestamps === 'date' ? new Date(value * 86_400_000) : text.formatDate(value);
    }
    return type.kind === 'INTERVAL_MONTHS' ? text.formatMonths(value) : value;
  }
  if (typeof value !== 'string') return value;
  if (type.kind === 'VARIANT') return parseVariant(value);
  return isNested(type) ? publicNested(parseVariant(value), type, forms) : value;
}

function publicBigint(value: bigint, type: SqlType, forms: PublicForms): unknown {
  switch (type.kind) {
    case 'DECIMAL':
      return type.unsigned === undefined ? text.formatDecimal(value, type.scale) : publicInteger(value, forms);
    case 'TIME':
      return text.formatTime(value);
    case 'TIMESTAMP':
      return forms.timestamps === 'date' ? dateOf(value) : text.formatTimestamp(value);
    case 'INTERVAL_MICROS':
      return text.formatMicros(value);
    default:
      return publicInteger(value, forms);
  }
}

function publicInteger(value: bigint, forms: PublicForms): number | bigint {
  return forms.integers === 'bigint' || value > maxSafe || value < -maxSafe ? value : Number(value);
}

const maxSafe = BigInt(Number.MAX_SAFE_INTEGER);

/** The millisecond that a timestamp lies in. */
function dateOf(micros: bigint): Date {
  const rest = micros % 1000n;
  return new Date(Number((micros - (rest < 0n ? rest + 1000n : rest)) / 1000n));
}

/** Why a value was refused, as a sentence's end: `12.345 is not a DECIMAL(4, 2)`. */
export class Refusal {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

const integerBits: Readonly<Record<string, number>> = { TINYINT: 8, SMALLINT: 16, INTEGER: 32, BIGINT: 64 };

/** A public form as the value of a cell. null stays null: whether NULL is allowed is the caller's business. */
export function fromPublic(value: unknown, type: SqlType): CellValue | Refusal {
  if (value === null) return type.kind === 'VARIANT' && type.keepsNull === true ? 'null' : null;
  return convert(value, type) ?? new Refusal(`${describe(value)} is not a ${formatSqlType(type)}`);
}

function convert(value: unknown, type: SqlType): CellValue | undefined {
  switch (type.kind) {
    case 'BOOLEAN':
      return typeof value === 'boolean' ? value : undefined;
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
      return integerOf(value, integerBits[type.kind] ?? 64);
    case 'REAL': {
      const number = floatOf(value);
      return number === undefined ? undefined : Math.fround(number);
    }
    case 'DOUBLE':
      return floatOf(value);
    case 'DECIMAL':
      return decimalOf(value, type);
    case 'CHAR':
    case 'VARCHAR':
      return typeof value === 'string' ? value : undefined;
    case 'BINARY':
    case 'VARBINARY':
      return bytesOf(value);
    case 'DATE': {
      if (!(value instanceof Date)) return typeof value === 'string' ? text.parseDateText(value) : undefined;
      const days = Math.floor(value.getTime() / 86_400_000);
      return Number.isNaN(days) ? undefined : days;
    }
    case 'TIME':
      return typeof value === 'string' ? text.parseTimeText(value) : undefined;
    case 'TIMESTAMP':
      if (!(value instanceof Date)) return typeof value === 'string' ? text.parseTimestampText(value) : undefined;
      return Number.isNaN(value.getTime()) ? undefined : BigInt(value.getTime()) * 1000n;
    case 'INTERVAL_MONTHS':
      return typeof value === 'string' ? text.parseMonthsText(value) : undefined;
    case 'INTERVAL_MICROS':
      return typeof value === 'string' ? text.parseMicrosText(value) : undefined;
    case 'UUID': {
      const words = typeof value === 'string' ? text.parseUuidText(value) : undefined;
      return words === undefined ? undefined : text.formatUuid(words.low, words.high);
    }
    case 'VARIANT':
      return formatVariant(value);
    case 'ARRAY':
    case 'MAP':
    case 'ROW':
      return nestedText(value, type);
    case 'NULL':
      return undefined;
  }
}

function integerOf(value: unknown, bits: number): number | bigint | undefined {
  let exact: bigint | undefined;
  if (typeof value === 'number') {
    if (bits < 64)
      return Number.isInteger(value) && Math.abs(value) <= 2 ** 31 && fits(BigInt(value), bits) ? value : undefined;
    // A number beyond the safe range is not the integer that was meant.
    exact = Number.isSafeInteger(value) ? BigInt(value) : undefined;
  } else if (typeof value === 'bigint') exact = value;
  else if (typeof value === 'string') exact = text.parseIntegerText(value);
  if (exact === undefined || !fits(exact, bits)) return undefined;
  return bits === 64 ? exact : Number(exact);
}

function fits(value: bigint, bits: number): boolean {
  return BigInt.asIntN(bits, value) === value;
}

function floatOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' ? text.parseDoubleText(value) : undefined;
}

function decimalOf(value: unknown, type: Extract<SqlType, { kind: 'DECIMAL' }>): bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return text.parseDecimalText(String(value), type, true);
  return typeof value === 'string' ? text.parseDecimalText(value, type, true) : undefined;
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (!Array.isArray(value)) return undefined;
  if (!value.every((byte) => typeof byte === 'number' && Number.isInteger(byte) && byte >= 0 && byte < 256))
    return undefined;
  return Uint8Array.from(value);
}

function describe(value: unknown): string {
  const shown = value instanceof Date ? String(value) : (formatVariant(value) ?? String(value));
  return shown.length > 100 ? `${shown.slice(0, 100)}…` : shown;
}

// ── ARRAY, MAP and ROW ──
// One spelling for a value: no white space, the keys of a MAP in order, the fields of a ROW in that of the type; numbers as JSON
// numbers, but DECIMAL and what JSON has no number for as strings, so that no digit is lost.

/** The text under which a nested value is stored, or undefined when it does not suit the type. */
export function nestedText(value: unknown, type: NestedType): string | undefined {
  switch (type.kind) {
    case 'ARRAY': {
      if (!Array.isArray(value)) return undefined;
      const parts = value.map((element: unknown) => partText(element, type.element));
      return parts.includes(undefined) ? undefined : `[${parts.join(',')}]`;
    }
    case 'MAP': {
      const entries = entriesOf(value);
      if (entries === undefined) return undefined;
      const members = entries.map(([key, part]) => member(keyText(key, type.key), partText(part, type.value)));
      return members.includes(undefined) ? undefined : `{${members.sort().join(',')}}`;
    }
    case 'ROW': {
      // A list has the fields in their order.
      const listed = Array.isArray(value) && value.length === type.fields.length;
      const given = new Map(listed ? type.fields.map((field, i) => [field.name, value[i]]) : (entriesOf(value) ?? []));
      if (typeof value !== 'object' || value === null || (Array.isArray(value) && !listed)) return undefined;
      const members = type.fields.map(({ name, type: part }) =>
        member(JSON.stringify(name), partText(given.get(name) ?? given.get(name.toUpperCase()) ?? null, part)),
      );
      return members.includes(undefined) ? undefined : `{${members.join(',')}}`;
    }
  }
}

/** A value of a cell as it is spelled inside a nested one. */
export function nestedPart(value: CellValue, type: SqlType): string {
  if (value === null) return 'null';
  if (type.kind === 'VARIANT' || isNested(type)) return String(value);
  if (value instanceof Uint8Array) return `[${value.join(',')}]`;
  if (type.kind === 'DOUBLE' || type.kind === 'REAL') {
    return Number.isFinite(value) ? formatVariantNumber(Number(value), type) : JSON.stringify(String(value));
  }
  const shown = toPublic(value, type, {});
  return typeof shown === 'number' || typeof shown === 'bigint' || typeof shown === 'boolean'
    ? String(shown)
    : JSON.stringify(shown);
}

/** The key of a MAP as the string that JSON has for it. */
export function mapKeyOf(value: CellValue, type: SqlType): string {
  const part = nestedPart(value, type);
  return part.startsWith('"') ? String(JSON.parse(part)) : part;
}

function formatVariantNumber(value: number, type: SqlType): string {
  if (Object.is(value, -0)) return '0';
  return type.kind === 'REAL' ? text.formatReal(value) : String(value);
}

function member(key: string | undefined, part: string | undefined): string | undefined {
  return key === undefined || part === undefined ? undefined : `${key}:${part}`;
}

function partText(value: unknown, type: SqlType): string | undefined {
  const cell = value === undefined ? null : fromPublic(value, type);
  return cell instanceof Refusal ? undefined : nestedPart(cell, type);
}

function keyText(key: string, type: SqlType): string | undefined {
  const cell = fromPublic(type.kind === 'BOOLEAN' ? key === 'true' : key, type);
  return cell instanceof Refusal ? undefined : JSON.stringify(mapKeyOf(cell, type));
}

function entriesOf(value: unknown): [string, unknown][] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value instanceof Map ? [...value].map(([key, part]) => [String(key), part]) : Object.entries(value);
}

function publicNested(value: unknown, type: NestedType, forms: PublicForms): unknown {
  const part = (inner: unknown, innerType: SqlType): unknown => {
    const cell = fromPublic(inner, innerType);
    return cell instanceof Refusal ? inner : toPublic(cell, innerType, forms);
  };
  if (type.kind === 'ARRAY') return Array.isArray(value) ? value.map((each) => part(each, type.element)) : value;
  const entries = entriesOf(value) ?? [];
  const typeOf = (key: string): SqlType =>
    type.kind === 'MAP' ? type.value : (type.fields.find((field) => field.name === key)?.type ?? { kind: 'NULL' });
  return Object.fromEntries(entries.map(([key, inner]) => [key, part(inner, typeOf(key))]));
}
