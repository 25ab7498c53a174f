// Units of INTERVAL types: which type `INTERVAL DAY TO HOUR` is, what two of them have in common, how a value is spelled and read.
//
// The unit is no part of a value: it says how the value is written as text, and what one means when it is cast to or from a
// number. A text has a sign always, as in `+5-08` (YEAR TO MONTH), `-379 11:14` (DAY TO MINUTE), `+90.500000` (SECOND); what is
// smaller than the last unit is cut off. Not here: storage (runtime/batch), arithmetic (functions-interval.ts).
import type { MicrosUnit, MonthsUnit, SqlType } from '../../../runtime/batch/sql-type.ts';

export type IntervalType = Extract<SqlType, { kind: 'INTERVAL_MONTHS' | 'INTERVAL_MICROS' }>;

const monthNames = ['year', 'month'];
const microNames = ['day', 'hour', 'minute', 'second'];

/** The type of INTERVAL first TO last, or undefined where there is none. Units in the singular and in lower case. */
export function intervalType(first: string, last: string): IntervalType | undefined {
  const wider: Readonly<Record<string, string>> = { decade: 'year', quarter: 'month', week: 'day' };
  const finer: Readonly<Record<string, string>> = { millisecond: 'second', microsecond: 'second' };
  const [from, to] = [first, last].map((unit) => wider[unit] ?? finer[unit] ?? unit);
  for (const names of [monthNames, microNames]) {
    const [at, until] = [names.indexOf(from ?? ''), names.indexOf(to ?? '')];
    if (at < 0 || until < at) continue;
    return names === monthNames ? monthsType(at, until) : microsType(at, until);
  }
  return undefined;
}

function monthsType(first: number, last: number): IntervalType {
  if (first < last) return { kind: 'INTERVAL_MONTHS' };
  const unit: MonthsUnit = first === 0 ? 'YEAR' : 'MONTH';
  return { kind: 'INTERVAL_MONTHS', unit };
}

function microsType(first: number, last: number): IntervalType {
  if (first === 0 && last === 3) return { kind: 'INTERVAL_MICROS' };
  const name = first === last ? microNames[first] : `${microNames[first]} to ${microNames[last]}`;
  // SAFETY: the name of one unit, or of two in order other than DAY TO SECOND, is one of the nine.
  return { kind: 'INTERVAL_MICROS', unit: name?.toUpperCase() as MicrosUnit };
}

function fieldsOf(type: IntervalType): readonly [first: number, last: number] {
  if (type.kind === 'INTERVAL_MONTHS') return type.unit === undefined ? [0, 1] : type.unit === 'YEAR' ? [0, 0] : [1, 1];
  const [first = 'day', last = first] = (type.unit ?? 'DAY TO SECOND').toLowerCase().split(' to ');
  return [microNames.indexOf(first), microNames.indexOf(last)];
}

/** The type that has the units of both, which are of one kind. */
export function commonIntervalType(left: IntervalType, right: IntervalType): IntervalType {
  const [[a, b], [c, d]] = [fieldsOf(left), fieldsOf(right)];
  const [first, last] = [Math.min(a, c), Math.max(b, d)];
  return left.kind === 'INTERVAL_MONTHS' ? monthsType(first, last) : microsType(first, last);
}

const microsOf: readonly bigint[] = [86_400_000_000n, 3_600_000_000n, 60_000_000n, 1_000_000n];

/** How much one means in a type of one unit, in months or microseconds; undefined for types of several. */
export function sizeOfUnit(type: IntervalType): bigint | undefined {
  const [first, last] = fieldsOf(type);
  if (first !== last) return undefined;
  return type.kind === 'INTERVAL_MONTHS' ? (first === 0 ? 12n : 1n) : microsOf[first];
}

export function formatInterval(value: number | bigint, type: IntervalType): string {
  const whole = BigInt(value);
  const [first, last] = fieldsOf(type);
  const magnitude = whole < 0n ? -whole : whole;
  const sign = whole < 0n ? '-' : '+';
  if (type.kind === 'INTERVAL_MONTHS') {
    if (first < last) return `${sign}${magnitude / 12n}-${pad(magnitude % 12n)}`;
    return signed(whole / (first === 0 ? 12n : 1n));
  }
  const unit = microsOf[first] ?? 1n;
  if (first === last && last < 3) return signed(whole / unit);
  let text = `${sign}${magnitude / unit}`;
  for (let field = first + 1; field <= last; field++) {
    const part = (magnitude % (microsOf[field - 1] ?? 1n)) / (microsOf[field] ?? 1n);
    text += `${field === 1 ? ' ' : ':'}${pad(part)}`;
  }
  const fraction = magnitude % 1_000_000n;
  if (last < 3 || (first === 0 && fraction === 0n)) return text;
  return `${text}.${String(fraction).padStart(6, '0')}`;
}

function signed(count: bigint): string {
  return count < 0n ? String(count) : `+${count}`;
}

function pad(part: bigint): string {
  return String(part).padStart(2, '0');
}
