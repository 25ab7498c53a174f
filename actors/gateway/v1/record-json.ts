// A record as protojson of opencdc.v1.Record: bytes as base64, the operation by its name, what is not there as null.
// Structured data is JSON as it is, with integers in full (protojson would make doubles of them).
import { printJson } from '../../../connectors/sdk/exact-json.ts';
import type { ConnectorRecord, RecordData } from '../../../connectors/sdk/record.ts';

export function recordJson({ position, operation, metadata, key, before, after }: ConnectorRecord): string {
  const payload = `{"before":${dataJson(before)},"after":${dataJson(after)}}`;
  const head = `"position":"${base64(position)}","operation":"OPERATION_${operation.toUpperCase()}"`;
  return `{${head},"metadata":${JSON.stringify(metadata)},"key":${dataJson(key)},"payload":${payload}}`;
}

function dataJson(data: RecordData): string {
  if (data === null) return 'null';
  if (data instanceof Uint8Array) return `{"rawData":"${base64(data)}"}`;
  try {
    return `{"structuredData":${printJson(data)}}`;
  } catch {
    // NaN and infinities: protojson has them as texts.
    return `{"structuredData":${JSON.stringify(data, (_, value: unknown) => spelled(value))}}`;
  }
}

function spelled(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? base64(value) : value;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
