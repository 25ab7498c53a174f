// The body of a request to a JSON route as plain bytes, for Fastify to collect: whatever its Content-Encoding, and told in the same words as
// for rows that come in when it cannot be unpacked. How long it may be is Fastify's to hold, for the packed bytes and the unpacked ones.
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { plainBody } from '../ingress/body-decompression.ts';
import { cannotDecompress } from '../ingress/intake-problems.ts';

/** @throws HttpProblem 415 */
export function jsonBody(request: IncomingMessage): Readable {
  const plain = plainBody(request);
  if (plain === request) return request;
  // Fastify compares the count with the Content-Length instead of what it has collected.
  const body = Object.assign(new PassThrough(), { receivedEncodedLength: 0 });
  request.on('data', (chunk: Uint8Array) => {
    body.receivedEncodedLength += chunk.length;
  });
  // Fastify listens until it has its answer, which may be that the body is too long: what fails behind that is told to nobody.
  body.on('error', () => {});
  plain.on('error', (error) => body.destroy(cannotDecompress({ rows: 0, token: '' }, error)));
  // Cut off: nobody is there to be told.
  plain.on('close', () => {
    if (!plain.readableEnded) body.destroy();
  });
  return plain.pipe(body);
}
