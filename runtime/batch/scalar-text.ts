// Text forms of single values, for casts and for rows as JavaScript objects.
//
// Numbers, dates, times, timestamps and UUIDs are read and written by the byte kernels (text-*.ts) through a scratch
// entry, so one text means the same in a file, in a cast and in a JavaScript object. INTERVAL has no form in files:
//   months   [-]years-months, such as 1-02              micros   [-]days hours:minutes:seconds[.fraction], such as 3 04:05:06.5
// `parse…` gives undefined for text that is not of the type or does not fit it. Surrounding white space is ignored.
// Not here: whole columns (the kernels), conversions between types (engine casts), VARIANT (row-objects.ts, casts).
import { decimalRange, type UnsignedBits } from './sql-type.ts';
import { parseDecimal, printDecimal, printDecimalWide } from './text-decimal.ts';
import { parseDouble, printDouble, printReal } from './text-double.ts';
import { parseBigint } from './text-integer.ts';
import { inexact, parsed, trimEnd, trimStart } from './text-outcome.ts';
import { parseDate, parseTime, parseTimestamp, printDate, printTime, printTimestamp } from './text-temporal.ts';
import { parseUuid, printUuid } from './text-uuid.ts';
import { wordsOf } from './text-words.ts';

// One entry of every storage. Each function writes before it reads, and none calls out in between.
const entry: BigInt64Array = new BigInt64Array(2);
const words: Int32Array = wordsOf(entry);
const days: Int32Array = new Int32Array(1);
const float: Float64Array = new Float64Array(1);
const printed: Uint8Array = new Uint8Array(64);
const scratch: Uint8Array = new Uint8Array(256);
const encoder = new TextEncoder();

/** A UUID's two words, as an i128 column holds them. */
export interface UuidWords {
  readonly low: bigint;
  readonly high: bigint;
}

/** Every digit of a DECIMAL, `scale` of them behind the point. */
export function formatDecimal(value: bigint, scale: number): string {
  if (scale <= 18 && BigInt.asIntN(64, value) === value) {
    entry[0] = value;
    return ascii(printDecimal(words, 0, scale, printed, 0));
  }
  entry[0] = value;
  entry[1] = value >> 64n;
  return ascii(printDecimalWide(words, 0, scale, printed, 0));
}

/** The value · 10^scale; digits beyond the scale are rounded half away from zero (`exact`: they must be zeros). */
export function parseDecimalText(
  text: string,
  type: { readonly precision: number; readonly scale: number; readonly unsigned?: UnsignedBits },
  exact: boolean,
): bigint | undefined {
  const bytes = bytesOf(text);
  const start = trimStart(bytes, 0, bytes.length);
  const end = trimEnd(bytes, start, bytes.length);
  const outcome = parseDecimal(bytes, start, end, type.precision, type.scale, words, 0);
  if (outcome !== parsed && (exact || outcome !== inexact)) return undefined;
  const low = entry[0]!;
  const value = type.precision <= 18 ? low : (entry[1]! << 64n) | BigInt.asUintN(64, low);
  if (type.unsigned === undefined) return value;
  const [min, max] = decimalRange(type);
  return value >= min && value <= max ? value : undefined;
}

/** An integer within int64. */
export function parseIntegerText(text: string): bigint | undefined {
  const bytes = bytesOf(text);
  const start = trimStart(bytes, 0, bytes.length);
  const end = trimEnd(bytes, start, bytes.length);
  return parseBigint(bytes, start, end, words, 0) === parsed ? entry[0]! : undefined;
}

export function formatDouble(value: number): string {
  return ascii(printDouble(value, printed, 0));
}

export function formatReal(value: number): string {
  return ascii(printReal(value, printed, 0));
}

export function parseDoubleText(text: string): number | undefined {
  const bytes = bytesOf(text);
  const start = trimStart(bytes, 0, bytes.length);
  return parseDouble(bytes, start, trimEnd(bytes, start, bytes.length), float, 0) === parsed ? float[0]! : undefined;
}

