// A computed column while a row program writes it, and the finished column.
//
// Arrays are allocated for every row of the input; rows that do not pass leave room at their end. A column of which little
// is used is copied, so that the rest can be freed, unless it lies in a room that is used anew. A bitmap without a NULL is dropped.
import { allocateValues } from '../../../runtime/batch/batch-builder.ts';
import type { Column, Values } from '../../../runtime/batch/column.ts';
import type { Room } from '../../../runtime/batch/gather-column.ts';
import { type SqlType, type Storage, storageOf } from '../../../runtime/batch/sql-type.ts';
import { TextSink } from './expression-library.ts';

export interface WrittenOutput {
  readonly type: SqlType;
  readonly values: Values;
  readonly validity: Uint8Array | null;
  readonly sink: TextSink | null;
}

/** Bytes of text that a row is expected to have; a guess that saves growing. */
const textBytesExpected = 8;

/** `room`: where values are put that nobody keeps; absent: into memory of their own. */
export function allocateOutput(type: SqlType, rows: number, nullable: boolean, room?: Room): WrittenOutput {
  const validity = nullable ? new Uint8Array((rows + 7) >> 3).fill(255) : null;
  const storage = storageOf(type);
  if (storage === 'bytes') {
    return { type, values: new Uint8Array(0), validity, sink: new TextSink(rows, rows * textBytesExpected) };
  }
  if (room === undefined) return { type, values: allocateValues(storage, rows), validity, sink: null };
  const values = valuesIn(room, storage, rows);
  // What is never NULL is written in every row.
  if (nullable) clear(values);
  return { type, values, validity, sink: null };
}

function clear(values: Values): void {
  if (values instanceof BigInt64Array) values.fill(0n);
  else values.fill(0);
}

function valuesIn(room: Room, storage: Storage, rows: number): Values {
  switch (storage) {
    case 'bool':
      return room(Uint8Array, rows);
    case 'i32':
      return room(Int32Array, rows);
    case 'i64':
      return room(BigInt64Array, rows);
    case 'f64':
      return room(Float64Array, rows);
    default:
      return allocateValues(storage, rows);
  }
}

/** Undoes what a row that failed has written. */
export function forgetRow(output: WrittenOutput, row: number): void {
  if (output.validity !== null && row >> 3 < output.validity.length) output.validity[row >> 3]! |= 1 << (row & 7);
  if (output.sink !== null) output.sink.used = output.sink.offsets[row]!;
}

/** The first `rows` rows as a column; `isLent`: nobody keeps it. */
export function finishOutput(output: WrittenOutput, rows: number, isLent = false): Column {
  const { type, sink, validity: written } = output;
  const validity = written === null || !hasNull(written, rows) ? null : written.subarray(0, (rows + 7) >> 3);
  if (sink !== null) {
    const mostlyUsed = sink.used * 2 >= sink.bytes.length;
    const bytes = mostlyUsed ? sink.bytes.subarray(0, sink.used) : sink.bytes.slice(0, sink.used);
    return { layout: 'bytes', type, validity, offsets: sink.offsets.subarray(0, rows + 1), bytes };
  }
  const length = storageOf(type) === 'i128' ? rows * 2 : rows;
  const values =
    isLent || length * 2 >= output.values.length ? output.values.subarray(0, length) : output.values.slice(0, length);
  return { layout: 'fixed', type, validity, values };
}

// ── data plane ──

function hasNull(validity: Uint8Array, rows: number): boolean {
  const whole = rows >> 3;
  for (let i = 0; i < whole; i++) if (validity[i] !== 255) return true;
  const mask = (1 << (rows & 7)) - 1;
  return mask !== 0 && (validity[whole]! & mask) !== mask;
}
