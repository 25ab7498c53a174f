// The grammar of CSV over bytes: where fields and records end (RFC 4180, with the options of csv-options.ts).
//
// A record ends with LF or CR LF outside of quotes. A quote opens a quoted field only as its first character (after white space, when
// fields are trimmed); elsewhere it is a character like any other. After the closing quote of a field only a delimiter or the end of
// the record may follow; where something else does, it is read as an unquoted rest, so that splitter and decoder agree on borders even
// in records that are refused. Positions only; nothing is copied but by `copyUnquoted`.
import type { CsvInputOptions } from './csv-options.ts';

// ── data plane ──

/** The position of the quote that closes the field whose opening quote is at `start`, or -1 when none does. */
export function findClosingQuote(bytes: Uint8Array, start: number, end: number, options: CsvInputOptions): number {
  const { quote, escapeByte, doubleQuote } = options;
  let i = start + 1;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte === quote) {
      if (!doubleQuote || i + 1 >= end || bytes[i + 1] !== quote) return i;
      i += 2;
    } else i += byte === escapeByte ? 2 : 1;
  }
  return -1;
}

/** The position of the delimiter or line feed that ends an unquoted field, or `end`. */
export function skipUnquoted(bytes: Uint8Array, start: number, end: number, delimiter: number): number {
  let i = start;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte === delimiter || byte === 10) break;
    i++;
  }
  return i;
}

/** The position of the first byte that is neither space nor tab (nor a delimiter, should that be a tab). */
export function skipBlanks(bytes: Uint8Array, start: number, end: number, delimiter: number): number {
  let i = start;
  while (i < end && (bytes[i] === 0x20 || bytes[i] === 0x09) && bytes[i] !== delimiter) i++;
  return i;
}

/** Behind the line feed that ends the record at `start`, `end` when it ends there; -1 when a quote is not closed. */
export function skipRecord(bytes: Uint8Array, start: number, end: number, options: CsvInputOptions): number {
  const { delimiter, quote, trimFields } = options;
  let i = start;
  for (;;) {
    const field = trimFields ? skipBlanks(bytes, i, end, delimiter) : i;
    if (field < end && bytes[field] === quote) {
      const close = findClosingQuote(bytes, field, end, options);
      if (close < 0) return -1;
      i = close + 1;
    }
    i = skipUnquoted(bytes, i, end, delimiter);
    if (i >= end) return end;
    if (bytes[i++] === 10) return i;
  }
}

/** Copies the inside of a quoted field to `out` without escapes; returns the position behind the copy. */
export function copyUnquoted(
  bytes: Uint8Array,
  start: number,
  end: number,
  options: CsvInputOptions,
  out: Uint8Array,
  at: number,
): number {
  const { quote, escapeByte } = options;
  let to = at;
  for (let i = start; i < end; i++) {
    let byte = bytes[i]!;
    if ((byte === quote || byte === escapeByte) && i + 1 < end) byte = bytes[++i]!;
    out[to++] = byte;
  }
  return to;
}

/** Whether the inside of a quoted field holds a doubled quote or an escape. */
export function hasEscape(bytes: Uint8Array, start: number, end: number, options: CsvInputOptions): boolean {
  const { quote, escapeByte } = options;
  for (let i = start; i < end; i++) if (bytes[i] === quote || bytes[i] === escapeByte) return true;
  return false;
}
