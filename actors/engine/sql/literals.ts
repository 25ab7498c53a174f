// Literals: from their text to typed values.
//
// Integers are INTEGER where they fit, else BIGINT, else DECIMAL. A number with a point is an exact DECIMAL, one
// with an exponent is DOUBLE. Strings are VARCHAR. Intervals of years and months are INTERVAL_MONTHS, all others
// INTERVAL_MICROS; a leading minus applies to all fields.

import {
  parseDateText,
  parseMicrosText,
  parseMonthsText,
  parseTimestampText,
  parseTimeText,
} from '../../../runtime/batch/scalar-text.ts';
import { decimalPrecisionMax, formatSqlType, type SqlType } from '../../../runtime/batch/sql-type.ts';
import { type IntervalType, intervalType } from './interval-units.ts';
import type { ScalarValue } from './scalar-value.ts';
import { parseZonedText } from './time-zone.ts';

export interface TypedValue {
  readonly type: SqlType;
  readonly value: ScalarValue;
}

/** A number as written, or undefined when neither DECIMAL nor DOUBLE can hold it. */
export function numberLiteral(text: string, negative: boolean): TypedValue | undefined {
  const sign = negative ? -1 : 1;
  if (/[eE]/.test(text)) {
    const double = sign * Number(text);
    return Number.isFinite(double) ? { type: { kind: 'DOUBLE' }, value: double } : undefined;
  }
  const [whole = '', fraction = ''] = text.split('.');
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '');
  const unscaled = BigInt(sign) * BigInt(digits === '' ? '0' : digits);
  if (!text.includes('.')) {
    if (BigInt.asIntN(32, unscaled) === unscaled) return { type: { kind: 'INTEGER' }, value: Number(unscaled) };
    if (BigInt.asIntN(64, unscaled) === unscaled) return { type: { kind: 'BIGINT' }, value: unscaled };
  }
  const scale = fraction.length;
  const precision = Math.max(digits.length, scale, 1);
  if (precision > decimalPrecisionMax) return undefined;
  return { type: { kind: 'DECIMAL', precision, scale }, value: unscaled };
}

/** What text means as a value of a type, or undefined when it means none. Only types that have literals. */
export function parseTypedText(text: string, type: SqlType): ScalarValue | undefined {
  switch (type.kind) {
    case 'DATE':
      return parseDateText(text);
    case 'TIME':
      return parseTimeText(text);
    case 'TIMESTAMP':
      return parseTimestampText(text) ?? (type.zoned === true ? parseZonedText(text) : undefined);
    default:
      return undefined;
  }
}

const microsOf: Readonly<Record<string, bigint>> = {
  week: 604_800_000_000n,
  day: 86_400_000_000n,
  hour: 3_600_000_000n,
  minute: 60_000_000n,
  second: 1_000_000n,
  millisecond: 1_000n,
  microsecond: 1n,
};
const monthsOf: Readonly<Record<string, number>> = { decade: 120, year: 12, quarter: 3, month: 1 };

export const intervalUnits: readonly string[] = [...Object.keys(monthsOf), ...Object.keys(microsOf)];

/** A time unit in the singular and without the prefix SQL_TSI_. */
export function normalizeUnit(name: string): string {
  const plain = name.toLowerCase().replace(/^sql_tsi_/, '');
  if (plain === 'century' || plain === 'centuries') return 'century';
  if (plain === 'millennium' || plain === 'millenium' || plain === 'millennia') return 'millennium';
  return plain.endsWith('s') && plain !== 's' ? plain.slice(0, -1) : plain;
}

/** A text as an interval of a type: as a literal of it is written, or days and time of day, or years and months. */
export function parseIntervalText(text: string, type: IntervalType): ScalarValue | undefined {
  const [first, last = null] = formatSqlType(type).slice('INTERVAL '.length).toLowerCase().split(' to ');
  const value = first === undefined ? undefined : intervalLiteral(text, first, last, false);
  if (value !== undefined) return value.value;
  return type.kind === 'INTERVAL_MONTHS' ? parseMonthsText(text) : parseMicrosText(text);
}

