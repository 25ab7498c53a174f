// One HTTP GET of the rest of a resource, from an offset on: redirects, range and validator headers, and what the answer
// means. No retries here (see source.ts).
//
// Every request asks for a range, also the first: an answer of 206 shows that the server can be asked again from any
// offset, and tells the size. A server that answers 200 sends everything, and the caller skips what it has. `If-Range`
// makes a server send everything when the resource is no longer the one that was begun; that is an error, since half of
// one version and half of another is no input. Headers of the user are not sent to another origin.
//
// Bodies are read without the library where that can be (plain-body.ts).
import type { Dispatcher } from 'undici';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { BodyRooms } from '../sdk/body-rooms.ts';
import type { HttpBodies } from '../sdk/http-bodies.ts';
import { PlainBody, type ResponseBody } from './plain-body.ts';

export const UrlStatus: CodedErrorClass<{ readonly url: string; readonly status: number }> = defineError(
  'url.status',
  { help: 'The server refused the request. Check the address and, if it asks for credentials, `headers`.' },
  (f) => `${f.url}: the server answered with status ${f.status}`,
);

export const UrlUnavailable: CodedErrorClass<{
  readonly url: string;
  readonly reason: string;
  readonly attempts: number;
}> = defineError(
  'url.unavailable',
  {
    help: 'The server could not be reached or broke off, as some do that want a certificate of the client (`ssl_client_pem`). Try again later, or raise `max_retries`.',
    retry: 'later',
  },
  (f) => `${f.url}: ${f.reason} (attempt ${f.attempts})`,
);

export const UrlRedirects: CodedErrorClass<{ readonly url: string; readonly redirectsMax: number }> = defineError(
  'url.redirects',
  { help: 'Use the address that the server redirects to in the end.' },
  (f) => `${f.url}: more than ${f.redirectsMax} redirects, or one that leads nowhere`,
);

export const UrlChanged: CodedErrorClass<{ readonly url: string; readonly offset: number }> = defineError(
  'url.changed',
  { help: 'The resource was replaced while it was read. Start the connector anew to read it from its beginning.' },
  (f) => `${f.url}: the resource has changed since its first ${f.offset} bytes were read`,
);

export const UrlTls: CodedErrorClass<{ readonly url: string; readonly reason: string }> = defineError(
  'url.tls',
  {
    help: 'Check `ssl_ca_pem` or `ssl_ca_location`: the authority that has signed the certificate of the server; `verify_hostname`: whether it must be for the host of the address; `ssl_client_pem`: the certificate of the client, if the server asks for one; and that the server speaks TLS.',
  },
  (f) => `${f.url}: ${f.reason}`,
);

export const UrlEncoded: CodedErrorClass<{ readonly url: string; readonly encoding: string }> = defineError(
  'url.encoded',
  { help: 'Serve the resource without Content-Encoding.' },
  (f) => `${f.url}: the server sends ${f.encoding} although it was asked for the plain bytes`,
);

