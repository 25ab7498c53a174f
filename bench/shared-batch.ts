// A batch whose arrays all threads read: laid into shared memory once, by whoever makes it.
//
// A copy of everything; the batch that was given stays as it is. Nobody may write to either. A dictionary keeps its identity.
import type { ChangeBatch } from '../runtime/batch/change-batch.ts';
import type { Column, Values } from '../runtime/batch/column.ts';

export function sharedBatch(batch: ChangeBatch): ChangeBatch {
  return {
    ...batch,
    weights: batch.weights === null ? null : shared(batch.weights),
    presence: batch.presence === null ? null : shared(batch.presence),
    columns: batch.columns.map(sharedColumn),
  };
}

function sharedColumn(column: Column): Column {
  const validity = column.validity === null ? null : shared(column.validity);
  switch (column.layout) {
    case 'fixed':
      return { ...column, validity, values: shared(column.values) };
    case 'bytes':
      return { ...column, validity, offsets: shared(column.offsets), bytes: shared(column.bytes) };
    case 'dictionary': {
      const { dictionary } = column;
      const strings = { offsets: shared(dictionary.offsets), bytes: shared(dictionary.bytes) };
      return { ...column, validity, codes: shared(column.codes), dictionary: { ...dictionary, ...strings } };
    }
  }
}

function shared<A extends Values>(array: A): A {
  // SAFETY: the constructor of a typed array makes arrays of its own class, over shared memory as well.
  const make = array.constructor as new (memory: SharedArrayBuffer) => A;
  const placed = new make(new SharedArrayBuffer(array.byteLength));
  // SAFETY: both are of one class.
  (placed as Uint8Array).set(array as Uint8Array);
  return placed;
}
