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
const chunkWords = 1 << 14;
/** Words of a page of memory, of the smallest that there are. */
export const pageWords: number = 1 << 10;

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

/**
 * Has the system give memory for words [from, to), in which there is nothing yet, as far as the array goes. Memory that is read before it is written
 * comes twice: as a page of zeros that all share, and as one of its own, for which the other cores on which threads of the process run are interrupted.
 * To put 0 where 0 is counts as a write, and looks at nothing before; adding 0 would.
 */
export function touchPages(words: Int32Array, from: number, to: number): void {
  const end = Math.min(to, words.length);
  for (let at = from; at < end; at += pageWords) Atomics.compareExchange(words, at, 0, 0);
}

function roundedUp(words: number): number {
  return Math.ceil(words / chunkWords) * chunkWords;
}

function copied(words: Int32Array, length: number): Int32Array {
  const grown = new Int32Array(length);
  grown.set(words);
  return grown;
}
