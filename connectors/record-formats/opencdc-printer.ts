// opencdc/json: a record as one line of JSON, in the order and spelling of Conduit's own connectors:
//
//   {"position":B64,"operation":"create","metadata":{…},"key":DATA,"payload":{"before":DATA,"after":DATA}}
//
// DATA is base64 in quotes for raw bytes, an object with sorted names for structured data, null for nothing. From columns to bytes:
// metadata that repeats is printed once, raw bytes go through a table, structured data is walked as it lies (structured-printer.ts).
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Column } from '../../runtime/batch/column.ts';
import { printJson } from '../sdk/exact-json.ts';
import type { FailedRecord } from '../sdk/processor.ts';
import { recordOperations } from '../sdk/record.ts';
import { dataShape, recordBytes, recordColumn, shapeShift } from '../sdk/record-batch.ts';
import { readMetadata } from '../sdk/record-metadata.ts';
import { base64Length, printBase64 } from './base64.ts';
import { PrintedBytes } from './printed-bytes.ts';
import type { PrintedRecords, RecordPrinter } from './record-format.ts';
import { printStructured } from './structured-printer.ts';

const encoder = new TextEncoder();
const openPosition = encoder.encode('{"position":"');
const openOperations = recordOperations.map((name) => encoder.encode(`","operation":"${name}","metadata":`));
const openKey = encoder.encode(',"key":');
const openBefore = encoder.encode(',"payload":{"before":');
const openAfter = encoder.encode(',"after":');
const close = encoder.encode('}}\n');
const fixedBytes = 128;

export class OpencdcPrinter implements RecordPrinter {
  readonly #output = new PrintedBytes();
  readonly #metadata = new PrintedMetadata();

  print(batch: ChangeBatch, start: number, end: number): PrintedRecords {
    const output = this.#output;
    output.length = 0;
    const failed: FailedRecord[] = [];
    const position = bytesView(batch.columns[recordColumn.position]);
    const key = bytesView(batch.columns[recordColumn.key]);
    const before = bytesView(batch.columns[recordColumn.before]);
    const after = bytesView(batch.columns[recordColumn.after]);
    const operations = smallValues(batch.columns[recordColumn.operation]);
    const shapes = smallValues(batch.columns[recordColumn.shapes]);
    for (let row = start; row < end; row++) {
      const lineStart = output.length;
      try {
        const metadata = this.#metadata.of(batch, row);
        const entry = entryOf(position, row);
        const from = position.offsets[entry]!;
        const to = position.offsets[entry + 1]!;
        output.reserve(fixedBytes + metadata.length + base64Length(to - from));
        let at = copy(openPosition, output.bytes, lineStart);
        at = printBase64(position.bytes, from, to, output.view, at);
        at = copy(openOperations[operations[row]! - 1] ?? openPosition, output.bytes, at);
        at = copy(metadata, output.bytes, at);
        output.length = copy(openKey, output.bytes, at);
        const shape = shapes[row]!;
        printData(key, row, (shape >> shapeShift.key) & 3, output);
        output.length = copy(openBefore, output.bytes, output.length);
        printData(before, row, (shape >> shapeShift.before) & 3, output);
        output.length = copy(openAfter, output.bytes, output.length);
        printData(after, row, (shape >> shapeShift.after) & 3, output);
        output.length = copy(close, output.bytes, output.length);
      } catch (thrown) {
        output.length = lineStart;
        failed.push({ row, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
      }
    }
    return { bytes: output.bytes.subarray(0, output.length), failed };
  }
}

/** The metadata of a row as JSON. It is rarely another than that of the row before, or of its dictionary entry. */
class PrintedMetadata {
  #identity: object | null = null;
  #entries: (Uint8Array | undefined)[] = [];
  #lastBytes: Uint8Array = new Uint8Array(0);
  #last: Uint8Array = encoder.encode('{}');

  of(batch: ChangeBatch, row: number): Uint8Array {
    const column = batch.columns[recordColumn.metadata]!;
    if (column.layout === 'dictionary') {
      const { dictionary, codes } = column;
      if (dictionary.identity !== this.#identity) {
        this.#identity = dictionary.identity;
        this.#entries = [];
      }
      const code = codes[row]!;
      let printed = this.#entries[code];
      if (printed === undefined) {
        printed = printMetadata(recordBytes(batch, recordColumn.metadata, row));
        this.#entries[code] = printed;
      }
      return printed;
    }
    const bytes = recordBytes(batch, recordColumn.metadata, row);
    if (!sameBytes(bytes, this.#lastBytes)) {
      this.#last = printMetadata(bytes);
      this.#lastBytes = bytes.slice();
    }
    return this.#last;
  }
}

function printMetadata(bytes: Uint8Array): Uint8Array {
  return encoder.encode(printJson(readMetadata(bytes)));
}

/** A column of bytes in the one shape that the loops read: plain, or through codes. */
interface BytesView {
  readonly bytes: Uint8Array;
  readonly offsets: Int32Array;
  readonly codes: Int32Array | null;
}

export function bytesView(column: Column | undefined): BytesView {
  if (column === undefined || column.layout === 'fixed') throw new TypeError('records have columns of bytes');
  if (column.layout === 'bytes') return { bytes: column.bytes, offsets: column.offsets, codes: null };
  return { bytes: column.dictionary.bytes, offsets: column.dictionary.offsets, codes: column.codes };
}

export function smallValues(column: Column | undefined): Int8Array {
  if (column === undefined || column.layout !== 'fixed' || !(column.values instanceof Int8Array)) {
    throw new TypeError('records have columns of small integers');
  }
  return column.values;
}

// ── data plane ──

function entryOf(view: BytesView, row: number): number {
  return view.codes === null ? row : view.codes[row]!;
}

/** Leaves room for what stands between two data. */
function printData(data: BytesView, row: number, shape: number, output: PrintedBytes): void {
  if (shape === dataShape.nothing) {
    output.reserve(fixedBytes);
    output.view.setInt32(output.length, 0x6c6c756e, true);
    output.length += 4;
    return;
  }
  const entry = entryOf(data, row);
  const from = data.offsets[entry]!;
  const to = data.offsets[entry + 1]!;
  if (shape !== dataShape.raw) {
    printStructured(data.bytes, from, to, shape, output);
    output.reserve(fixedBytes);
    return;
  }
  output.reserve(fixedBytes + base64Length(to - from));
  output.bytes[output.length] = 0x22;
  const end = printBase64(data.bytes, from, to, output.view, output.length + 1);
  output.bytes[end] = 0x22;
  output.length = end + 1;
}

function copy(source: Uint8Array, out: Uint8Array, at: number): number {
  const { length } = source;
  if (length > 48) out.set(source, at);
  else for (let i = 0; i < length; i++) out[at + i] = source[i]!;
  return at + length;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
