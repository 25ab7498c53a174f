// Arrays of words that grow where they lie: what is in them is not copied, however much that is.
//
//   small   a plain array; a larger one takes its place
//   large   a view of shared memory that has room for 4 GiB of addresses and memory for what it holds: growing it asks the
//           operating system for more pages, in microseconds, and makes a view that is longer
// A view has a length of its own (one that follows its memory costs several times as much for each access) and stays right
// when the memory has grown, up to where it ends. Where the system gives no room for so many addresses, arrays are copied.
// Words that are new are 0. Shared memory is only a means here: no other thread sees it.

/** Plain arrays of more words are not copied again. */
const plainWordsMax = 1 << 17;
const addressBytes = 2 ** 32;
/** What grows for nothing grows by an eighth. */
const growthShift = 3;
const pageWords = 1 << 14;

/** Shared memory that can grow, as ECMAScript 2024 has it. */
interface GrowableMemory extends SharedArrayBuffer {
  readonly growable: boolean;
  readonly maxByteLength: number;
  grow(bytes: number): void;
}

type GrowableMemoryMaker = new (bytes: number, options: { maxByteLength: number }) => GrowableMemory;

/** An array of at least `needed` words that begins with those of `words`, which may lie in the same memory. */
export function grownWords(words: Int32Array, needed: number): Int32Array {
  if (needed <= plainWordsMax) return copied(words, Math.max(needed, Math.min(plainWordsMax, words.length * 2)));
  const length = roundedUp(Math.max(needed, words.length + (words.length >> growthShift)));
  const bytes = length * Int32Array.BYTES_PER_ELEMENT;
  if (bytes > addressBytes) return copied(words, Math.max(needed, words.length + (words.length >> growthShift)));
  const own = growableOf(words);
  if (own !== null) {
    if (bytes > own.byteLength) own.grow(bytes);
    return new Int32Array(own, 0, length);
  }
  const memory = growable(bytes);
  if (memory === null) return copied(words, Math.max(needed, words.length * 2));
  const grown = new Int32Array(memory, 0, length);
  grown.set(words);
  return grown;
}

/** The same memory as 64-bit floats. */
export function asDoubles(words: Int32Array): Float64Array {
  return new Float64Array(words.buffer, words.byteOffset, words.length >> 1);
}

function roundedUp(words: number): number {
  return Math.ceil(words / pageWords) * pageWords;
}

function copied(words: Int32Array, length: number): Int32Array {
  const grown = new Int32Array(length);
  grown.set(words);
  return grown;
}

function growableOf(words: Int32Array): GrowableMemory | null {
  if (!(words.buffer instanceof SharedArrayBuffer)) return null;
  // SAFETY: every Node that is supported knows growable memory.
  const memory = words.buffer as GrowableMemory;
  return memory.growable ? memory : null;
}

function growable(bytes: number): GrowableMemory | null {
  // SAFETY: as above.
  const make = SharedArrayBuffer as unknown as GrowableMemoryMaker;
  try {
    return new make(bytes, { maxByteLength: addressBytes });
  } catch {
    // No room for so many addresses: a limit on them, or a system of 32 bits.
    return null;
  }
}
