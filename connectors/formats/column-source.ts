// A column as a text encoder reads it: its kind as a small number and the arrays of the batch at hand.
//
// Encoders keep one source per column and bind it to each batch. `printScalar` prints what json and csv spell alike; strings, binary
// and VARIANT are printed by the format. Not here: quotes, separators.
import type { Column, Dictionary } from '../../runtime/batch/column.ts';
import type { Field, Relation } from '../../runtime/batch/schema.ts';
import type { Storage } from '../../runtime/batch/sql-type.ts';
import { storageOf } from '../../runtime/batch/sql-type.ts';
import { printDecimal, printDecimalWide } from '../../runtime/batch/text-decimal.ts';
import { printDouble, printReal } from '../../runtime/batch/text-double.ts';
import { printBigint, printBoolean, printInteger } from '../../runtime/batch/text-integer.ts';
import { printDate, printTime, printTimestamp } from '../../runtime/batch/text-temporal.ts';
import { printUuid } from '../../runtime/batch/text-uuid.ts';
import { wordsOf } from '../../runtime/batch/text-words.ts';
import {
  targetBigint,
  targetBoolean,
  targetDate,
  targetDecimal,
  targetFloat,
  targetInteger,
  targetKindOf,
  targetTime,
  targetTimestamp,
  targetUuid,
} from './column-target.ts';
import { type NestedPrinter, nestedPrinter } from './nested-printer.ts';

const noInts = new Int32Array(0);
const noBytes = new Uint8Array(0);
const noFloats = new Float64Array(0);

export class ColumnSource {
  readonly field: Field;
  /** One of the kinds of column-target.ts. */
  readonly kind: number;
  readonly storage: Storage;
  readonly scale: number;
  validity: Uint8Array | null = null;
  bools: Uint8Array = noBytes;
  ints: Int32Array | Int16Array | Int8Array = noInts;
  words: Int32Array = noInts;
  floats: Float64Array | Float32Array = noFloats;
  /** Of a bytes column, or of the dictionary. */
  offsets: Int32Array = noInts;
  bytes: Uint8Array = noBytes;
  dictionary: Dictionary | null = null;
  codes: Int32Array = noInts;
  /** JSON of ARRAY, MAP and ROW that is not printed as it is stored. */
  readonly nested: NestedPrinter | null;

  /** @throws FormatUnsupportedType */
  constructor(field: Field, format: string) {
    this.field = field;
    this.kind = targetKindOf(field, format);
    this.storage = storageOf(field.type);
    this.nested = nestedPrinter(field.type);
    this.scale = field.type.kind === 'DECIMAL' ? field.type.scale : 0;
  }

  bind(column: Column): void {
    this.validity = column.validity;
    this.dictionary = null;
    if (column.layout === 'bytes') {
      this.offsets = column.offsets;
      this.bytes = column.bytes;
    } else if (column.layout === 'dictionary') {
      this.dictionary = column.dictionary;
      this.offsets = column.dictionary.offsets;
      this.bytes = column.dictionary.bytes;
      this.codes = column.codes;
    } else {
      const values = column.values;
      if (values instanceof BigInt64Array) this.words = wordsOf(values);
      else if (values instanceof Uint8Array) this.bools = values;
      else if (values instanceof Float64Array || values instanceof Float32Array) this.floats = values;
      else this.ints = values;
    }
  }
}

/** One source for each column. @throws FormatUnsupportedType for a column that text formats cannot spell. */
export function makeSources(relation: Relation, format: string): readonly ColumnSource[] {
  return relation.schema.fields.map((field) => new ColumnSource(field, format));
}

// ── data plane ──

/** The entry of `offsets` that row `row` is. */
export function entryOf(source: ColumnSource, row: number): number {
  return source.dictionary === null ? row : source.codes[row]!;
}

/** Prints a value of fixed width; the caller has made room for `scalarTextBytesMax`. Returns the position behind it. */
export function printScalar(source: ColumnSource, row: number, out: Uint8Array, at: number): number {
  switch (source.kind) {
    case targetInteger:
      return printInteger(source.ints[row]!, out, at);
    case targetBigint:
      return printBigint(source.words, row, out, at);
    case targetDecimal:
      return source.storage === 'i64'
        ? printDecimal(source.words, row, source.scale, out, at)
        : printDecimalWide(source.words, row, source.scale, out, at);
    case targetFloat:
      return source.storage === 'f32'
        ? printReal(source.floats[row]!, out, at)
        : printDouble(source.floats[row]!, out, at);
    case targetBoolean:
      return printBoolean(source.bools[row]!, out, at);
    case targetDate:
      return printDate(source.ints[row]!, out, at);
    case targetTime:
      return printTime(source.words, row, out, at);
    case targetTimestamp:
      return printTimestamp(source.words, row, out, at);
    case targetUuid:
      return printUuid(source.words, row, out, at);
    default:
      return at;
  }
}

/** Prints entry `entry` of a BINARY column as a JSON array of integers; at most 4 bytes for each, and 2. */
export function printBinary(source: ColumnSource, entry: number, out: Uint8Array, at: number): number {
  const { offsets, bytes } = source;
  const end = offsets[entry + 1]!;
  let to = at;
  out[to++] = 0x5b;
  for (let i = offsets[entry]!; i < end; i++) {
    if (i > offsets[entry]!) out[to++] = 0x2c;
    to = printInteger(bytes[i]!, out, to);
  }
  out[to] = 0x5d;
  return to + 1;
}