/** INTERVAL 'text' from [TO to]; undefined when the text does not fit the units. */
export function intervalLiteral(
  text: string,
  from: string,
  to: string | null,
  negative: boolean,
): TypedValue | undefined {
  const value = intervalValue(text, from, to, negative);
  const type = intervalType(from, to ?? from);
  return value === undefined || type === undefined ? undefined : { ...value, type };
}

function intervalValue(text: string, from: string, to: string | null, negative: boolean): TypedValue | undefined {
  const trimmed = text.trim();
  const minus = trimmed.startsWith('-');
  const body = trimmed.replace(/^[+-]/, '');
  const sign = minus !== negative ? -1n : 1n;
  if (to === null) return singleUnit(body, from, sign);
  if (from === 'year' && to === 'month') {
    const months = parseMonthsText(body);
    return months === undefined ? undefined : monthsValue(BigInt(months) * sign);
  }
  const time = dayToSecond(body, from, to);
  const micros = time === undefined ? undefined : parseMicrosText(time);
  return micros === undefined ? undefined : microsValue(micros * sign);
}

function singleUnit(body: string, unit: string, sign: bigint): TypedValue | undefined {
  const months = monthsOf[unit];
  if (months !== undefined)
    return /^\d{1,9}$/.test(body) ? monthsValue(BigInt(body) * BigInt(months) * sign) : undefined;
  const micros = microsOf[unit];
  const match = /^(\d{1,15})(?:\.(\d{1,6})\d*)?$/.exec(body);
  if (micros === undefined || match === null) return undefined;
  const [, whole = '0', fraction = ''] = match;
  if (fraction !== '' && unit !== 'second') return undefined;
  const part = (BigInt(fraction.padEnd(6, '0')) * micros) / 1_000_000n;
  return microsValue((BigInt(whole) * micros + part) * sign);
}

const fields = ['day', 'hour', 'minute', 'second'];

/** `days hours:minutes:seconds` of an interval that names only some of the fields; the first field may be of any size. */
function dayToSecond(body: string, from: string, to: string): string | undefined {
  const [first, last] = [fields.indexOf(from), fields.indexOf(to)];
  if (first < 0 || last <= first) return undefined;
  const parts = body.split(/[ :]+/);
  if (parts.length !== last - first + 1) return undefined;
  // Behind days stands a blank, between the others a colon.
  if (!(from === 'day' ? /^\d+ +[^ ]+$/ : /^[^ ]+$/).test(body)) return undefined;
  const numbers = fields.map((_, i) => (i < first || i > last ? '0' : (parts[i - first] ?? '')));
  const [days = '', hours = '', minutes = '', seconds = ''] = numbers;
  if (![days, hours, minutes].every((number) => /^\d{1,9}$/.test(number)) || !/^\d{1,9}(\.\d+)?$/.test(seconds)) {
    return undefined;
  }
  const [wholeSeconds = '0', fraction = ''] = seconds.split('.');
  const total = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(wholeSeconds);
  // Inner fields have a bound; only the first may be larger.
  const bounds = [Number.POSITIVE_INFINITY, 24, 60, 60];
  if (numbers.some((number, i) => i > first && i <= last && Number(number) >= (bounds[i] ?? 0))) return undefined;
  const pad = (value: number): string => String(value).padStart(2, '0');
  const clock = `${pad(Math.floor(total / 3600) % 24)}:${pad(Math.floor(total / 60) % 60)}:${pad(total % 60)}`;
  return `${Math.floor(total / 86_400)} ${clock}${fraction === '' ? '' : `.${fraction}`}`;
}

function monthsValue(months: bigint): TypedValue | undefined {
  if (BigInt.asIntN(32, months) !== months) return undefined;
  return { type: { kind: 'INTERVAL_MONTHS' }, value: Number(months) };
}

function microsValue(micros: bigint): TypedValue | undefined {
  if (BigInt.asIntN(64, micros) !== micros) return undefined;
  return { type: { kind: 'INTERVAL_MICROS' }, value: micros };
}
