// Avro schemas as data: read from their JSON text, names resolved (a type may refer to itself), attributes that say nothing about
// bytes dropped. Lenient where other implementations are: a name may be defined again, and then means the later type.
// https://avro.apache.org/docs/1.12.0/specification/
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export type AvroType =
  | { readonly kind: 'null' | 'boolean' | 'float' | 'double' }
  /** `annotation`: what else the schema calls the type, where that is no timestamp or date of Avro: time-micros, a type of Debezium. */
  | { readonly kind: 'int' | 'long'; readonly logical: AvroTimeUnit | 'date' | null; readonly annotation?: string }
  | { readonly kind: 'string' }
  | { readonly kind: 'bytes'; readonly scale: number | null }
  | { readonly kind: 'fixed'; readonly name: string; readonly size: number; readonly scale: number | null }
  | { readonly kind: 'enum'; readonly name: string; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly items: AvroType }
  | { readonly kind: 'map'; readonly values: AvroType }
  | { readonly kind: 'record'; readonly name: string; readonly fields: readonly AvroField[] }
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] };

/** Digits behind the second of a timestamp. */
export type AvroTimeUnit = 'millis' | 'micros' | 'nanos';

export interface AvroField {
  readonly name: string;
  readonly type: AvroType;
}

export const AvroSchemaInvalid: CodedErrorClass<{ readonly detail: string }> = defineError(
  'avro.schema_invalid',
  { help: 'The text must be an Avro schema in JSON.' },
  (f) => `invalid Avro schema: ${f.detail}`,
);

const timestamps: Readonly<Record<string, AvroTimeUnit>> = {
  'timestamp-millis': 'millis',
  'timestamp-micros': 'micros',
  'timestamp-nanos': 'nanos',
  'local-timestamp-millis': 'millis',
  'local-timestamp-micros': 'micros',
  'local-timestamp-nanos': 'nanos',
};
const depthMax = 64;

/** `references` are texts of schemas whose types may be named, each of which may name those before it. @throws AvroSchemaInvalid */
export function parseAvroSchema(text: string, references: readonly string[] = []): AvroType {
  const scope: Scope = { names: new Map(), namespace: '' };
  for (const reference of references) readType(parseJson(reference), scope, 0);
  return readType(parseJson(text), scope, 0);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

interface Scope {
  readonly names: Map<string, AvroType>;
  readonly namespace: string;
}

function readType(json: unknown, scope: Scope, depth: number): AvroType {
  if (depth > depthMax) throw invalid(`types are nested more than ${depthMax} deep`);
  if (typeof json === 'string') return namedType(json, scope);
  if (Array.isArray(json)) return readUnion(json, scope, depth);
  if (!isObject(json)) throw invalid(`${JSON.stringify(json) ?? 'nothing'} is no type`);
  const { type, logicalType } = json;
  if (typeof type !== 'string') return readType(type, scope, depth + 1);
  switch (type) {
    case 'record':
    case 'error':
      return readRecord(json, scope, depth);
    case 'enum':
      return define(json, scope, (name) => ({ kind: 'enum', name, symbols: textList(json['symbols'], 'symbols') }));
    case 'fixed':
      return define(json, scope, (name) => {
        return { kind: 'fixed', name, size: size(json['size']), scale: scaleOf(json) };
      });
    case 'array':
      return { kind: 'array', items: readType(json['items'], scope, depth + 1) };
    case 'map':
      return { kind: 'map', values: readType(json['values'], scope, depth + 1) };
    case 'bytes':
      return { kind: 'bytes', scale: scaleOf(json) };
    case 'int':
      return { kind: 'int', logical: logicalType === 'date' ? 'date' : null, ...annotationOf(json) };
    case 'long':
      return { kind: 'long', logical: timestamps[String(logicalType)] ?? null, ...annotationOf(json) };
    default:
      return namedType(type, scope);
  }
}

function annotationOf(json: Readonly<Record<string, unknown>>): { readonly annotation?: string } {
  const { logicalType, 'connect.name': connectName } = json;
  if (typeof logicalType === 'string' && logicalType !== 'date' && timestamps[logicalType] === undefined) {
    return { annotation: logicalType };
  }
  return typeof connectName === 'string' && logicalType === undefined ? { annotation: connectName } : {};
}

function namedType(name: string, scope: Scope): AvroType {
  switch (name) {
    case 'null':
    case 'boolean':
    case 'float':
    case 'double':
    case 'string':
      return { kind: name };
    case 'int':
    case 'long':
      return { kind: name, logical: null };
    case 'bytes':
      return { kind: 'bytes', scale: null };
    default: {
      const type = scope.names.get(fullName(name, scope.namespace)) ?? scope.names.get(name);
      if (type === undefined) throw invalid(`there is no type ${JSON.stringify(name)}`);
      return type;
    }
  }
}

function readUnion(json: readonly unknown[], scope: Scope, depth: number): AvroType {
  if (json.length === 0) throw invalid('a union has at least one type');
  return { kind: 'union', branches: json.map((branch) => readType(branch, scope, depth + 1)) };
}

function readRecord(json: Readonly<Record<string, unknown>>, scope: Scope, depth: number): AvroType {
  const { fields } = json;
  if (!Array.isArray(fields)) throw invalid('a record has a list "fields"');
  const read: AvroField[] = [];
  // The list is filled behind the name, since a field may be of the record's own type.
  const fill = (inner: Scope): void => {
    for (const field of fields) {
      if (!isObject(field) || typeof field['name'] !== 'string') throw invalid('a field has a "name"');
      read.push({ name: field['name'], type: readType(field['type'], inner, depth + 1) });
    }
  };
  return define(json, scope, (name) => ({ kind: 'record', name, fields: read }), fill);
}

function define(
  json: Readonly<Record<string, unknown>>,
  scope: Scope,
  make: (name: string) => AvroType,
  fill: (inner: Scope) => void = () => {},
): AvroType {
  const { name, namespace } = json;
  if (typeof name !== 'string' || name === '') throw invalid(`a type of kind ${String(json['type'])} has a "name"`);
  const full = fullName(name, typeof namespace === 'string' ? namespace : scope.namespace);
  const inner = { names: scope.names, namespace: full.slice(0, Math.max(0, full.lastIndexOf('.'))) };
  const type = make(full);
  scope.names.set(full, type);
  fill(inner);
  return type;
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function textList(value: unknown, key: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw invalid(`"${key}" is a list of texts`);
  return value;
}

function size(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw invalid('"size" is a number of bytes');
  return value;
}

function scaleOf(json: Readonly<Record<string, unknown>>): number | null {
  if (json['logicalType'] !== 'decimal') return null;
  const { scale = 0 } = json;
  return typeof scale === 'number' && Number.isInteger(scale) && scale >= 0 ? scale : null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(detail: string): Error {
  return new AvroSchemaInvalid({ detail });
}
