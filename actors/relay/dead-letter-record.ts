// The record that a refused one becomes in the dead-letter queue: what was refused, whole, with the reason and who said it.
//
// The refused record stands in `after`, field by field, as the JSON of a record has them: raw bytes are base64 text, which every
// destination takes, 64-bit integers stay exact. Structured data stands in the metadata once more, exactly. The position is made of the
// source and its own position, so that records of several sources are told apart. Pure.
import {
  type ConnectorRecord,
  type RecordData,
  recordMetadata,
  type StructuredData,
} from '../../connectors/sdk/record.ts';

export interface Refusal {
  readonly record: ConnectorRecord;
  /** Its data, where JSON would not give them back exactly: see record-bytes.ts. */
  readonly exact: string | null;
  /** Id of the connector that it comes from. */
  readonly source: string;
  /** Id of the connector or processor that refused it. */
  readonly node: string;
  readonly reason: string;
}

/** `now`: milliseconds since 1970. */
export function deadLetterRecord({ record, exact, source, node, reason }: Refusal, now: number): ConnectorRecord {
  const { position, operation, metadata, key, before, after } = record;
  const refused: StructuredData = {
    position: base64(position),
    operation,
    metadata,
    key: inJson(key),
    payload: { before: inJson(before), after: inJson(after) },
  };
  return {
    position: Buffer.concat([Buffer.from(`${source}/`), position]),
    operation: 'create',
    metadata: {
      [recordMetadata.createdAt]: String(BigInt(Math.round(now)) * 1_000_000n),
      [recordMetadata.nackError]: reason,
      [recordMetadata.nackNode]: node,
      [recordMetadata.sourceConnector]: source,
      ...(exact === null ? {} : { [recordMetadata.deadLetterData]: exact }),
    },
    key: null,
    before: null,
    after: refused,
  };
}

function inJson(data: RecordData): StructuredData | string | null {
  return data instanceof Uint8Array ? base64(data) : data;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
