// Truncation, differences and additions in time units.
//
// Truncation and FLOOR round down to the beginning of a unit (weeks begin on Sunday, as in Feldera's FLOOR), CEIL rounds up.
// TIMESTAMPDIFF counts whole units: a month has passed when the calendar month has grown and the day and time are at
// least those of the start.

import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import {
  addMonths,
  dateOf,
  daysOf,
  floorModulo,
  isoWeekday,
  joinTimestamp,
  microsOfDay,
  nanosOfDay,
  splitTimestamp,
} from './calendar.ts';
import { InvalidArgument, NumericOverflow } from './evaluation-errors.ts';
import type { FunctionDefinition, FunctionOverload, ParameterClass } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';

const date: SqlType = { kind: 'DATE' };
const time: SqlType = { kind: 'TIME' };
const timestamp: SqlType = { kind: 'TIMESTAMP' };

const unitMonths: Readonly<Record<string, number>> = {
  millennium: 12_000,
  century: 1200,
  decade: 120,
  year: 12,
  quarter: 3,
  month: 1,
};

const unitMicros: Readonly<Record<string, bigint>> = {
  week: 7n * microsOfDay,
  day: microsOfDay,
  hour: 3_600_000_000n,
  minute: 60_000_000n,
  second: 1_000_000n,
  millisecond: 1000n,
  microsecond: 1n,
};

