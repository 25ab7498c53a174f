// Messages of the schema service (connutils.v1, schema.v1) between their bytes and data, for both ends.
// https://github.com/ConduitIO/conduit-connector-protocol (proto/connutils/v1), https://github.com/ConduitIO/conduit-commons (proto/schema/v1)
import { ByteReader, ByteWriter } from '../sdk/protobuf-wire.ts';
import type { RegisteredSchema } from '../sdk/schema-registry.ts';

export const schemaPaths = {
  create: '/connutils.v1.SchemaService/CreateSchema',
  get: '/connutils.v1.SchemaService/GetSchema',
  /** Millrace's own: Conduit's service knows no ids. The request is { int32 id = 1 }. */
  getById: '/millrace.v1.SchemaService/GetSchemaById',
} as const;

export const tokenKey = 'conduit-connector-token';
const avroType = 1;

export interface CreateRequest {
  readonly subject: string;
  /** 1 is Avro. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

export interface GetRequest {
  readonly subject: string;
  readonly version: number;
}

export function writeCreateRequest({ subject, bytes }: Omit<CreateRequest, 'type'>): Uint8Array {
  const writer = new ByteWriter();
  writeText(writer, 0x0a, subject);
  writeNumber(writer, 0x10, avroType);
  writer.tag(0x1a);
  writer.view(bytes);
  return writer.finish();
}

/** @throws ProtobufMalformed */
export function readCreateRequest(message: Uint8Array): CreateRequest {
  const reader = new ByteReader(message);
  let subject = '';
  let type = 0;
  let bytes: Uint8Array = new Uint8Array(0);
  while (!reader.isDone) {
    const tag = reader.tag();
    if (tag === 0x0a) subject = reader.text();
    else if (tag === 0x10) type = reader.varint();
    else if (tag === 0x1a) bytes = reader.view();
    else reader.skipLast();
  }
  return { subject, type, bytes };
}

export function writeGetRequest({ subject, version }: GetRequest): Uint8Array {
  const writer = new ByteWriter();
  writeText(writer, 0x0a, subject);
  writeNumber(writer, 0x10, version);
  return writer.finish();
}

/** @throws ProtobufMalformed */
export function readGetRequest(message: Uint8Array): GetRequest {
  const reader = new ByteReader(message);
  let subject = '';
  let version = 0;
  while (!reader.isDone) {
    const tag = reader.tag();
    if (tag === 0x0a) subject = reader.text();
    else if (tag === 0x10) version = reader.varint();
    else reader.skipLast();
  }
  return { subject, version };
}

export function writeIdRequest(id: number): Uint8Array {
  const writer = new ByteWriter();
  writeNumber(writer, 0x08, id);
  return writer.finish();
}

/** @throws ProtobufMalformed */
export function readIdRequest(message: Uint8Array): number {
  const reader = new ByteReader(message);
  let id = 0;
  while (!reader.isDone) {
    if (reader.tag() === 0x08) id = reader.varint();
    else reader.skipLast();
  }
  return id;
}

/** Of every call: { schema 1 }; Schema { subject 1, version 2, id 3, type 4, bytes 5 }. */
export function writeSchemaAnswer(schema: RegisteredSchema): Uint8Array {
  const writer = new ByteWriter();
  writer.tag(0x0a);
  writer.nested((inner) => {
    writeText(inner, 0x0a, schema.subject);
    writeNumber(inner, 0x10, schema.version);
    writeNumber(inner, 0x18, schema.id);
    writeNumber(inner, 0x20, avroType);
    inner.tag(0x2a);
    inner.view(schema.bytes);
  });
  return writer.finish();
}

/** @throws ProtobufMalformed */
export function readSchemaAnswer(message: Uint8Array): RegisteredSchema {
  const outer = new ByteReader(message);
  let schema: RegisteredSchema = { id: 0, subject: '', version: 0, type: 'avro', bytes: new Uint8Array(0) };
  while (!outer.isDone) {
    if (outer.tag() !== 0x0a) {
      outer.skipLast();
      continue;
    }
    const reader = outer.nested();
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 0x0a) schema = { ...schema, subject: reader.text() };
      else if (tag === 0x10) schema = { ...schema, version: reader.varint() };
      else if (tag === 0x18) schema = { ...schema, id: reader.varint() };
      else if (tag === 0x2a) schema = { ...schema, bytes: reader.view().slice() };
      else reader.skipLast();
    }
  }
  return schema;
}

function writeText(writer: ByteWriter, tag: number, text: string): void {
  if (text === '') return;
  writer.tag(tag);
  writer.text(text);
}

function writeNumber(writer: ByteWriter, tag: number, value: number): void {
  if (value === 0) return;
  writer.tag(tag);
  writer.varint(value);
}
