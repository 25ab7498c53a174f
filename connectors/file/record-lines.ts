// Lines of a file as records, in columns: the buffer that was read becomes the column `after`, its line feeds squeezed out in place.
//
//   position  the offset behind the line, in decimal digits      operation  create
//   key       the number of the line since the source was opened, in decimal digits
//   metadata  one dictionary entry for the whole batch           before     nothing
// A carriage return belongs to its line. Not here: lines that are not finished; the caller keeps them for the next buffer.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Column } from '../../runtime/batch/column.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import { printDigits } from '../sdk/decimal-digits.ts';
import { recordOperations } from '../sdk/record.ts';
import { dataShape, recordSchema, shapeShift } from '../sdk/record-batch.ts';

const bytesType: SqlType = { kind: 'VARBINARY', length: null };
const smallType: SqlType = { kind: 'TINYINT' };
const shapes = (dataShape.raw << shapeShift.key) | (dataShape.raw << shapeShift.after);

export interface CutLines {
  readonly batch: ChangeBatch;
  /** Offset in the file behind the last line. */
  readonly offset: number;
}

/**
 * The whole lines of bytes[0 .. length), which stand at `offset` of the file. Takes `bytes` over. `whole`: what stands behind the
 * last line feed is a line too. `metadata` as record-metadata.ts writes it. null: there is no whole line.
 */
export function cutLines(
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
  offset: number,
  lineNumber: number,
  metadata: Uint8Array,
  whole: boolean,
): CutLines | null {
  const ends = new Int32Array(Math.max(16, Math.ceil(length / 16)) + 2);
  const found = squeezeLines(bytes, length, ends, whole);
  const rows = found.rows;
  if (rows === 0) return null;
  const offsets = found.ends.subarray(0, rows + 1);
  const digits = digitsColumns(offsets, rows, offset, lineNumber, found.tailWithoutFeed);
  const batch: ChangeBatch = {
    schema: recordSchema,
    rows,
    weights: null,
    presence: null,
    columns: [
      digits.position,
      { layout: 'fixed', type: smallType, validity: null, values: new Int8Array(rows).fill(created) },
      {
        layout: 'dictionary',
        type: bytesType,
        validity: null,
        codes: new Int32Array(rows),
        dictionary: { identity: metadata, size: 1, offsets: Int32Array.of(0, metadata.length), bytes: metadata },
      },
      { layout: 'fixed', type: smallType, validity: null, values: new Int8Array(rows).fill(shapes) },
      digits.key,
      { layout: 'bytes', type: bytesType, validity: null, offsets: new Int32Array(rows + 1), bytes: new Uint8Array(0) },
      { layout: 'bytes', type: bytesType, validity: null, offsets, bytes: bytes.subarray(0, offsets[rows]) },
    ],
  };
  return { batch, offset: offset + offsets[rows]! + rows - (found.tailWithoutFeed ? 1 : 0) };
}

const created = recordOperations.indexOf('create') + 1;

function digitsColumns(
  offsets: Int32Array,
  rows: number,
  offset: number,
  lineNumber: number,
  tailWithoutFeed: boolean,
): { readonly position: Column; readonly key: Column } {
  const last = offset + offsets[rows]! + rows;
  const position = new Uint8Array(rows * digitCount(last) + 16);
  const positions = new Int32Array(rows + 1);
  const key = new Uint8Array(rows * digitCount(lineNumber + rows) + 16);
  const keys = new Int32Array(rows + 1);
  printOffsets(offsets, rows, offset, position, positions);
  if (tailWithoutFeed) printNumber(last - 1, position, positions, rows - 1);
  printCounts(rows, lineNumber, key, keys);
  return {
    position: {
      layout: 'bytes',
      type: bytesType,
      validity: null,
      offsets: positions,
      bytes: position.subarray(0, positions[rows]),
    },
    key: { layout: 'bytes', type: bytesType, validity: null, offsets: keys, bytes: key.subarray(0, keys[rows]) },
  };
}

function digitCount(value: number): number {
  return String(value).length;
}

// ── data plane ──
// Per line: one native search, one native move, and the digits of two numbers. No strings, no objects.

interface Squeezed {
  readonly rows: number;
  readonly ends: Int32Array;
  readonly tailWithoutFeed: boolean;
}

/** Moves the lines together over their line feeds and writes where they end behind ends[0] = 0. */
function squeezeLines(bytes: Uint8Array, length: number, room: Int32Array, whole: boolean): Squeezed {
  // A Buffer's search costs a good half of that of a typed array, whose calls are slow.
  const searched = Buffer.from(bytes.buffer, bytes.byteOffset, length);
  let ends = room;
  let rows = 0;
  let from = 0;
  let to = 0;
  while (from < length) {
    let end = searched.indexOf(10, from);
    if (end < 0) {
      if (!whole) break;
      end = length;
    }
    if (rows + 2 > ends.length) {
      const grown = new Int32Array(ends.length * 4);
      grown.set(ends);
      ends = grown;
    }
    if (to !== from) {
      if (end - from < 16) for (let i = from; i < end; i++) bytes[to + i - from] = bytes[i]!;
      else bytes.copyWithin(to, from, end);
    }
    to += end - from;
    ends[++rows] = to;
    from = end + 1;
  }
  return { rows, ends, tailWithoutFeed: from > length };
}

/** The offset in the file behind each line, in digits. */
function printOffsets(ends: Int32Array, rows: number, base: number, out: Uint8Array, offsets: Int32Array): void {
  let at = 0;
  for (let row = 0; row < rows; row++) {
    at = printDigits(base + ends[row + 1]! + row + 1, out, at);
    offsets[row + 1] = at;
  }
}

function printCounts(rows: number, first: number, out: Uint8Array, offsets: Int32Array): void {
  let at = 0;
  for (let row = 0; row < rows; row++) {
    at = printDigits(first + row, out, at);
    offsets[row + 1] = at;
  }
}

/** Writes the number of the last row again. */
function printNumber(value: number, out: Uint8Array, offsets: Int32Array, row: number): void {
  offsets[row + 1] = printDigits(value, out, offsets[row]!);
}
