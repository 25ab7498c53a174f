// A DECIMAL or an unsigned integer of a text format, parsed into its column.
//
// Unsigned integers lie in the column as DECIMALs; what is negative or beyond their bits is out of range. Fractions of zeros
// are taken, as in 5.0. Called by json-value.ts and csv-field.ts only.
import { parseDecimal } from '../../runtime/batch/text-decimal.ts';
import { outOfRange, type ParseOutcome, parsed } from '../../runtime/batch/text-outcome.ts';
import type { ColumnTarget } from './column-target.ts';

// ── data plane ──

export function parseDecimalField(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
): ParseOutcome {
  const outcome = parseDecimal(bytes, start, end, target.precision, target.scale, target.words, row);
  if (target.unsigned === 0 || outcome !== parsed) return outcome;
  return fitsUnsigned(target, row) ? parsed : outOfRange;
}

function fitsUnsigned(target: ColumnTarget, row: number): boolean {
  const { words } = target;
  if (target.unsigned === 64) return words[4 * row + 2] === 0 && words[4 * row + 3] === 0;
  if (words[2 * row + 1] !== 0) return false;
  return target.unsigned === 32 || words[2 * row]! >>> target.unsigned === 0;
}
