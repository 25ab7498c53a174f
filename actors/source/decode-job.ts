// The worker side of the decoding pool: one request in, encoded batches out: in memory that came with the request, or transferred.
//
// piscina calls the default export. The decoders that a worker keeps depend on nothing but their setup (piece-decoder.ts).
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { registry } from '../../connectors/registry.ts';
import { type Decoded, type DecodeRequest, PieceDecoder } from './piece-decoder.ts';

const decoder = new PieceDecoder([...registry.inputFormats, ...(registry.ownFormats ?? [])]);

export default async function decodeJob(request: DecodeRequest): Promise<unknown> {
  const decoded: Decoded = await decoder.decode(request);
  const buffers = decoded.batches.flatMap(({ frame }) => (frame instanceof ArrayBuffer ? [frame] : []));
  // piscina posts the value and transfers the list; the caller of `run` gets the value.
  return move({ [transferableSymbol]: buffers, [valueSymbol]: decoded });
}
