// An OpenCDC record: what connectors of the record kind exchange, in the terms of a connector's author.
//
// One record says what happened to one thing: an operation, where the source stood behind it (position), free metadata, a
// key, and the thing before and after. Key, before and after are raw bytes, structured data, or nothing.
// The runtime moves records as columns (record-batch.ts); objects of this shape exist only where an author asks for them.
// OpenCDC: https://github.com/ConduitIO/conduit-commons (opencdc), version v1.

export type RecordOperation = 'create' | 'update' | 'delete' | 'snapshot';

/**
 * A value inside structured data. 64-bit integers are `bigint` (numbers are doubles or safe integers), bytes are
 * Uint8Array: both arrive as they were. A protocol that cannot carry one refuses the record with an error.
 */
export type StructuredValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly StructuredValue[]
  | { readonly [name: string]: StructuredValue };

export interface StructuredData {
  readonly [name: string]: StructuredValue;
}

/** Raw bytes, structured data, or nothing. */
export type RecordData = Uint8Array | StructuredData | null;

export interface ConnectorRecord {
  /** Unique in its source and not empty: what `open` is given to go on behind this record. */
  readonly position: Uint8Array;
  readonly operation: RecordOperation;
  readonly metadata: Readonly<Record<string, string>>;
  readonly key: RecordData;
  readonly before: RecordData;
  readonly after: RecordData;
}

/** In the order of OpenCDC's numbers, from 1. */
export const recordOperations: readonly RecordOperation[] = ['create', 'update', 'delete', 'snapshot'];

/** Keys of metadata that the runtime itself reads or writes. */
export const recordMetadata = {
  createdAt: 'opencdc.createdAt',
  readAt: 'opencdc.readAt',
  collection: 'opencdc.collection',
  keySchemaSubject: 'opencdc.key.schema.subject',
  keySchemaVersion: 'opencdc.key.schema.version',
  payloadSchemaSubject: 'opencdc.payload.schema.subject',
  payloadSchemaVersion: 'opencdc.payload.schema.version',
  sourceConnector: 'conduit.source.connector.id',
  nackError: 'conduit.dlq.nack.error',
  nackNode: 'conduit.dlq.nack.node.id',
  /** Of a dead letter: the data of the refused record, where JSON would not give it back exactly (record-bytes.ts). */
  deadLetterData: 'millrace.dlq.data',
} as const;
