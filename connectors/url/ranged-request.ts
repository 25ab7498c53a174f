// One HTTP GET of the rest of a resource, from an offset on: redirects, range and validator headers, and what the answer
// means. No retries here (see source.ts).
//
// Every request asks for a range, also the first: an answer of 206 shows that the server can be asked again from any
// offset, and tells the size. A server that answers 200 sends everything, and the caller skips what it has. `If-Range`
// makes a server send everything when the resource is no longer the one that was begun; that is an error, since half of
// one version and half of another is no input. Headers of the user are not sent to another origin.
import type { Dispatcher } from 'undici';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

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

export interface RangedRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For the origin of `url`, and for others that it redirects to, which are not told who the client is. */
  readonly dispatcher: Dispatcher;
  readonly elsewhere: Dispatcher;
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
  readonly body: Dispatcher.ResponseData['body'] | null;
  /** Offset in the resource of the first byte of `body`: the one asked for, or 0. */
  readonly start: number;
  readonly size: number | null;
  readonly validator: string | null;
  readonly acceptsRanges: boolean;
}

const redirectsMax = 5;
const headersTimeoutMs = 30_000;
/** What has come and was not taken yet is taken together. */
const waitingBytesMax = 1 << 20;
const bodyTimeoutMs = 60_000;
const retryAfterMsMax = 60_000;

/** @throws a coded error that ends the input, or anything else: worth another attempt. */
export async function requestRange(wanted: RangedRequest): Promise<RangedResponse> {
  const range = `bytes=${wanted.offset}-${wanted.last ?? ''}`;
  let url = new URL(wanted.url);
  const { origin } = url;
  const { request: send } = await import('undici');
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const isOwn = url.origin === origin;
    const headers: Record<string, string> = { ...(isOwn ? wanted.headers : {}), 'accept-encoding': 'identity', range };
    if (wanted.validator !== null && wanted.offset > 0) headers['if-range'] = wanted.validator;
    const response = await send(url, {
      dispatcher: isOwn ? wanted.dispatcher : wanted.elsewhere,
      signal: wanted.signal,
      headers,
      highWaterMark: waitingBytesMax,
      headersTimeout: headersTimeoutMs,
      bodyTimeout: bodyTimeoutMs,
    });
    // A body that is destroyed emits an error that nobody waits for.
    response.body.on('error', () => {});
    if (response.statusCode < 300 || response.statusCode >= 400) return await interpret(wanted, response);
    await discard(response);
    const location = headerOf(response, 'location');
    if (location === null || !URL.canParse(location, url.href)) break;
    url = new URL(location, url);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') break;
  }
  throw new UrlRedirects({ url: shownUrl(wanted.url), redirectsMax });
}

async function interpret(wanted: RangedRequest, response: Dispatcher.ResponseData): Promise<RangedResponse> {
  const { statusCode } = response;
  const url = shownUrl(wanted.url);
  if (statusCode === 416) {
    await discard(response);
    const size = /^bytes \*\/(\d+)$/.exec(headerOf(response, 'content-range') ?? '')?.[1];
    return {
      body: null,
      start: wanted.offset,
      size: size === undefined ? wanted.offset : Number(size),
      validator: null,
      acceptsRanges: true,
    };
  }
  if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500) {
    await discard(response);
    throw new TransientStatus(statusCode, retryAfter(response));
  }
  if (statusCode !== 200 && statusCode !== 206) {
    await discard(response);
    throw new UrlStatus({ url, status: statusCode });
  }
  const encoding = headerOf(response, 'content-encoding');
  if (encoding !== null && encoding !== 'identity') {
    await discard(response);
    throw new UrlEncoded({ url, encoding });
  }
  const validator = validatorOf(response);
  if (wanted.offset > 0 && wanted.validator !== null && validator !== null && validator !== wanted.validator) {
    await discard(response);
    throw new UrlChanged({ url, offset: wanted.offset });
  }
  if (statusCode === 200) {
    const length = headerOf(response, 'content-length');
    const size = length === null ? null : Number(length);
    return { body: response.body, start: 0, size, validator, acceptsRanges: false };
  }
  const content = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headerOf(response, 'content-range') ?? '');
  if (content === null || Number(content[1]) !== wanted.offset) {
    await discard(response);
    throw new Error('the server sent another range than it was asked for');
  }
  const size = content[2] === '*' ? null : Number(content[2]);
  return { body: response.body, start: wanted.offset, size, validator, acceptsRanges: true };
}

/** A strong ETag, else the date of the last change, else null. */
function validatorOf(response: Dispatcher.ResponseData): string | null {
  const etag = headerOf(response, 'etag');
  return etag !== null && !etag.startsWith('W/') ? etag : headerOf(response, 'last-modified');
}

function retryAfter(response: Dispatcher.ResponseData): number {
  const seconds = Number(headerOf(response, 'retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, retryAfterMsMax) : 0;
}

function headerOf(response: Dispatcher.ResponseData, name: string): string | null {
  const value = response.headers[name];
  return Array.isArray(value) ? (value[0] ?? null) : (value ?? null);
}

async function discard(response: Dispatcher.ResponseData): Promise<void> {
  await response.body.dump({ limit: 64 * 1024 }).catch(() => {});
}

/** The address without what may be secret in it: credentials and query. */
export function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
