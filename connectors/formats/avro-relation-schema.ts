// Avro schemas as text, made of the columns of a relation: what a reader of the messages finds in the registry.
//
// A nullable column is a union of null and its type. The types are those that the avro input takes for the same column, so that a relation
// that is written and read again is the same. Names that Avro does not allow are refused.
import type { Field, Relation } from '../../runtime/batch/schema.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import { unfit } from './avro-plan.ts';
import { FormatUnsupportedType } from './format-errors.ts';

export interface RecordWish {
  readonly name: string;
  readonly namespace: string | null;
  /** Ordinals; null: all. */
  readonly columns: readonly number[] | null;
  /** A field more, of text. */
  readonly extraField: string | null;
}

/** @throws FormatUnsupportedType, AvroUnfitSchema */
export function recordSchemaOf({ schema }: Relation, wish: RecordWish): string {
  const { name, namespace, columns, extraField } = wish;
  const fields = schema.fields.filter((_, ordinal) => columns === null || columns.includes(ordinal)).map(fieldOf);
  if (extraField !== null) fields.push({ name: named(extraField), type: 'string' });
  return JSON.stringify({
    type: 'record',
    name: named(name),
    ...(namespace === null ? {} : { namespace }),
    fields,
  });
}

function fieldOf(field: Field): { readonly name: string; readonly type: unknown } {
  const type = typeOf(field.type, field.name, [named(field.name)]);
  return { name: named(field.name), type: field.nullable ? ['null', type] : type };
}

function typeOf(type: SqlType, column: string, path: readonly string[]): unknown {
  switch (type.kind) {
    case 'BOOLEAN':
      return 'boolean';
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
      return 'int';
    case 'BIGINT':
      return 'long';
    case 'REAL':
      return 'float';
    case 'DOUBLE':
      return 'double';
    case 'DECIMAL':
      if (type.unsigned !== undefined && type.unsigned < 64) return type.unsigned < 32 ? 'int' : 'long';
      return { type: 'bytes', logicalType: 'decimal', precision: type.precision, scale: type.scale };
    case 'CHAR':
    case 'VARCHAR':
    case 'VARIANT':
      return 'string';
    case 'UUID':
      return { type: 'string', logicalType: 'uuid' };
    case 'BINARY':
    case 'VARBINARY':
      return 'bytes';
    case 'DATE':
      return { type: 'int', logicalType: 'date' };
    case 'TIME':
      return { type: 'long', logicalType: 'time-micros' };
    case 'TIMESTAMP':
      return { type: 'long', logicalType: 'timestamp-micros' };
    case 'ARRAY':
      return { type: 'array', items: ['null', typeOf(type.element, column, [...path, 'item'])] };
    case 'MAP':
      return { type: 'map', values: ['null', typeOf(type.value, column, [...path, 'value'])] };
    case 'ROW': {
      const fields = type.fields.map(({ name, type: inner }) => ({
        name: named(name),
        type: ['null', typeOf(inner, column, [...path, name])],
      }));
      // The name of a record stands for it in the whole schema.
      return { type: 'record', name: path.join('_'), fields };
    }
    case 'INTERVAL_MONTHS':
    case 'INTERVAL_MICROS':
    case 'NULL':
      throw new FormatUnsupportedType({ format: 'avro', column, type: type.kind });
  }
}

/** @throws AvroUnfitSchema */
function named(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw unfit(`"${name}" is no name that Avro allows: rename it in the view`);
}
