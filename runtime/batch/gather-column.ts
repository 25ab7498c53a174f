// Selected rows of a column as a new column: one kernel per storage, so that each loop sees one class of array.
//
// Dictionary columns gather codes and keep the dictionary; bytes columns copy bytes. A bitmap that turns out to have no
// NULL among the selected rows is dropped.
import type { Column, Values } from './column.ts';
import { storageOf } from './sql-type.ts';

/** Where gathered values are put: an array of the class, of that length, whatever is in it. */
export type Room = <A extends Values>(make: new (length: number) => A, length: number) => A;

const newRoom: Room = (make, length) => new make(length);

/** The rows selection[0 .. count) of `column`, in that order. */
export function gatherColumn(column: Column, selection: Int32Array, count: number, room: Room = newRoom): Column {
  // Nobody reads it: see partition-rows.ts.
  if (column.validity !== null && column.validity.length === 0) return column;
  const validity = column.validity === null ? null : gatherValidity(column.validity, selection, count, room);
  const type = column.type;
  switch (column.layout) {
    case 'dictionary': {
      const codes = room(Int32Array, count);
      gather32(column.codes, codes, selection, count);
      return { layout: 'dictionary', type, validity, codes, dictionary: column.dictionary };
    }
    case 'bytes': {
      const offsets = room(Int32Array, count + 1);
      const bytes = room(Uint8Array, measureBytes(column.offsets, selection, count));
      gatherBytes(column.offsets, column.bytes, offsets, bytes, selection, count);
      return { layout: 'bytes', type, validity, offsets, bytes };
    }
    case 'fixed': {
      const wide = storageOf(type) === 'i128';
      return { layout: 'fixed', type, validity, values: gatherValues(column.values, wide, selection, count, room) };
    }
  }
}

function gatherValues(values: Values, wide: boolean, selection: Int32Array, count: number, room: Room): Values {
  if (values instanceof BigInt64Array) {
    const gathered = room(BigInt64Array, wide ? count * 2 : count);
    if (wide) gather128(values, gathered, selection, count);
    else gather64(values, gathered, selection, count);
    return gathered;
  }
  if (values instanceof Int32Array) {
    const gathered = room(Int32Array, count);
    gather32(values, gathered, selection, count);
    return gathered;
  }
  if (values instanceof Float64Array) {
    const gathered = room(Float64Array, count);
    gatherDouble(values, gathered, selection, count);
    return gathered;
  }
  if (values instanceof Float32Array) {
    const gathered = room(Float32Array, count);
    gatherFloat(values, gathered, selection, count);
    return gathered;
  }
  if (values instanceof Int16Array) {
    const gathered = room(Int16Array, count);
    gather16(values, gathered, selection, count);
    return gathered;
  }
  // One byte a row, signed or not: bits are copied.
  const gathered = values instanceof Int8Array ? room(Int8Array, count) : room(Uint8Array, count);
  gather8(
    new Uint8Array(values.buffer, values.byteOffset, values.length),
    new Uint8Array(gathered.buffer, gathered.byteOffset, count),
    selection,
    count,
  );
  return gathered;
}

/** The weights of the selected rows. */
export function gatherWeights(
  weights: Int32Array,
  selection: Int32Array,
  count: number,
  room: Room = newRoom,
): Int32Array {
  const gathered = room(Int32Array, count);
  gather32(weights, gathered, selection, count);
  return gathered;
}

// ── data plane ── the same loop over and over, because a loop that meets two classes of array is several times slower

function gather8(from: Uint8Array, to: Uint8Array, selection: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) to[i] = from[selection[i]!]!;
}

function gather16(from: Int16Array, to: Int16Array, selection: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) to[i] = from[selection[i]!]!;
}

function gather32(from: Int32Array, to: Int32Array, selection: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) to[i] = from[selection[i]!]!;
}

function gather64(from: BigInt64Array, to: BigInt64Array, selection: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) to[i] = from[selection[i]!]!;
}

function gather128(from: BigInt64Array, to: BigInt64Array, selection: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const row = selection[i]!;
    to[2 * i] = from[2 * row]!;
    to[2 * i + 1] = from[2 * row + 1]!;
  }
}

function gatherDouble(from: Float64Array, to: Float64Array, selection: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) to[i] = from[selection[i]!]!;
}

function gatherFloat(from: Float32Array, to: Float32Array, selection: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) to[i] = from[selection[i]!]!;
}

function gatherValidity(from: Uint8Array, selection: Int32Array, count: number, room: Room): Uint8Array | null {
  const to = room(Uint8Array, (count + 7) >> 3).fill(255);
  let nulls = 0;
  for (let i = 0; i < count; i++) {
    const row = selection[i]!;
    if ((from[row >> 3]! & (1 << (row & 7))) === 0) {
      to[i >> 3]! &= ~(1 << (i & 7));
      nulls++;
    }
  }
  return nulls === 0 ? null : to;
}

function measureBytes(offsets: Int32Array, selection: Int32Array, count: number): number {
  let length = 0;
  for (let i = 0; i < count; i++) length += offsets[selection[i]! + 1]! - offsets[selection[i]!]!;
  return length;
}

function gatherBytes(
  fromOffsets: Int32Array,
  from: Uint8Array,
  toOffsets: Int32Array,
  to: Uint8Array,
  selection: Int32Array,
  count: number,
): void {
  // Four bytes at a time, wherever they lie; a view and a call cost more than the loop up to a few hundred bytes.
  const source = new DataView(from.buffer, from.byteOffset, from.byteLength);
  const target = new DataView(to.buffer, to.byteOffset, to.byteLength);
  let at = 0;
  toOffsets[0] = 0;
  for (let i = 0; i < count; i++) {
    const row = selection[i]!;
    const end = fromOffsets[row + 1]!;
    let start = fromOffsets[row]!;
    if (end - start < 256) {
      for (; start + 4 <= end; start += 4, at += 4) target.setInt32(at, source.getInt32(start, true), true);
      for (; start < end; start++) to[at++] = from[start]!;
    } else {
      to.set(from.subarray(start, end), at);
      at += end - start;
    }
    toOffsets[i + 1] = at;
  }
}
