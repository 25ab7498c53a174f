// A batch for those who keep it, of one whose arrays may lie in memory that is used anew: what is shared is copied.
//
// The strings of a pool stay where they are: a pool is never written below its size.

import type { ChangeBatch } from './change-batch.ts';
import type { Column, Values } from './column.ts';
import { packed } from './packed-array.ts';

export function ownBatch(batch: ChangeBatch): ChangeBatch {
  const { weights, presence } = batch;
  return {
    ...batch,
    weights: weights === null ? null : own(weights),
    presence: presence === null ? null : own(presence),
    columns: packed(batch.columns, ownColumn),
  };
}

function ownColumn(column: Column): Column {
  const validity = column.validity === null ? null : own(column.validity);
  switch (column.layout) {
    case 'fixed':
      return { ...column, validity, values: own(column.values) };
    case 'bytes':
      return { ...column, validity, offsets: own(column.offsets), bytes: own(column.bytes) };
    case 'dictionary': {
      const codes = own(column.codes);
      if (column.dictionary.isShared === true || column.dictionary.isLasting === true)
        return { ...column, validity, codes };
      const { offsets, bytes } = column.dictionary;
      return {
        ...column,
        validity,
        codes,
        dictionary: { ...column.dictionary, offsets: own(offsets), bytes: own(bytes) },
      };
    }
  }
}

function own<A extends Values>(array: A): A {
  // SAFETY: slice gives an array of the class that it is called on.
  return array.buffer instanceof SharedArrayBuffer ? (array.slice() as A) : array;
}
