// Shared memory that grows where it lies: what is in it is not copied, however much that is.
//
// It has room for 4 GiB of addresses and memory for what it holds: growing it asks the operating system for more pages, in microseconds.
// A view on it needs a length of its own (one that follows its memory costs several times as much for each access); it stays right when
// the memory has grown, up to where it ends. What is new is 0. Users are arrays of words (grown-words.ts) and strings (string-pool.ts).

export const addressBytes: number = 2 ** 32;

/** Shared memory that can grow, as ECMAScript 2024 has it. */
interface GrowableMemory extends SharedArrayBuffer {
  readonly growable: boolean;
  readonly maxByteLength: number;
  grow(bytes: number): void;
}

type GrowableMemoryMaker = new (bytes: number, options: { maxByteLength: number }) => GrowableMemory;

/**
 * Memory of `bytes` at least that begins with the first `used` ones of `memory`: the same where it can grow. null: the system gives no room
 * for so many addresses (a limit on them, or a system of 32 bits), or they would not be enough.
 */
export function grownMemory(memory: ArrayBufferLike, used: number, bytes: number): SharedArrayBuffer | null {
  if (bytes > addressBytes) return null;
  const own = growableOf(memory);
  if (own !== null) {
    if (bytes > own.byteLength) own.grow(bytes);
    return own;
  }
  const grown = growable(bytes);
  if (grown !== null) new Uint8Array(grown, 0, used).set(new Uint8Array(memory, 0, used));
  return grown;
}

function growableOf(memory: ArrayBufferLike): GrowableMemory | null {
  if (!(memory instanceof SharedArrayBuffer)) return null;
  // SAFETY: every Node that is supported knows growable memory.
  const shared = memory as GrowableMemory;
  return shared.growable ? shared : null;
}

function growable(bytes: number): GrowableMemory | null {
  // SAFETY: as above.
  const make = SharedArrayBuffer as unknown as GrowableMemoryMaker;
  try {
    return new make(bytes, { maxByteLength: addressBytes });
  } catch {
    return null;
  }
}
