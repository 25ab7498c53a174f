// A column of a result as text: one source per column, bound to each batch, printed cell by cell into bytes.
//
// TIMESTAMP has a `T` and fractions of 3 or 6 digits, as Arrow prints them; BINARY is hex, VARIANT its JSON text, DECIMAL
// and BIGINT have all their digits. Not here: quotes, escapes, borders (the printers of the formats).
import type { Column } from '../../../runtime/batch/column.ts';
import { formatMicros, formatMonths } from '../../../runtime/batch/scalar-text.ts';
import type { Field } from '../../../runtime/batch/schema.ts';
import { type SqlTypeKind, storageOf } from '../../../runtime/batch/sql-type.ts';
import { printDecimal, printDecimalWide } from '../../../runtime/batch/text-decimal.ts';
import { scalarTextBytesMax } from '../../../runtime/batch/text-digits.ts';
import { printDouble, printReal } from '../../../runtime/batch/text-double.ts';
import { printBigint, printBoolean, printInteger } from '../../../runtime/batch/text-integer.ts';
import { printDate, printTime, printTimestamp } from '../../../runtime/batch/text-temporal.ts';
import { printUuid } from '../../../runtime/batch/text-uuid.ts';
import { wordsOf } from '../../../runtime/batch/text-words.ts';

const noInts = new Int32Array(0);
const noBytes = new Uint8Array(0);

/** A growing array of bytes: read `bytes` again after every `reserve`. */
export class PrintedBytes {
  bytes: Uint8Array = new Uint8Array(64 * 1024);
  used = 0;

  /** Makes room for `length` bytes more. */
  reserve(length: number): void {
    if (this.used + length <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.used + length, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.used));
    this.bytes = grown;
  }

  push(byte: number): void {
    this.reserve(1);
    this.bytes[this.used++] = byte;
  }

  append(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.used);
    this.used += source.length;
  }

  /** A copy of what was printed; begins anew. */
  take(): Uint8Array {
    const taken = this.bytes.slice(0, this.used);
    this.used = 0;
    return taken;
  }
}

export class CellSource {
  readonly field: Field;
  readonly kind: SqlTypeKind;
  readonly scale: number;
  readonly isBytes: boolean;
  readonly isWide: boolean;
  validity: Uint8Array | null = null;
  words: Int32Array = noInts;
  ints: ArrayLike<number> = noInts;
  wide: BigInt64Array = new BigInt64Array(0);
  offsets: Int32Array = noInts;
  bytes: Uint8Array = noBytes;
  codes: Int32Array | null = null;

  constructor(field: Field) {
    this.field = field;
    this.kind = field.type.kind;
    this.scale = field.type.kind === 'DECIMAL' ? field.type.scale : 0;
    const storage = storageOf(field.type);
    this.isBytes = storage === 'bytes';
    this.isWide = storage === 'i128';
  }

  bind(column: Column): void {
    this.validity = column.validity;
    this.codes = column.layout === 'dictionary' ? column.codes : null;
    if (column.layout !== 'fixed') {
      const { offsets, bytes } = column.layout === 'bytes' ? column : column.dictionary;
      this.offsets = offsets;
      this.bytes = bytes;
    } else if (column.values instanceof BigInt64Array) {
      this.wide = column.values;
      this.words = wordsOf(column.values);
    } else this.ints = column.values;
  }
}

// ── data plane ──

/** Whether row `row` is NULL. */
export function isNullCell(source: CellSource, row: number): boolean {
  const { validity } = source;
  return source.kind === 'NULL' || (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0);
}

/** Appends the text of a value that is not NULL. */
export function printCell(source: CellSource, row: number, out: PrintedBytes): void {
  if (source.isBytes) {
    printBytesCell(source, row, out);
    return;
  }
  out.reserve(scalarTextBytesMax + 8);
  out.used = printFixed(source, row, out.bytes, out.used);
}

function printBytesCell(source: CellSource, row: number, out: PrintedBytes): void {
  const entry = source.codes === null ? row : source.codes[row]!;
  const from = source.offsets[entry]!;
  const to = source.offsets[entry + 1]!;
  if (source.kind !== 'BINARY' && source.kind !== 'VARBINARY') {
    out.append(source.bytes.subarray(from, to));
    return;
  }
  out.reserve(2 * (to - from));
  for (let i = from; i < to; i++) {
    const byte = source.bytes[i]!;
    out.bytes[out.used++] = hexCharacter(byte >> 4);
    out.bytes[out.used++] = hexCharacter(byte & 15);
  }
}

function hexCharacter(digit: number): number {
  return digit < 10 ? 0x30 + digit : 0x57 + digit;
}

function printFixed(source: CellSource, row: number, bytes: Uint8Array, at: number): number {
  switch (source.kind) {
    case 'BOOLEAN':
      return printBoolean(source.ints[row]!, bytes, at);
    case 'REAL':
      return printReal(source.ints[row]!, bytes, at);
    case 'DOUBLE':
      return printDouble(source.ints[row]!, bytes, at);
    case 'BIGINT':
      return printBigint(source.words, row, bytes, at);
    case 'DECIMAL':
      return source.isWide
        ? printDecimalWide(source.words, row, source.scale, bytes, at)
        : printDecimal(source.words, row, source.scale, bytes, at);
    case 'DATE':
      return printDate(source.ints[row]!, bytes, at);
    case 'TIME':
      return padFraction(bytes, at, printTime(source.words, row, bytes, at));
    case 'TIMESTAMP':
      return withT(bytes, at, padFraction(bytes, at, printTimestamp(source.words, row, bytes, at)));
    case 'UUID':
      return printUuid(source.words, row, bytes, at);
    case 'INTERVAL_MONTHS':
      return printText(formatMonths(source.ints[row]!), bytes, at);
    case 'INTERVAL_MICROS':
      return printText(formatMicros(source.wide[row]!), bytes, at);
    default:
      return printInteger(source.ints[row]!, bytes, at);
  }
}

function printText(text: string, bytes: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

function withT(bytes: Uint8Array, start: number, end: number): number {
  const space = bytes.indexOf(0x20, start);
  if (space >= 0 && space < end) bytes[space] = 0x54;
  return end;
}

/** Zeros behind a fraction until it has 3, 6 or 9 digits. */
function padFraction(bytes: Uint8Array, start: number, end: number): number {
  const point = bytes.indexOf(0x2e, start);
  if (point < 0 || point >= end) return end;
  const digits = end - point - 1;
  let to = end;
  for (let missing = (digits <= 3 ? 3 : digits <= 6 ? 6 : 9) - digits; missing > 0; missing--) bytes[to++] = 0x30;
  return to;
}
