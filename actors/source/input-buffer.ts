// Random access to inputs that have none: each stream in memory as a whole, up to a bound, one after the other.
import type { Payload, Position, RandomAccess } from '../../connectors/sdk/source.ts';
import { InputTooLargeToBuffer, UnexpectedPayload } from './source-errors.ts';

export const bufferedBytesMax: number = 1 << 30;

/** A file or an object, with the position behind it. */
export interface BufferedStream {
  readonly input: RandomAccess;
  readonly positionAfter: Position;
}

/** The streams of `payloads`, but those without a byte. @throws InputTooLargeToBuffer when one is longer than `bytesMax` */
export async function* bufferedStreams(
  payloads: AsyncIterable<Payload>,
  signal: AbortSignal,
  bytesMax: number = bufferedBytesMax,
): AsyncGenerator<BufferedStream> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let last: Extract<Payload, { kind: 'bytes' }> | null = null;
  const finish = (): BufferedStream | null => {
    const ended = last;
    const stream = ended === null || size === 0 ? null : bufferedStream(chunks, size, ended);
    chunks = [];
    size = 0;
    last = null;
    return stream;
  };
  for await (const payload of payloads) {
    signal.throwIfAborted();
    if (payload.kind === 'idle') continue;
    if (payload.kind !== 'bytes')
      throw new UnexpectedPayload({ transport: 'of a block format', payload: payload.kind });
    size += payload.bytes.length;
    if (size > bytesMax) throw new InputTooLargeToBuffer({ inputBytesMax: bytesMax });
    chunks.push(payload.bytes);
    last = payload;
    const stream = payload.endOfStream === true ? finish() : null;
    if (stream !== null) yield stream;
  }
  const rest = finish();
  if (rest !== null) yield rest;
}

function bufferedStream(
  chunks: readonly Uint8Array[],
  size: number,
  last: Extract<Payload, { kind: 'bytes' }>,
): BufferedStream {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  const metadata = last.metadata === undefined ? {} : { metadata: last.metadata };
  const input = {
    size,
    read: async (offset: number, length: number) => whole.slice(offset, offset + length),
    ...metadata,
  };
  return { input, positionAfter: last.positionAfter(last.bytes.length) };
}
