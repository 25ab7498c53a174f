// Durations such as `1h30m` and sizes such as `2 GiB` as texts of the runtime configuration.

const microsOf: Readonly<Record<string, number>> = {
  ns: 1e-3,
  us: 1,
  '\u00b5s': 1,
  '\u03bcs': 1,
  ms: 1e3,
  s: 1e6,
  m: 60e6,
  h: 3_600e6,
  d: 86_400e6,
};

/** Microseconds; null when it is no duration. */
export function durationMicros(text: string): number | null {
  const terms = text.trim().replace(/^\+/, '');
  if (terms === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?\s*(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h|d)\s*)+$/.test(terms)) return null;
  let sum = 0;
  for (const [, amount, unit] of terms.matchAll(/(\d+(?:\.\d+)?)\s*(ns|us|\u00b5s|\u03bcs|ms|s|m|h|d)/g)) {
    sum += Number(amount) * (microsOf[unit ?? ''] ?? 0);
  }
  return Math.round(sum);
}

/** Megabytes (powers of 1000), fractions included; null when it is no size. */
export function sizeMegabytes(text: string): number | null {
  const found = /^(\d+(?:\.\d+)?)\s*(?:([kKMGTPE])(i)?)?B?$/.exec(text.trim());
  if (found === null) return null;
  const [, amount, prefix, binary] = found;
  const power = prefix === undefined ? 0 : 'kMGTPE'.indexOf(prefix === 'K' ? 'k' : prefix) + 1;
  const bytes = Number(amount) * (binary === undefined ? 1_000 : 1_024) ** power;
  return bytes / 1e6;
}
