// Messages of protobuf as data: which field has which number and type, and how a message is read into, and written from, the JSON
// that `/v1` speaks (protojson: camel case, enums by name, bytes as base64, moments as texts).
//
// Fields that a message does not know are passed over, in both directions; fields with the default of their type are left out.
// For the control plane: records on the data plane are copied field by field elsewhere and never become objects.
import { encodeStruct } from '../../../connectors/sdk/protobuf-struct.ts';
import { ByteReader, ByteWriter } from '../../../connectors/sdk/protobuf-wire.ts';
import type { StructuredData } from '../../../connectors/sdk/record.ts';

export interface EnumType {
  readonly kind: 'enum';
  /** What stands behind a number first is its name in JSON. */
  readonly numbers: Readonly<Record<string, number>>;
}

export interface MessageType {
  readonly kind: 'message';
  readonly fields: Readonly<Record<string, Field>>;
}

/** `struct` is google.protobuf.Struct, which is only written; `moment` google.protobuf.Timestamp. */
export type ValueType = 'text' | 'bytes' | 'flag' | 'count' | 'count64' | 'moment' | 'struct' | EnumType | MessageType;

export interface Field {
  readonly number: number;
  readonly type: ValueType;
  readonly many: 'one' | 'list' | 'map';
}

export type Json = Readonly<Record<string, unknown>>;

export const one = (number: number, type: ValueType = 'text'): Field => ({ number, type, many: 'one' });
export const list = (number: number, type: ValueType = 'text'): Field => ({ number, type, many: 'list' });
/** Of texts to values. */
export const map = (number: number, type: ValueType = 'text'): Field => ({ number, type, many: 'map' });
export const message = (fields: Readonly<Record<string, Field>>): MessageType => ({ kind: 'message', fields });
/** Names by number, from 0. */
export const enumeration = (...names: readonly string[]): EnumType => ({
  kind: 'enum',
  numbers: Object.fromEntries(names.map((name, number) => [name, number])),
});

const varint = 0;
const delimited = 2;

export function writeMessage(type: MessageType, json: unknown): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writeFields(writer, type, json);
  return writer.finish();
}

/** @throws ProtobufMalformed */
export function readMessage(type: MessageType, bytes: Uint8Array): Json {
  return readFields(new ByteReader(bytes), type);
}

function writeFields(writer: ByteWriter, { fields }: MessageType, json: unknown): void {
  if (typeof json !== 'object' || json === null) return;
  const values = new Map(Object.entries(json));
  for (const [name, { number, type, many }] of Object.entries(fields)) {
    const value: unknown = values.get(name);
    if (value === undefined || value === null) continue;
    if (many === 'one') {
      if (!isDefault(type, value)) writeValue(writer, number, type, value);
    } else if (many === 'list') {
      if (Array.isArray(value)) for (const item of value) writeValue(writer, number, type, item);
    } else {
      for (const [key, item] of Object.entries(value)) {
        writer.tag(number * 8 + delimited);
        writer.nested((entry) => {
          writeValue(entry, 1, 'text', key);
          writeValue(entry, 2, type, item);
        });
      }
    }
  }
}

function isDefault(type: ValueType, value: unknown): boolean {
  if (typeof type === 'object') return type.kind === 'enum' && (type.numbers[String(value)] ?? 0) === 0;
  if (type === 'text' || type === 'bytes') return value === '';
  if (type === 'flag') return value === false;
  return (type === 'count' || type === 'count64') && Number(value) === 0;
}

function writeValue(writer: ByteWriter, number: number, type: ValueType, value: unknown): void {
  const isNumber = type === 'flag' || type === 'count' || type === 'count64';
  const wire = isNumber || (typeof type === 'object' && type.kind === 'enum') ? varint : delimited;
  writer.tag(number * 8 + wire);
  if (typeof type === 'object') {
    if (type.kind === 'enum') writer.varint(type.numbers[String(value)] ?? 0);
    else writer.nested((inner) => writeFields(inner, type, value));
    return;
  }
  switch (type) {
    case 'text':
      writer.text(String(value));
      break;
    case 'bytes':
      writer.view(Buffer.from(String(value), 'base64'));
      break;
    case 'flag':
      writer.varint(value === true ? 1 : 0);
      break;
    case 'count':
    case 'count64':
      writer.varint(Math.max(0, Number(value)));
      break;
    case 'moment': {
      const ms = Date.parse(String(value));
      const seconds = Math.floor(ms / 1000);
      writer.nested((inner) => {
        writeValue(inner, 1, 'count', seconds);
        writeValue(inner, 2, 'count', (ms - seconds * 1000) * 1_000_000);
      });
      break;
    }
    case 'struct':
      // SAFETY: what a JSON object holds has a form in a Struct.
      writer.view(encodeStruct(value as StructuredData));
  }
}

function readFields(reader: ByteReader, { fields }: MessageType): Json {
  const entries = Object.entries(fields);
  const json = new Map<string, unknown>();
  while (!reader.isDone) {
    const tag = reader.tag();
    const known = entries.find(
      ([, { number, type, many }]) => tag === number * 8 + (many === 'map' ? delimited : wireOf(type)),
    );
    if (known === undefined) {
      reader.skipLast();
      continue;
    }
    const [name, { type, many }] = known;
    if (many === 'one') json.set(name, readValue(reader, type));
    else if (many === 'list') json.set(name, [...listed(json.get(name)), readValue(reader, type)]);
    else json.set(name, { ...Object(json.get(name)), ...readEntry(reader.nested(), type) });
  }
  return Object.fromEntries(json);
}

function wireOf(type: ValueType): number {
  if (typeof type === 'object') return type.kind === 'enum' ? varint : delimited;
  return type === 'flag' || type === 'count' || type === 'count64' ? varint : delimited;
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function readEntry(reader: ByteReader, type: ValueType): Json {
  const { key = '', value } = readFields(reader, message({ key: one(1), value: one(2, type) }));
  return Object.fromEntries([[String(key), value ?? (typeof type === 'object' ? {} : '')]]);
}

function readValue(reader: ByteReader, type: ValueType): unknown {
  if (typeof type === 'object') {
    if (type.kind === 'message') return readFields(reader.nested(), type);
    const number = reader.varint();
    return Object.entries(type.numbers).find(([, other]) => other === number)?.[0] ?? number;
  }
  switch (type) {
    case 'text':
      return reader.text();
    case 'bytes':
      return Buffer.from(reader.view()).toString('base64');
    case 'flag':
      return reader.varint() !== 0;
    case 'count':
      return reader.varint();
    case 'count64':
      return String(reader.varint());
    case 'moment': {
      const { seconds = 0, nanos = 0 } = readFields(
        reader.nested(),
        message({ seconds: one(1, 'count'), nanos: one(2, 'count') }),
      );
      return new Date(Number(seconds) * 1000 + Math.floor(Number(nanos) / 1_000_000)).toISOString();
    }
    case 'struct':
      throw reader.malformed('structured data is not taken here');
  }
}
