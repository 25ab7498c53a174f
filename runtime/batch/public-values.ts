// Single values in the forms that users of the embedded API see, to and from those of cells (scalar-values.ts).
//
//   integers    number while safe, else bigint; BIGINT always bigint with `integers: 'bigint'`
//   DECIMAL     text with all digits of its scale, '12.50'
//   DATE TIME TIMESTAMP   SQL text, `YYYY-MM-DD HH:MM:SS[.f]` with as many of six fraction digits as are needed; with
//               `timestamps: 'date'` DATE and TIMESTAMP are Date (UTC; microseconds are cut to milliseconds), TIME stays text
//   INTERVAL    text: years-months, or days hours:minutes:seconds[.f]
//   VARBINARY   Uint8Array      UUID  text      VARIANT  the parsed JSON value, big integers as bigint      NULL  null
// On the way in also: bigint and numeric text for every number, Date or text for temporal types, arrays of bytes.
import * as text from './scalar-text.ts';
import type { CellValue } from './scalar-values.ts';
import { formatSqlType, type SqlType } from './sql-type.ts';
import { formatVariant, parseVariant } from './variant-json.ts';

export interface PublicForms {
  readonly integers?: 'auto' | 'bigint';
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
  return type.kind === 'VARIANT' && typeof value === 'string' ? parseVariant(value) : value;
}

function publicBigint(value: bigint, type: SqlType, forms: PublicForms): unknown {
  switch (type.kind) {
    case 'DECIMAL':
      return text.formatDecimal(value, type.scale);
    case 'TIME':
      return text.formatTime(value);
    case 'TIMESTAMP':
      return forms.timestamps === 'date' ? dateOf(value) : text.formatTimestamp(value);
    case 'INTERVAL_MICROS':
      return text.formatMicros(value);
    default:
      return forms.integers === 'bigint' || value > maxSafe || value < -maxSafe ? value : Number(value);
  }
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
  if (value === null) return null;
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
