// The json output format: batches to `{"insert":row}` and `{"delete":row}`, one a line or in arrays; or, in another encoder, to events of
// Debezium (debezium-encoder.ts).
//
// A row of weight w is printed |w| times. Every deletion of a batch precedes every insertion, so that a reader who applies lines in order
// sees an update as delete, then insert. Columns go to bytes directly: keys and separators are stamps, the escaped entries of a
// dictionary are kept while the same dictionary comes again. DECIMAL is a JSON number with exact digits; NaN and infinities are no JSON
// and refuse the batch.

import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { scalarTextBytesMax } from '../../runtime/batch/text-digits.ts';
import type { Encoder, OutputFormat } from '../sdk/format.ts';
import { copiesOf } from './change-copies.ts';
import { type ColumnSource, entryOf, makeSources, printBinary, printScalar } from './column-source.ts';
import {
  targetBinary,
  targetDate,
  targetFloat,
  targetNested,
  targetString,
  targetTime,
  targetTimestamp,
  targetUuid,
  targetVariant,
} from './column-target.ts';
import { DebeziumEncoder } from './debezium-encoder.ts';
import { FormatUnencodableValue } from './format-errors.ts';
import { type JsonOutputOptions, readJsonOutputOptions } from './json-options.ts';
import { printString } from './json-string.ts';
import { makeStamp, OutputBytes, printBytes, printStamp, printText, type Stamp } from './output-bytes.ts';
import { jsonOutputDeclaration } from './output-declarations.ts';
import { PrintedEntries } from './printed-entries.ts';

export const jsonOutput: OutputFormat<Encoder> = {
  ...jsonOutputDeclaration,
  encoder: (configuration, relation) => {
    const options = readJsonOutputOptions(configuration);
    return options.isDebezium ? new DebeziumEncoder(options.keyFields, relation) : new JsonEncoder(options, relation);
  },
};

class JsonEncoder implements Encoder {
  readonly #options: JsonOutputOptions;
  readonly #sources: readonly ColumnSource[];
  readonly #escaped: readonly PrintedEntries[];
  readonly #insertStamps: readonly Stamp[];
  readonly #deleteStamps: readonly Stamp[];
  readonly #rowBytes: number;
  readonly #output: OutputBytes = new OutputBytes();
  #records = 0;

