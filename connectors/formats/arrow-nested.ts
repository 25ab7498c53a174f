// ARRAY, MAP and ROW as Arrow types: LargeList, Map with entries {key, value}, Struct.
//
// Nested values come as arrays and objects (public-values.ts), are laid out level by level and end in columns of scalars, which the
// caller makes (`dataOf`): so a BIGINT in an array is as exact as one in a column. Not here: scalars (arrow-columns.ts).
import { type Data, type DataType, Field, LargeList, Map_, makeData, Struct } from 'apache-arrow';
import type { NestedType, SqlType } from '../../runtime/batch/sql-type.ts';

type DataOf = (type: SqlType, values: readonly unknown[]) => Data;

export function nestedType(type: NestedType, typeOf: (inner: SqlType) => DataType): DataType {
  switch (type.kind) {
    case 'ARRAY':
      return new LargeList(new Field('item', typeOf(type.element), true));
    case 'MAP': {
      const entry = [new Field('key', typeOf(type.key), false), new Field('value', typeOf(type.value), true)];
      return new Map_(new Field('entries', new Struct<{ key: DataType; value: DataType }>(entry), false));
    }
    case 'ROW':
      return new Struct(type.fields.map((field) => new Field(field.name, typeOf(field.type), true)));
  }
}

/** Values in their public forms as a column of a nested type. */
export function nestedData(type: NestedType, values: readonly unknown[], dataOf: DataOf): Data {
  const length = values.length;
  const nullBitmap = new Uint8Array((length + 7) >> 3);
  let nullCount = 0;
  for (const [i, value] of values.entries()) {
    if (value === null || value === undefined) nullCount++;
    else nullBitmap[i >> 3] = (nullBitmap[i >> 3] ?? 0) | (1 << (i & 7));
  }
  const shape = { length, nullCount, nullBitmap: nullCount === 0 ? null : nullBitmap };
  switch (type.kind) {
    case 'ARRAY': {
      const lists = values.map((value) => (Array.isArray(value) ? value : []));
      const child = dataOf(type.element, lists.flat());
      const list = new LargeList(new Field('item', child.type, true));
      return makeData({ ...shape, type: list, valueOffsets: BigInt64Array.from(offsetsOf(lists), BigInt), child });
    }
    case 'MAP': {
      const maps = values.map((value) => Object.entries(asObject(value)));
      const entries = maps.flat();
      const key = dataOf(
        type.key,
        entries.map(([name]) => name),
      );
      const value = dataOf(
        type.value,
        entries.map(([, content]) => content),
      );
      const fields = [new Field('key', key.type, false), new Field('value', value.type, true)];
      const struct = new Struct<{ key: DataType; value: DataType }>(fields);
      const child = makeData({ type: struct, length: entries.length, nullCount: 0, children: [key, value] });
      const map = new Map_(new Field('entries', struct, false));
      return makeData({ ...shape, type: map, valueOffsets: offsetsOf(maps), child });
    }
    case 'ROW': {
      const rows = values.map(asObject);
      const children = type.fields.map((field) =>
        dataOf(
          field.type,
          rows.map((row): unknown => Reflect.get(row, field.name) ?? null),
        ),
      );
      const fields = type.fields.map((field, i) => new Field(field.name, children[i]?.type ?? new Struct([]), true));
      return makeData({ ...shape, type: new Struct(fields), children });
    }
  }
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function offsetsOf(lists: readonly (readonly unknown[])[]): Int32Array {
  const offsets = new Int32Array(lists.length + 1);
  for (const [i, list] of lists.entries()) offsets[i + 1] = (offsets[i] ?? 0) + list.length;
  return offsets;
}
