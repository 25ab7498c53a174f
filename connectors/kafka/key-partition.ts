// The partition of a key: the hash that the clients of Kafka agree on, so that what happens to a key comes in order whoever writes it.
// MurmurHash2 of 32 bits, by Austin Appleby, with Kafka's seed.

/** Of the key source[start .. end). */
export function partitionOfKey(source: Uint8Array, start: number, end: number, partitions: number): number {
  return (murmur2(source, start, end) & 0x7fffffff) % partitions;
}

// ── data plane ──

const seed = 0x9747b28c;
const factor = 0x5bd1e995;

export function murmur2(source: Uint8Array, start: number, end: number): number {
  let hash = seed ^ (end - start);
  let i = start;
  for (; i + 4 <= end; i += 4) {
    let word = source[i]! | (source[i + 1]! << 8) | (source[i + 2]! << 16) | (source[i + 3]! << 24);
    word = Math.imul(word, factor);
    word = Math.imul(word ^ (word >>> 24), factor);
    hash = Math.imul(hash, factor) ^ word;
  }
  const left = end - i;
  if (left > 2) hash ^= source[i + 2]! << 16;
  if (left > 1) hash ^= source[i + 1]! << 8;
  if (left > 0) hash = Math.imul(hash ^ source[i]!, factor);
  hash = Math.imul(hash ^ (hash >>> 13), factor);
  return hash ^ (hash >>> 15);
}
