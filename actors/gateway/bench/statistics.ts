// Medians, percentiles, A/A noise and ratios of paired runs: what every figure of a benchmark is made of. Pure.

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Of no values: NaN throughout. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  return { min: at(0), median, max: at(sorted.length - 1) };
}

/** Value below which `share` of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/**
 * A/A noise in percent: how far two medians of interleaved halves of the same runs lie apart. A difference between two
 * contenders that is not larger says nothing. NaN for fewer than two runs.
 */
export function noisePercent(values: readonly number[]): number {
  const even = spread(values.filter((_, i) => i % 2 === 0)).median;
  const odd = spread(values.filter((_, i) => i % 2 === 1)).median;
  return (Math.abs(even - odd) / Math.min(even, odd)) * 100;
}

/** Run by run, ours over theirs: what the machine did to both of a pair cancels out. */
export function pairedRatios(ours: readonly number[], theirs: readonly number[]): Spread {
  const pairs = Math.min(ours.length, theirs.length);
  return spread(Array.from({ length: pairs }, (_, i) => (ours[i] ?? Number.NaN) / (theirs[i] ?? Number.NaN)));
}
