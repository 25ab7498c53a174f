// Columns as the JsonConverter of Kafka Connect is told of them: the `schema` beside each `payload`.
//
// https://kafka.apache.org/documentation/#connect · org.apache.kafka.connect.json.JsonConverter. A DECIMAL is a text, so that no digit is
// lost and no reader has to know of scales; so is what Connect has no type for: BIGINT UNSIGNED, UUID, VARIANT. Parts of ARRAY, MAP and ROW
// are texts where they are no numbers or truth values. Not here: values (connect-row.ts).
import type { Field } from '../../runtime/batch/schema.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';

export type ConnectSchema = Readonly<Record<string, unknown>>;

/** A struct of columns. */
export function connectStruct(
  fields: readonly Field[],
  named: { readonly field?: string; readonly optional: boolean },
): ConnectSchema {
  const { field, optional } = named;
  return {
    type: 'struct',
    fields: fields.map(({ name, type, nullable }) => ({ field: name, ...connectType(type), optional: nullable })),
    optional,
    ...(field === undefined ? {} : { field }),
  };
}

/** Not a text: any type but a DECIMAL and BIGINT UNSIGNED. (Unsigned integers are DECIMALs here.) */
export function isConnectNumber(type: SqlType): boolean {
  return type.kind !== 'DECIMAL' || (type.unsigned !== undefined && type.unsigned < 64);
}

function connectType(type: SqlType): ConnectSchema {
  switch (type.kind) {
    case 'DATE':
      return { type: 'int32', name: 'org.apache.kafka.connect.data.Date', version: 1 };
    case 'TIME':
      return { type: 'int32', name: 'org.apache.kafka.connect.data.Time', version: 1 };
    case 'TIMESTAMP':
      return { type: 'int64', name: 'org.apache.kafka.connect.data.Timestamp', version: 1 };
    case 'BINARY':
    case 'VARBINARY':
      return { type: 'bytes' };
    default:
      return partType(type);
  }
}

function partType(type: SqlType): ConnectSchema {
  switch (type.kind) {
    case 'BOOLEAN':
      return { type: 'boolean' };
    case 'TINYINT':
      return { type: 'int8' };
    case 'SMALLINT':
      return { type: 'int16' };
    case 'INTEGER':
      return { type: 'int32' };
    case 'BIGINT':
      return { type: 'int64' };
    case 'DECIMAL':
      return { type: isConnectNumber(type) ? 'int64' : 'string' };
    case 'REAL':
      return { type: 'float' };
    case 'DOUBLE':
      return { type: 'double' };
    case 'BINARY':
    case 'VARBINARY':
      return { type: 'array', items: { type: 'int16', optional: false } };
    case 'ARRAY':
      return { type: 'array', items: { ...partType(type.element), optional: true } };
    case 'MAP':
      return {
        type: 'map',
        keys: { type: 'string', optional: false },
        values: { ...partType(type.value), optional: true },
      };
    case 'ROW':
      return {
        type: 'struct',
        fields: type.fields.map((field) => ({ field: field.name, ...partType(field.type), optional: true })),
      };
    default:
      return { type: 'string' };
  }
}