/** A status that may be another one soon: worth another attempt. */
export class TransientStatus extends Error {
  readonly retryAfterMs: number;
  constructor(status: number, retryAfterMs: number) {
    super(`the server answered with status ${status}`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Those who ask: the library where the other one cannot. */
export interface Asking {
  readonly bodies: HttpBodies;
  /** Loaded when it is asked for: most answers are plain. */
  readonly library: () => Promise<Dispatcher>;
}

/** What a server has answered, whoever has asked. */
interface Answer {
  readonly statusCode: number;
  header(name: string): string | null;
  body(): ResponseBody;
  discard(): Promise<void>;
}

export interface RangedRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For the origin of `url`, and for others that it redirects to, which are not told who the client is. */
  readonly own: Asking;
  readonly elsewhere: Asking;
  /** Memory for bodies. */
  readonly rooms: BodyRooms;
  readonly signal: AbortSignal;
  /** First byte wanted. */
  readonly offset: number;
  /** Last byte wanted, or null: to the end. */
  readonly last: number | null;
  /** ETag or date of the resource that was begun, or null. */
  readonly validator: string | null;
}

export interface RangedResponse {
  /** Null: there is nothing at the offset. */
  readonly body: ResponseBody | null;
  /** Offset in the resource of the first byte of `body`: the one asked for, or 0. */
  readonly start: number;
  readonly size: number | null;
  readonly validator: string | null;
  readonly acceptsRanges: boolean;
}

const redirectsMax = 5;
const headersTimeoutMs = 30_000;
/** The most that a socket gives at once. */
const chunkBytesMax = 64 << 10;
/** What has come and was not taken yet is taken together. */
const waitingBytesMax = 1 << 20;
export const bodyTimeoutMs: number = 60_000;
const retryAfterMsMax = 60_000;

/** @throws a coded error that ends the input, or anything else: worth another attempt. */
export async function requestRange(wanted: RangedRequest): Promise<RangedResponse> {
  const range = `bytes=${wanted.offset}-${wanted.last ?? ''}`;
  let url = new URL(wanted.url);
  const { origin } = url;
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const isOwn = url.origin === origin;
    const headers: Record<string, string> = { ...(isOwn ? wanted.headers : {}), 'accept-encoding': 'identity', range };
    if (wanted.validator !== null && wanted.offset > 0) headers['if-range'] = wanted.validator;
    const answer = await ask(wanted, isOwn ? wanted.own : wanted.elsewhere, url, headers);
    if (answer.statusCode < 300 || answer.statusCode >= 400) return await interpret(wanted, answer);
    await answer.discard();
    const location = answer.header('location');
    if (location === null || !URL.canParse(location, url.href)) break;
    url = new URL(location, url);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') break;
  }
  throw new UrlRedirects({ url: shownUrl(wanted.url), redirectsMax });
}

async function ask(
  { rooms, signal }: RangedRequest,
  { bodies, library }: Asking,
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const plain = await bodies.get({ url, path: `${url.pathname}${url.search}`, headers }, signal);
  const length = plain?.length ?? 0;
  if (plain !== null && (plain.length !== null || plain.status >= 300)) {
    return {
      statusCode: plain.status,
      header: (name) => plain.headers.get(name) ?? null,
      body: () => new PlainBody(plain, length, rooms),
      discard: async () => plain.close(),
    };
  }
  plain?.close();
  const { request } = await import('undici');
  const response = await request(url, {
    dispatcher: await library(),
    signal,
    headers,
    highWaterMark: waitingBytesMax,
    headersTimeout: headersTimeoutMs,
    bodyTimeout: bodyTimeoutMs,
  });
  // A body that is destroyed emits an error that nobody waits for.
  response.body.on('error', () => {});
  return {
    statusCode: response.statusCode,
    header: (name) => {
      const value = response.headers[name];
      return Array.isArray(value) ? (value[0] ?? null) : (value ?? null);
    },
    body: () => libraryBody(response.body),
    discard: async () => {
      await response.body.dump({ limit: 64 * 1024 }).catch(() => {});
    },
  };
}

function libraryBody(body: Dispatcher.ResponseData['body']): ResponseBody {
  return {
    async *pieces() {
      // SAFETY: a body without an encoding yields buffers.
      for await (const chunk of body as AsyncIterable<Buffer>) yield owned(chunk);
    },
    destroy: () => void body.destroy(),
  };
}

/** Buffers of the socket are shared and reused; a payload owns its bytes. What was put together of several stands in memory of its own. */
function owned(received: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, length } = received;
  const isAlone = length > chunkBytesMax && buffer.byteLength === length && buffer instanceof ArrayBuffer;
  return isAlone ? new Uint8Array(buffer) : new Uint8Array(received);
}

async function interpret(wanted: RangedRequest, response: Answer): Promise<RangedResponse> {
  const { statusCode } = response;
  const url = shownUrl(wanted.url);
  if (statusCode === 416) {
    await response.discard();
    const size = /^bytes \*\/(\d+)$/.exec(response.header('content-range') ?? '')?.[1];
    return {
      body: null,
      start: wanted.offset,
      size: size === undefined ? wanted.offset : Number(size),
      validator: null,
      acceptsRanges: true,
    };
  }
  if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500) {
    await response.discard();
    throw new TransientStatus(statusCode, retryAfter(response));
  }
  if (statusCode !== 200 && statusCode !== 206) {
    await response.discard();
    throw new UrlStatus({ url, status: statusCode });
  }
  const encoding = response.header('content-encoding');
  if (encoding !== null && encoding !== 'identity') {
    await response.discard();
    throw new UrlEncoded({ url, encoding });
  }
  const validator = validatorOf(response);
  if (wanted.offset > 0 && wanted.validator !== null && validator !== null && validator !== wanted.validator) {
    await response.discard();
    throw new UrlChanged({ url, offset: wanted.offset });
  }
  if (statusCode === 200) {
    const length = response.header('content-length');
    const size = length === null ? null : Number(length);
    return { body: response.body(), start: 0, size, validator, acceptsRanges: false };
  }
  const content = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.header('content-range') ?? '');
  if (content === null || Number(content[1]) !== wanted.offset) {
    await response.discard();
    throw new Error('the server sent another range than it was asked for');
  }
  const size = content[2] === '*' ? null : Number(content[2]);
  return { body: response.body(), start: wanted.offset, size, validator, acceptsRanges: true };
}

/** A strong ETag, else the date of the last change, else null. */
function validatorOf(response: Answer): string | null {
  const etag = response.header('etag');
  return etag !== null && !etag.startsWith('W/') ? etag : response.header('last-modified');
}

function retryAfter(response: Answer): number {
  const seconds = Number(response.header('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, retryAfterMsMax) : 0;
}

/** The address without what may be secret in it: credentials and query. */
export function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
