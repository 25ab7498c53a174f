// Where CSV records end: a line feed that is not inside quotes.
//
// While no quote shows up, the last line feed is a border and only `indexOf` and `lastIndexOf` run. Otherwise the bytes are
// walked once by the state machine of csv-scan.ts, with the state kept between calls. A quoted field that is still open after
// `openBytesMax` was opened by a stray quote: the rest is given out up to its last line feed, and the decoder refuses that record.
import type { Splitter } from '../sdk/format.ts';
import type { CsvInputOptions } from './csv-options.ts';
import { skipBlanks, skipRecord } from './csv-scan.ts';
import { searchable } from './find-byte.ts';

const openBytesMax = 64 * 1024 * 1024;

const atFieldStart = 0;
const inUnquoted = 1;
const inQuoted = 2;
const inComment = 3;
/** White space before what may become a quoted field. */
const inBlanks = 4;

export class CsvSplitter implements Splitter {
  readonly #options: CsvInputOptions;
  #walked = 0;
  #state = atFieldStart;
  #recordStart = true;
  #streamStart = true;
  #border = 0;
  #prologue: Uint8Array | null = null;

  constructor(options: CsvInputOptions) {
    this.#options = options;
  }

  split(bytes: Uint8Array): number {
    if (bytes.length < this.#walked) this.#restart();
    if (this.#streamStart && bytes.length > 0) {
      // A byte order mark is not part of the first field, which may be quoted.
      if (bytes[0] === 0xef && bytes.length < 3) return 0;
      if (hasByteOrderMark(bytes)) this.#walked = 3;
      this.#streamStart = false;
    }
    const { quote } = this.#options;
    const isPlain = this.#state !== inQuoted && (quote < 0 || searchable(bytes).indexOf(quote, this.#walked) < 0);
    this.#border = 0;
    if (isPlain) this.#skipPlain(bytes);
    else this.#walk(bytes);
    let border = this.#border;
    if (border === 0 && bytes.length > openBytesMax) {
      border = bytes.lastIndexOf(10) + 1;
      if (border > 0) {
        this.#restart();
        return border;
      }
    }
    this.#walked -= border;
    return border;
  }

  /** The header line, with its byte order mark. */
  prologue(bytes: Uint8Array): Uint8Array {
    if (this.#prologue === null) {
      const end = this.#options.headers ? headerEnd(bytes, this.#options) : 0;
      this.#prologue = bytes.slice(0, Math.max(0, end));
    }
    return this.#prologue;
  }

  reset(): void {
    this.#restart();
    this.#streamStart = true;
    this.#prologue = null;
  }

  resume(): void {
    this.#restart();
    this.#streamStart = false;
  }

  #restart(): void {
    this.#walked = 0;
    this.#state = atFieldStart;
    this.#recordStart = true;
  }

  /** No quote in what is new: only where it ends matters for the state. */
  #skipPlain(bytes: Uint8Array): void {
    const found = bytes.subarray(this.#walked).lastIndexOf(10);
    if (found >= 0) this.#border = this.#walked + found + 1;
    const rest = found >= 0 ? this.#border : this.#walked;
    if (found >= 0) {
      this.#state = atFieldStart;
      this.#recordStart = true;
    }
    this.#walked = rest;
    // The short rest decides whether a quote in the next bytes opens a field.
    this.#walk(bytes);
  }

  #walk(bytes: Uint8Array): void {
    const { delimiter, quote, escapeByte, doubleQuote, comment, trimFields } = this.#options;
    const end = bytes.length;
    let state = this.#state;
    let recordStart = this.#recordStart;
    let border = this.#border;
    let i = this.#walked;
    while (i < end) {
      let byte = bytes[i]!;
      if (state === inQuoted) {
        while (byte !== quote && byte !== escapeByte && ++i < end) byte = bytes[i]!;
        if (i >= end) break;
        // What a quote or an escape means depends on the byte behind it.
        if (i + 1 >= end && (byte === escapeByte || doubleQuote)) break;
        if (byte === escapeByte || (doubleQuote && bytes[i + 1] === quote)) i += 2;
        else {
          i++;
          state = inUnquoted;
        }
        continue;
      }
      if (state === inUnquoted || state === inComment) {
        const stop = state === inComment ? 10 : delimiter;
        while (byte !== stop && byte !== 10 && ++i < end) byte = bytes[i]!;
        if (i >= end) break;
      }
      i++;
      if (byte === 10) {
        border = i;
        state = atFieldStart;
        recordStart = true;
      } else if (state === inUnquoted) state = atFieldStart;
      else {
        if (byte === quote) state = inQuoted;
        else if (byte === comment && recordStart) state = inComment;
        else if (byte === delimiter) state = atFieldStart;
        else if (trimFields && (byte === 0x20 || byte === 0x09)) state = inBlanks;
        else state = inUnquoted;
        recordStart = false;
      }
    }
    this.#walked = i;
    this.#state = state;
    this.#recordStart = recordStart;
    this.#border = border;
  }
}

/** Where the header line of a stream ends, after a byte order mark, blank lines and comments; -1 when it is not complete. */
export function headerEnd(bytes: Uint8Array, options: CsvInputOptions): number {
  const start = headerStart(bytes, options);
  return start < 0 ? -1 : skipRecord(bytes, start, bytes.length, options);
}

/** Where the header line of a stream begins; -1 when there is none. */
export function headerStart(bytes: Uint8Array, options: CsvInputOptions): number {
  let i = hasByteOrderMark(bytes) ? 3 : 0;
  while (i < bytes.length) {
    const newline = bytes.indexOf(10, i);
    const lineEnd = newline < 0 ? bytes.length : newline;
    const textStart = options.trimHeaders ? skipBlanks(bytes, i, lineEnd, options.delimiter) : i;
    const isBlank = textStart === lineEnd || (textStart === lineEnd - 1 && bytes[textStart] === 13);
    if (!isBlank && bytes[i] !== options.comment) return i;
    i = lineEnd + 1;
  }
  return -1;
}

export function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
