// Records whose key or payload was encoded with a schema that their metadata names: decoded into structured data.
//
// A field counts when the metadata has both its subject and its version. Raw data is decoded, structured data
// stays. A batch in which no record names a schema costs one search.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { type ConnectorRecord, type RecordData, recordMetadata } from './record.ts';
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

/** @throws a coded error when a schema is unknown or data does not fit it. */
export async function decodeRecordSchemas(
  batch: ChangeBatch,
  schemas: SchemaRegistry,
  fields: SchemaFields,
): Promise<ChangeBatch> {
  const decode = (data: RecordData, schema: RegisteredSchema): RecordData =>
    data instanceof Uint8Array ? schemas.decode(schema, data) : data;
  return recordBatchOf(await convert(recordsOf(batch), schemas, fields, decode));
}

type Convert = (data: RecordData, schema: RegisteredSchema) => RecordData;

async function convert(
  records: readonly ConnectorRecord[],
  schemas: SchemaRegistry,
  fields: SchemaFields,
  change: Convert,
): Promise<ConnectorRecord[]> {
  const known = new Map<string, Promise<RegisteredSchema>>();
  const find = (record: ConnectorRecord, subjectKey: string, versionKey: string): Promise<RegisteredSchema> | null => {
    const subject = record.metadata[subjectKey];
    const version = record.metadata[versionKey];
    if (subject === undefined || version === undefined) return null;
    const name = `${version} ${subject}`;
    const found = known.get(name) ?? schemas.getSchema(subject, Number(version));
    known.set(name, found);
    return found;
  };
  const converted: ConnectorRecord[] = [];
  for (const record of records) {
    const { keySchemaSubject, keySchemaVersion, payloadSchemaSubject, payloadSchemaVersion } = recordMetadata;
    const ofKey = fields.key ? await find(record, keySchemaSubject, keySchemaVersion) : null;
    const ofPayload = fields.payload ? await find(record, payloadSchemaSubject, payloadSchemaVersion) : null;
    converted.push({
      ...record,
      key: ofKey === null ? record.key : change(record.key, ofKey),
      before: ofPayload === null ? record.before : change(record.before, ofPayload),
      after: ofPayload === null ? record.after : change(record.after, ofPayload),
    });
  }
  return converted;
}
