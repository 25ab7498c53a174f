// Conduit's gRPC interface (api.v1) and the health check of gRPC, on a port of their own: what the `conduit` command and programs with
// its generated clients speak. Every call is a request to the route of `/v1` that does it.
//
// A call that is cancelled ends its request. Not here: reflection, compressed messages (unimplemented).
import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { framed, messagePrefixBytes } from '../../../connectors/standalone/grpc-message.ts';
import { conduitMethods, type GrpcMethod } from './conduit-methods.ts';
import type { InnerRequests } from './inner-requests.ts';
import { readMessage } from './proto-message.ts';
import { type GrpcStatus, grpcCodes, replyBytes, routeCall, statusOf } from './route-request.ts';

export interface GrpcServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls: { readonly cert: string | Buffer; readonly key: string | Buffer } | null;
  readonly requests: InnerRequests;
}

export interface RunningGrpcServer {
  /** `127.0.0.1:8084` */
  readonly address: string;
  close(): void;
}

const requestBytesMax = 64 << 20;
const healthPath = '/grpc.health.v1.Health/';
/** HealthCheckResponse { status 1: SERVING 1 }. */
const serving = Uint8Array.of(0x08, 1);
const done: GrpcStatus = { code: grpcCodes.ok, message: '', details: null };
/** What a caller may say of itself besides the call. */
const passedHeaders = ['authorization', 'x-request-id'];

/** Rejects when the address cannot be listened on. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<RunningGrpcServer> {
  const { host, port, tls, requests } = options;
  const server = tls === null ? http2.createServer() : http2.createSecureServer({ ...tls });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on('error', () => session.destroy());
    session.on('close', () => sessions.delete(session));
  });
  server.on(
    'stream',
    (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void serve(stream, headers, requests),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // SAFETY: a server that listens on a host and port has such an address.
  const { port: bound } = server.address() as AddressInfo;
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () => {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}

async function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, requests: InnerRequests): Promise<void> {
  let status = done;
  stream.on('error', () => {});
  stream.on('wantTrailers', () => stream.sendTrailers(trailersOf(status)));
  const gone = new AbortController();
  stream.once('close', () => gone.abort());
  try {
    const path = String(headers[':path']);
    const method = conduitMethods.get(path);
    if (method === undefined && !path.startsWith(healthPath)) {
      throw new CallRefused({ ...done, code: grpcCodes.unimplemented, message: `there is no call ${path}` });
    }
    const body = await readBody(stream);
    begin(stream);
    if (method === undefined) {
      stream.write(framed(serving));
      // Watch tells of changes until the caller goes; there are none.
      if (path === `${healthPath}Watch`) return;
    } else await answer(stream, headers, method, body, requests, gone.signal);
  } catch (error) {
    status =
      error instanceof CallRefused ? error.status : { ...done, code: grpcCodes.unavailable, message: String(error) };
    if (!stream.destroyed && !stream.headersSent) begin(stream);
  }
  if (!stream.destroyed) stream.end();
}

async function answer(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  method: GrpcMethod,
  body: Uint8Array,
  requests: InnerRequests,
  signal: AbortSignal,
): Promise<void> {
  const response = await requests({
    ...routeCall(method, readRequest(method, body)),
    headers: Object.fromEntries(
      passedHeaders.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
    ),
    remoteAddress: stream.session?.socket.remoteAddress,
    signal,
  });
  if (response.statusCode !== 200) throw new CallRefused(statusOf(parsed(await text(response))));
  if (method.isStream !== true) {
    stream.write(framed(replyBytes(method, parsed(await text(response)))));
    return;
  }
  for await (const line of createInterface({ input: response })) {
    if (line === '') continue;
    const { result, error } = Object(parsed(line));
    if (error !== undefined) throw new CallRefused(statusOf(error));
    if (!stream.write(framed(replyBytes(method, result)))) await drained(stream);
  }
}

function readRequest(method: GrpcMethod, body: Uint8Array): ReturnType<typeof readMessage> {
  try {
    return readMessage(method.request, body);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CallRefused({ ...done, code: grpcCodes.invalidArgument, message });
  }
}

/** The one message of a call. */
async function readBody(stream: ServerHttp2Stream): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    // SAFETY: a stream without an encoding yields buffers.
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > requestBytesMax) {
      throw new CallRefused({ ...done, code: 8, message: `a request has ${requestBytesMax} bytes at most` });
    }
  }
  const whole = Buffer.concat(chunks);
  if (whole[0] === 1) {
    throw new CallRefused({ ...done, code: grpcCodes.unimplemented, message: 'compressed messages are not taken' });
  }
  if (whole.length < messagePrefixBytes || whole.readUInt32BE(1) !== whole.length - messagePrefixBytes) {
    throw new CallRefused({ ...done, code: grpcCodes.internal, message: 'the request is not one gRPC message' });
  }
  return whole.subarray(messagePrefixBytes);
}

function begin(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
}

function trailersOf({ code, message, details }: GrpcStatus): Record<string, string> {
  return {
    'grpc-status': String(code),
    'grpc-message': encodeURIComponent(message),
    ...(details === null
      ? {}
      : { 'grpc-status-details-bin': Buffer.from(details).toString('base64').replace(/=+$/, '') }),
  };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      stream.off('drain', finish).off('close', finish);
      resolve();
    };
    stream.on('drain', finish).on('close', finish);
  });
}

/** The status that a call ends with. */
class CallRefused extends Error {
  readonly status: GrpcStatus;

  constructor(status: GrpcStatus) {
    super(status.message);
    this.status = status;
  }
}
