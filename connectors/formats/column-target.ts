// A column as a text decoder writes it: its kind as a small number, its bounds, and the typed arrays of the builder at hand.
//
// Decoders keep one target per column and bind it to a builder; the arrays are replaced when the builder grows, so `bind` is
// called again after every `reserve`. Not here: how a value is spelled (json-value.ts, csv-field.ts).
import type { ColumnBuilder } from '../../runtime/batch/batch-builder.ts';
import type { Field, Relation } from '../../runtime/batch/schema.ts';
import { type Storage, unsignedBitsOf } from '../../runtime/batch/sql-type.ts';
import { wordsOf } from '../../runtime/batch/text-words.ts';
import { FormatUnsupportedType } from './format-errors.ts';

/** Kinds of targets, dense so that a switch over them is a jump. */
export const targetBoolean = 0;
export const targetInteger = 1;
export const targetBigint = 2;
export const targetFloat = 3;
export const targetDecimal = 4;
export const targetString = 5;
export const targetBinary = 6;
export const targetDate = 7;
export const targetTime = 8;
export const targetTimestamp = 9;
export const targetUuid = 10;
export const targetVariant = 11;
/** ARRAY, MAP and ROW: JSON text, checked against the type of the column. */
export const targetNested = 12;

/** How BINARY and VARIANT are spelled in JSON, where that is another way than usual. */
export const spelledPlain = 0;
export const spelledBase58 = 1;
export const spelledHex = 2;
/** JSON within a text. */
export const spelledJsonText = 3;

const noInts = new Int32Array(0);
const noFloats = new Float64Array(0);
const noBools = new Uint8Array(0);

export class ColumnTarget {
  readonly field: Field;
  readonly ordinal: number;
  readonly kind: number;
  readonly storage: Storage;
  readonly nullable: boolean;
  /** Bounds of an integer of at most 32 bits. */
  readonly min: number;
  readonly max: number;
  readonly precision: number;
  readonly scale: number;
  /** Bits of an unsigned integer; 0 for every other type. */
  readonly unsigned: number;
  /** What a number counts where a DATE, TIME or TIMESTAMP may be one in JSON (json-flavor.ts); 0: it may not. Set before the first value. */
  numberUnit = 0;
  spelled: number = spelledPlain;
  column: ColumnBuilder;
  bools: Uint8Array = noBools;
  ints: Int32Array | Int16Array | Int8Array = noInts;
  /** i64: two words a row; i128: four. */
  words: Int32Array = noInts;
  floats: Float64Array | Float32Array = noFloats;

  constructor(field: Field, ordinal: number, column: ColumnBuilder, format: string) {
    this.field = field;
    this.ordinal = ordinal;
    this.kind = targetKindOf(field, format);
    this.storage = column.storage;
    this.nullable = field.nullable;
    const bits = this.storage === 'i8' ? 8 : this.storage === 'i16' ? 16 : 32;
    this.min = -(2 ** (bits - 1));
    this.max = 2 ** (bits - 1) - 1;
    this.precision = field.type.kind === 'DECIMAL' ? field.type.precision : 0;
    this.scale = field.type.kind === 'DECIMAL' ? field.type.scale : 0;
    this.unsigned = unsignedBitsOf(field.type);
    this.column = column;
    this.bind(column);
  }

  /** Takes the arrays of `column`, anew after each growth. */
  bind(column: ColumnBuilder): void {
    this.column = column;
    const values = column.values;
    if (values instanceof BigInt64Array) this.words = wordsOf(values);
    else if (values instanceof Uint8Array) this.bools = values;
    else if (values instanceof Float64Array || values instanceof Float32Array) this.floats = values;
    else this.ints = values;
  }

  /** Writes a value that nobody reads, for the columns that a deletion or a partial update does not give. */
  writeUnused(row: number): void {
    switch (this.storage) {
      case 'bool':
        this.bools[row] = 0;
        break;
      case 'i8':
      case 'i16':
      case 'i32':
        this.ints[row] = 0;
        break;
      case 'i64':
        this.words.fill(0, 2 * row, 2 * row + 2);
        break;
      case 'i128':
        this.words.fill(0, 4 * row, 4 * row + 4);
        break;
      case 'f32':
      case 'f64':
        this.floats[row] = 0;
        break;
      case 'bytes':
        break;
    }
    if (this.nullable) this.column.setNull(row);
  }
}

/** One target for each column. @throws FormatUnsupportedType for a column that text formats cannot spell. */
export function makeTargets(relation: Relation, columns: readonly ColumnBuilder[], format: string): ColumnTarget[] {
  return relation.schema.fields.map((field, i) => new ColumnTarget(field, i, columns[i]!, format));
}

/** The kind of a column. @throws FormatUnsupportedType */
export function targetKindOf(field: Field, format: string): number {
  switch (field.type.kind) {
    case 'BOOLEAN':
      return targetBoolean;
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
      return targetInteger;
    case 'BIGINT':
      return targetBigint;
    case 'REAL':
    case 'DOUBLE':
      return targetFloat;
    case 'DECIMAL':
      return targetDecimal;
    case 'CHAR':
    case 'VARCHAR':
      return targetString;
    case 'BINARY':
    case 'VARBINARY':
      return targetBinary;
    case 'DATE':
      return targetDate;
    case 'TIME':
      return targetTime;
    case 'TIMESTAMP':
      return targetTimestamp;
    case 'UUID':
      return targetUuid;
    case 'VARIANT':
      return targetVariant;
    case 'ARRAY':
    case 'MAP':
    case 'ROW':
      return targetNested;
    case 'INTERVAL_MONTHS':
    case 'INTERVAL_MICROS':
    case 'NULL':
      throw new FormatUnsupportedType({ format, column: field.name, type: field.type.kind });
  }
}
