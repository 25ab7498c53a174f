// Random access to an input that has none: all of it in memory, up to a bound.
import type { Payload, RandomAccess } from '../../connectors/sdk/source.ts';
import { InputTooLargeToBuffer, SeveralStreams, UnexpectedPayload } from './source-errors.ts';

export const bufferedBytesMax: number = 1 << 30;

/** Reads `payloads` to their end. @throws InputTooLargeToBuffer when they are longer than `bytesMax`; SeveralStreams */
export async function inputBuffer(
  payloads: AsyncIterable<Payload>,
  signal: AbortSignal,
  bytesMax: number = bufferedBytesMax,
): Promise<RandomAccess> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let isEnded = false;
  for await (const payload of payloads) {
    signal.throwIfAborted();
    if (payload.kind === 'idle') continue;
    if (payload.kind === 'batch') throw new UnexpectedPayload({ transport: 'of a block format', payload: 'batch' });
    if (isEnded && payload.bytes.length > 0) throw new SeveralStreams({});
    isEnded ||= payload.endOfStream === true;
    size += payload.bytes.length;
    if (size > bytesMax) throw new InputTooLargeToBuffer({ inputBytesMax: bytesMax });
    chunks.push(payload.bytes);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks.splice(0)) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return { size, read: async (offset, length) => whole.slice(offset, offset + length) };
}
