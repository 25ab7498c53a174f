// gRPC over HTTP/2 without TLS, as far as connector plugins need it: calls with a deadline, and streams whose messages are left to
// the caller, so that a thousand records cost one event and not a thousand objects. Stands on node:http2 (docs/decisions/0004-plugin-transport.md).
//
// Messages are those of grpc-message.ts; the end is told in trailers: `grpc-status` (0 = OK), `grpc-message` (percent-encoded).
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import net from 'node:net';
import type { Clock } from '../../runtime/clock.ts';
import { framed, messagePrefixBytes } from './grpc-message.ts';

export interface GrpcStatus {
  /** 0 is OK; the numbers are those of gRPC. */
  readonly code: number;
  readonly message: string;
}

export const grpcCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** How far a peer may run ahead of its reader. */
const streamWindowBytes = 1 << 20;
const connectionWindowBytes = 8 << 20;
const answerBytesMax = 64 << 20;

export type ConnectTarget = { readonly path: string } | { readonly host: string; readonly port: number };

export type GrpcAnswer =
  | { readonly kind: 'ok'; readonly body: Uint8Array }
  | { readonly kind: 'failed'; readonly status: GrpcStatus };

export interface GrpcCall {
  readonly body: Uint8Array;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  /** Metadata of gRPC. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class GrpcConnection {
  readonly #session: ClientHttp2Session;
  readonly #clock: Clock;
  #error = 'the connection is closed';

  constructor(target: ConnectTarget, clock: Clock) {
    this.#clock = clock;
    this.#session = http2.connect('http://localhost', {
      createConnection: () => net.connect(target),
      settings: { initialWindowSize: streamWindowBytes, enablePush: false },
      // The limit of node stands against servers with many streams; here it would refuse a stream next to a large batch.
      maxSessionMemory: 1024,
    });
    this.#session.on('connect', () => this.#session.setLocalWindowSize(connectionWindowBytes));
    this.#session.on('error', (error: Error) => {
      this.#error = error.message;
    });
  }

  /** Never throws: an answer, or the status with which the call failed. */
  async call(path: string, { body, deadlineMs, signal, headers }: GrpcCall): Promise<GrpcAnswer> {
    const stream = this.stream(path, headers);
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.onData = (chunk) => {
      bytes += chunk.length;
      if (bytes > answerBytesMax) stream.cancel();
      else chunks.push(chunk);
    };
    const cancel = (): void => stream.cancel();
    let isLate = false;
    const timer = this.#clock.after(deadlineMs, () => {
      isLate = true;
      stream.cancel();
    });
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted === true) cancel();
    stream.write(framed(body));
    stream.end();
    const status = await stream.closed;
    timer.cancel();
    signal?.removeEventListener('abort', cancel);
    if (isLate) return { kind: 'failed', status: { code: grpcCode.deadlineExceeded, message: 'deadline exceeded' } };
    if (status.code !== grpcCode.ok) return { kind: 'failed', status };
    const whole = Buffer.concat(chunks);
    const isWhole = whole.length >= messagePrefixBytes && whole.readUInt32BE(1) === whole.length - messagePrefixBytes;
    if (isWhole && whole[0] === 0) return { kind: 'ok', body: whole.subarray(messagePrefixBytes) };
    return { kind: 'failed', status: { code: grpcCode.unknown, message: 'the answer is not one gRPC message' } };
  }

  stream(path: string, headers: Readonly<Record<string, string>> = {}): GrpcStream {
    if (this.#session.destroyed || this.#session.closed) return new GrpcStream(null, this.#error);
    const stream = this.#session.request({
      ...headers,
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    return new GrpcStream(stream, this.#error);
  }

  close(): void {
    this.#session.destroy();
  }
}

/** One stream. What is written goes out in order; what comes in is handed to `onData` as chunks of any size. */
export class GrpcStream {
  onData: (chunk: Buffer) => void = () => {};
  /** How it ended. Never rejects. */
  readonly closed: Promise<GrpcStatus>;
  readonly #stream: ClientHttp2Stream | null;
  #resolve: (status: GrpcStatus) => void = () => {};

  constructor(stream: ClientHttp2Stream | null, lost: string) {
    this.#stream = stream;
    if (stream === null) {
      this.closed = Promise.resolve({ code: grpcCode.unavailable, message: lost });
      return;
    }
    this.closed = new Promise((resolve) => {
      this.#resolve = resolve;
      let status: GrpcStatus | null = null;
      let failure: string | null = null;
      stream.on('response', (headers) => {
        status = statusOf(headers) ?? status;
        const http = headers[':status'];
        if (status === null && http !== 200) failure = `HTTP status ${http}`;
      });
      stream.on('trailers', (headers: IncomingHttpHeaders) => {
        status = statusOf(headers) ?? status;
      });
      stream.on('data', (chunk: Buffer) => this.onData(chunk));
      stream.on('error', (error: Error) => {
        failure = error.message;
      });
      // The other side has said its last word: what would still be written is not heard.
      stream.on('end', () => stream.close());
      stream.on('close', () => {
        resolve(status ?? { code: grpcCode.unavailable, message: failure ?? 'the connection was lost' });
      });
    });
  }

  /** False: wait for `drained` before writing more. */
  write(bytes: Uint8Array): boolean {
    if (this.#stream === null || this.#stream.destroyed || this.#stream.writableEnded) return true;
    return this.#stream.write(bytes);
  }

  /** Resolves when more may be written, the stream is over, or nobody wants to write any more. */
  drained(signal: AbortSignal): Promise<void> {
    const stream = this.#stream;
    if (signal.aborted || stream === null || stream.destroyed || !stream.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        stream.off('drain', finish);
        stream.off('close', finish);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      stream.on('drain', finish);
      stream.on('close', finish);
      signal.addEventListener('abort', finish);
      // One that was cancelled may have no event any more.
      this.closed.then(finish);
    });
  }

  /** Nothing more will be written. */
  end(): void {
    if (this.#stream?.destroyed === false) this.#stream.end();
  }

  /** It is over at once: a process that was stopped would not even take the word of it. */
  cancel(): void {
    if (this.#stream === null || this.#stream.destroyed) return;
    this.#resolve({ code: grpcCode.cancelled, message: 'cancelled' });
    this.onData = () => {};
    this.#stream.close(http2.constants.NGHTTP2_CANCEL);
    // A stream that nobody reads would wait for its reader before it closes.
    this.#stream.resume();
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }
}

function statusOf(headers: IncomingHttpHeaders): GrpcStatus | null {
  const code = headers['grpc-status'];
  if (code === undefined) return null;
  return { code: Number(code), message: decoded(String(headers['grpc-message'] ?? '')) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