export const temporalFunctions: readonly FunctionDefinition[] = [
  define(
    'date_trunc',
    [],
    'DATE_TRUNC(x, unit)',
    'The beginning of the unit in which x lies.',
    ["DATE_TRUNC(DATE '2020-01-10', MONTH)", "DATE '2020-01-01'"],
    [
      strictRow(
        ['date', 'unit'],
        date,
        typed((x: number, unit: string) => floorDate(x, unit)),
        { canFail: true },
      ),
      strictRow(
        ['timestamp', 'unit'],
        timestamp,
        typed((x: bigint, unit: string) => floorTimestamp(x, unit)),
        { canFail: true },
      ),
    ],
  ),
  define(
    'timestamp_trunc',
    [],
    'TIMESTAMP_TRUNC(x, unit)',
    'The beginning of the unit in which x lies.',
    ["TIMESTAMP_TRUNC(TIMESTAMP '2020-01-10 10:30:00', HOUR)", "TIMESTAMP '2020-01-10 10:00:00'"],
    [
      strictRow(
        ['timestamp', 'unit'],
        timestamp,
        typed((x: bigint, unit: string) => floorTimestamp(x, unit)),
        { canFail: true },
      ),
    ],
  ),
  define(
    'time_trunc',
    [],
    'TIME_TRUNC(x, unit)',
    'The beginning of the unit in which x lies.',
    ["TIME_TRUNC(TIME '12:34:56.78', MINUTE)", "TIME '12:34:00'"],
    [
      strictRow(
        ['time', 'unit'],
        time,
        typed((x: bigint, unit: string) => floorTime(x, unit)),
        { canFail: true },
      ),
    ],
  ),
  define(
    'floor_to',
    [],
    'FLOOR(x TO unit)',
    'The beginning of the unit in which x lies.',
    ["FLOOR(TIMESTAMP '2020-01-10 10:30:00' TO DAY)", "TIMESTAMP '2020-01-10 00:00:00'"],
    [
      strictRow(
        ['timestamp', 'unit'],
        timestamp,
        typed((x: bigint, unit: string) => floorTimestamp(x, unit, 0)),
        { canFail: true },
      ),
      strictRow(
        ['date', 'unit'],
        date,
        typed((x: number, unit: string) => floorDate(x, unit, 0)),
        { canFail: true },
      ),
      strictRow(
        ['time', 'unit'],
        time,
        typed((x: bigint, unit: string) => floorTime(x, unit)),
        { canFail: true },
      ),
    ],
  ),
  define(
    'ceil_to',
    [],
    'CEIL(x TO unit)',
    'The beginning of the next unit, or x when it is the beginning of one.',
    ["CEIL(TIMESTAMP '2020-01-10 10:30:00' TO DAY)", "TIMESTAMP '2020-01-11 00:00:00'"],
    [
      strictRow(
        ['timestamp', 'unit'],
        timestamp,
        typed((x: bigint, unit: string) => ceilTimestamp(x, unit, 0)),
        { canFail: true },
      ),
      strictRow(
        ['date', 'unit'],
        date,
        typed((x: number, unit: string) => splitTimestamp(ceilTimestamp(joinTimestamp(x, 0), unit, 0)).days),
        { canFail: true },
      ),
      strictRow(
        ['time', 'unit'],
        time,
        typed((x: bigint, unit: string) => ceilTime(x, unit)),
        { canFail: true },
      ),
    ],
  ),
  define(
    'timestampdiff',
    ['datediff'],
    'TIMESTAMPDIFF(unit, start, end)',
    'Whole units from start to end.',
    ["TIMESTAMPDIFF(MONTH, DATE '2020-01-31', DATE '2020-03-01')", '1'],
    [
      strictRow(['unit', 'timestamp', 'timestamp'], types.integer, typed(difference), { canFail: true }),
      strictRow(
        ['unit', 'time', 'time'],
        types.integer,
        typed((unit: string, start: bigint, end: bigint) => difference(unit, 0n, (end - start) / 1000n)),
        { canFail: true },
      ),
    ],
  ),
  define(
    'timestampadd',
    ['dateadd'],
    'TIMESTAMPADD(unit, count, x)',
    'x and `count` units.',
    ["TIMESTAMPADD(DAY, 1, TIMESTAMP '2020-02-28 12:00:00')", "TIMESTAMP '2020-02-29 12:00:00'"],
    [
      strictRow(
        ['unit', 'BIGINT', 'date'],
        date,
        typed((unit: string, count: bigint, x: number) => splitTimestamp(addTo(joinTimestamp(x, 0), unit, count)).days),
        { canFail: true },
      ),
      strictRow(
        ['unit', 'BIGINT', 'timestamp'],
        timestamp,
        typed((unit: string, count: bigint, x: bigint) => addTo(x, unit, count)),
        { canFail: true },
      ),
      strictRow(
        ['unit', 'BIGINT', 'time'],
        time,
        typed((unit: string, count: bigint, x: bigint) => floorModulo(x + nanosOf(unit) * count, nanosOfDay)),
        { canFail: true },
      ),
    ],
  ),
  define(
    'months_between',
    [],
    '(x - y) MONTH',
    'Whole months from y to x, as an interval.',
    ["(DATE '2020-03-01' - DATE '2020-01-01') MONTH", 'INTERVAL 2 MONTH'],
    [monthsRow('timestamp')],
  ),
  define(
    'make_date',
    [],
    'MAKE_DATE(year, month, day)',
    'A date from its parts, NULL when there is none.',
    ['MAKE_DATE(2020, 2, 29)', "DATE '2020-02-29'"],
    [strictRow(['INT', 'INT', 'INT'], date, typed(makeDate), { nullable: true })],
  ),
  define(
    'last_day',
    [],
    'LAST_DAY(x)',
    'The last day of the month.',
    ["LAST_DAY(DATE '2020-02-10')", "DATE '2020-02-29'"],
    [
      strictRow(
        ['date'],
        date,
        typed((x: number) => addMonths(floorDate(x, 'month'), 1) - 1),
      ),
      strictRow(
        ['timestamp'],
        date,
        typed((x: bigint) => addMonths(floorDate(splitTimestamp(x).days, 'month'), 1) - 1),
      ),
    ],
  ),
];

function define(
  name: string,
  aliases: readonly string[],
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overloads: readonly FunctionOverload[],
): FunctionDefinition {
  return { name, aliases, synopsis, category: 'temporal', summary, example, deterministic: true, overloads };
}

function monthsRow(parameter: ParameterClass): FunctionOverload {
  return strictRow(
    [parameter, parameter],
    { kind: 'INTERVAL_MONTHS' },
    typed((x: bigint, y: bigint) => wholeMonths(y, x)),
  );
}

function floorDate(days: number, unit: string, firstYear = 1): number {
  const months = unitMonths[unit];
  if (months !== undefined) return monthStart(days, unit, months, firstYear);
  if (unit === 'week') return days - (isoWeekday(days) % 7);
  if (unitMicros[unit] === undefined) throw badUnit(unit, 'DATE');
  return days;
}

