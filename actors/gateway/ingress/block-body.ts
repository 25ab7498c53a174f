// A body in a format whose directory stands at its end (parquet): collected, then planned and decoded block by block.
//
// The whole body is held, so its size is bounded (413).
import type { DecodeReport, DecoderContext, InputFormat } from '../../../connectors/sdk/format.ts';
import type { ParameterValues } from '../../../connectors/sdk/parameters.ts';
import type { RandomAccess } from '../../../connectors/sdk/source.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';

/** Batches of at most `batchRowsMax` rows, in order; what is wrong stands in `report`. */
export async function decodeBlockBody(
  chunks: readonly Uint8Array[],
  format: InputFormat,
  configuration: ParameterValues,
  context: DecoderContext,
  report: DecodeReport,
  batchRowsMax: number,
  signal: AbortSignal,
): Promise<readonly ChangeBatch[]> {
  if (format.kind !== 'block') throw new Error('only block formats are collected');
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let used = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, used);
    used += chunk.length;
  }
  const input: RandomAccess = {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
  };
  const batches: ChangeBatch[] = [];
  try {
    for (const block of await format.plan(input, configuration, context, signal)) {
      const part = bytes.slice(block.offset, block.offset + block.length);
      batches.push(...(await format.decodeBlock(part, block, configuration, context, report, batchRowsMax)));
      if (report.fatal !== null) break;
    }
  } catch (thrown) {
    report.fatal = thrown instanceof Error ? thrown : new Error(String(thrown));
  }
  return batches;
}
