// Values made of parts, and times moved between zones: MAKE_TIME, MAKE_TIMESTAMP, CONVERT_TIMEZONE, MAP_CONCAT.
//
// What is no time gives NULL. Zones are those of IANA, or offsets such as +08:00; a local time that a change of clocks leaves out
// or has twice is taken with the offset before the change.
import { nestedText } from '../../../runtime/batch/public-values.ts';
import { isNested, type SqlType } from '../../../runtime/batch/sql-type.ts';
import { parseVariant } from '../../../runtime/batch/variant-json.ts';
import { dateOf, daysOf, joinTimestamp } from './calendar.ts';
import type { CallShape, Evaluator, FunctionDefinition } from './function-definition.ts';
import { firstType, strictRow, typed } from './function-rows.ts';
import { convertTimezone } from './time-zone.ts';

const timestamp: SqlType = { kind: 'TIMESTAMP' };

export const partsFunctions: readonly FunctionDefinition[] = [
  {
    name: 'make_time',
    synopsis: 'MAKE_TIME(hour, minute, second)',
    category: 'temporal',
    summary: 'A time from its parts, NULL when there is none; seconds may have a fraction.',
    example: ['MAKE_TIME(20, 1, 1.5)', "TIME '20:01:01.5'"],
    deterministic: true,
    overloads: [strictRow(['INT', 'INT', 'double'], { kind: 'TIME' }, typed(makeTime), { nullable: true })],
  },
  {
    name: 'make_timestamp',
    synopsis: 'MAKE_TIMESTAMP(year, month, day, hour, minute, second)',
    category: 'temporal',
    summary: 'A timestamp from its parts, NULL when there is none; seconds may have a fraction.',
    example: ['MAKE_TIMESTAMP(2020, 1, 1, 10, 0, 0.5)', "TIMESTAMP '2020-01-01 10:00:00.5'"],
    deterministic: true,
    overloads: [
      strictRow(['INT', 'INT', 'INT', 'INT', 'INT', 'double'], timestamp, typed(makeTimestamp), { nullable: true }),
    ],
  },
  {
    name: 'convert_timezone',
    synopsis: 'CONVERT_TIMEZONE(from, to, timestamp)',
    category: 'temporal',
    summary: 'What clocks in one zone show when those in another show the timestamp; NULL of a zone that there is not.',
    example: [
      "CONVERT_TIMEZONE('America/New_York', '+01:00', TIMESTAMP '2008-03-05 12:25:29')",
      "TIMESTAMP '2008-03-05 18:25:29'",
    ],
    deterministic: true,
    overloads: [strictRow(['string', 'string', 'timestamp'], timestamp, typed(convertTimezone), { nullable: true })],
  },
  {
    name: 'map_concat',
    synopsis: 'MAP_CONCAT(map, …)',
    category: 'array',
    summary: 'The entries of all maps; of a key of several that of the last.',
    example: ["CAST(MAP_CONCAT(MAP['x', 4], MAP['y', 2]) AS VARCHAR)", `'{"x":4,"y":2}'`],
    deterministic: true,
    overloads: [{ ...strictRow(['maps'], firstType, () => null), prepare: concatMaps, variadic: true }],
  },
];

const nanosOfSecond = 1_000_000_000;

function makeTime(hour: number, minute: number, second: number): bigint | null {
  const fits = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
  if (!fits) return null;
  return BigInt(hour * 3600 + minute * 60) * BigInt(nanosOfSecond) + BigInt(Math.floor(second * nanosOfSecond));
}

function makeTimestamp(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): bigint | null {
  const days = daysOf(year, month, day);
  const back = dateOf(days);
  const time = makeTime(hour, minute, second);
  const isDay = year >= 1 && year <= 9999 && back.year === year && back.month === month && back.day === day;
  return isDay && time !== null ? joinTimestamp(days, time / 1000n) : null;
}

function concatMaps({ resultType }: CallShape): Evaluator {
  return (...maps) => {
    const whole: unknown = Object.assign({}, ...maps.map((map) => Object(parseVariant(String(map)))));
    return isNested(resultType) ? (nestedText(whole, resultType) ?? null) : null;
  };
}
