// How the columns of a row lie in a record of 32-bit words: the one form in which rows are kept in state.
//
//   bool i8 i16 i32 f32   one word        i64 f64   two words, low first        i128   four words, low first
//   bytes                 one word, the code of the string in the circuit's pool; of a carried column one of its codes
//   NULL                  all words of the column are 0, and its bit in a null word behind the columns is 1
// A record is read and written as Int32Array whatever its columns are, so hashing, equality and copying are loops over
// words: equal words mean equal rows, and where no column is carried the other way round too. For that, NaN has one bit
// pattern, and in keys -0 is stored as 0.
// Row-major on purpose: a probe into a large table touches one cache line of the row, not one for each column.
import type { Field } from '../../../runtime/batch/schema.ts';
import { type SqlType, type Storage, storageOf } from '../../../runtime/batch/sql-type.ts';
import { CarriedTexts } from './carried-texts.ts';

export interface LayoutColumn {
  readonly type: SqlType;
  readonly storage: Storage;
  /** Word offset from the start of the layout. */
  readonly offset: number;
  readonly words: number;
  /** Word that holds the null bit, -1 when the column is never NULL. */
  readonly nullWord: number;
  readonly nullBit: number;
  /** How strings get their codes that nobody compares; null: they are interned. */
  readonly carried: CarriedTexts | null;
}

export interface RowLayout {
  readonly columns: readonly LayoutColumn[];
  readonly words: number;
}

export function wordsOf(storage: Storage): number {
  if (storage === 'i128') return 4;
  return storage === 'i64' || storage === 'f64' ? 2 : 1;
}

/** A layout for columns in this order; `start` shifts every offset. Strings of rows that nobody compares may be carried. */
export function layoutOf(
  fields: readonly Pick<Field, 'type' | 'nullable'>[],
  start = 0,
  strings: 'interned' | 'carried' = 'interned',
): RowLayout {
  let offset = start;
  const places = fields.map((field) => {
    const storage = storageOf(field.type);
    const carried = storage === 'bytes' && strings === 'carried' ? new CarriedTexts() : null;
    const place = { type: field.type, storage, offset, words: wordsOf(storage), nullable: field.nullable, carried };
    offset += place.words;
    return place;
  });
  let nullables = 0;
  const columns = places.map(({ nullable, ...place }) => {
    if (!nullable) return { ...place, nullWord: -1, nullBit: 0 };
    const bit = nullables++;
    return { ...place, nullWord: offset + (bit >> 5), nullBit: 1 << (bit & 31) };
  });
  return { columns, words: offset - start + ((nullables + 31) >> 5) };
}

/** Where the null words of a layout begin, and how many there are. */
export function nullWordsOf(layout: RowLayout): readonly [first: number, count: number] {
  let first = -1;
  let last = -2;
  for (const column of layout.columns) {
    if (column.nullWord < 0) continue;
    if (first < 0) first = column.nullWord;
    last = column.nullWord;
  }
  return [first, last - first + 1];
}
