// Formats of dates and times in the manner of strftime: writing and reading.
//
//   %Y year  %y year of the century  %m month  %b %h %B its name  %d %e day  %j day of the year  %a %A weekday  %u 1-7 from Monday
//   %w 0-6 from Sunday  %H %k hour  %I %l hour of twelve  %p AM or PM  %M minute  %S second  %f nanoseconds  %.f fraction with its point
//   %3f %6f %9f digits of the fraction  %.3f %.6f the same with the point  %F %Y-%m-%d  %T %H:%M:%S  %R %H:%M  %D %x %m/%d/%y
//   %X %H:%M:%S  %c %a %b %e %H:%M:%S %Y  %r %I:%M:%S %p  %v %e-%b-%Y
//   %s seconds since 1970  %n %t white space  %% a percent sign
//   %G %g year and %V number of the ISO week  %U %W number of the week that began on the last Sunday or Monday  %P am or pm: written only
// Reading is the same, field by field; white space in the format matches any amount of it.
import { dateOf, dayOfYear, daysOf, isoWeek, isoWeekday } from './calendar.ts';

const monthNames = 'January February March April May June July August September October November December'.split(' ');
const dayNames = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ');

const composites: Readonly<Record<string, string>> = {
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  R: '%H:%M',
  D: '%m/%d/%y',
  X: '%H:%M:%S',
  x: '%m/%d/%y',
  c: '%a %b %e %H:%M:%S %Y',
  r: '%I:%M:%S %p',
  v: '%e-%b-%Y',
};

const specifier = /%(\.?[369]?f|[a-zA-Z%])|(\s+)|([^%\s]+|%)/g;

/** Text of a point in time, or undefined when the format is malformed. */
export function formatTemporal(format: string, days: number, nanos: number): string | undefined {
  let text = '';
  for (const match of expand(format).matchAll(specifier)) {
    const [all, code] = match;
    const part = code === undefined ? (all === '%' ? undefined : all) : formatField(code, days, nanos);
    if (part === undefined) return undefined;
    text += part;
  }
  return text;
}

function expand(format: string): string {
  return format.replace(/%([FTRDXxcrv])/g, (_, code: string) => composites[code] ?? '');
}

function formatField(code: string, days: number, nanos: number): string | undefined {
  const { year, month, day } = dateOf(days);
  const [hour, minute, second] = [3_600_000_000_000, 60_000_000_000, 1_000_000_000].map((unit) =>
    Math.floor(nanos / unit),
  );
  const pad = (value: number | undefined, width: number, fill = '0'): string =>
    String(value ?? 0).padStart(width, fill);
  const twelve = (((hour ?? 0) + 11) % 12) + 1;
  const weekday = isoWeekday(days);
  const fraction = pad(nanos % 1_000_000_000, 9);
  switch (code) {
    case 'Y':
      return pad(year, 4);
    case 'y':
      return pad(year % 100, 2);
    case 'C':
      return pad(Math.floor(year / 100), 2);
    case 'm':
      return pad(month, 2);
    case 'b':
    case 'h':
      return monthNames[month - 1]?.slice(0, 3);
    case 'B':
      return monthNames[month - 1];
    case 'd':
      return pad(day, 2);
    case 'e':
      return pad(day, 2, ' ');
    case 'j':
      return pad(dayOfYear(days), 3);
    case 'a':
      return dayNames[weekday - 1]?.slice(0, 3);
    case 'A':
      return dayNames[weekday - 1];
    case 'u':
      return String(weekday);
    case 'w':
      return String(weekday % 7);
    case 'G':
      return pad(isoWeek(days).year, 4);
    case 'g':
      return pad(isoWeek(days).year % 100, 2);
    case 'V':
      return pad(isoWeek(days).week, 2);
    case 'U':
      return pad(Math.floor((dayOfYear(days) + 6 - (weekday % 7)) / 7), 2);
    case 'W':
      return pad(Math.floor((dayOfYear(days) + 7 - weekday) / 7), 2);
    case 'H':
      return pad(hour, 2);
    case 'k':
      return pad(hour, 2, ' ');
    case 'I':
      return pad(twelve, 2);
    case 'l':
      return pad(twelve, 2, ' ');
    case 'p':
      return (hour ?? 0) < 12 ? 'AM' : 'PM';
    case 'P':
      return (hour ?? 0) < 12 ? 'am' : 'pm';
    case 'M':
      return pad((minute ?? 0) % 60, 2);
    case 'S':
      return pad((second ?? 0) % 60, 2);
    case 'f':
    case '9f':
      return fraction;
    case '.f':
      return nanos % 1_000_000_000 === 0 ? '' : `.${fraction.replace(/0+$/, '')}`;
    case '3f':
      return fraction.slice(0, 3);
    case '6f':
      return fraction.slice(0, 6);
    case '.3f':
      return `.${fraction.slice(0, 3)}`;
    case '.6f':
      return `.${fraction.slice(0, 6)}`;
    case '.9f':
      return `.${fraction}`;
    case 's':
      return String(days * 86_400 + (second ?? 0));
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '%':
      return '%';
    default:
      return undefined;
  }
}

