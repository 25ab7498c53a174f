// One column of a batch: values, and a bitmap that says which of them are there.
//
//   validity   bit i (byte i >> 3, bit i & 7, as in Arrow) is 1 when row i has a value; null = no row is NULL
//   fixed      values[i], or values[2i] (low) and values[2i + 1] (high) for i128; the value under a NULL is undefined
//   bytes      row i is bytes[offsets[i] .. offsets[i + 1]); offsets[0] may be greater than 0 (a slice)
//   dictionary row i is entry codes[i] of a dictionary; the code under a NULL is undefined but in range of Int32
// A dictionary is append-only: an entry, once given a code, keeps it, so a batch may go on pointing at a dictionary that
// grows. Entries of one dictionary are distinct, unless it `repeats`: then equal codes mean equal strings, but not the other way
// round. `identity` tells whether two columns share codes.
// Columns are immutable once their batch is finished. Kernels take the arrays, never the column.
import type { SqlType } from './sql-type.ts';

/** Arrays that hold fixed-width values. */
export type Values = Uint8Array | Int8Array | Int16Array | Int32Array | BigInt64Array | Float32Array | Float64Array;

export interface FixedColumn {
  readonly layout: 'fixed';
  readonly type: SqlType;
  readonly validity: Uint8Array | null;
  readonly values: Values;
}

export interface BytesColumn {
  readonly layout: 'bytes';
  readonly type: SqlType;
  readonly validity: Uint8Array | null;
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

/** Byte strings, numbered from 0 and distinct unless it says otherwise. Entry c is bytes[offsets[c] .. offsets[c + 1]). */
export interface Dictionary {
  /** Equal objects share codes. Never sent over a port. */
  readonly identity: object;
  readonly size: number;
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
  /** Whether two entries may be equal: then whoever compares codes that differ has to compare bytes. */
  readonly repeats?: boolean;
  /** Whether offsets and bytes lie in memory that every thread may read, and stay as they are for as long as anybody does. */
  readonly isShared?: boolean;
  /** Whether offsets and bytes are never written over, so that who keeps them need not copy them. */
  readonly isLasting?: boolean;
}

export interface DictionaryColumn {
  readonly layout: 'dictionary';
  readonly type: SqlType;
  readonly validity: Uint8Array | null;
  readonly codes: Int32Array;
  readonly dictionary: Dictionary;
}

export type Column = FixedColumn | BytesColumn | DictionaryColumn;

/** Whether row `row` has a value. For kernels: inline the test. */
export function isValid(validity: Uint8Array | null, row: number): boolean {
  return validity === null || (validity[row >> 3]! & (1 << (row & 7))) !== 0;
}
