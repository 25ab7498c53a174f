// A text for any value of a type whose order as bytes is the order of the values: NULL first, NaN last, arrays element by element.
//
// Two values next to one another in a key do not run into each other: what varies in length ends with the smallest character. The
// character U+0000 is never part of a key, so that it may end one. Who keeps values as texts (ARRAY_AGG) sorts them with it.
import { fromPublic, Refusal } from '../../../runtime/batch/public-values.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { parseVariant } from '../../../runtime/batch/variant-json.ts';
import type { ScalarValue } from './scalar-value.ts';

const end = '\u0001';
const nothing = '\u0002';
const something = '\u0003';

export function orderKey(value: ScalarValue, type: SqlType): string {
  return value === null ? nothing : something + presentKey(value, type);
}

function presentKey(value: NonNullable<ScalarValue>, type: SqlType): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'bigint') return integerKey(value);
  if (typeof value === 'number') {
    return type.kind === 'REAL' || type.kind === 'DOUBLE' ? floatKey(value) : integerKey(BigInt(value));
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex') + end;
  switch (type.kind) {
    case 'ARRAY':
      return (
        partsOf(value)
          .map((part) => partKey(part, type.element))
          .join('') + end
      );
    case 'ROW': {
      const members = membersOf(value);
      return type.fields.map((field) => partKey(members.get(field.name), field.type)).join('');
    }
    case 'MAP': {
      const entries = [...membersOf(value)].sort(([a], [b]) => (a < b ? -1 : 1));
      return entries.map(([key, part]) => something + textKey(key) + partKey(part, type.value)).join('') + end;
    }
    default:
      return textKey(value);
  }
}

/** 128 bits and more as digits of fixed number, negative ones below. */
function integerKey(value: bigint): string {
  return (value + 2n ** 191n).toString(16).padStart(48, '0');
}

const bits: BigInt64Array = new BigInt64Array(1);
const double: Float64Array = new Float64Array(bits.buffer);

function floatKey(value: number): string {
  double[0] = value + 0;
  const word = bits[0] ?? 0n;
  const ordered = Number.isNaN(value) ? 2n ** 64n - 1n : word < 0n ? -word - 1n : word + 2n ** 63n;
  return ordered.toString(16).padStart(16, '0');
}

/** The characters that have a meaning of their own stand two places higher behind a mark. */
function textKey(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters with a meaning of their own.
  return text.replace(/[\u0000-\u0003]/g, (mark) => `\u0003${String.fromCharCode(mark.charCodeAt(0) + 0x30)}`) + end;
}

function partKey(part: unknown, type: SqlType): string {
  const cell = part === undefined ? null : fromPublic(part, type);
  return orderKey(cell instanceof Refusal ? null : cell, type);
}

function partsOf(text: string): unknown[] {
  const parsed = parseVariant(text);
  return Array.isArray(parsed) ? parsed : [];
}

function membersOf(text: string): Map<string, unknown> {
  const parsed = parseVariant(text);
  return new Map(typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : []);
}
