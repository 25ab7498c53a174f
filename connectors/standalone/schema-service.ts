// The service that connector plugins register and fetch schemas at, on a port of the loopback interface: gRPC over HTTP/2 without
// TLS. One for a host, whatever threads its connectors run on; whoever starts a connector gets a token for it here and takes it
// back afterwards. A call without a token that is good is refused.
// Plugins tell errors by their text alone, which must be exactly that of Conduit.
import { randomBytes } from 'node:crypto';
import http2, {
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { grpcCode } from './grpc-connection.ts';
import { framed, messagePrefixBytes } from './grpc-message.ts';
import {
  readCreateRequest,
  readGetRequest,
  readIdRequest,
  schemaPaths,
  tokenKey,
  writeSchemaAnswer,
} from './schema-messages.ts';
import { SchemaInvalid, type SchemaStore, SchemaSubjectNotFound, SchemaVersionNotFound } from './schema-store.ts';

const requestBytesMax = 8 << 20;
const invalidSchema = 'invalid schema';
const healthPath = '/grpc.health.v1.Health/Check';
/** HealthCheckResponse { status 1: SERVING 1 }. */
const serving = Uint8Array.of(0x08, 1);

interface Refusal {
  readonly code: number;
  readonly message: string;
}

export class SchemaService {
  readonly #store: SchemaStore;
  readonly #server: Http2Server;
  readonly #tokens = new Set<string>();
  readonly #sessions = new Set<ServerHttp2Session>();

  static async start(store: SchemaStore): Promise<SchemaService> {
    const service = new SchemaService(store);
    await new Promise<void>((resolve, reject) => {
      service.#server.once('error', reject);
      service.#server.listen(0, '127.0.0.1', resolve);
    });
    service.#server.unref();
    return service;
  }

  constructor(store: SchemaStore) {
    this.#store = store;
    this.#server = http2.createServer();
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
      session.on('error', () => session.destroy());
    });
    this.#server.on('stream', (stream, headers) => void this.#serve(stream, headers));
  }

  /** For CONDUIT_CONNECTOR_UTILITIES_GRPC_TARGET. */
  get target(): string {
    // SAFETY: a server that listens on a port of TCP has an address of this form.
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Good until it is revoked. */
  issueToken(): string {
    const token = randomBytes(24).toString('base64url');
    this.#tokens.add(token);
    return token;
  }

  revokeToken(token: string): void {
    this.#tokens.delete(token);
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => {});
    let answer: Uint8Array | Refusal;
    try {
      const request = await readRequest(stream);
      answer = await this.#answer(String(headers[':path']), headers[tokenKey], request);
    } catch (error) {
      answer = refusal(error);
    }
    if (stream.destroyed || stream.closed) return;
    const status = answer instanceof Uint8Array ? { code: grpcCode.ok, message: '' } : answer;
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': String(status.code), 'grpc-message': encodeURIComponent(status.message) });
    });
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.end(answer instanceof Uint8Array ? framed(answer) : undefined);
  }

  async #answer(path: string, token: unknown, request: Uint8Array): Promise<Uint8Array | Refusal> {
    if (path === healthPath) return serving;
    const isKnown = Object.values<string>(schemaPaths).includes(path);
    if (!isKnown) return { code: grpcCode.unimplemented, message: 'method not implemented' };
    if (typeof token !== 'string' || !this.#tokens.has(token)) {
      return { code: grpcCode.unauthenticated, message: 'the connector token is missing or not good (any more)' };
    }
    if (path === schemaPaths.get) {
      const { subject, version } = readGetRequest(request);
      return writeSchemaAnswer(await this.#store.getSchema(subject, version));
    }
    if (path === schemaPaths.getById) return writeSchemaAnswer(await this.#store.getSchemaById(readIdRequest(request)));
    const { subject, type, bytes } = readCreateRequest(request);
    if (type !== 1) return { code: grpcCode.unknown, message: invalidSchema };
    return writeSchemaAnswer(await this.#store.createSchema(subject, 'avro', bytes));
  }
}

function refusal(error: unknown): Refusal {
  if (error instanceof SchemaSubjectNotFound) return { code: grpcCode.unknown, message: 'schema subject not found' };
  if (error instanceof SchemaVersionNotFound) return { code: grpcCode.unknown, message: 'schema version not found' };
  if (error instanceof SchemaInvalid) return { code: grpcCode.unknown, message: invalidSchema };
  return { code: grpcCode.unknown, message: error instanceof Error ? error.message : String(error) };
}

/** @throws Error when it is not one message. */
async function readRequest(stream: ServerHttp2Stream): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    // SAFETY: a stream without an encoding yields buffers.
    const buffer = chunk as Buffer;
    bytes += buffer.length;
    if (bytes > requestBytesMax) throw new Error(`a request has ${requestBytesMax} bytes at most`);
    chunks.push(buffer);
  }
  const whole = Buffer.concat(chunks);
  if (
    whole.length < messagePrefixBytes ||
    whole.readUInt32BE(1) !== whole.length - messagePrefixBytes ||
    whole[0] !== 0
  ) {
    throw new Error('the request is not one gRPC message');
  }
  return whole.subarray(messagePrefixBytes);
}
