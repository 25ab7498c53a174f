// Records whose key or payload belongs to a schema that their metadata names: decoded into structured data, and encoded again.
//
// A part counts when the metadata has both the subject and the version of its schema. Decoding takes raw data and leaves structured
// data as it is; encoding the other way round. A record whose schema is not known, or that does not fit it, is refused by itself.
// Data that no longer fits its schema (a processor has added a field) gets a new version under the same subject, so that nothing is
// lost; where no one schema fits what is before and what is after, they stay structured, and where a part is raw that was structured,
// it is nothing that the schema describes: the metadata no longer names one.
// A batch in which no record names a schema costs one search.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { AvroMismatch } from './avro-codec.ts';
import type { FailedRecord, ProcessedBatch } from './processor.ts';
import { type ConnectorRecord, type RecordData, recordMetadata, type StructuredData } from './record.ts';
import { recordBatchOf, recordColumn, recordsOf } from './record-batch.ts';
import type { RegisteredSchema, SchemaRegistry } from './schema-registry.ts';

export interface SchemaFields {
  readonly payload: boolean;
  readonly key: boolean;
}

const mark = Buffer.from('.schema.subject');

/** Whether any record of the batch names a schema. */
export function mentionsSchemas(batch: ChangeBatch): boolean {
  const column = batch.columns[recordColumn.metadata];
  if (column === undefined || column.layout === 'fixed') return false;
  const { bytes } = column.layout === 'bytes' ? column : column.dictionary;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(mark);
}

/** Raw data that has a schema, as structured data. */
export async function decodeRecordSchemas(
  batch: ChangeBatch,
  schemas: SchemaRegistry,
  fields: SchemaFields,
): Promise<ProcessedBatch> {
  const find = finder(schemas);
  return await each(batch, async (record) => {
    const key = fields.key ? await find(record, partOf.key) : null;
    const payload = fields.payload ? await find(record, partOf.payload) : null;
    const decode = (data: RecordData, schema: RegisteredSchema | null): RecordData =>
      schema !== null && data instanceof Uint8Array ? schemas.decode(schema, data) : data;
    return {
      ...record,
      key: decode(record.key, key),
      before: decode(record.before, payload),
      after: decode(record.after, payload),
    };
  });
}

/** Structured data that has a schema, as raw data. `decoded`: of which parts raw data cannot be that of the schema. */
export async function encodeRecordSchemas(
  batch: ChangeBatch,
  schemas: SchemaRegistry,
  fields: SchemaFields,
  decoded: SchemaFields,
): Promise<ProcessedBatch> {
  const find = finder(schemas);
  return await each(batch, async (record) => {
    const { metadata } = record;
    let changed = { ...record };
    for (const part of ['key', 'payload'] as const) {
      if (!fields[part]) continue;
      const schema = await find(record, partOf[part]);
      if (schema === null) continue;
      const { subject, version } = partOf[part];
      const data = part === 'key' ? [record.key] : [record.before, record.after];
      const isOther = decoded[part] && data.some((one) => one instanceof Uint8Array);
      const made = isOther ? null : await encoded(data, schema, schemas);
      if (made === null) {
        const { [subject]: _, [version]: __, ...rest } = changed.metadata;
        changed = { ...changed, metadata: rest };
        continue;
      }
      if (made.version !== schema.version) {
        changed = { ...changed, metadata: { ...metadata, ...changed.metadata, [version]: String(made.version) } };
      }
      const [first = null, second = null] = made.data;
      changed = part === 'key' ? { ...changed, key: first } : { ...changed, before: first, after: second };
    }
    return changed;
  });
}

interface Part {
  /** Keys of metadata. */
  readonly subject: string;
  readonly version: string;
}

const partOf: Readonly<Record<keyof SchemaFields, Part>> = {
  key: { subject: recordMetadata.keySchemaSubject, version: recordMetadata.keySchemaVersion },
  payload: { subject: recordMetadata.payloadSchemaSubject, version: recordMetadata.payloadSchemaVersion },
};

/** All of `data` with one schema: that one, or a new version of it. Null: what is before and what is after differ in shape. */
async function encoded(
  data: readonly RecordData[],
  schema: RegisteredSchema,
  schemas: SchemaRegistry,
): Promise<{ readonly data: readonly RecordData[]; readonly version: number } | null> {
  const all = (by: RegisteredSchema): readonly RecordData[] =>
    data.map((one) => (one === null || one instanceof Uint8Array ? one : schemas.encode(by, one)));
  try {
    return { data: all(schema), version: schema.version };
  } catch (error) {
    if (!(error instanceof AvroMismatch)) throw error;
  }
  const structured = data.filter((one): one is StructuredData => one !== null && !(one instanceof Uint8Array));
  for (const one of structured) {
    const bytes = schemas.infer(one);
    try {
      // Tried before it is registered: a version that fits nothing stays for ever.
      const encodedWith = all({ ...schema, bytes });
      const { version } = await schemas.createSchema(schema.subject, 'avro', bytes);
      return { data: encodedWith, version };
    } catch (error) {
      if (!(error instanceof AvroMismatch)) throw error;
    }
  }
  return null;
}

type Find = (record: ConnectorRecord, part: Part) => Promise<RegisteredSchema> | null;

/** Every schema is asked for once in a batch. */
function finder(schemas: SchemaRegistry): Find {
  const known = new Map<string, Promise<RegisteredSchema>>();
  return ({ metadata }, part) => {
    const subject = metadata[part.subject];
    const version = metadata[part.version];
    if (subject === undefined || version === undefined) return null;
    const name = `${version} ${subject}`;
    const found = known.get(name) ?? schemas.getSchema(subject, Number(version));
    known.set(name, found);
    return found;
  };
}

async function each(
  batch: ChangeBatch,
  change: (record: ConnectorRecord) => Promise<ConnectorRecord>,
): Promise<ProcessedBatch> {
  const changed: ConnectorRecord[] = [];
  const origins: number[] = [];
  const failed: FailedRecord[] = [];
  for (const [row, record] of recordsOf(batch).entries()) {
    try {
      changed.push(await change(record));
      origins.push(row);
    } catch (thrown) {
      failed.push({ row, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
    }
  }
  return {
    batch: recordBatchOf(changed),
    origins: failed.length === 0 ? null : Int32Array.from(origins),
    failed,
  };
}
