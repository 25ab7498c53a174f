// The csv output format: a line for each row of a batch, its fields and then its weight.
//
// Every deletion of a batch precedes every insertion. NULL is an empty field, the empty string is `""`; a field is quoted when it holds
// a delimiter, a quote or a line break. BINARY and VARIANT are JSON text. There is no header line.

import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { scalarTextBytesMax } from '../../runtime/batch/text-digits.ts';
import { printInteger } from '../../runtime/batch/text-integer.ts';
import type { Encoder, OutputFormat } from '../sdk/format.ts';
import { type ColumnSource, entryOf, makeSources, printBinary, printScalar } from './column-source.ts';
import { targetBinary, targetNested, targetString, targetVariant } from './column-target.ts';
import { type CsvOutputOptions, readCsvOutputOptions } from './csv-options.ts';
import { OutputBytes, printBytes, printText } from './output-bytes.ts';
import { csvOutputDeclaration } from './output-declarations.ts';
import { PrintedEntries } from './printed-entries.ts';

export const csvOutput: OutputFormat<Encoder> = {
  ...csvOutputDeclaration,
  encoder: (configuration, relation) => new CsvEncoder(readCsvOutputOptions(configuration), relation),
};

class CsvEncoder implements Encoder {
  readonly isDivisible = true;
  readonly #options: CsvOutputOptions;
  readonly #sources: readonly ColumnSource[];
  readonly #quoted: readonly PrintedEntries[];
  readonly #rowBytes: number;
  /** Scalars may hold the delimiter only when it is one of the characters that they are spelled with. */
  readonly #checkScalars: boolean;
  readonly #output: OutputBytes = new OutputBytes();

  constructor(options: CsvOutputOptions, relation: Relation) {
    this.#options = options;
    this.#sources = makeSources(relation, 'csv');
    const { delimiter } = options;
    this.#quoted = this.#sources.map(
      () => new PrintedEntries((bytes, start, end, output, at) => printEntry(bytes, start, end, output, at, delimiter)),
    );
    this.#rowBytes = (this.#sources.length + 1) * (scalarTextBytesMax + 3) + 16;
    this.#checkScalars = /[A-Za-z0-9 :.+-]/.test(String.fromCharCode(delimiter));
  }

  encode(batch: ChangeBatch): { readonly bytes: Uint8Array; readonly records: number } {
    const { weights, rows } = batch;
    this.#sources.forEach((source, c) => {
      source.bind(batch.columns[c]!);
      this.#quoted[c]!.take(source.kind === targetString ? source.dictionary : null, rows);
    });
    let at = 0;
    let records = 0;
    for (let pass = weights === null ? 1 : 0; pass < 2; pass++) {
      for (let row = 0; row < rows; row++) {
        const weight = weights === null ? 1 : weights[row]!;
        if (weight < 0 !== (pass === 0)) continue;
        at = printRow(
          this.#sources,
          this.#quoted,
          row,
          this.#output,
          this.#rowBytes,
          this.#options.delimiter,
          this.#checkScalars,
          at,
        );
        const first = at;
        at = printInteger(weight, this.#output.bytes, at);
        if (this.#checkScalars) at = quoteIfNeeded(this.#output.bytes, first, at, this.#options.delimiter);
        this.#output.bytes[at++] = 0x0a;
        records += weight < 0 ? -weight : weight;
      }
    }
    return { bytes: this.#output.bytes.subarray(0, at), records };
  }
}

// ── data plane ──

/** Prints the fields of a row, a delimiter behind each. Room for the weight is left. Returns the position behind them. */
function printRow(
  sources: readonly ColumnSource[],
  quoted: readonly PrintedEntries[],
  row: number,
  output: OutputBytes,
  rowBytes: number,
  delimiter: number,
  checkScalars: boolean,
  start: number,
): number {
  output.reserve(start, rowBytes);
  let out = output.bytes;
  let at = start;
  for (let c = 0; c < sources.length; c++) {
    const source = sources[c]!;
    const validity = source.validity;
    if (validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0) {
      const first = at;
      const cache = quoted[c]!;
      if (cache.active) {
        const entry = source.codes[row]!;
        const from = cache.offsets[entry]!;
        const to = cache.offsets[entry + 1]!;
        output.reserve(at, to - from + rowBytes);
        out = output.bytes;
        at = printText(cache.output, from, to, output, at);
      } else if (source.storage === 'bytes') {
        const entry = entryOf(source, row);
        const from = source.offsets[entry]!;
        const to = source.offsets[entry + 1]!;
        // Quoting doubles at most every byte; an array of integers takes four for each.
        output.reserve(at, (to - from) * 4 + 4 + rowBytes);
        out = output.bytes;
        if (source.kind === targetBinary) at = printBinary(source, entry, out, at);
        else at = printBytes(source.bytes, from, to, out, at);
        if (
          source.kind === targetString ||
          source.kind === targetVariant ||
          source.kind === targetNested ||
          source.kind === targetBinary
        ) {
          at = at === first ? printEmptyString(out, at) : quoteIfNeeded(out, first, at, delimiter);
        }
      } else {
        at = printScalar(source, row, out, at);
        if (checkScalars) at = quoteIfNeeded(out, first, at, delimiter);
      }
    }
    out[at++] = delimiter;
  }
  return at;
}

/** A text of a dictionary, quoted where it has to be. */
function printEntry(
  bytes: Uint8Array,
  start: number,
  end: number,
  output: OutputBytes,
  at: number,
  delimiter: number,
): number {
  output.reserve(at, (end - start) * 2 + 2);
  if (start === end) return printEmptyString(output.bytes, at);
  return quoteIfNeeded(output.bytes, at, printBytes(bytes, start, end, output.bytes, at), delimiter);
}

function printEmptyString(out: Uint8Array, at: number): number {
  out[at] = 0x22;
  out[at + 1] = 0x22;
  return at + 2;
}

/** Puts quotes around out[start .. end) where it has to be quoted; the caller has made room for twice its bytes and 2. */
function quoteIfNeeded(out: Uint8Array, start: number, end: number, delimiter: number): number {
  let quotes = 0;
  let needed = false;
  for (let i = start; i < end; i++) {
    const byte = out[i]!;
    if (byte === 0x22) quotes++;
    else if (byte === delimiter || byte === 10 || byte === 13) needed = true;
  }
  if (!needed && quotes === 0) return end;
  let to = end + quotes + 1;
  out[to] = 0x22;
  // From the back, so that nothing is overwritten before it is moved.
  for (let i = end - 1; i >= start; i--) {
    const byte = out[i]!;
    out[--to] = byte;
    if (byte === 0x22) out[--to] = 0x22;
  }
  out[start] = 0x22;
  return end + quotes + 2;
}
