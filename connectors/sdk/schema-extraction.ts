// Schemas for records that have none: structured data becomes Avro data, and the metadata names subject and version, as Conduit's Go SDK
// does in its sources. What decodes it behind has every 64-bit integer and every byte.
//
// Subject: CONTEXT:COLLECTION.NAME, without what there is none of. What is before and what is after have one schema, that of `after` where
// both fit it, else that of `before`; where neither fits both they stay structured. Raw data, and a part that names a schema already, stay
// as they are. A record whose data no schema fits stays structured, too: whoever needs the schema refuses it.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { AvroMismatch } from './avro-codec.ts';
import { AvroUnknowable } from './avro-inference.ts';
import type { ParameterValues } from './parameters.ts';
import { type ConnectorRecord, type RecordData, recordMetadata, type StructuredData } from './record.ts';
import { dataShape, recordBatchOf, recordColumn, recordsOf } from './record-batch.ts';
import type { SchemaRegistry } from './schema-registry.ts';

export interface ExtractionOptions {
  /** Name of the subject; null: none is extracted. */
  readonly payload: string | null;
  readonly key: string | null;
  /** Null: that of the record's source. Empty: none. */
  readonly context: string | null;
}

/** What a boundary that structured data cannot pass exactly does: as the defaults of Conduit's SDK. */
export const extractionDefaults: ExtractionOptions = { payload: 'payload', key: 'key', context: null };

/** Of the parameters `sdk.schema.*`; null: nothing is to be extracted. */
export function extractionOptions(configuration: ParameterValues): ExtractionOptions | null {
  const nameOf = (part: 'payload' | 'key'): string | null => {
    if (configuration[`sdk.schema.extract.${part}.enabled`] !== true) return null;
    return String(configuration[`sdk.schema.extract.${part}.subject`] ?? part);
  };
  const payload = nameOf('payload');
  const key = nameOf('key');
  if (payload === null && key === null) return null;
  const name = String(configuration['sdk.schema.context.name'] ?? '');
  const isContextOn = configuration['sdk.schema.context.enabled'] !== false;
  return { payload, key, context: isContextOn ? (name === '' ? null : name) : '' };
}

/** `source`: id of the connector, for records that do not name theirs. */
export async function extractSchemas(
  batch: ChangeBatch,
  schemas: SchemaRegistry,
  options: ExtractionOptions,
  source: string,
): Promise<ChangeBatch> {
  if (!holdsStructuredData(batch)) return batch;
  const extracted: ConnectorRecord[] = [];
  for (const record of recordsOf(batch)) extracted.push(await extract(record, schemas, options, source));
  return recordBatchOf(extracted);
}

async function extract(
  record: ConnectorRecord,
  schemas: SchemaRegistry,
  options: ExtractionOptions,
  source: string,
): Promise<ConnectorRecord> {
  const { metadata, key, before, after } = record;
  const subjectOf = (name: string): string => {
    const context = options.context ?? (metadata[recordMetadata.sourceConnector] || source);
    const collection = metadata[recordMetadata.collection] ?? '';
    return `${context === '' ? '' : `${context}:`}${collection === '' ? '' : `${collection}.`}${name}`;
  };
  const { keySchemaSubject, keySchemaVersion, payloadSchemaSubject, payloadSchemaVersion } = recordMetadata;
  let made = record;
  if (options.key !== null && metadata[keySchemaSubject] === undefined) {
    const found = await encoded([key], subjectOf(options.key), schemas);
    if (found !== null) {
      const named = { [keySchemaSubject]: found.subject, [keySchemaVersion]: found.version };
      made = { ...made, key: found.data[0] ?? null, metadata: { ...made.metadata, ...named } };
    }
  }
  if (options.payload !== null && metadata[payloadSchemaSubject] === undefined) {
    const found = await encoded([after, before], subjectOf(options.payload), schemas);
    if (found !== null) {
      const [newAfter = null, newBefore = null] = found.data;
      const named = { [payloadSchemaSubject]: found.subject, [payloadSchemaVersion]: found.version };
      made = { ...made, before: newBefore, after: newAfter, metadata: { ...made.metadata, ...named } };
    }
  }
  return made;
}

interface Encoded {
  readonly data: readonly RecordData[];
  readonly subject: string;
  readonly version: string;
}

/** All of `data` with one schema. Null: nothing of it is structured, a part is raw, or no schema fits. */
async function encoded(data: readonly RecordData[], subject: string, schemas: SchemaRegistry): Promise<Encoded | null> {
  const structured = data.filter((one): one is StructuredData => one !== null && !(one instanceof Uint8Array));
  if (structured.length === 0 || data.some((one) => one instanceof Uint8Array)) return null;
  for (const one of structured) {
    try {
      const bytes = schemas.infer(one);
      // Tried before it is registered: a version that fits nothing stays for ever.
      const trial = { id: 0, subject, version: 0, type: 'avro' as const, bytes };
      const made = data.map((part) => (part === null ? null : schemas.encode(trial, part as StructuredData)));
      const { version } = await schemas.createSchema(subject, 'avro', bytes);
      return { data: made, subject, version: String(version) };
    } catch (thrown) {
      if (!(thrown instanceof AvroMismatch) && !(thrown instanceof AvroUnknowable)) throw thrown;
    }
  }
  return null;
}

function holdsStructuredData(batch: ChangeBatch): boolean {
  const shapes = batch.columns[recordColumn.shapes];
  return shapes?.layout === 'fixed' && anyStructured(shapes.values, batch.rows);
}

// ── data plane ──

const structuredBits = (dataShape.struct << 4) | (dataShape.struct << 2) | dataShape.struct;

function anyStructured(shapes: ArrayLike<number | bigint>, rows: number): boolean {
  for (let row = 0; row < rows; row++) if ((Number(shapes[row]) & structuredBits) !== 0) return true;
  return false;
}
