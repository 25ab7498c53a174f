// avro.decode and avro.encode: a field between Avro data and structured data, with schemas of the schema registry.
// The data begins with a zero byte and the id of its schema in four bytes, as Confluent's serializers write it.

import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { ConfigMissingKey } from '../sdk/configuration-errors.ts';
import { parseJsonObject } from '../sdk/exact-json.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import type { ProcessorContext, ProcessorDefinition } from '../sdk/processor.ts';
import type { StructuredData } from '../sdk/record.ts';
import type { RegisteredSchema, SchemaRegistry } from '../sdk/schema-registry.ts';
import { avroDecodeDeclaration, avroEncodeDeclaration } from './declarations.ts';
import { FieldUnusable, getField, isObject, parseFieldReference, setField } from './field-reference.ts';
import { perDraft, rawText } from './per-draft.ts';

export const SchemasMissing: CodedErrorClass<{ readonly processor: string }> = defineError(
  'processor.schemas_missing',
  {
    help: 'Schemas are kept where pipelines without SQL run: in a server or in an embedded pipeline with a data folder.',
  },
  (f) => `${f.processor} needs a schema registry, and there is none here`,
);

export const avroDecode: ProcessorDefinition = {
  ...avroDecodeDeclaration,
  create: (configuration, context) => {
    const field = parseFieldReference(String(configuration['field']));
    const schemas = schemasOf(context, 'avro.decode');
    const known = new Map<number, RegisteredSchema>();
    return perDraft(async (draft) => {
      const value = getField(draft, field);
      const data = typeof value === 'string' ? new Uint8Array(Buffer.from(value)) : value;
      if (!(data instanceof Uint8Array) || data.length < 5 || data[0] !== 0) {
        throw new FieldUnusable({ reference: field.text, reason: 'holds no Avro data with the id of its schema' });
      }
      const id = new DataView(data.buffer, data.byteOffset).getInt32(1);
      const schema = known.get(id) ?? (await schemas.getSchemaById(id));
      known.set(id, schema);
      setField(draft, field, schemas.decode(schema, data.subarray(5)));
    });
  },
};

export const avroEncode: ProcessorDefinition = {
  ...avroEncodeDeclaration,
  create: (configuration, context) => {
    const field = parseFieldReference(String(configuration['field']));
    const schemas = schemasOf(context, 'avro.encode');
    const schemaFor = strategyOf(configuration, schemas);
    return perDraft(async (draft) => {
      const value = getField(draft, field);
      const text = rawText(value);
      if (!isObject(value) && text === null) {
        throw new FieldUnusable({ reference: field.text, reason: 'holds neither structured data nor JSON' });
      }
      const data = isObject(value) ? value : text === '' ? {} : parseJsonObject(text ?? '');
      const schema = await schemaFor(data);
      const encoded = schemas.encode(schema, data);
      const framed = new Uint8Array(5 + encoded.length);
      new DataView(framed.buffer).setInt32(1, schema.id);
      framed.set(encoded, 5);
      setField(draft, field, framed);
    });
  },
};

function schemasOf(context: ProcessorContext, processor: string): SchemaRegistry {
  if (context.schemas === undefined) throw new SchemasMissing({ processor });
  return context.schemas;
}

function strategyOf(
  configuration: ParameterValues,
  schemas: SchemaRegistry,
): (data: StructuredData) => Promise<RegisteredSchema> {
  const needed = (key: string): string => {
    const value = configuration[key];
    if (value === undefined || value === '') throw new ConfigMissingKey({ key, owner: 'avro.encode' });
    return String(value);
  };
  if (configuration['schema.strategy'] === 'preRegistered') {
    const subject = needed('schema.preRegistered.subject');
    const version = Number(needed('schema.preRegistered.version'));
    let found: Promise<RegisteredSchema> | null = null;
    return () => {
      found ??= schemas.getSchema(subject, version);
      found.catch(() => (found = null));
      return found;
    };
  }
  const subject = needed('schema.autoRegister.subject');
  return (data) => schemas.createSchema(subject, 'avro', schemas.infer(data));
}
