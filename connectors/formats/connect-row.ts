// A row as the JsonConverter of Kafka Connect reads it, with the types of connect-schema.ts: an object with a member for each column.
//
// A DATE is a number of days since 1970, a TIME one of milliseconds since midnight, a TIMESTAMP one of milliseconds since 1970 (what is
// finer is cut off, downwards); a DECIMAL a text with its exact digits; binary data is in base64; a VARIANT is JSON within a text.
import { scalarTextBytesMax } from '../../runtime/batch/text-digits.ts';
import { printBigint, printInteger } from '../../runtime/batch/text-integer.ts';
import { millionQuotient, millionRemainder, writeInt64 } from '../../runtime/batch/text-words.ts';
import { type ColumnSource, entryOf, printScalar } from './column-source.ts';
import {
  targetBinary,
  targetDate,
  targetDecimal,
  targetFloat,
  targetNested,
  targetString,
  targetTime,
  targetTimestamp,
  targetUuid,
  targetVariant,
} from './column-target.ts';
import { isConnectNumber } from './connect-schema.ts';
import { FormatUnencodableValue } from './format-errors.ts';
import { printString } from './json-string.ts';
import { makeStamp, type OutputBytes, printBytes, printStamp, type Stamp } from './output-bytes.ts';

export interface ConnectColumn {
  readonly source: ColumnSource;
  /** What stands before its value. */
  readonly stamp: Stamp;
  readonly isQuoted: boolean;
}

/** Of the sources of a relation those of a row. */
export function connectColumns(sources: readonly ColumnSource[]): readonly ConnectColumn[] {
  return sources.map((source, i) => ({
    source,
    stamp: makeStamp(`${i === 0 ? '{' : ','}${JSON.stringify(source.field.name)}:`),
    isQuoted: source.kind === targetUuid || (source.kind === targetDecimal && !isConnectNumber(source.field.type)),
  }));
}

const base64 = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const millis = new Int32Array(2);

// ── data plane ──

/** Prints the row behind the first `start` bytes. Returns the position behind it. @throws FormatUnencodableValue */
export function printConnectRow(
  columns: readonly ConnectColumn[],
  row: number,
  output: OutputBytes,
  start: number,
): number {
  let at = start;
  for (let c = 0; c < columns.length; c++) {
    const { source, stamp, isQuoted } = columns[c]!;
    output.reserve(at, stamp.bytes.length + scalarTextBytesMax + 3);
    at = printStamp(stamp, output.bytes, output.view, at);
    const { validity } = source;
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) {
      output.view.setInt32(at, 0x6c6c756e, true);
      at += 4;
    } else if (isQuoted) {
      output.bytes[at] = 0x22;
      at = printScalar(source, row, output.bytes, at + 1);
      output.bytes[at++] = 0x22;
    } else at = printValue(source, row, output, at);
  }
  output.reserve(at, 1);
  output.bytes[at] = 0x7d;
  return at + 1;
}

function printValue(source: ColumnSource, row: number, output: OutputBytes, at: number): number {
  switch (source.kind) {
    case targetString:
    case targetVariant: {
      const entry = entryOf(source, row);
      const from = source.offsets[entry]!;
      const to = source.offsets[entry + 1]!;
      output.reserve(at, (to - from) * 6 + 2);
      return printString(source.bytes, from, to, output.bytes, at);
    }
    case targetNested: {
      // DECIMALs inside are stored as texts.
      const entry = entryOf(source, row);
      const from = source.offsets[entry]!;
      const to = source.offsets[entry + 1]!;
      output.reserve(at, to - from);
      return printBytes(source.bytes, from, to, output.bytes, at);
    }
    case targetBinary: {
      const entry = entryOf(source, row);
      const from = source.offsets[entry]!;
      const to = source.offsets[entry + 1]!;
      output.reserve(at, (((to - from + 2) / 3) | 0) * 4 + 2);
      return printBase64(source.bytes, from, to, output.bytes, at);
    }
    case targetDate:
      return printInteger(source.ints[row]!, output.bytes, at);
    case targetTime: {
      const nanos = source.words[2 * row + 1]! * 4294967296 + (source.words[2 * row]! >>> 0);
      return printInteger(Math.floor(nanos / 1_000_000), output.bytes, at);
    }
    case targetTimestamp:
      return printMillis(source.words[2 * row]!, source.words[2 * row + 1]!, output.bytes, at);
    case targetFloat: {
      const value = source.floats[row]!;
      if (value - value !== 0) {
        throw new FormatUnencodableValue({ format: 'json', field: source.field.name, value: String(value) });
      }
      return printScalar(source, row, output.bytes, at);
    }
    default:
      return printScalar(source, row, output.bytes, at);
  }
}

/** Of a number of microseconds. */
function printMillis(micros: number, microsHigh: number, out: Uint8Array, at: number): number {
  const isNegative = microsHigh < 0;
  const low = isNegative ? -micros | 0 : micros;
  const high = isNegative ? (low === 0 ? -microsHigh | 0 : ~microsHigh) : microsHigh;
  const seconds = millionQuotient(low, high);
  const rest = millionRemainder(low, seconds) / 1_000;
  writeInt64(millis, 0, seconds * 1_000 + (isNegative ? Math.ceil(rest) : Math.floor(rest)), isNegative);
  return printBigint(millis, 0, out, at);
}

function printBase64(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let to = at;
  out[to++] = 0x22;
  for (let i = start; i < end; i += 3) {
    const second = i + 1 < end ? bytes[i + 1]! : 0;
    const third = i + 2 < end ? bytes[i + 2]! : 0;
    const word = (bytes[i]! << 16) | (second << 8) | third;
    out[to++] = base64[word >> 18]!;
    out[to++] = base64[(word >> 12) & 63]!;
    out[to++] = i + 1 < end ? base64[(word >> 6) & 63]! : 0x3d;
    out[to++] = i + 2 < end ? base64[word & 63]! : 0x3d;
  }
  out[to] = 0x22;
  return to + 1;
}
