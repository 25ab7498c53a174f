// The body as a stream of plain bytes, whatever its Content-Encoding.
//
// Decoders of node:zlib hold one window and one chunk, so memory is constant and a body that unpacks to a thousand times its
// size is held back like any other. zstd is decoded by Node where it can (22.15 and later), by zstd-decoder.ts elsewhere.
import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable, Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { HttpProblem } from '../http/http-problem.ts';
import { zstdDecoder } from './zstd-decoder.ts';

const chunkSize = 64 * 1024;
/** More than anybody stacks; each costs a window of memory. */
const codingsMax = 4;

const createZstd: ((options: { chunkSize: number }) => Transform) | null =
  'createZstdDecompress' in zlib && typeof zlib.createZstdDecompress === 'function'
    ? (zlib.createZstdDecompress as (options: { chunkSize: number }) => Transform) // SAFETY: as Node documents it.
    : null;

/** @throws HttpProblem 415 */
export function plainBody(request: IncomingMessage): Readable {
  const header = request.headers['content-encoding'];
  if (header === undefined || header === '' || header === 'identity') return request;
  const codings = header.split(',').map((coding) => coding.trim().toLowerCase());
  if (codings.length > codingsMax) throw unsupported(header);
  let body: Readable = request;
  // The last coding was applied last.
  const decoders = codings.reverse().flatMap((coding) => (coding === 'identity' ? [] : [decoderOf(coding)]));
  for (const decoder of decoders) {
    const from = body;
    from.on('error', (error) => decoder.destroy(error));
    // Without an end the body was cut off: the decoder must not call it complete.
    from.on('close', () => {
      if (!from.readableEnded) decoder.destroy();
    });
    body = from.pipe(decoder);
  }
  return body;
}

function decoderOf(coding: string): Duplex {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip({ chunkSize });
    case 'deflate':
      return zlib.createInflate({ chunkSize });
    case 'br':
      return zlib.createBrotliDecompress({ chunkSize });
    case 'zstd':
      return createZstd === null ? zstdDecoder() : createZstd({ chunkSize });
    default:
      throw unsupported(coding);
  }
}

function unsupported(coding: string): HttpProblem {
  const supported = ['gzip', 'deflate', 'br', 'zstd', 'identity'];
  return new HttpProblem({
    status: 415,
    code: 'UnsupportedContentEncoding',
    message: `the body's encoding '${coding.slice(0, 100)}' is not supported here; supported: ${supported.join(', ')}`,
    details: { supported },
    headers: { 'accept-encoding': supported.join(', ') },
  });
}
