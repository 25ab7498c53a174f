// debezium/json: a record as a Debezium event with its Kafka Connect schema, one line of JSON.
//
// The payload is { before, after, source, op, ts_ms, transaction }: metadata is the source, the time of reading ts_ms. Raw data that is
// a JSON object is taken as that object; other raw data becomes a field of its own (`debezium.rawData.key`). The schema says what the
// values are: fields in the order of their names.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { compareBytes, parseJsonObject, printJson, printJsonText } from '../sdk/exact-json.ts';
import type { FailedRecord } from '../sdk/processor.ts';
import {
  type ConnectorRecord,
  type RecordData,
  recordMetadata,
  type StructuredData,
  type StructuredValue,
} from '../sdk/record.ts';
import { recordAt } from '../sdk/record-batch.ts';
import { PrintedBytes } from './printed-bytes.ts';
import type { PrintedRecords, RecordPrinter } from './record-format.ts';

const letters: Readonly<Record<ConnectorRecord['operation'], string>> = {
  create: 'c',
  update: 'u',
  delete: 'd',
  snapshot: 'r',
};

const transactionSchema =
  '{"type":"struct","optional":true,"fields":[{"type":"string","field":"id"},{"type":"int64","field":"total_order"},' +
  '{"type":"int64","field":"data_collection_order"}],"field":"transaction"}';

export class DebeziumPrinter implements RecordPrinter {
  readonly #schemaName: string;
  readonly #rawDataKey: string;
  readonly #output = new PrintedBytes();

  constructor(schemaName: string, rawDataKey: string) {
    this.#schemaName = schemaName;
    this.#rawDataKey = rawDataKey;
  }

  print(batch: ChangeBatch, start: number, end: number): PrintedRecords {
    const output = this.#output;
    output.length = 0;
    const failed: FailedRecord[] = [];
    for (let row = start; row < end; row++) {
      try {
        output.appendText(`${this.#text(recordAt(batch, row))}\n`);
      } catch (thrown) {
        failed.push({ row, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
      }
    }
    return { bytes: output.bytes.subarray(0, output.length), failed };
  }

  #text(record: ConnectorRecord): string {
    const before = this.#structured(record.before);
    const after = this.#structured(record.after);
    const readAt = record.metadata[recordMetadata.readAt] ?? '';
    const readAtMs = /^\d+$/.test(readAt) ? BigInt(readAt) / 1_000_000n : 0n;
    const fields = [
      structSchema(before ?? after, 'before'),
      structSchema(after ?? before, 'after'),
      structSchema(record.metadata, 'source'),
      '{"type":"string","field":"op"}',
      '{"type":"int64","optional":true,"field":"ts_ms"}',
      transactionSchema,
    ];
    const name = this.#schemaName === '' ? '' : `,"name":${printJsonText(this.#schemaName)}`;
    const time = readAtMs === 0n ? '' : `,"ts_ms":${readAtMs}`;
    return (
      `{"schema":{"type":"struct"${name},"fields":[${fields.join(',')}]},"payload":{"before":${printJson(before)},` +
      `"after":${printJson(after)},"source":${printJson(record.metadata)},"op":"${letters[record.operation]}"${time},"transaction":null}}`
    );
  }

  #structured(data: RecordData): StructuredData | null {
    if (data === null || !(data instanceof Uint8Array)) return data;
    if (data.length === 0) return null;
    try {
      return parseJsonObject(Buffer.from(data).toString());
    } catch {
      return { [this.#rawDataKey]: data };
    }
  }
}

function structSchema(data: StructuredData | null, field: string): string {
  return schemaText(data ?? {}, `,"field":"${field}"`);
}

function schemaText(value: StructuredValue, field: string): string {
  if (value === null) return `{"type":"string","optional":true${field}}`;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return `{"type":"${typeof value}"${field}}`;
    case 'bigint':
      return `{"type":"int64"${field}}`;
    case 'number':
      return `{"type":"double"${field}}`;
  }
  if (value instanceof Uint8Array) return `{"type":"bytes","optional":true${field}}`;
  if (isList(value)) return `{"type":"array","optional":true,"items":${schemaText(value[0] ?? null, '')}${field}}`;
  const names = Object.keys(value).sort(compareBytes);
  const fields = names.map((name) => schemaText(value[name] ?? null, `,"field":${printJsonText(name)}`));
  return `{"type":"struct","optional":true${fields.length === 0 ? '' : `,"fields":[${fields.join(',')}]`}${field}}`;
}

function isList(value: StructuredValue): value is readonly StructuredValue[] {
  return Array.isArray(value);
}
