// Defaults of columns that are other ones for each message of a piece, since they read its metadata: JSON text by message and column.
//
// Made on the thread of the source, applied by whoever decodes: before each message the decoder's own list of defaults is changed.
import type { Decoder } from '../../connectors/sdk/format.ts';
import type { EvaluatedDefaults } from '../metadata-defaults.ts';

/** Makes the defaults of a message those of a decoder. */
export function applyDefaults(decoder: Decoder, { columns, offsets, bytes }: EvaluatedDefaults, message: number): void {
  const target = decoder.defaults;
  if (target === undefined) return;
  for (let c = 0, n = message * columns.length; c < columns.length; c++, n++) {
    const start = offsets[n]!;
    const end = offsets[n + 1]!;
    target[columns[c]!] = start === end ? null : bytes.subarray(start, end);
  }
}