export function formatDate(value: number): string {
  return ascii(printDate(value, printed, 0));
}

export function parseDateText(text: string): number | undefined {
  const bytes = bytesOf(text);
  return parseDate(bytes, 0, bytes.length, days, 0) === parsed ? days[0]! : undefined;
}

export function formatTime(nanos: bigint): string {
  entry[0] = nanos;
  return ascii(printTime(words, 0, printed, 0));
}

export function parseTimeText(text: string): bigint | undefined {
  const bytes = bytesOf(text);
  return parseTime(bytes, 0, bytes.length, words, 0) === parsed ? entry[0]! : undefined;
}

export function formatTimestamp(micros: bigint): string {
  entry[0] = micros;
  return ascii(printTimestamp(words, 0, printed, 0));
}

export function parseTimestampText(text: string): bigint | undefined {
  const bytes = bytesOf(text);
  return parseTimestamp(bytes, 0, bytes.length, words, 0) === parsed ? entry[0]! : undefined;
}

export function formatUuid(low: bigint, high: bigint): string {
  entry[0] = low;
  entry[1] = high;
  return ascii(printUuid(words, 0, printed, 0));
}

/** As PostgreSQL reads it: braces around, a hyphen behind any four digits. */
const inOtherGroups = /^\s*(?:\{(?:[\da-f]{4}-?){7}[\da-f]{4}\}|(?:[\da-f]{4}-?){7}[\da-f]{4})\s*$/i;

export function parseUuidText(text: string): UuidWords | undefined {
  const bytes = bytesOf(inOtherGroups.test(text) ? text.replaceAll(/[{}-]/g, '') : text);
  const start = trimStart(bytes, 0, bytes.length);
  const outcome = parseUuid(bytes, start, trimEnd(bytes, start, bytes.length), words, 0);
  return outcome === parsed ? { low: entry[0]!, high: entry[1]! } : undefined;
}

const microsOfDay = 86_400_000_000n;

export function formatMonths(months: number): string {
  const magnitude = Math.abs(months);
  const rest = magnitude % 12;
  return `${months < 0 ? '-' : ''}${(magnitude - rest) / 12}-${String(rest).padStart(2, '0')}`;
}

export function parseMonthsText(text: string): number | undefined {
  const match = /^\s*([+-]?)(\d+)-(\d{1,2})\s*$/.exec(text);
  if (match === null) return undefined;
  const months = Number(match[2]) * 12 + Number(match[3]);
  if (Number(match[3]) > 11 || months > 0x7fffffff) return undefined;
  return match[1] === '-' && months !== 0 ? -months : months;
}

export function formatMicros(micros: bigint): string {
  const magnitude = micros < 0n ? -micros : micros;
  const time = formatTime((magnitude % microsOfDay) * 1000n);
  return `${micros < 0n ? '-' : ''}${magnitude / microsOfDay} ${time}`;
}

export function parseMicrosText(text: string): bigint | undefined {
  const match = /^\s*([+-]?)(\d+) (\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?)\s*$/.exec(text);
  if (match === null) return undefined;
  const time = parseTimeText((match[3] ?? '').replace(/(?<=^|:)\d(?=[:.]|$)/g, '0$&'));
  if (time === undefined) return undefined;
  const magnitude = BigInt(match[2] ?? '') * microsOfDay + time / 1000n;
  const micros = match[1] === '-' ? -magnitude : magnitude;
  return BigInt.asIntN(64, micros) === micros ? micros : undefined;
}

/** The text as UTF-8; valid until the next call. */
function bytesOf(text: string): Uint8Array {
  if (text.length * 3 > scratch.length) return encoder.encode(text);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

function ascii(end: number): string {
  let text = '';
  for (let i = 0; i < end; i++) text += String.fromCharCode(printed[i]!);
  return text;
}