/** Decades begin with the year 0, centuries and millennia with the year 1; where they are rounded to, with the year 0 as well. */
function monthStart(days: number, unit: string, months: number, firstYear: number): number {
  const { year, month } = dateOf(days);
  const first = unit === 'century' || unit === 'millennium' ? firstYear : 0;
  const total = (year - first) * 12 + month - 1;
  const start = total - (((total % months) + months) % months);
  return daysOf(Math.floor(start / 12) + first, (((start % 12) + 12) % 12) + 1, 1);
}

function floorTimestamp(x: bigint, unit: string, firstYear = 1): bigint {
  const { days, micros } = splitTimestamp(x);
  const width = unitMicros[unit];
  if (width === undefined || width >= microsOfDay) return joinTimestamp(floorDate(days, unit, firstYear), 0);
  return joinTimestamp(days, BigInt(micros) - (BigInt(micros) % width));
}

function floorTime(x: bigint, unit: string): bigint {
  return x - (x % nanosOf(unit));
}

/** Past the last unit of the day is midnight. */
function ceilTime(x: bigint, unit: string): bigint {
  const floor = floorTime(x, unit);
  return floor === x ? x : (floor + nanosOf(unit)) % nanosOfDay;
}

function ceilTimestamp(x: bigint, unit: string, firstYear = 1): bigint {
  const floor = floorTimestamp(x, unit, firstYear);
  return floor === x ? x : addTo(floor, unit, 1n);
}

/** Nanoseconds of a unit shorter than a day. */
function nanosOf(unit: string): bigint {
  const width = unitMicros[unit];
  if (width === undefined || width >= microsOfDay) throw badUnit(unit, 'TIME');
  return width * 1000n;
}

function badUnit(unit: string, type: string): Error {
  return new InvalidArgument({
    function: type,
    detail: `cannot be rounded or counted in units of ${unit.toUpperCase()}`,
  });
}

function addTo(x: bigint, unit: string, count: bigint): bigint {
  const months = unitMonths[unit];
  if (months === undefined) {
    const width = unitMicros[unit];
    if (width === undefined) throw badUnit(unit, 'TIMESTAMP');
    return checked(x + width * count);
  }
  const total = count * BigInt(months);
  if (BigInt.asIntN(32, total) !== total) throw new NumericOverflow({ type: 'TIMESTAMP', detail: `${count} ${unit}s` });
  const { days, micros } = splitTimestamp(x);
  return checked(joinTimestamp(addMonths(days, Number(total)), micros));
}

function checked(x: bigint): bigint {
  if (BigInt.asIntN(64, x) !== x) throw new NumericOverflow({ type: 'TIMESTAMP', detail: 'the result' });
  return x;
}

function difference(unit: string, start: bigint, end: bigint): number {
  const months = unitMonths[unit];
  const width = unitMicros[unit];
  if (months === undefined && width === undefined) throw badUnit(unit, 'TIMESTAMP');
  const units =
    width === undefined ? Math.trunc(wholeMonths(start, end) / (months ?? 1)) : Number((end - start) / width);
  if ((units | 0) !== units) throw new NumericOverflow({ type: 'INTEGER', detail: `${units} ${unit}s` });
  return units === 0 ? 0 : units;
}

/** Months that have passed from start to end; negative when the end is the earlier one. */
function wholeMonths(start: bigint, end: bigint): number {
  if (end < start) return -wholeMonths(end, start);
  const [from, to] = [splitTimestamp(start), splitTimestamp(end)];
  const [a, b] = [dateOf(from.days), dateOf(to.days)];
  const months = (b.year - a.year) * 12 + b.month - a.month;
  const incomplete = b.day < a.day || (b.day === a.day && to.micros < from.micros);
  return incomplete ? months - 1 : months;
}

function makeDate(year: number, month: number, day: number): number | null {
  const days = daysOf(year, month, day);
  const back = dateOf(days);
  return year >= 1 && year <= 9999 && back.year === year && back.month === month && back.day === day ? days : null;
}
