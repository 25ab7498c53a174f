// Casts to and from text, and between text and binary.
//
// Text forms are those of formats (runtime/batch/scalar-text.ts), but a DECIMAL has no zeros at the end of its fraction; TIMESTAMP
// `YYYY-MM-DD HH:MM:SS[.f]`, BOOLEAN `TRUE` and `FALSE` (any case when read), integers also with a fraction of zeros or
// an exponent when read. Bytes are hexadecimal digits as text; a text
// becomes the bytes of its UTF-8. TIME has none or nine digits of a fraction.
import * as text from '../../../runtime/batch/scalar-text.ts';
import type { SqlType, SqlTypeKind } from '../../../runtime/batch/sql-type.ts';
import { formatInterval } from '../sql/interval-units.ts';
import { parseIntervalText } from '../sql/literals.ts';
import type { ScalarValue } from '../sql/scalar-value.ts';
import { parseZonedText } from '../sql/time-zone.ts';
import { isInterval } from '../sql/type-coercion.ts';
import { castExact } from './cast-numbers.ts';
import type { Cast } from './cast-row.ts';

const encoder = new TextEncoder();

/** Any scalar as CHAR or VARCHAR. */
export const castToText: Cast = (value, from, to) => {
  const formatted =
    typeof value === 'bigint' && from.kind === 'DECIMAL'
      ? withoutEndingZeros(text.formatDecimal(value, from.scale))
      : formatScalar(value, from);
  return formatted === undefined ? undefined : fitText(formatted, to);
};

/** A DECIMAL that has a scale: `12.50` is `12.5`, `12.00` is `12`. */
function withoutEndingZeros(decimal: string): string {
  if (!decimal.includes('.')) return decimal;
  let end = decimal.length;
  while (decimal[end - 1] === '0') end--;
  return decimal.slice(0, decimal[end - 1] === '.' ? end - 1 : end);
}

/** Text cut (VARCHAR) or cut and padded with spaces (CHAR) to the length of the type, in code points. */
export function fitText(value: string, to: SqlType): string {
  if ((to.kind !== 'CHAR' && to.kind !== 'VARCHAR') || to.length === null) return value;
  const length = to.length;
  let points = value.length;
  if (/[\ud800-\udfff]/.test(value)) points = [...value].length;
  if (points > length) return points === value.length ? value.slice(0, length) : [...value].slice(0, length).join('');
  return to.kind === 'CHAR' ? value + ' '.repeat(length - points) : value;
}

/** The value as text. VARIANT is its JSON text. */
export function formatScalar(value: NonNullable<ScalarValue>, type: SqlType): string | undefined {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) {
    return Buffer.from(value).toString('hex');
  }
  if (type.kind === 'INTERVAL_MONTHS' || type.kind === 'INTERVAL_MICROS') {
    return typeof value === 'boolean' ? undefined : formatInterval(value, type);
  }
  if (typeof value === 'number') {
    if (type.kind === 'DOUBLE') return floatText(text.formatDouble(value), value);
    if (type.kind === 'REAL') return floatText(text.formatReal(value), value);
    if (type.kind === 'DATE') return text.formatDate(value);
    return String(value);
  }
  if (typeof value === 'bigint') {
    if (type.kind === 'DECIMAL') return text.formatDecimal(value, type.scale);
    if (type.kind === 'TIME') return nineDigits(text.formatTime(value));
    if (type.kind === 'TIMESTAMP') return text.formatTimestamp(value) + (type.zoned === true ? ' +00:00' : '');
    return String(value);
  }
  return value ? 'TRUE' : 'FALSE';
}

/**
 * A float with its shortest digits: with a point always, or with an exponent from 1e16 on and below 1e-5, so that a float is never
 * mistaken for an integer.
 */
function floatText(digits: string, value: number): string {
  if (!Number.isFinite(value)) return digits;
  const [, sign = '', whole = '0', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(digits) ?? [];
  const all = (whole + fraction).replace(/^0+(?=.)/, '');
  const significant = all.replace(/0+$/, '') || '0';
  if (significant === '0') return `${sign}0.0`;
  // The value is 0.significant · 10^point.
  const point = Number(exponent) + whole.length - (whole.length + fraction.length - all.length);
  if (point > 16 || point < -4) {
    const rest = significant.slice(1);
    return `${sign}${significant[0]}${rest === '' ? '' : `.${rest}`}e${point - 1}`;
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${significant}`;
  const padded = significant.padEnd(point, '0');
  return `${sign}${padded.slice(0, point)}.${padded.slice(point) || '0'}`;
}

/** A time of day whose fraction, if there is one, counts nanoseconds. */
function nineDigits(time: string): string {
  return time.includes('.') ? time.padEnd('HH:MM:SS.'.length + 9, '0') : time;
}

export const fromTextCasts: Partial<Record<SqlTypeKind, Cast>> = {
  BOOLEAN: (value) => parseBoolean(String(value)),
  TINYINT: parseInteger,
  SMALLINT: parseInteger,
  INTEGER: parseInteger,
  BIGINT: parseInteger,
  REAL: (value) => {
    const parsed = text.parseDoubleText(String(value));
    return parsed === undefined ? undefined : Math.fround(parsed);
  },
  DOUBLE: (value) => text.parseDoubleText(String(value)),
  DECIMAL: (value, _, to) =>
    to.kind === 'DECIMAL' ? text.parseDecimalText(String(value), to, to.unsigned !== undefined) : undefined,
  DATE: (value) => text.parseDateText(String(value)),
  TIME: (value) => text.parseTimeText(String(value)),
  TIMESTAMP: (value, _, to) => {
    const parsed = text.parseTimestampText(String(value));
    return parsed ?? (to.kind === 'TIMESTAMP' && to.zoned === true ? parseZonedText(String(value)) : undefined);
  },
  INTERVAL_MONTHS: parseInterval,
  INTERVAL_MICROS: parseInterval,
  UUID: (value) => {
    const words = text.parseUuidText(String(value));
    return words === undefined ? undefined : text.formatUuid(words.low, words.high);
  },
  CHAR: castToText,
  VARCHAR: castToText,
};

function parseInteger(value: NonNullable<ScalarValue>, _: SqlType, to: SqlType): ScalarValue | undefined {
  const parsed = text.parseIntegerText(String(value));
  return parsed === undefined ? undefined : castExact(parsed, 0, to);
}

function parseInterval(value: NonNullable<ScalarValue>, _: SqlType, to: SqlType): ScalarValue | undefined {
  return isInterval(to) ? parseIntervalText(String(value), to) : undefined;
}

function parseBoolean(value: string): boolean | undefined {
  const word = value.trim().toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}

/** Text as UTF-8, or bytes; BINARY(n) cut and padded with zeros, VARBINARY(n) cut. */
export const castToBinary: Cast = (value, _, to) => {
  const bytes = typeof value === 'string' ? encoder.encode(value) : value;
  if (!(bytes instanceof Uint8Array)) return undefined;
  if ((to.kind !== 'BINARY' && to.kind !== 'VARBINARY') || to.length === null) return bytes;
  if (bytes.length > to.length) return bytes.slice(0, to.length);
  if (to.kind === 'VARBINARY' || bytes.length === to.length) return bytes;
  const padded = new Uint8Array(to.length);
  padded.set(bytes);
  return padded;
};
