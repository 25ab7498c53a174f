// EXTRACT, DATE_PART and their abbreviations: one field of a date, a time, a timestamp or an interval, as BIGINT.
//
// SECOND, MILLISECOND and MICROSECOND count within the minute, EPOCH counts whole seconds since 1970. Weeks are those of
// ISO 8601, DOW counts from Sunday 1, ISODOW from Monday 1.
import { dateOf, dayOfYear, isoWeek, isoWeekday, splitTimestamp } from './calendar.ts';
import { InvalidArgument } from './evaluation-errors.ts';
import type { CallShape, Evaluator, FunctionDefinition, FunctionOverload } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';

/** A field of a point in time, given as days since 1970 and microseconds since midnight. */
type Field = (days: number, micros: number) => number;

const secondsOfDay = 86_400;

const dateFields: Readonly<Record<string, Field>> = {
  millennium: (days) => Math.floor((dateOf(days).year + 999) / 1000),
  century: (days) => Math.floor((dateOf(days).year + 99) / 100),
  decade: (days) => Math.floor(dateOf(days).year / 10),
  year: (days) => dateOf(days).year,
  isoyear: (days) => isoWeek(days).year,
  quarter: (days) => Math.ceil(dateOf(days).month / 3),
  month: (days) => dateOf(days).month,
  week: (days) => isoWeek(days).week,
  day: (days) => dateOf(days).day,
  dow: (days) => (isoWeekday(days) % 7) + 1,
  isodow: (days) => isoWeekday(days),
  doy: (days) => dayOfYear(days),
};

const timeFields: Readonly<Record<string, Field>> = {
  hour: (_, micros) => Math.floor(micros / 3_600_000_000),
  minute: (_, micros) => Math.floor(micros / 60_000_000) % 60,
  second: (_, micros) => Math.floor(micros / 1_000_000) % 60,
  millisecond: (_, micros) => Math.floor((micros % 60_000_000) / 1000),
  microsecond: (_, micros) => micros % 60_000_000,
  nanosecond: (_, micros) => (micros % 60_000_000) * 1000,
  epoch: (days, micros) => days * secondsOfDay + Math.floor(micros / 1_000_000),
};

const fields: Readonly<Record<string, Field>> = { ...dateFields, ...timeFields };

/** Fields of INTERVAL_MONTHS and INTERVAL_MICROS; they take the sign of the interval. */
const monthFields: Readonly<Record<string, (months: number) => number>> = {
  millennium: (months) => Math.trunc(months / 12_000),
  century: (months) => Math.trunc(months / 1200),
  decade: (months) => Math.trunc(months / 120),
  year: (months) => Math.trunc(months / 12),
  quarter: (months) => Math.trunc((months % 12) / 3) + 1,
  month: (months) => months % 12,
  day: () => 0,
  hour: () => 0,
  minute: () => 0,
  second: () => 0,
  millisecond: () => 0,
  microsecond: () => 0,
};

const microFields: Readonly<Record<string, (micros: bigint) => bigint>> = {
  day: (micros) => micros / 86_400_000_000n,
  hour: (micros) => (micros / 3_600_000_000n) % 24n,
  minute: (micros) => (micros / 60_000_000n) % 60n,
  second: (micros) => (micros / 1_000_000n) % 60n,
  millisecond: (micros) => (micros % 60_000_000n) / 1000n,
  microsecond: (micros) => micros % 60_000_000n,
  epoch: (micros) => micros / 1_000_000n,
};

/** Every unit that EXTRACT, truncation and arithmetic know, in the singular. */
export const timeUnits: readonly string[] = Object.keys(fields);

