// Points in time and lengths of time, in the forms of Go's package time: layouts such as "2006-01-02T15:04:05Z07:00", durations such
// as "1h30m0s". Zones are IANA names, looked up with Intl; 'UTC' and fixed offsets need no look-up.

import { GoDuration, GoTime } from './go-values.ts';
import { FunctionFailure } from './template-errors.ts';

const months = 'January February March April May June July August September October November December'.split(' ');
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

export const rfc3339Nano = '2006-01-02T15:04:05.999999999Z07:00';
/** How fmt prints a time. */
const printLayout = '2006-01-02 15:04:05.999999999 -0700 MST';

const layoutParts =
  /January|Jan|Monday|Mon|MST|2006|Z070000|Z07:00:00|Z0700|Z07:00|Z07|-070000|-07:00:00|-0700|-07:00|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|002|01|02|03|04|05|06|15|__2|_2|PM|pm|1|2|3|4|5/g;

interface Clockwork {
  readonly date: Date;
  readonly offsetMinutes: number;
  readonly nanoseconds: number;
}

function clockwork(time: GoTime): Clockwork {
  const seconds = floorDivide(time.nanoseconds, 1_000_000_000n);
  const nanoseconds = Number(time.nanoseconds - seconds * 1_000_000_000n);
  const offsetMinutes = offsetOf(time.zone, Number(seconds) * 1000);
  return { date: new Date((Number(seconds) + offsetMinutes * 60) * 1000), offsetMinutes, nanoseconds };
}

/** Minutes east of Greenwich. @throws FunctionFailure for a zone that nobody knows. */
export function offsetOf(zone: string, atMs: number): number {
  if (zone === 'UTC' || zone === '') return 0;
  const fixed = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (fixed !== null) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3]));
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    const name = format.formatToParts(new Date(atMs)).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
    const match = /GMT([+-]\d\d):(\d\d)/.exec(name);
    return match === null ? 0 : offsetOf(`${match[1]}:${match[2]}`, atMs);
  } catch {
    throw new FunctionFailure(`unknown time zone ${zone}`);
  }
}

function zoneName(time: GoTime, offsetMinutes: number): string {
  if (time.zone === 'UTC' || time.zone === '') return 'UTC';
  if (/^[+-]/.test(time.zone)) return offsetText(offsetMinutes, '');
  const format = new Intl.DateTimeFormat('en-US', { timeZone: time.zone, timeZoneName: 'short' });
  const at = new Date(Number(floorDivide(time.nanoseconds, 1_000_000n)));
  return format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

function offsetText(minutes: number, colon: string): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${colon}${two(size % 60)}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Time.Format. */
export function formatTime(time: GoTime, layout: string): string {
  const { date, offsetMinutes, nanoseconds } = clockwork(time);
  const year = date.getUTCFullYear();
  const dayOfYear = Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000) + 1;
  const hour = date.getUTCHours();
  const digits = String(nanoseconds).padStart(9, '0');
  return layout.replaceAll(layoutParts, (part) => {
    switch (part) {
      case '2006':
        return String(year).padStart(4, '0');
      case '06':
        return two(year % 100);
      case 'January':
        return months[date.getUTCMonth()] ?? '';
      case 'Jan':
        return (months[date.getUTCMonth()] ?? '').slice(0, 3);
      case '1':
        return String(date.getUTCMonth() + 1);
      case '01':
        return two(date.getUTCMonth() + 1);
      case 'Monday':
        return days[date.getUTCDay()] ?? '';
      case 'Mon':
        return (days[date.getUTCDay()] ?? '').slice(0, 3);
      case '2':
        return String(date.getUTCDate());
      case '_2':
        return String(date.getUTCDate()).padStart(2, ' ');
      case '02':
        return two(date.getUTCDate());
      case '__2':
        return String(dayOfYear).padStart(3, ' ');
      case '002':
        return String(dayOfYear).padStart(3, '0');
      case '15':
        return two(hour);
      case '3':
        return String(hour % 12 || 12);
      case '03':
        return two(hour % 12 || 12);
      case '4':
        return String(date.getUTCMinutes());
      case '04':
        return two(date.getUTCMinutes());
      case '5':
        return String(date.getUTCSeconds());
      case '05':
        return two(date.getUTCSeconds());
      case 'PM':
        return hour >= 12 ? 'PM' : 'AM';
      case 'pm':
        return hour >= 12 ? 'pm' : 'am';
      case 'MST':
        return zoneName(time, offsetMinutes);
    }
    if (part.startsWith('Z') && offsetMinutes === 0) return 'Z';
    if (/^[Z-]07/.test(part)) {
      const text = offsetText(offsetMinutes, part.includes(':') ? ':' : '');
      if (part.length === 3) return text.slice(0, 3);
      return part.length > 6 ? `${text}${part.includes(':') ? ':' : ''}00` : text;
    }
    const fraction = digits.slice(0, part.length - 1);
    if (part.includes('9')) {
      const short = fraction.replace(/0+$/, '');
      return short === '' ? '' : `${part[0]}${short}`;
    }
    return `${part[0]}${fraction}`;
  });
}

/** How fmt prints it. */
export function timeText(time: GoTime): string {
  return formatTime(time, printLayout);
}

