// The order of SQL values in the form in which state holds them.
//
// Numbers by value (NaN after everything else, as in most SQL engines), strings and binary bytewise (= by code point for
// UTF-8), UUID as unsigned, BOOLEAN false before true. NULL is not here: whoever orders rows decides where it goes.
import { unreachable } from '../../../runtime/assert.ts';
import { compareCells } from '../../../runtime/batch/nested-order.ts';
import { isNested, type SqlType, storageOf } from '../../../runtime/batch/sql-type.ts';
import type { StringPool } from './string-pool.ts';

/** Negative, 0 or positive: the value at word `atA` of `a` against the one at word `atB` of `b`. */
export type ValueOrder = (a: Int32Array, atA: number, b: Int32Array, atB: number) => number;

export function valueOrder(type: SqlType, pool: StringPool): ValueOrder {
  const storage = storageOf(type);
  switch (storage) {
    case 'bool':
    case 'i8':
    case 'i16':
    case 'i32':
      return orderWord;
    case 'i64':
      return orderTwoWords;
    case 'f32':
      return orderSingle;
    case 'f64':
      return orderDouble;
    case 'i128':
      return type.kind === 'UUID' ? orderUnsigned128 : orderSigned128;
    case 'bytes':
      if (isNested(type) || type.kind === 'VARIANT')
        return (a, atA, b, atB) => orderNested(a[atA]!, b[atB]!, type, pool);
      return (a, atA, b, atB) => pool.compare(a[atA]!, b[atB]!);
    default:
      return unreachable(storage);
  }
}

function orderNested(a: number, b: number, type: SqlType, pool: StringPool): number {
  return a === b ? 0 : compareCells(pool.text(a), pool.text(b), type);
}

// ── data plane ──

function orderUnsigned(a: number, b: number): number {
  const x = a ^ 0x80000000;
  const y = b ^ 0x80000000;
  return x < y ? -1 : x > y ? 1 : 0;
}

function orderWord(a: Int32Array, atA: number, b: Int32Array, atB: number): number {
  const x = a[atA]!;
  const y = b[atB]!;
  return x < y ? -1 : x > y ? 1 : 0;
}

function orderTwoWords(a: Int32Array, atA: number, b: Int32Array, atB: number): number {
  const x = a[atA + 1]!;
  const y = b[atB + 1]!;
  if (x !== y) return x < y ? -1 : 1;
  return orderUnsigned(a[atA]!, b[atB]!);
}

/** Bits of a float as an integer of the same order: negative numbers have their magnitude inverted. */
function orderSingle(a: Int32Array, atA: number, b: Int32Array, atB: number): number {
  const x = a[atA]! ^ ((a[atA]! >> 31) & 0x7fffffff);
  const y = b[atB]! ^ ((b[atB]! >> 31) & 0x7fffffff);
  return x < y ? -1 : x > y ? 1 : 0;
}

function orderDouble(a: Int32Array, atA: number, b: Int32Array, atB: number): number {
  const signA = a[atA + 1]! >> 31;
  const signB = b[atB + 1]! >> 31;
  const x = a[atA + 1]! ^ (signA & 0x7fffffff);
  const y = b[atB + 1]! ^ (signB & 0x7fffffff);
  if (x !== y) return x < y ? -1 : 1;
  return orderUnsigned(a[atA]! ^ signA, b[atB]! ^ signB);
}

function orderSigned128(a: Int32Array, atA: number, b: Int32Array, atB: number): number {
  const x = a[atA + 3]!;
  const y = b[atB + 3]!;
  if (x !== y) return x < y ? -1 : 1;
  return orderLower96(a, atA, b, atB);
}

function orderUnsigned128(a: Int32Array, atA: number, b: Int32Array, atB: number): number {
  return orderUnsigned(a[atA + 3]!, b[atB + 3]!) || orderLower96(a, atA, b, atB);
}

function orderLower96(a: Int32Array, atA: number, b: Int32Array, atB: number): number {
  return (
    orderUnsigned(a[atA + 2]!, b[atB + 2]!) ||
    orderUnsigned(a[atA + 1]!, b[atB + 1]!) ||
    orderUnsigned(a[atA]!, b[atB]!)
  );
}
