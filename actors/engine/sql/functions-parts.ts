// Values made of parts, and times moved between zones: MAKE_TIME, MAKE_TIMESTAMP, CONVERT_TIMEZONE, MAP_CONCAT.
//
// What is no time gives NULL. Zones are those of IANA, or offsets such as +08:00; a local time that a change of clocks leaves out
// or has twice is taken with the offset before the change.
import { nestedText } from '../../../runtime/batch/public-values.ts';
import { isNested, type SqlType } from '../../../runtime/batch/sql-type.ts';
import { parseVariant } from '../../../runtime/batch/variant-json.ts';
import { dateOf, daysOf, joinTimestamp, splitTimestamp } from './calendar.ts';
import type { CallShape, Evaluator, FunctionDefinition } from './function-definition.ts';
import { firstType, strictRow, typed } from './function-rows.ts';

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
    synopsis: 'MAP_CONCAT(map, map)',
    category: 'array',
    summary: 'The entries of both maps; of a key of both that of the second.',
    example: ["CAST(MAP_CONCAT(MAP['x', 4], MAP['y', 2]) AS VARCHAR)", `'{"x":4,"y":2}'`],
    deterministic: true,
    overloads: [{ ...strictRow(['map', 'map'], firstType, () => null), prepare: concatMaps }],
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

// ── zones ──

const microsOfMinute = 60_000_000n;
// Caches are functions of their keys alone, so threads need not share them.
const formats = new Map<string, Intl.DateTimeFormat | null>();
const formatsMax = 200;

function convertTimezone(from: string, to: string, at: bigint): bigint | null {
  // The offset at the instant that the local time would be with the offset of that instant.
  const guess = offsetOf(from, at);
  const source = guess === null ? null : offsetOf(from, at - guess);
  if (source === null) return null;
  const instant = at - source;
  const target = offsetOf(to, instant);
  return target === null ? null : instant + target;
}

/** How far clocks in a zone are ahead of UTC, in microseconds; null when there is no such zone. */
function offsetOf(zone: string, instant: bigint): bigint | null {
  const fixed = /^([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(zone.trim());
  if (fixed !== null) {
    const minutes = BigInt(fixed[2] ?? 0) * 60n + BigInt(fixed[3] ?? 0);
    return (fixed[1] === '-' ? -minutes : minutes) * microsOfMinute;
  }
  const format = formatOf(zone.trim());
  if (format === null) return null;
  const { days, micros } = splitTimestamp(instant);
  const millis = days * 86_400_000 + Math.floor(micros / 1000);
  const parts = new Map(format.formatToParts(millis).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const local = daysOf(part('year'), part('month'), part('day')) * 86_400;
  const seconds = local + part('hour') * 3600 + part('minute') * 60 + part('second');
  return BigInt(seconds - Math.floor(millis / 1000)) * 1_000_000n;
}

function formatOf(timeZone: string): Intl.DateTimeFormat | null {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  if (formats.size >= formatsMax) formats.clear();
  let format: Intl.DateTimeFormat | null = null;
  try {
    const numeric = 'numeric' as const;
    const parts = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric };
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', calendar: 'iso8601', ...parts });
  } catch (thrown) {
    // There is no such zone.
    if (!(thrown instanceof RangeError)) throw thrown;
  }
  formats.set(timeZone, format);
  return format;
}

function concatMaps({ resultType }: CallShape): Evaluator {
  return (first, second) => {
    const whole: unknown = { ...Object(parseVariant(String(first))), ...Object(parseVariant(String(second))) };
    return isNested(resultType) ? (nestedText(whole, resultType) ?? null) : null;
  };
}
