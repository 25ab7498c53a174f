// Prints a batch with the format's encoder, and saves what can be saved when a row cannot be printed.
//
// A batch that the encoder refuses is printed in halves, down to the single rows that are to blame: those are counted and
// listed, all others are kept, in their order. Costs an extra pass for each level of halves, and only for such batches. A large batch of
// insertions is printed in parts where the format does not mind, so that what is printed lies in the caches and not in ever larger memory.
import type { Encoded, Encoder } from '../../connectors/sdk/format.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';

const partRows = 16_384;

/**
 * Calls `write` with the bytes of `batch` (which the next print may reuse), in parts where it has to be, and `refused` for each row that cannot be
 * printed, with its number in the batch from 0.
 */
export async function printBatch(
  encoder: Encoder,
  batch: ChangeBatch,
  write: (printed: Encoded) => Promise<void>,
  refused: (error: unknown, row: number) => void,
): Promise<void> {
  // Parts still to be printed, the next one last.
  const parts: { readonly start: number; readonly end: number }[] = [];
  const isWhole = encoder.isDivisible !== true || (batch.weights?.some((weight) => weight < 0) ?? false);
  const rowsMax = isWhole ? Math.max(1, batch.rows) : partRows;
  const last = Math.max(0, Math.ceil(batch.rows / rowsMax) - 1) * rowsMax;
  for (let start = last, end = batch.rows; start >= 0; end = start, start -= rowsMax) parts.push({ start, end });
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const { start, end } = part;
    let printed: Encoded;
    try {
      printed = encoder.encode(sliceBatch(batch, start, end));
    } catch (error) {
      if (end - start <= 1) {
        refused(error, start);
        continue;
      }
      const middle = (start + end) >> 1;
      parts.push({ start: middle, end }, { start, end: middle });
      continue;
    }
    await write(printed);
  }
}
