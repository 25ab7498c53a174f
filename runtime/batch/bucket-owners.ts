// Which worker owns the rows of which keys, where some keys have many more rows than others.
//
// Keys fall into buckets by the upper bits of their hash (owner-hash.ts). Where the rows of a first batch show that even shares of the
// buckets would leave a worker with much more than its part, buckets are dealt out by the rows that they have, the fullest first, each to
// whoever has the least; else nothing is to be remembered, and `null` says so. A bucket never changes hands: its rows are somebody's state.
// The same batch gives the same owners on every thread.
const bucketBits = 10;
export const bucketCount: number = 1 << bucketBits;
/** Fewer rows say little about those that will come. */
const rowsMin = 4096;
/** So much more than an even part is too much. */
const excess = 1.2;

/** By bucket the number of a worker; null: even shares will do. */
export function bucketOwners(hashes: Int32Array, rows: number, workers: number): Uint8Array | null {
  if (rows < rowsMin || workers > 256) return null;
  const counts = new Int32Array(bucketCount);
  countBuckets(hashes, rows, counts);
  const even = Array.from({ length: workers }, () => 0);
  counts.forEach((count, bucket) => {
    even[Math.floor((bucket * workers) / bucketCount)]! += count;
  });
  if (Math.max(...even) <= (excess * rows) / workers) return null;
  const owners = new Uint8Array(bucketCount);
  const loads = Array.from({ length: workers }, () => 0);
  const fullest = Array.from(counts.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b);
  // An empty bucket counts as well: what comes to it later is dealt out evenly.
  const dealt = Array.from({ length: workers }, () => 0);
  for (const bucket of fullest) {
    let least = 0;
    for (let worker = 1; worker < workers; worker++) {
      const fewer = loads[worker]! - loads[least]! || dealt[worker]! - dealt[least]!;
      if (fewer < 0) least = worker;
    }
    owners[bucket] = least;
    loads[least]! += counts[bucket]!;
    dealt[least]!++;
  }
  return owners;
}

// ── data plane ──

function countBuckets(hashes: Int32Array, rows: number, counts: Int32Array): void {
  for (let i = 0; i < rows; i++) counts[hashes[i]! >>> (32 - bucketBits)]!++;
}

/** Writes the rows of one worker to `out`; returns how many there are. */
export function selectByBucket(
  hashes: Int32Array,
  rows: number,
  owners: Uint8Array,
  worker: number,
  out: Int32Array,
): number {
  let count = 0;
  for (let i = 0; i < rows; i++) {
    out[count] = i;
    // By arithmetic, as in partition-rows.ts.
    count += ((owners[hashes[i]! >>> (32 - bucketBits)]! ^ worker) - 1) >>> 31;
  }
  return count;
}
