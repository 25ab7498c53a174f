// google.protobuf.Struct between its bytes and structured data. Its numbers are doubles and it has no bytes: whatever it
// cannot hold without loss is refused, never rounded.
// Fields: Struct { map<string, Value> fields = 1 }; Value { null 1, double 2, string 3, bool 4, Struct 5, ListValue 6 };
// ListValue { repeated Value values = 1 } (google/protobuf/struct.proto).
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { ByteReader, ByteWriter } from './protobuf-wire.ts';
import type { StructuredData, StructuredValue } from './record.ts';

export const StructLosesValue: CodedErrorClass<{ readonly path: string; readonly what: string }> = defineError(
  'record.struct_loses_value',
  { help: 'Attach a schema to the record (Avro), or send the value as text.' },
  (f) => `${f.path}: ${f.what} has no exact form in a protobuf Struct`,
);

/** @throws ProtobufMalformed */
export function decodeStruct(bytes: Uint8Array): StructuredData {
  return readStruct(new ByteReader(bytes));
}

/** @throws StructLosesValue */
export function encodeStruct(data: StructuredData): Uint8Array {
  const writer = new ByteWriter();
  writeStruct(writer, data, '');
  return writer.finish();
}

function readStruct(reader: ByteReader): StructuredData {
  const data: Record<string, StructuredValue> = {};
  while (!reader.isDone) {
    if (reader.tag() !== 0x0a) {
      reader.skipLast();
      continue;
    }
    const entry = reader.nested();
    let name = '';
    let value: StructuredValue = null;
    while (!entry.isDone) {
      const tag = entry.tag();
      if (tag === 0x0a) name = entry.text();
      else if (tag === 0x12) value = readValue(entry.nested());
      else entry.skipLast();
    }
    Object.defineProperty(data, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return data;
}

function readValue(reader: ByteReader): StructuredValue {
  let value: StructuredValue = null;
  while (!reader.isDone) {
    switch (reader.tag()) {
      case 0x08:
        reader.varint();
        value = null;
        break;
      case 0x11:
        value = reader.double();
        break;
      case 0x1a:
        value = reader.text();
        break;
      case 0x20:
        value = reader.varint() !== 0;
        break;
      case 0x2a:
        value = readStruct(reader.nested());
        break;
      case 0x32:
        value = readList(reader.nested());
        break;
      default:
        reader.skipLast();
    }
  }
  return value;
}

function readList(reader: ByteReader): StructuredValue[] {
  const list: StructuredValue[] = [];
  while (!reader.isDone) {
    if (reader.tag() === 0x0a) list.push(readValue(reader.nested()));
    else reader.skipLast();
  }
  return list;
}

function writeStruct(writer: ByteWriter, data: StructuredData, path: string): void {
  for (const [name, value] of Object.entries(data)) {
    writer.tag(0x0a);
    writer.nested((entry) => {
      entry.tag(0x0a);
      entry.text(name);
      entry.tag(0x12);
      entry.nested((inner) => writeValue(inner, value, path === '' ? name : `${path}.${name}`));
    });
  }
}

function writeValue(writer: ByteWriter, value: StructuredValue, path: string): void {
  if (value === null) {
    writer.tag(0x08);
    writer.varint(0);
  } else if (typeof value === 'number' || typeof value === 'bigint') {
    const number = Number(value);
    if (typeof value === 'bigint' && BigInt(number) !== value) throw new StructLosesValue({ path, what: `${value}` });
    writer.tag(0x11);
    writer.double(number);
  } else if (typeof value === 'string') {
    writer.tag(0x1a);
    writer.text(value);
  } else if (typeof value === 'boolean') {
    writer.tag(0x20);
    writer.varint(value ? 1 : 0);
  } else if (value instanceof Uint8Array) {
    throw new StructLosesValue({ path, what: 'bytes' });
  } else if (isList(value)) {
    writer.tag(0x32);
    writer.nested((list) => {
      for (const [i, item] of value.entries()) {
        list.tag(0x0a);
        list.nested((inner) => writeValue(inner, item, `${path}[${i}]`));
      }
    });
  } else {
    writer.tag(0x2a);
    writer.nested((inner) => writeStruct(inner, value, path));
  }
}

function isList(value: StructuredValue): value is readonly StructuredValue[] {
  return Array.isArray(value);
}