/** What a text says in a format. Fields that the format lacks are undefined. */
export interface ParsedTemporal {
  readonly days: number | undefined;
  /** Since midnight. */
  readonly nanos: number | undefined;
}

const patterns: Readonly<Record<string, string>> = {
  Y: '[+-]?\\d{1,4}',
  y: '\\d{2}',
  m: '\\d{1,2}',
  b: '[A-Za-z]+',
  h: '[A-Za-z]+',
  B: '[A-Za-z]+',
  d: '\\d{1,2}',
  e: ' ?\\d{1,2}',
  j: '\\d{1,3}',
  a: '[A-Za-z]+',
  A: '[A-Za-z]+',
  u: '[1-7]',
  w: '[0-6]',
  H: '\\d{1,2}',
  k: ' ?\\d{1,2}',
  I: '\\d{1,2}',
  l: ' ?\\d{1,2}',
  p: '[AaPp][Mm]',
  M: '\\d{1,2}',
  S: '\\d{1,2}',
  f: '\\d{1,9}',
  '.f': '(?:\\.\\d{1,9})?',
  '3f': '\\d{3}',
  '6f': '\\d{6}',
  '9f': '\\d{9}',
  '.3f': '\\.\\d{3}',
  '.6f': '\\.\\d{6}',
  '.9f': '\\.\\d{9}',
  s: '-?\\d{1,12}',
  n: '\\s*',
  t: '\\s*',
  '%': '%',
};

/** null: the text does not match. undefined: the format is malformed. */
export function parseTemporal(format: string, text: string): ParsedTemporal | null | undefined {
  const codes: string[] = [];
  let source = '';
  for (const [all, code, space] of expand(format).matchAll(specifier)) {
    const pattern = code === undefined ? '' : patterns[code];
    if (pattern === undefined || all === '%') return undefined;
    if (code !== undefined) codes.push(code);
    source +=
      code !== undefined ? `(${pattern})` : space !== undefined ? '\\s*' : all.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  }
  const match = new RegExp(`^${source}$`).exec(text);
  if (match === null) return null;
  const read = new Map(codes.map((code, i) => [code, match[i + 1] ?? '']));
  const days = readDate(read);
  const nanos = readTime(read);
  if (days === null || nanos === null) return null;
  const epoch = number(read, 's');
  if (epoch !== undefined)
    return { days: Math.floor(epoch / 86_400), nanos: (((epoch % 86_400) + 86_400) % 86_400) * 1_000_000_000 };
  return { days, nanos };
}

function number(read: ReadonlyMap<string, string>, ...codes: readonly string[]): number | undefined {
  const text = codes.map((code) => read.get(code)).find((value) => value !== undefined);
  return text === undefined ? undefined : Number(text);
}

function readDate(read: ReadonlyMap<string, string>): number | undefined | null {
  const short = number(read, 'y');
  const year = number(read, 'Y') ?? (short === undefined ? undefined : short + (short < 70 ? 2000 : 1900));
  const name = read.get('B') ?? read.get('b') ?? read.get('h');
  const month = name === undefined ? number(read, 'm') : monthNumber(name);
  const day = number(read, 'd', 'e');
  const ordinal = number(read, 'j');
  if (year === undefined) return undefined;
  if (ordinal !== undefined) return daysOf(year, 1, 1) + ordinal - 1;
  if (month === undefined || day === undefined) return undefined;
  const days = daysOf(year, month, day);
  const back = dateOf(days);
  return back.year === year && back.month === month && back.day === day ? days : null;
}

function monthNumber(name: string): number {
  const wanted = name.toLowerCase();
  return monthNames.findIndex((month) => [month.toLowerCase(), month.slice(0, 3).toLowerCase()].includes(wanted)) + 1;
}

function readTime(read: ReadonlyMap<string, string>): number | undefined | null {
  const half = read.get('p')?.toLowerCase();
  const twelve = number(read, 'I', 'l');
  const ofTwelve = twelve === undefined || half === undefined ? undefined : (twelve % 12) + (half === 'pm' ? 12 : 0);
  const hour = number(read, 'H', 'k') ?? ofTwelve;
  if (hour === undefined) return undefined;
  const minute = number(read, 'M') ?? 0;
  const second = number(read, 'S') ?? 0;
  if (hour > 23 || minute > 59 || second > 59 || (twelve !== undefined && (twelve < 1 || twelve > 12))) return null;
  const digits = ['f', '.f', '3f', '6f', '9f', '.3f', '.6f', '.9f']
    .map((code) => read.get(code))
    .find((value) => value !== undefined);
  const fraction = Number((digits ?? '').replace('.', '').padEnd(9, '0'));
  return ((hour * 60 + minute) * 60 + second) * 1_000_000_000 + fraction;
}
