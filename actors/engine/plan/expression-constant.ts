// A literal as a column: the same value in every row. Text becomes a dictionary of one entry, with codes that are all 0,
// so that grouping and joining by it is integer work; its identity is the literal's, for all batches.

import { assert } from '../../../runtime/assert.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { Column, Dictionary } from '../../../runtime/batch/column.ts';
import { writeCell } from '../../../runtime/batch/scalar-values.ts';
import { makeSchema } from '../../../runtime/batch/schema.ts';
import { storageOf } from '../../../runtime/batch/sql-type.ts';
import type { Literal } from '../sql/bound.ts';

const dictionaries = new WeakMap<Literal, Dictionary>();

export function constantColumn(literal: Literal, rows: number): Column {
  const { type, value } = literal;
  if (value !== null && storageOf(type) === 'bytes') {
    return {
      layout: 'dictionary',
      type,
      validity: null,
      codes: new Int32Array(rows),
      dictionary: dictionaryOf(literal),
    };
  }
  const builder = new BatchBuilder(makeSchema([{ name: '', type, nullable: true }]), rows);
  builder.reserve(rows);
  const column = builder.columns[0];
  assert(column !== undefined, 'a builder has a column for its field');
  if (value === null) {
    const empty = column.finish(rows);
    return { ...empty, validity: new Uint8Array((rows + 7) >> 3) };
  }
  writeCell(column, 0, value);
  const width = column.storage === 'i128' ? 2 : 1;
  const values = column.values;
  // One row doubled until the array is full.
  for (let filled = width; filled < rows * width; filled *= 2) values.copyWithin(filled, 0, filled);
  return column.finish(rows);
}

function dictionaryOf(literal: Literal): Dictionary {
  const known = dictionaries.get(literal);
  if (known !== undefined) return known;
  const value = literal.value;
  const bytes = value instanceof Uint8Array ? value : new TextEncoder().encode(String(value));
  const dictionary = { identity: {}, size: 1, offsets: Int32Array.of(0, bytes.length), bytes };
  dictionaries.set(literal, dictionary);
  return dictionary;
}
