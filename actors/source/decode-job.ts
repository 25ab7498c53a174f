// The worker side of the decoding pool: one request in, encoded batches out, both transferred.
//
// piscina calls the default export. The decoders that a worker keeps depend on nothing but their setup (piece-decoder.ts).
import { type Transferable, move, transferableSymbol, valueSymbol } from 'piscina';
import { registry } from '../../connectors/registry.ts';
import { type Decoded, type DecodeRequest, PieceDecoder } from './piece-decoder.ts';

const decoder = new PieceDecoder(registry.inputFormats);

export default async function decodeJob(request: DecodeRequest): Promise<Decoded> {
  const result = await decoder.decode(request);
  const transferable: Transferable = {
    get [transferableSymbol](): object {
      return result.batches.map((batch) => batch.buffer);
    },
    get [valueSymbol](): object {
      return result;
    },
  };
  // SAFETY: `move` marks a value for piscina, which unwraps it before the caller sees it.
  return move(transferable as unknown as ArrayBuffer) as unknown as Decoded;
}
