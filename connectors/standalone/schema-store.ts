// The schemas that connectors have registered: subjects with versions from 1, ids that are unique for each text. What is registered
// is kept in memory and, where there is a keeper, made durable before the answer; nothing is ever changed or removed.
// The same text under the same subject is the version that it was; the same text under another subject has the same id.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { decodeAvro, encodeAvro } from '../sdk/avro-codec.ts';
import { inferAvroSchema } from '../sdk/avro-inference.ts';
import { type AvroType, parseAvroSchema } from '../sdk/avro-schema.ts';
import type { StructuredData } from '../sdk/record.ts';
import type { RegisteredSchema, SchemaRegistry } from '../sdk/schema-registry.ts';

/** Where schemas outlive the process. */
export interface SchemaKeeper {
  /** Everything that was put, in any order. */
  schemas(): Promise<readonly KeptSchema[]>;
  /** Resolves when it is durable. */
  putSchema(schema: KeptSchema): Promise<void>;
}

/** JSON. */
export interface KeptSchema extends Omit<RegisteredSchema, 'bytes'> {
  readonly text: string;
}

export const SchemaSubjectNotFound: CodedErrorClass<{ readonly subject: string }> = defineError(
  'schema.subject_not_found',
  { help: 'No schema was registered under this subject; the metadata of a record names it.' },
  (f) => `schema subject not found: ${f.subject}`,
);

export const SchemaVersionNotFound: CodedErrorClass<{ readonly subject: string; readonly version: number }> =
  defineError(
    'schema.version_not_found',
    { help: 'The subject has other versions; the metadata of a record names it.' },
    (f) => `schema version not found: ${f.subject} has no version ${f.version}`,
  );

export const SchemaIdNotFound: CodedErrorClass<{ readonly id: number }> = defineError(
  'schema.id_not_found',
  { help: 'No schema has this id.' },
  (f) => `schema ${f.id} not found`,
);

export const SchemaInvalid: CodedErrorClass<{ readonly subject: string; readonly detail: string }> = defineError(
  'schema.invalid',
  { help: 'Register an Avro schema in JSON.' },
  (f) => `invalid schema for ${f.subject}: ${f.detail}`,
);

/** Avro of schemas by their text; parsed once. */
export class AvroSchemas {
  readonly #types = new Map<string, AvroType>();

  /** @throws AvroSchemaInvalid */
  of(schema: RegisteredSchema): AvroType {
    const text = textOf(schema.bytes);
    const known = this.#types.get(text);
    if (known !== undefined) return known;
    const type = parseAvroSchema(text);
    this.#types.set(text, type);
    return type;
  }

  encode(schema: RegisteredSchema, data: StructuredData): Uint8Array {
    return encodeAvro(this.of(schema), data);
  }

  decode(schema: RegisteredSchema, bytes: Uint8Array): StructuredData {
    return decodeAvro(this.of(schema), bytes);
  }
}

export class SchemaStore implements SchemaRegistry {
  readonly #keeper: SchemaKeeper | null;
  readonly #avro = new AvroSchemas();
  /** Versions of a subject, from 1. */
  readonly #subjects = new Map<string, RegisteredSchema[]>();
  readonly #ids = new Map<string, number>();
  readonly #byId = new Map<number, RegisteredSchema>();
  /** Registrations one after the other: two of the same text are one. */
  #last: Promise<unknown> = Promise.resolve();

  /** `keeper` null: schemas last as long as the process. */
  static async open(keeper: SchemaKeeper | null): Promise<SchemaStore> {
    const store = new SchemaStore(keeper);
    const known = [...((await keeper?.schemas()) ?? [])].sort((a, b) => a.version - b.version);
    for (const { text, ...schema } of known) store.#enter({ ...schema, bytes: new TextEncoder().encode(text) });
    return store;
  }

  constructor(keeper: SchemaKeeper | null) {
    this.#keeper = keeper;
  }

  async getSchema(subject: string, version: number): Promise<RegisteredSchema> {
    const versions = this.#subjects.get(subject);
    if (versions === undefined) throw new SchemaSubjectNotFound({ subject });
    const schema = versions[version - 1];
    if (schema === undefined) throw new SchemaVersionNotFound({ subject, version });
    return schema;
  }

  async getSchemaById(id: number): Promise<RegisteredSchema> {
    const schema = this.#byId.get(id);
    if (schema === undefined) throw new SchemaIdNotFound({ id });
    return schema;
  }

  createSchema(subject: string, type: 'avro', bytes: Uint8Array): Promise<RegisteredSchema> {
    const registered = this.#last.then(() => this.#register(subject, type, bytes));
    this.#last = registered.catch(() => {});
    return registered;
  }

  encode(schema: RegisteredSchema, data: StructuredData): Uint8Array {
    return this.#avro.encode(schema, data);
  }

  decode(schema: RegisteredSchema, bytes: Uint8Array): StructuredData {
    return this.#avro.decode(schema, bytes);
  }

  infer(data: StructuredData): Uint8Array {
    return new TextEncoder().encode(inferAvroSchema(data));
  }

  async #register(subject: string, type: 'avro', bytes: Uint8Array): Promise<RegisteredSchema> {
    const text = textOf(bytes);
    const versions = this.#subjects.get(subject) ?? [];
    const known = versions.find((schema) => textOf(schema.bytes) === text);
    if (known !== undefined) return known;
    const id = this.#ids.get(text) ?? this.#byId.size + 1;
    const schema: RegisteredSchema = { id, subject, version: versions.length + 1, type, bytes: bytes.slice() };
    try {
      this.#avro.of(schema);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      throw new SchemaInvalid({ subject, detail }, { cause: error });
    }
    await this.#keeper?.putSchema({ id, subject, version: schema.version, type, text });
    this.#enter(schema);
    return schema;
  }

  #enter(schema: RegisteredSchema): void {
    const versions = this.#subjects.get(schema.subject) ?? [];
    versions[schema.version - 1] = schema;
    this.#subjects.set(schema.subject, versions);
    this.#ids.set(textOf(schema.bytes), schema.id);
    if (!this.#byId.has(schema.id)) this.#byId.set(schema.id, schema);
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
