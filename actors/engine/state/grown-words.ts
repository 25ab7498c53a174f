// Arrays of words that grow where they lie: what is in them is not copied, however much that is.
//
//   small   a plain array; a larger one takes its place
//   large   a view of shared memory that grows (growable-memory.ts): growing it makes a view that is longer
// Where the system gives no room for so many addresses, arrays are copied. Words that are new are 0. Shared memory is only a means here: no
// other thread sees it.
import { addressBytes, grownMemory } from './growable-memory.ts';

/** Plain arrays of more words are not copied again. */
const plainWordsMax = 1 << 17;
/** What grows for nothing grows by an eighth. */
const growthShift = 3;
const pageWords = 1 << 14;

/** An array of at least `needed` words that begins with those of `words`, which may lie in the same memory. */
export function grownWords(words: Int32Array, needed: number): Int32Array {
  if (needed <= plainWordsMax) return copied(words, Math.max(needed, Math.min(plainWordsMax, words.length * 2)));
  const wanted = Math.max(needed, words.length + (words.length >> growthShift));
  const length = roundedUp(wanted);
  const bytes = length * Int32Array.BYTES_PER_ELEMENT;
  const memory = grownMemory(words.buffer, words.byteLength, bytes);
  if (memory !== null) return new Int32Array(memory, 0, length);
  return copied(words, bytes > addressBytes ? wanted : Math.max(needed, words.length * 2));
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
