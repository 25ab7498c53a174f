// A computed column while a row program writes it, and the finished column.
//
// Arrays are allocated for every row of the input; rows that do not pass leave room at their end. A column of which little
// is used is copied, so that the rest can be freed. A bitmap without a NULL is dropped.
import { ColumnBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { Column, Values } from '../../../runtime/batch/column.ts';
import { type SqlType, storageOf } from '../../../runtime/batch/sql-type.ts';
import { TextSink } from './expression-library.ts';

export interface WrittenOutput {
  readonly type: SqlType;
  readonly values: Values;
  readonly validity: Uint8Array | null;
  readonly sink: TextSink | null;
}

/** Bytes of text that a row is expected to have; a guess that saves growing. */
const textBytesExpected = 8;

export function allocateOutput(type: SqlType, rows: number, nullable: boolean): WrittenOutput {
  const validity = nullable ? new Uint8Array((rows + 7) >> 3).fill(255) : null;
  if (storageOf(type) === 'bytes') {
    return { type, values: new Uint8Array(0), validity, sink: new TextSink(rows, rows * textBytesExpected) };
  }
  return { type, values: new ColumnBuilder(type, rows).values, validity, sink: null };
}

/** Undoes what a row that failed has written. */
export function forgetRow(output: WrittenOutput, row: number): void {
  if (output.validity !== null && row >> 3 < output.validity.length) output.validity[row >> 3]! |= 1 << (row & 7);
  if (output.sink !== null) output.sink.used = output.sink.offsets[row]!;
}

/** The first `rows` rows as a column. */
export function finishOutput(output: WrittenOutput, rows: number): Column {
  const { type, sink, validity: written } = output;
  const validity = written === null || !hasNull(written, rows) ? null : written.subarray(0, (rows + 7) >> 3);
  if (sink !== null) {
    const mostlyUsed = sink.used * 2 >= sink.bytes.length;
    const bytes = mostlyUsed ? sink.bytes.subarray(0, sink.used) : sink.bytes.slice(0, sink.used);
    return { layout: 'bytes', type, validity, offsets: sink.offsets.subarray(0, rows + 1), bytes };
  }
  const length = storageOf(type) === 'i128' ? rows * 2 : rows;
  const values =
    length * 2 >= output.values.length ? output.values.subarray(0, length) : output.values.slice(0, length);
  return { layout: 'fixed', type, validity, values };
}

// ── data plane ──

function hasNull(validity: Uint8Array, rows: number): boolean {
  const whole = rows >> 3;
  for (let i = 0; i < whole; i++) if (validity[i] !== 255) return true;
  const mask = (1 << (rows & 7)) - 1;
  return mask !== 0 && (validity[whole]! & mask) !== mask;
}
