// sprig's functions of dates. A date is a time, or a number of seconds since 1970; anything else is now. Zones: UTC unless one is named.

import { toInteger } from './functions-numbers.ts';
import { durationText, formatTime, parseGoDuration, parseTime } from './go-time.ts';
import { GoDuration, GoTime, type GoValue } from './go-values.ts';
import { FunctionFailure } from './template-errors.ts';
import { type FunctionHost, type FunctionTable, fn, textAt } from './template-function.ts';

const second = 1_000_000_000n;

export const dateFunctions: FunctionTable = {
  now: fn(0, (_, host) => nowOf(host)),
  date: fn(2, (o, host) => formatTime(timeOf(o[1], host, 'UTC'), textAt(o, 0))),
  dateInZone: fn(3, (o, host) => formatTime(timeOf(o[1], host, textAt(o, 2)), textAt(o, 0))),
  date_in_zone: fn(3, (o, host) => formatTime(timeOf(o[1], host, textAt(o, 2)), textAt(o, 0))),
  htmlDate: fn(1, ([date], host) => formatTime(timeOf(date, host, 'UTC'), '2006-01-02')),
  htmlDateInZone: fn(2, (o, host) => formatTime(timeOf(o[0], host, textAt(o, 1)), '2006-01-02')),
  dateModify: fn(2, (o, host) => modify(textAt(o, 0), timeOf(o[1], host, 'UTC'), false)),
  date_modify: fn(2, (o, host) => modify(textAt(o, 0), timeOf(o[1], host, 'UTC'), false)),
  mustDateModify: fn(2, (o, host) => modify(textAt(o, 0), timeOf(o[1], host, 'UTC'), true)),
  must_date_modify: fn(2, (o, host) => modify(textAt(o, 0), timeOf(o[1], host, 'UTC'), true)),
  toDate: fn(2, (o) => parseTime(textAt(o, 0), textAt(o, 1)) ?? new GoTime(-62_135_596_800n * second)),
  mustToDate: fn(2, (o) => {
    const time = parseTime(textAt(o, 0), textAt(o, 1));
    if (time === null) throw new FunctionFailure(`cannot parse "${textAt(o, 1)}" as "${textAt(o, 0)}"`);
    return time;
  }),
  unixEpoch: fn(1, ([date], host) => String(timeOf(date, host, 'UTC').nanoseconds / second)),
  ago: fn(1, ([date], host) => {
    const passed = nowOf(host).nanoseconds - timeOf(date, host, 'UTC').nanoseconds;
    return durationText(new GoDuration(((passed + second / 2n) / second) * second));
  }),
  duration: fn(1, ([seconds]) =>
    durationText(
      new GoDuration(typeof seconds === 'bigint' || typeof seconds === 'string' ? toInteger(seconds) * second : 0n),
    ),
  ),
  durationRound: fn(1, ([value], host) => roundDuration(value, host)),
};

function nowOf(host: FunctionHost): GoTime {
  return new GoTime(BigInt(Math.floor(host.clock.now() * 1000)) * 1000n);
}

function timeOf(value: GoValue, host: FunctionHost, zone: string): GoTime {
  if (value instanceof GoTime) return new GoTime(value.nanoseconds, zone);
  if (typeof value === 'bigint') return new GoTime(value * second, zone);
  return new GoTime(nowOf(host).nanoseconds, zone);
}

function modify(text: string, time: GoTime, must: boolean): GoTime {
  const duration = parseGoDuration(text);
  if (duration === null && must) throw new FunctionFailure(`invalid duration "${text}"`);
  return duration === null ? time : new GoTime(time.nanoseconds + duration.nanoseconds, time.zone);
}

function roundDuration(value: GoValue, host: FunctionHost): string {
  let length = 0n;
  if (typeof value === 'string') length = parseGoDuration(value)?.nanoseconds ?? 0n;
  else if (value instanceof GoTime) length = nowOf(host).nanoseconds - value.nanoseconds;
  else length = toInteger(value);
  const size = length < 0n ? -length : length;
  const units: readonly (readonly [string, bigint])[] = [
    ['y', 31_536_000n * second],
    ['mo', 2_592_000n * second],
    ['d', 86_400n * second],
    ['h', 3_600n * second],
    ['m', 60n * second],
    ['s', second],
  ];
  for (const [unit, unitSize] of units) if (size > unitSize) return `${size / unitSize}${unit}`;
  return '0s';
}
