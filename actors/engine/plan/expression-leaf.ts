// Source of the leaves of expressions: columns and literals.
//
// A column is read according to how it lies (`ColumnShape`); text stays a slice of bytes, a UUID two words, a wide
// DECIMAL becomes one big integer. What is read under a NULL is never computed with, but must not fail to be read.
import { assert, unreachable } from '../../../runtime/assert.ts';
import { parseUuidText } from '../../../runtime/batch/scalar-text.ts';
import { type SqlType, storageOf } from '../../../runtime/batch/sql-type.ts';
import type { ColumnReference, Literal } from '../sql/bound.ts';
import { type CodeWriter, isBinary, isText, nullValue, type Operand, type ValueCode } from './expression-code.ts';

/** How a column of the input lies in the batches that a variant of a program runs on. */
export interface ColumnShape {
  readonly layout: 'fixed' | 'bytes' | 'dictionary' | 'memo';
  /** Whether the column has a validity bitmap. */
  readonly nullable: boolean;
}

/** A literal: parameters, or JavaScript's own constants. */
export function literalOperand(writer: CodeWriter, literal: Literal): Operand {
  const { type, value } = literal;
  if (value === null) return { type, isNull: 'true', value: nullValue(type) };
  if (typeof value === 'boolean') return { type, isNull: null, value: { form: 'plain', code: String(value) } };
  const plain = writer.parameter(value);
  if (isText(type) || isBinary(type)) {
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    assert(bytes instanceof Uint8Array, 'a text or binary literal has a string or bytes');
    const slice = { bytes: writer.parameter(bytes), start: '0', end: String(bytes.length), plain };
    return { type, isNull: null, value: { form: 'slice', ...slice } };
  }
  if (type.kind === 'UUID' && typeof value === 'string') {
    const words = parseUuidText(value);
    assert(words !== undefined, 'a UUID literal is well-formed');
    const names = { low: writer.parameter(words.low), high: writer.parameter(words.high), plain };
    return { type, isNull: null, value: { form: 'words', ...names } };
  }
  return { type, isNull: null, value: { form: 'plain', code: plain } };
}

/** The value of a column in the current row. */
export function columnOperand(writer: CodeWriter, shapes: readonly ColumnShape[], column: ColumnReference): Operand {
  const { ordinal, type } = column;
  const shape = shapes[ordinal];
  assert(shape !== undefined, 'an expression refers to a column of its input');
  const isNull = shape.nullable ? writer.define('n', `(u${ordinal}[i >> 3] & (1 << (i & 7))) === 0`) : null;
  switch (shape.layout) {
    case 'bytes': {
      const start = writer.define('s', `x${ordinal}[i]`);
      const end = writer.define('e', `x${ordinal}[i + 1]`);
      return { type, isNull, value: { form: 'slice', bytes: `b${ordinal}`, start, end } };
    }
    case 'dictionary':
    case 'memo': {
      // The code under a NULL need not be one of the dictionary's.
      const code = writer.define('k', isNull === null ? `d${ordinal}[i]` : `${isNull} ? -1 : d${ordinal}[i]`);
      const start = writer.define(
        's',
        isNull === null ? `x${ordinal}[${code}]` : `${code} < 0 ? 0 : x${ordinal}[${code}]`,
      );
      const end = writer.define(
        'e',
        isNull === null ? `x${ordinal}[${code} + 1]` : `${code} < 0 ? 0 : x${ordinal}[${code} + 1]`,
      );
      return { type, isNull, value: { form: 'slice', bytes: `b${ordinal}`, start, end } };
    }
    case 'fixed':
      return { type, isNull, value: fixedValue(writer, ordinal, type, isNull) };
    default:
      return unreachable(shape.layout);
  }
}

function fixedValue(writer: CodeWriter, ordinal: number, type: SqlType, isNull: string | null): ValueCode {
  if (type.kind === 'NULL') return { form: 'plain', code: 'false' };
  if (type.kind === 'BOOLEAN') {
    const test = `c${ordinal}[i] === 1`;
    return { form: 'plain', code: writer.define('v', isNull === null ? test : `!${isNull} && ${test}`) };
  }
  if (storageOf(type) !== 'i128') return { form: 'plain', code: writer.define('v', `c${ordinal}[i]`) };
  const low = writer.define('l', `c${ordinal}[2 * i]`);
  const high = writer.define('h', `c${ordinal}[2 * i + 1]`);
  if (type.kind === 'UUID') return { form: 'words', low, high };
  // Most wide decimals fit one word: they stay machine integers.
  const wide = `(${high} << 64n) + BigInt.asUintN(64, ${low})`;
  return { form: 'plain', code: writer.define('v', `${high} === (${low} < 0n ? -1n : 0n) ? ${low} : ${wide}`) };
}
