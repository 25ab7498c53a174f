// How the batches of a fetch are unpacked: by the library, but zstd by a decoder in JavaScript where Node has none (before 22.15).
import { KafkaMalformed, KafkaUnsupported } from './kafka-errors.ts';
import type { Decompress } from './record-set.ts';

const zstd = 4;

/** What does not unpack is malformed: it would not the next time either. */
export async function decompressor(): Promise<Decompress> {
  // Half a second of work for a thread: not for those whose batches are as they are.
  const { compressionsAlgorithmsByBitmask: known } = await import('@platformatic/kafka');
  const fallback = known[zstd]?.available === true ? null : (await import('fzstd')).decompress;
  return (codec, bytes) => {
    const algorithm = known[codec];
    if (algorithm === undefined) throw new KafkaUnsupported({ what: `batches with compression ${codec}` });
    try {
      return codec === zstd && fallback !== null ? fallback(bytes) : algorithm.decompressSync(bytes);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new KafkaMalformed({ detail: `a batch cannot be unpacked: ${reason}` }, { cause });
    }
  };
}