/** time.Parse; null when the text does not have the layout. */
export function parseTime(layout: string, text: string, zone = 'UTC'): GoTime | null {
  let pattern = '';
  const parts: string[] = [];
  let last = 0;
  for (const match of layout.matchAll(layoutParts)) {
    pattern += layout.slice(last, match.index).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const part = match[0];
    last = match.index + part.length;
    parts.push(part);
    if (part === '2006') pattern += '(\\d{4})';
    else if (/^(January|Jan|Monday|Mon|MST|PM|pm)$/.test(part)) pattern += '([A-Za-z]+)';
    else if (part.startsWith('Z')) pattern += '(Z|[+-]\\d\\d(?::?\\d\\d)?)';
    else if (part.startsWith('-')) pattern += '([+-]\\d\\d(?::?\\d\\d)?)';
    else if (/^[.,]/.test(part)) pattern += part.includes('9') ? '((?:[.,]\\d+)?)' : `([.,]\\d{${part.length - 1}})`;
    else if (part === '002' || part === '__2') pattern += '\\s*(\\d{1,3})';
    else if (part.length === 2 && part !== '_2') pattern += '(\\d{2})';
    else pattern += '\\s*(\\d{1,2})';
    // A fraction may stand behind seconds although the layout has none.
    if ((part === '05' || part === '5') && !/^[.,][09]/.test(layout.slice(last))) {
      parts.push('.9');
      pattern += '((?:[.,]\\d+)?)';
    }
  }
  pattern += layout.slice(last).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const found = new RegExp(`^${pattern}$`).exec(text);
  return found === null ? null : assembleTime(parts, found.slice(1), zone);
}

function assembleTime(parts: readonly string[], values: readonly string[], zone: string): GoTime | null {
  let [year, month, day, hour, minute, second, fraction] = [0, 1, 1, 0, 0, 0, 0];
  let isAfternoon: boolean | null = null;
  let offset: string | null = null;
  for (const [i, part] of parts.entries()) {
    const value = values[i] ?? '';
    const number = Number(value);
    if (part === '2006') year = number;
    else if (part === '06') year = number + (number >= 69 ? 1900 : 2000);
    else if (part === 'January' || part === 'Jan') {
      month = months.findIndex((name) => (part === 'Jan' ? name.slice(0, 3) : name) === value) + 1;
    } else if (part === '1' || part === '01') month = number;
    else if (part === '2' || part === '02' || part === '_2') day = number;
    else if (part === '15' || part === '3' || part === '03') hour = number;
    else if (part === '4' || part === '04') minute = number;
    else if (part === '5' || part === '05') second = number;
    else if (/^pm$/i.test(part)) isAfternoon = /^pm$/i.test(value);
    else if (/^[.,]/.test(part) && value !== '') fraction = Number(`${value.slice(1)}000000000`.slice(0, 9));
    else if (/^[Z-]07/.test(part))
      offset = value === 'Z' ? 'UTC' : `${value}00`.replace(/^([+-]\d\d):?(\d\d).*$/, '$1:$2');
    else if (part === 'MST' && value === 'UTC') offset = 'UTC';
  }
  if (isAfternoon !== null) hour = (hour % 12) + (isAfternoon ? 12 : 0);
  if (month < 1 || month > 12 || day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate())
    return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const where = offset ?? zone;
  const shift = offsetOf(where, date.getTime() - offsetOf(where, date.getTime()) * 60_000);
  const ms = date.getTime() - shift * 60_000;
  return new GoTime(BigInt(ms) * 1_000_000n + BigInt(fraction), where === '+00:00' ? 'UTC' : where);
}

const units: readonly (readonly [string, bigint])[] = [
  ['h', 3_600_000_000_000n],
  ['m', 60_000_000_000n],
  ['s', 1_000_000_000n],
];

/** Duration.String: 1h30m0s, 1.5s, 2ms, 0s. */
export function durationText({ nanoseconds }: GoDuration): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  let left = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (left < 1_000_000_000n) {
    const [unit, size] = left < 1000n ? ['ns', 1n] : left < 1_000_000n ? ['µs', 1000n] : ['ms', 1_000_000n];
    return `${sign}${decimalText(left, BigInt(size))}${unit}`;
  }
  let text = '';
  for (const [unit, size] of units) {
    if (unit === 's') return `${sign}${text}${decimalText(left, size)}s`;
    const whole = left / size;
    left %= size;
    if (whole > 0n || text !== '') text += `${whole}${unit}`;
  }
  return text;
}

function decimalText(value: bigint, size: bigint): string {
  const fraction = (value % size)
    .toString()
    .padStart(size.toString().length - 1, '0')
    .replace(/0+$/, '');
  return fraction === '' || size === 1n ? String(value / size) : `${value / size}.${fraction}`;
}

const unitNanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
};

/** time.ParseDuration; null when it is none. */
export function parseGoDuration(text: string): GoDuration | null {
  if (/^[+-]?0$/.test(text)) return new GoDuration(0n);
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (match === null) return null;
  let total = 0n;
  for (const [, whole = '0', fraction = '', unit = 's'] of (match[2] ?? '').matchAll(
    /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    const size = unitNanoseconds[unit] ?? 0;
    total += BigInt(whole === '' ? 0 : whole) * BigInt(size) + BigInt(Math.trunc(Number(`0.${fraction || 0}`) * size));
  }
  return new GoDuration(match[1] === '-' ? -total : total);
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