  constructor(options: JsonOutputOptions, relation: Relation) {
    this.#options = options;
    this.#sources = makeSources(relation, 'json');
    this.#escaped = this.#sources.map(() => new PrintedEntries(printEntry));
    const stampsOf = (verb: string): Stamp[] =>
      relation.schema.fields.map((field, i) =>
        makeStamp(`${i === 0 ? `{"${verb}":{` : ','}${JSON.stringify(field.name)}:`),
      );
    this.#insertStamps = stampsOf('insert');
    this.#deleteStamps = stampsOf('delete');
    const stampBytes = this.#insertStamps.reduce((sum, stamp) => sum + stamp.bytes.length, 0);
    this.#rowBytes = stampBytes + this.#sources.length * (scalarTextBytesMax + 2) + 16;
  }

  /** Arrays end with a batch. */
  get isDivisible(): boolean {
    return !this.#options.array;
  }

  encode(batch: ChangeBatch): { readonly bytes: Uint8Array; readonly records: number } {
    this.#records = 0;
    this.#sources.forEach((source, c) => {
      source.bind(batch.columns[c]!);
      this.#escaped[c]!.take(source.kind === targetString ? source.dictionary : null, batch.rows);
    });
    const { weights } = batch;
    let at = weights === null ? 0 : this.#encodePass(batch.rows, weights, true, 0);
    at = this.#encodePass(batch.rows, weights, false, at);
    if (this.#options.array && this.#records > 0 && this.#records % this.#options.bufferRecords !== 0) {
      at = this.#closeArray(at);
    }
    return { bytes: this.#output.bytes.subarray(0, at), records: this.#records };
  }

  #encodePass(rows: number, weights: Int32Array | null, deletions: boolean, start: number): number {
    const stamps = deletions ? this.#deleteStamps : this.#insertStamps;
    let at = start;
    for (let row = 0; row < rows; row++) {
      const weight = weights === null ? 1 : weights[row]!;
      if (weight < 0 !== deletions) continue;
      const copies = copiesOf(weight);
      if (!this.#options.array && copies === 1) {
        at = printRow(this.#sources, this.#escaped, stamps, row, this.#output, this.#rowBytes, at);
        this.#output.bytes[at++] = 0x0a;
        this.#records++;
      } else {
        for (let copy = 0; copy < copies; copy++) at = this.#encodeRecord(stamps, row, at);
      }
    }
    return at;
  }

  #encodeRecord(stamps: readonly Stamp[], row: number, start: number): number {
    const { array, bufferRecords } = this.#options;
    let at = start;
    if (array) {
      this.#output.reserve(at, 1);
      this.#output.bytes[at++] = this.#records % bufferRecords === 0 ? 0x5b : 0x2c;
    }
    at = printRow(this.#sources, this.#escaped, stamps, row, this.#output, this.#rowBytes, at);
    this.#records++;
    if (!array) this.#output.bytes[at++] = 0x0a;
    else if (this.#records % bufferRecords === 0) at = this.#closeArray(at);
    return at;
  }

  #closeArray(start: number): number {
    this.#output.reserve(start, 2);
    this.#output.bytes[start] = 0x5d;
    this.#output.bytes[start + 1] = 0x0a;
    return start + 2;
  }
}

// ── data plane ──

/** Prints one record without what follows it. Room for a few bytes more is left. Returns the position behind it. */
function printRow(
  sources: readonly ColumnSource[],
  escaped: readonly PrintedEntries[],
  stamps: readonly Stamp[],
  row: number,
  output: OutputBytes,
  rowBytes: number,
  start: number,
): number {
  output.reserve(start, rowBytes);
  let out = output.bytes;
  let view = output.view;
  let at = start;
  for (let c = 0; c < sources.length; c++) {
    const source = sources[c]!;
    at = printStamp(stamps[c]!, out, view, at);
    const validity = source.validity;
    if (validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0) {
      view.setInt32(at, 0x6c6c756e, true);
      at += 4;
      continue;
    }
    switch (source.kind) {
      case targetString: {
        const cache = escaped[c]!;
        const entry = entryOf(source, row);
        const offsets = cache.active ? cache.offsets : source.offsets;
        const from = offsets[entry]!;
        const to = offsets[entry + 1]!;
        output.reserve(at, (to - from) * 6 + 2 + rowBytes);
        out = output.bytes;
        view = output.view;
        at = cache.active
          ? printText(cache.output, from, to, output, at)
          : printString(source.bytes, from, to, out, at);
        break;
      }
      case targetBinary:
      case targetNested:
      case targetVariant: {
        const entry = entryOf(source, row);
        const from = source.offsets[entry]!;
        const to = source.offsets[entry + 1]!;
        output.reserve(at, (to - from) * 4 + 2 + rowBytes);
        out = output.bytes;
        view = output.view;
        if (source.kind === targetBinary) at = printBinary(source, entry, out, at);
        else if (source.nested !== null) at = source.nested.print(source.bytes, from, to, out, at);
        else at = printBytes(source.bytes, from, to, out, at);
        break;
      }
      case targetDate:
      case targetTime:
      case targetTimestamp:
      case targetUuid:
        out[at] = 0x22;
        at = printScalar(source, row, out, at + 1);
        out[at++] = 0x22;
        break;
      case targetFloat: {
        const value = source.floats[row]!;
        if (value - value !== 0) {
          throw new FormatUnencodableValue({ format: 'json', field: source.field.name, value: String(value) });
        }
        at = printScalar(source, row, out, at);
        break;
      }
      default:
        at = printScalar(source, row, out, at);
    }
  }
  out[at] = 0x7d;
  out[at + 1] = 0x7d;
  return at + 2;
}

function printEntry(bytes: Uint8Array, start: number, end: number, output: OutputBytes, at: number): number {
  output.reserve(at, (end - start) * 6 + 2);
  return printString(bytes, start, end, output.bytes, at);
}
