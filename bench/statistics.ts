// Medians, spreads and ratios of paired runs.

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { min: at(0), median: at(0.5), max: at(1) };
}

/** Value below which `share` of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** A/A noise in percent: how far two medians of interleaved halves of the same runs lie apart. */
export function noisePercent(values: readonly number[]): number {
  const even = spread(values.filter((_, i) => i % 2 === 0)).median;
  const odd = spread(values.filter((_, i) => i % 2 === 1)).median;
  return (Math.abs(even - odd) / Math.min(even, odd)) * 100;
}
