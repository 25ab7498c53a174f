// Schemas of records as connectors and processors see them: who keeps them and how Avro data is read and written stand elsewhere.
// A subject has versions from 1; an id is unique in the whole registry. Schemas never change once they are made, so callers may cache.
import type { StructuredData } from './record.ts';

export interface RegisteredSchema {
  readonly id: number;
  readonly subject: string;
  readonly version: number;
  readonly type: 'avro';
  /** The schema's text, such as Avro's JSON. */
  readonly bytes: Uint8Array;
}

export interface SchemaRegistry {
  /** @throws a coded error when there is none. */
  getSchema(subject: string, version: number): Promise<RegisteredSchema>;
  /** @throws a coded error when there is none. */
  getSchemaById(id: number): Promise<RegisteredSchema>;
  /** The same schema under the same subject again is the version that it had. */
  createSchema(subject: string, type: 'avro', bytes: Uint8Array): Promise<RegisteredSchema>;
  /** Data in the form of the schema, without a header. @throws a coded error when it does not fit. */
  encode(schema: RegisteredSchema, data: StructuredData): Uint8Array;
  /** @throws a coded error when the bytes do not fit. */
  decode(schema: RegisteredSchema, bytes: Uint8Array): StructuredData;
  /** The text of a schema that fits the data. @throws a coded error when there is none. */
  infer(data: StructuredData): Uint8Array;
}
