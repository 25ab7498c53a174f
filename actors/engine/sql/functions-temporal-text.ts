// Dates and times from and to text, in a format that the query gives (see temporal-format.ts).
//
// Text that does not match gives NULL; a format that is malformed, or lacks what the result needs, is an error.
import { joinTimestamp, splitTimestamp } from './calendar.ts';
import { InvalidArgument } from './evaluation-errors.ts';
import type { FunctionDefinition, FunctionOverload } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';
import { formatTemporal, type ParsedTemporal, parseTemporal } from './temporal-format.ts';

export const temporalTextFunctions: readonly FunctionDefinition[] = [
  define(
    'format_date',
    'FORMAT_DATE(format, x)',
    'A date as text.',
    ["FORMAT_DATE('%Y-%m', DATE '2020-10-10')", "'2020-10'"],
    [
      strictRow(
        ['string', 'day'],
        types.text,
        typed((format: string, x: number) => write('FORMAT_DATE', format, x, 0n)),
        { canFail: true },
      ),
      strictRow(
        ['string', 'timestamp'],
        types.text,
        typed((format: string, x: bigint) => writeTimestamp('FORMAT_DATE', format, x)),
        { canFail: true },
      ),
    ],
  ),
  define(
    'format_timestamp',
    'FORMAT_TIMESTAMP(format, x)',
    'A timestamp as text.',
    ["FORMAT_TIMESTAMP('%H:%M', TIMESTAMP '2020-10-10 12:30:00')", "'12:30'"],
    [
      strictRow(
        ['string', 'timestamp'],
        types.text,
        typed((format: string, x: bigint) => writeTimestamp('FORMAT_TIMESTAMP', format, x)),
        { canFail: true },
      ),
    ],
  ),
  define(
    'format_time',
    'FORMAT_TIME(format, x)',
    'A time as text.',
    ["FORMAT_TIME('%H.%M', TIME '12:30:00')", "'12.30'"],
    [
      strictRow(
        ['string', 'time'],
        types.text,
        typed((format: string, x: bigint) => write('FORMAT_TIME', format, 0, x)),
        { canFail: true },
      ),
    ],
  ),
  define(
    'parse_date',
    'PARSE_DATE(format, x)',
    'A date from text.',
    ["PARSE_DATE('%Y-%m-%d', '2020-10-01')", "DATE '2020-10-01'"],
    [
      parseRow({ kind: 'DATE' }, (format, text) => {
        const found = read('PARSE_DATE', format, text);
        return found === null ? null : required('PARSE_DATE', format, found.days);
      }),
    ],
  ),
  define(
    'parse_time',
    'PARSE_TIME(format, x)',
    'A time from text.',
    ["PARSE_TIME('%H:%M', '10:10')", "TIME '10:10:00'"],
    [
      parseRow({ kind: 'TIME' }, (format, text) => {
        const found = read('PARSE_TIME', format, text);
        return found === null ? null : BigInt(required('PARSE_TIME', format, found.nanos));
      }),
    ],
  ),
  define(
    'parse_timestamp',
    'PARSE_TIMESTAMP(format, x)',
    'A timestamp from text.',
    ["PARSE_TIMESTAMP('%F %T', '2020-10-01 00:00:00')", "TIMESTAMP '2020-10-01 00:00:00'"],
    [
      parseRow({ kind: 'TIMESTAMP' }, (format, text) => {
        const found = read('PARSE_TIMESTAMP', format, text);
        if (found === null) return null;
        return joinTimestamp(
          required('PARSE_TIMESTAMP', format, found.days),
          Math.floor(required('PARSE_TIMESTAMP', format, found.nanos) / 1000),
        );
      }),
    ],
  ),
];

function define(
  name: string,
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overloads: readonly FunctionOverload[],
): FunctionDefinition {
  return { name, synopsis, category: 'temporal', summary, example, deterministic: true, overloads };
}

function parseRow(
  type: { readonly kind: 'DATE' | 'TIME' | 'TIMESTAMP' },
  parse: (format: string, text: string) => number | bigint | null,
): FunctionOverload {
  return strictRow(['string', 'string'], type, typed(parse), { nullable: true, canFail: true });
}

function write(name: string, format: string, days: number, nanos: bigint): string {
  return formatTemporal(format, days, Number(nanos)) ?? malformed(name, format);
}

function writeTimestamp(name: string, format: string, x: bigint): string {
  const { days, micros } = splitTimestamp(x);
  return write(name, format, days, BigInt(micros) * 1000n);
}

function read(name: string, format: string, text: string): ParsedTemporal | null {
  const parsed = parseTemporal(format, text);
  return parsed === undefined ? malformed(name, format) : parsed;
}

function required(name: string, format: string, value: number | undefined): number {
  if (value !== undefined) return value;
  throw new InvalidArgument({ function: name, detail: `the format '${format}' lacks a part of the result` });
}

function malformed(name: string, format: string): never {
  throw new InvalidArgument({ function: name, detail: `'${format}' is not a format` });
}
