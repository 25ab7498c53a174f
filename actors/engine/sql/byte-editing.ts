// Parts of byte strings: what SUBSTRING, LEFT, RIGHT and OVERLAY do with bytes. Positions count from 1.

/** The bytes from a position on; a position before the first one counts, but there is nothing there. */
export function sliceBytes(x: Uint8Array, start: bigint, count?: bigint): Uint8Array {
  const from = Number(start) - 1;
  const to = count === undefined ? x.length : from + Math.max(0, Number(count));
  return x.slice(Math.max(0, Math.min(from, x.length)), Math.max(0, Math.min(to, x.length)));
}

export function lastBytes(x: Uint8Array, count: bigint): Uint8Array {
  return x.slice(Math.max(0, x.length - Math.max(0, Number(count))));
}

export function overlayBytes(x: Uint8Array, by: Uint8Array, start: bigint, count?: bigint): Uint8Array {
  if (start <= 0n) return x;
  const from = Math.min(Number(start) - 1, x.length);
  const to = Math.min(x.length, from + Math.max(0, count === undefined ? by.length : Number(count)));
  return Uint8Array.from([...x.subarray(0, from), ...by, ...x.subarray(to)]);
}
