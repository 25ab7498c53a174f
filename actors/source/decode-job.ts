// The worker side of the decoding pool: one request in, encoded batches out: in memory that came with the request, or transferred.
//
// piscina calls the default export. The decoders that a worker keeps depend on nothing but their setup (piece-decoder.ts).
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { inputFormats, ownFormats } from '../../connectors/input-formats.ts';
import { type Decoded, type DecodeRequest, PieceDecoder } from './piece-decoder.ts';

/** Work for a thread; `begin` makes a decoder ahead of the first of its pieces. */
export type DecodeJob = DecodeRequest | { readonly kind: 'begin'; readonly setup: string };

const decoder = new PieceDecoder([...inputFormats, ...ownFormats]);

export default async function decodeJob(request: DecodeJob): Promise<unknown> {
  if (request.kind === 'begin') return await decoder.prepare(request.setup);
  const decoded: Decoded = await decoder.decode(request);
  const buffers = decoded.batches.flatMap(({ frame }) => (frame instanceof ArrayBuffer ? [frame] : []));
  // piscina posts the value and transfers the list; the caller of `run` gets the value.
  return move({ [transferableSymbol]: buffers, [valueSymbol]: decoded });
}
