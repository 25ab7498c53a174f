// What turns the batches of a result into the bytes of a reply: one printer per format (query-format.ts), made for one result.
//
// `begin`, then `frame` for each batch in order, then `end`; each gives the next bytes of the reply, none of which change
// afterwards. `survey` is called for all batches before, where a printer says that it needs to see them (text: widths).
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';

export interface ResultPrinter {
  survey?(batch: ChangeBatch): void;
  begin(): Uint8Array;
  frame(batch: ChangeBatch): Uint8Array;
  end(): Uint8Array;
}
