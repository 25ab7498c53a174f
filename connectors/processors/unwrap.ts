// unwrap.debezium, unwrap.kafkaconnect and unwrap.opencdc: the record that lies inside a field takes the place of the record around it.
// The position stays that of the record around it.

import { parseJsonObject } from '../sdk/exact-json.ts';
import type { ProcessorDefinition } from '../sdk/processor.ts';
import {
  type RecordData,
  recordMetadata,
  recordOperations,
  type StructuredData,
  type StructuredValue,
} from '../sdk/record.ts';
import { format } from '../templates/go-print.ts';
import { unwrapDebeziumDeclaration, unwrapKafkaConnectDeclaration, unwrapOpencdcDeclaration } from './declarations.ts';
import {
  type FieldReference,
  FieldUnusable,
  getField,
  isObject,
  parseFieldReference,
  type RecordDraft,
} from './field-reference.ts';
import { dataReference } from './json.ts';
import { perDraft, rawText } from './per-draft.ts';

const debeziumOperations: Readonly<Record<string, RecordDraft['operation']>> = {
  c: 'create',
  u: 'update',
  d: 'delete',
  r: 'snapshot',
  $unset: 'update',
};

export const unwrapDebezium: ProcessorDefinition = {
  ...unwrapDebeziumDeclaration,
  create: (configuration) => {
    const field = dataReference(String(configuration['field']));
    return perDraft((draft) => {
      const payload = payloadOf(structuredIn(draft, field), field);
      for (const name of ['after', 'source', 'op']) {
        if (payload[name] === undefined)
          throw new FieldUnusable({ reference: field.text, reason: `has no payload.${name}` });
      }
      const operation = debeziumOperations[String(payload['op'])];
      if (operation === undefined) {
        throw new FieldUnusable({
          reference: field.text,
          reason: `has the unknown operation ${format(payload['op'])}`,
        });
      }
      const before = dataFrom(payload['before'] ?? null, field);
      const after = dataFrom(payload['after'] ?? null, field);
      unwrapMetadata(draft, payload, field);
      draft.key = unwrapKey(draft.key);
      Object.assign(draft, { operation, before, after });
    });
  },
};

export const unwrapKafkaConnect: ProcessorDefinition = {
  ...unwrapKafkaConnectDeclaration,
  create: (configuration) => {
    const field = dataReference(String(configuration['field']));
    return perDraft((draft) => {
      const after = payloadOf(structuredIn(draft, field), field);
      draft.key = unwrapKey(draft.key);
      Object.assign(draft, { operation: 'create', before: null, after });
    });
  },
};

export const unwrapOpencdc: ProcessorDefinition = {
  ...unwrapOpencdcDeclaration,
  create: (configuration) => {
    const field = parseFieldReference(String(configuration['field']));
    return perDraft((draft) => {
      const data = structuredIn(draft, field);
      const wrong = (reason: string): Error => new FieldUnusable({ reference: field.text, reason });
      const operation = recordOperations.find((name) => name === data['operation']);
      const { metadata, payload } = data;
      if (operation === undefined) throw wrong(`has no operation, or an unknown one: ${format(data['operation'])}`);
      if (!isObject(metadata)) throw wrong('has no metadata');
      if (!isObject(payload)) throw wrong('has no payload');
      const key = opencdcData(data['key'] ?? null, field);
      const before = opencdcData(payload['before'] ?? null, field);
      const after = opencdcData(payload['after'] ?? null, field);
      draft.metadata = Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, format(value)]));
      Object.assign(draft, { operation, key, before, after });
    });
  },
};

function structuredIn(draft: RecordDraft, field: FieldReference): StructuredData {
  const value = getField(draft, field);
  if (isObject(value)) return value;
  const text = rawText(value);
  if (text === null)
    throw new FieldUnusable({ reference: field.text, reason: 'holds neither structured data nor JSON' });
  return parseJsonObject(text);
}

function payloadOf(data: StructuredData, field: FieldReference): StructuredData {
  const { payload } = data;
  if (!isObject(payload)) throw new FieldUnusable({ reference: field.text, reason: 'has no payload' });
  return payload;
}

function dataFrom(value: StructuredValue, field: FieldReference): RecordData {
  if (value === null || isObject(value)) return value;
  if (typeof value === 'string') return new Uint8Array(Buffer.from(value));
  throw new FieldUnusable({
    reference: field.text,
    reason: `has a payload that is neither map nor text: ${format(value)}`,
  });
}

function opencdcData(value: StructuredValue, field: FieldReference): RecordData {
  if (value === null || isObject(value) || value instanceof Uint8Array) return value;
  if (typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0) {
    return new Uint8Array(Buffer.from(value, 'base64'));
  }
  throw new FieldUnusable({ reference: field.text, reason: 'has data that is neither a map nor base64' });
}

/** Everything of the event that is not data: the time of reading, then other fields flattened, then the source, which wins. */
function unwrapMetadata(draft: RecordDraft, payload: StructuredData, field: FieldReference): void {
  for (const [name, value] of Object.entries(payload)) {
    if (name === 'ts_ms') {
      if (value === null) continue;
      if (typeof value !== 'number' && typeof value !== 'bigint') {
        throw new FieldUnusable({ reference: field.text, reason: 'has a ts_ms that is no number' });
      }
      draft.metadata[recordMetadata.readAt] = `${BigInt(Math.trunc(Number(value))) * 1_000_000n}`;
    } else if (!['after', 'before', 'op', 'source'].includes(name)) flatten(`debezium.${name}`, value, draft.metadata);
  }
  flatten('', payload['source'] ?? null, draft.metadata);
}

function flatten(name: string, value: StructuredValue, into: Record<string, string>): void {
  if (value === null) return;
  if (!isObject(value)) {
    into[name] = format(value);
    return;
  }
  for (const [inner, item] of Object.entries(value)) flatten(name === '' ? inner : `${name}.${inner}`, item, into);
}

/** A key with a schema around it is what its payload says; any other stays as it is. */
function unwrapKey(key: RecordData): RecordData {
  let structured: StructuredData | null = null;
  if (key instanceof Uint8Array) {
    try {
      structured = parseJsonObject(Buffer.from(key).toString());
    } catch {
      return key;
    }
  } else structured = key;
  if (structured === null || structured['payload'] === undefined) return key;
  const { payload } = structured;
  return isObject(payload) ? payload : new Uint8Array(Buffer.from(format(payload)));
}
