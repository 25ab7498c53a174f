// How often a row is printed by formats without weights: |weight| times, within reason.
import { FormatWeightTooLarge } from './format-errors.ts';

const weightMax = 1_000_000;

/** @throws FormatWeightTooLarge */
export function copiesOf(weight: number): number {
  const copies = weight < 0 ? -weight : weight;
  if (copies > weightMax) throw new FormatWeightTooLarge({ weight, weightMax });
  return copies;
}