export const extractFunctions: readonly FunctionDefinition[] = [
  {
    name: 'date_part',
    synopsis: 'EXTRACT(unit FROM x), DATE_PART(unit, x)',
    category: 'temporal',
    summary: 'A field of a date, time, timestamp or interval.',
    example: ["EXTRACT(YEAR FROM DATE '2001-12-31')", '2001'],
    deterministic: true,
    overloads: [
      partRow('timestamp', (unit) => fieldOfTimestamp(unit)),
      partRow('date', (unit) => fieldOfDate(unit)),
      partRow('time', (unit) => fieldOfTime(unit)),
      partRow('months', (unit) => fieldOfMonths(unit)),
      partRow('micros', (unit) => fieldOfMicros(unit)),
    ],
  },
  abbreviation('year', [], 'year', '2001'),
  abbreviation('quarter', [], 'quarter', '4'),
  abbreviation('month', [], 'month', '12'),
  abbreviation('week', [], 'week', '1'),
  abbreviation('dayofmonth', ['day'], 'day', '31'),
  abbreviation('dayofweek', [], 'dow', '2'),
  abbreviation('dayofyear', [], 'doy', '365'),
  abbreviation('hour', [], 'hour', '0'),
  abbreviation('minute', [], 'minute', '0'),
  abbreviation('second', [], 'second', '0'),
  abbreviation('millisecond', [], 'millisecond', '0'),
  abbreviation('microsecond', [], 'microsecond', '0'),
  abbreviation('epoch', [], 'epoch', '1009756800'),
];

function partRow(
  parameter: FunctionOverload['parameters'][number],
  field: (unit: string) => Evaluator,
): FunctionOverload {
  const evaluate = typed((unit: string, x: bigint) => field(unit)(x));
  const prepare = ({ constants: [unit] }: CallShape): Evaluator => {
    if (typeof unit !== 'string') return evaluate;
    let compute: Evaluator | undefined;
    return typed((_: string, x: bigint) => {
      compute ??= field(unit);
      return compute(x);
    });
  };
  return strictRow(['unit', parameter], types.bigint, evaluate, { canFail: true, prepare });
}

function abbreviation(name: string, aliases: readonly string[], unit: string, result: string): FunctionDefinition {
  const spelled = name.toUpperCase();
  return {
    name,
    aliases,
    synopsis: `${spelled}(x)`,
    category: 'temporal',
    summary: `EXTRACT(${unit.toUpperCase()} FROM x).`,
    example: [`${spelled}(DATE '2001-12-31')`, result],
    deterministic: true,
    overloads: [
      strictRow(['timestamp'], types.bigint, fieldOfTimestamp(unit)),
      strictRow(['date'], types.bigint, fieldOfDate(unit)),
      ...(unit in timeFields ? [strictRow(['time'], types.bigint, fieldOfTime(unit))] : []),
    ],
  };
}

function fieldOfTimestamp(unit: string): Evaluator {
  const field = requireField(fields, unit, 'TIMESTAMP');
  return typed((timestamp: bigint) => {
    const { days, micros } = splitTimestamp(timestamp);
    return BigInt(field(days, micros));
  });
}

function fieldOfDate(unit: string): Evaluator {
  const field = requireField(fields, unit, 'DATE');
  return typed((days: number) => BigInt(field(days, 0)));
}

function fieldOfTime(unit: string): Evaluator {
  const field = requireField(timeFields, unit, 'TIME');
  if (unit === 'nanosecond') return typed((nanos: bigint) => nanos % 60_000_000_000n);
  return typed((nanos: bigint) => BigInt(field(0, Number(nanos / 1000n))));
}

function fieldOfMonths(unit: string): Evaluator {
  const field = requireField(monthFields, unit, 'INTERVAL YEAR TO MONTH');
  return typed((months: number) => BigInt(field(months)));
}

function fieldOfMicros(unit: string): Evaluator {
  const field = requireField(microFields, unit, 'INTERVAL DAY TO SECOND');
  return typed((micros: bigint) => field(micros));
}

function requireField<T>(table: Readonly<Record<string, T>>, unit: string, type: string): T {
  const field = table[unit];
  if (field !== undefined) return field;
  throw new InvalidArgument({ function: 'EXTRACT', detail: `${type} has no ${unit.toUpperCase()}` });
}
