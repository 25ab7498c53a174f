// The registry of schemas as a processor or a connector on another thread sees it: asked over the schema service. What has been
// answered is kept: schemas do not change. It connects, and loads what connects, when the first schema is asked for.
import type { Clock } from '../../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { inferAvroSchema } from '../sdk/avro-inference.ts';
import type { StructuredData } from '../sdk/record.ts';
import type { RegisteredSchema, SchemaRegistry } from '../sdk/schema-registry.ts';
import type { GrpcConnection } from './grpc-connection.ts';
import {
  readSchemaAnswer,
  schemaPaths,
  tokenKey,
  writeCreateRequest,
  writeGetRequest,
  writeIdRequest,
} from './schema-messages.ts';
import { AvroSchemas } from './schema-store.ts';

export const SchemaUnavailable: CodedErrorClass<{ readonly detail: string }> = defineError(
  'schema.unavailable',
  { help: 'The message is that of the schema service.', retry: 'later' },
  (f) => f.detail,
);

const callMs = 10_000;

export class SchemaClient implements SchemaRegistry {
  readonly #target: string;
  readonly #token: string;
  readonly #clock: Clock;
  #connection: Promise<GrpcConnection> | null = null;
  readonly #avro = new AvroSchemas();
  readonly #known = new Map<string, Promise<RegisteredSchema>>();

  /** `target` and `token` are those of a SchemaService. */
  constructor(target: string, token: string, clock: Clock) {
    this.#target = target;
    this.#token = token;
    this.#clock = clock;
  }

  getSchema(subject: string, version: number): Promise<RegisteredSchema> {
    return this.#asked(`get ${version} ${subject}`, schemaPaths.get, () => writeGetRequest({ subject, version }));
  }

  getSchemaById(id: number): Promise<RegisteredSchema> {
    return this.#asked(`id ${id}`, schemaPaths.getById, () => writeIdRequest(id));
  }

  createSchema(subject: string, type: 'avro', bytes: Uint8Array): Promise<RegisteredSchema> {
    const text = Buffer.from(bytes).toString('base64');
    return this.#asked(`create ${type} ${text} ${subject}`, schemaPaths.create, () =>
      writeCreateRequest({ subject, bytes }),
    );
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

  async close(): Promise<void> {
    (await this.#connection)?.close();
  }

  async #connect(): Promise<GrpcConnection> {
    const { GrpcConnection } = await import('./grpc-connection.ts');
    return new GrpcConnection(schemaAddress(this.#target), this.#clock);
  }

  #asked(key: string, path: string, request: () => Uint8Array): Promise<RegisteredSchema> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const asked = this.#call(path, request());
    this.#known.set(key, asked);
    // What was refused may be there the next time.
    asked.catch(() => this.#known.delete(key));
    return asked;
  }

  async #call(path: string, body: Uint8Array): Promise<RegisteredSchema> {
    const headers = { [tokenKey]: this.#token };
    this.#connection ??= this.#connect();
    const connection = await this.#connection;
    const answer = await connection.call(path, { body, deadlineMs: callMs, headers });
    if (answer.kind === 'failed') throw new SchemaUnavailable({ detail: answer.status.message });
    return readSchemaAnswer(answer.body);
  }
}

/**
 * Where a service listens that names its address as `host:port`. A host may name the address of all interfaces, `[::]:43211`, as Conduit
 * does: then it is on this machine.
 */
export function schemaAddress(target: string): { readonly host: string; readonly port: number } {
  const colon = target.lastIndexOf(':');
  const host = target.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const isEverywhere = host === '' || host === '::' || host === '0.0.0.0';
  return { host: isEverywhere ? '127.0.0.1' : host, port: Number(target.slice(colon + 1)) };
}
