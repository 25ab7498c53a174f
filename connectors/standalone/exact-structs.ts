// Structured data that the protocol would round (64-bit integers, bytes), past a processor that is a WebAssembly module: on the way in it
// becomes Avro data with a schema in the metadata, which the processor SDK decodes and encodes again; on the way out it is structured
// data as before, and the metadata names no schema that nobody had asked for.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { FailedRecord, ProcessedBatch } from '../sdk/processor.ts';
import { type ConnectorRecord, type RecordData, recordMetadata } from '../sdk/record.ts';
import { recordBatchOf, recordsOf } from '../sdk/record-batch.ts';
import { extractionDefaults, extractSchemas } from '../sdk/schema-extraction.ts';
import type { SchemaRegistry } from '../sdk/schema-registry.ts';

/** The batch with schemas where it had none. Settings that have the SDK decode nothing are the user's word. */
export async function withExactSchemas(
  batch: ChangeBatch,
  schemas: SchemaRegistry,
  settings: Readonly<Record<string, string>>,
  id: string,
): Promise<ChangeBatch> {
  const isDecoded = (part: 'payload' | 'key'): boolean => settings[`sdk.schema.decode.${part}.enabled`] !== 'false';
  const { payload, key, context } = extractionDefaults;
  const options = { payload: isDecoded('payload') ? payload : null, key: isDecoded('key') ? key : null, context };
  return await extractSchemas(batch, schemas, options, id);
}

/** What was made of records that were given schemas by `withExactSchemas`; `given`: the batch before that. */
export async function withoutExactSchemas(
  answer: ProcessedBatch,
  given: ChangeBatch,
  schemas: SchemaRegistry,
): Promise<ProcessedBatch> {
  const before = recordsOf(given);
  const made: ConnectorRecord[] = [];
  const origins: number[] = [];
  const failed = new Map<number, FailedRecord>(answer.failed.map((failure) => [failure.row, failure]));
  for (const [i, record] of recordsOf(answer.batch).entries()) {
    const row = answer.origins?.[i] ?? i;
    try {
      made.push(await restored(record, before[row]?.metadata ?? {}, schemas));
      origins.push(row);
    } catch (thrown) {
      if (!failed.has(row))
        failed.set(row, { row, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
    }
  }
  // A record is delivered whole or refused whole.
  const kept = made.filter((_, i) => !failed.has(origins[i] ?? 0));
  return {
    batch: recordBatchOf(kept),
    origins: Int32Array.from(origins.filter((row) => !failed.has(row))),
    failed: [...failed.values()].sort((a, b) => a.row - b.row),
  };
}

async function restored(
  record: ConnectorRecord,
  before: Readonly<Record<string, string>>,
  schemas: SchemaRegistry,
): Promise<ConnectorRecord> {
  const { keySchemaSubject, keySchemaVersion, payloadSchemaSubject, payloadSchemaVersion } = recordMetadata;
  const decoder = async (subject: string, version: string): Promise<((data: RecordData) => RecordData) | null> => {
    const [name, number] = [record.metadata[subject], record.metadata[version]];
    if (before[subject] !== undefined || name === undefined || number === undefined) return null;
    const schema = await schemas.getSchema(name, Number(number));
    return (data) => (data instanceof Uint8Array ? schemas.decode(schema, data) : data);
  };
  const key = await decoder(keySchemaSubject, keySchemaVersion);
  const payload = await decoder(payloadSchemaSubject, payloadSchemaVersion);
  const hidden = new Set<string>([
    ...(key === null ? [] : [keySchemaSubject, keySchemaVersion]),
    ...(payload === null ? [] : [payloadSchemaSubject, payloadSchemaVersion]),
  ]);
  return {
    ...record,
    metadata: Object.fromEntries(Object.entries(record.metadata).filter(([name]) => !hidden.has(name))),
    key: key === null ? record.key : key(record.key),
    before: payload === null ? record.before : payload(record.before),
    after: payload === null ? record.after : payload(record.after),
  };
}
