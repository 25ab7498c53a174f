// Random numbers that are a function of a key and a counter: row r of a column is the same whatever was generated before
// it, so that resuming costs nothing and batches may be cut anywhere.
//
// The mixing is that of Chris Wellons' "lowbias32", twice, over 32-bit integers: exact, and the same on every machine.
// Serves what does not hang on the columns before it: texts and BOOLEAN. The numbers of a row are those of row-random.ts.
// Not for secrets. Counters are row numbers below 2^53; `lane` tells draws for one row apart.

/** A key for a stream of numbers of its own. */
export function streamKey(seed: number, ...parts: readonly number[]): number {
  let key = mix(seed | 0) ^ mix(Math.floor(seed / 4294967296) + 0x5bd1e995);
  for (const part of parts) key = mix(key + Math.imul(part + 1, 0x9e3779b1));
  return key | 0;
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** 32 random bits, as an unsigned number. */
export function random32(key: number, row: number, lane: number): number {
  const high = Math.floor(row / 4294967296);
  const x = mix(row ^ key);
  return mix(x + Math.imul(high + 1, 0x85ebca6b) + Math.imul(lane + 1, 0x9e3779b1)) >>> 0;
}

/** Uniform in [0, 1), 53 bits. */
export function randomFraction(key: number, row: number, lane: number): number {
  const high = random32(key, row, lane * 2) >>> 5;
  const low = random32(key, row, lane * 2 + 1) >>> 6;
  return (high * 67108864 + low) / 9007199254740992;
}

/** A uniform integer in [0, span), span up to 2^53. */
export function randomBelow(span: number, key: number, row: number, lane: number): number {
  if (span <= 65536) return (((random32(key, row, lane) >>> 0) * span) / 4294967296) >>> 0;
  return Math.floor(randomFraction(key, row, lane) * span);
}
