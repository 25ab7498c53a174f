// Hash and equality of rows by some of their columns.
//
// `hashRows` depends on values alone, with one fixed seed: the same on every thread, on disk, in whatever layout a column
// is. A hash selects a bucket; `rowsEqual` decides. NULL equals NULL, NaN equals NaN, and 0 does not equal -0 (a row is
// what was inserted). Both columns of a comparison are the same columns: rows are compared within one batch.
// With `local` a dictionary column is hashed by its codes where they are as distinct as its entries: faster, but only good
// within this batch.
import type { Column, Dictionary, Values } from './column.ts';
import type { SqlType } from './sql-type.ts';

/** Hashes of rows 0 .. rows - 1. */
export function hashRows(columns: readonly Column[], rows: number, local = false): Int32Array {
  const [only] = columns;
  if (columns.length === 1 && only!.layout === 'dictionary' && only!.validity === null) {
    const { codes, dictionary } = only!;
    // Strings that come again and again are hashed once.
    if (dictionary.size * 2 <= rows) return hashesOfCodes(codes, rows, hashesOfEntries(only!.type, dictionary));
  }
  const hashes = new Int32Array(rows).fill(seed);
  for (const column of columns) hashColumn(column, rows, hashes, local);
  for (let i = 0; i < rows; i++) hashes[i] = finish(hashes[i]!);
  return hashes;
}

function hashesOfEntries(type: SqlType, { size, offsets, bytes }: Dictionary): Int32Array {
  return hashRows([{ layout: 'bytes', type, validity: null, offsets, bytes }], size);
}

/** Says whether two rows of these columns are equal. */
export type RowEquality = (a: number, b: number) => boolean;

export function rowEquality(columns: readonly Column[]): RowEquality {
  const equalities = columns.map(columnEquality);
  return (a, b) => {
    for (let c = 0; c < equalities.length; c++) if (!equalities[c]!(a, b)) return false;
    return true;
  };
}

function hashColumn(column: Column, rows: number, hashes: Int32Array, local: boolean): void {
  const { validity } = column;
  if (column.layout === 'bytes') hashBytes(column.offsets, column.bytes, validity, rows, hashes);
  else if (column.layout === 'dictionary') {
    const { codes, dictionary } = column;
    if (local && dictionary.repeats !== true) hashWords(codes, 1, validity, rows, hashes);
    else hashEntries(codes, dictionary.offsets, dictionary.bytes, validity, rows, hashes);
  } else hashFixed(column.values, isWide(column), validity, rows, hashes);
}

function hashFixed(values: Values, wide: boolean, validity: Uint8Array | null, rows: number, hashes: Int32Array): void {
  if (values instanceof Float64Array) hashNumbers(values, validity, rows, hashes);
  else if (values instanceof Float32Array) hashNumbers(Float64Array.from(values), validity, rows, hashes);
  else if (values instanceof BigInt64Array) {
    const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    hashWords(words, wide ? 4 : 2, validity, rows, hashes);
  } else hashWords(values instanceof Int32Array ? values : Int32Array.from(values), 1, validity, rows, hashes);
}

function columnEquality(column: Column): RowEquality {
  const equal = valueEquality(column);
  const { validity } = column;
  if (validity === null) return equal;
  return (a, b) => {
    const hasA = (validity[a >> 3]! & (1 << (a & 7))) !== 0;
    const hasB = (validity[b >> 3]! & (1 << (b & 7))) !== 0;
    return hasA === hasB && (!hasA || equal(a, b));
  };
}

function valueEquality(column: Column): RowEquality {
  if (column.layout === 'dictionary') {
    const { codes, dictionary } = column;
    if (dictionary.repeats !== true) return (a, b) => codes[a] === codes[b];
    const { offsets, bytes } = dictionary;
    return (a, b) => {
      const x = codes[a]!;
      const y = codes[b]!;
      return x === y || equalBytes(bytes, offsets[x]!, offsets[x + 1]!, offsets[y]!, offsets[y + 1]!);
    };
  }
  if (column.layout === 'bytes') {
    const { offsets, bytes } = column;
    return (a, b) => equalBytes(bytes, offsets[a]!, offsets[a + 1]!, offsets[b]!, offsets[b + 1]!);
  }
  const { values } = column;
  if (values instanceof Float64Array || values instanceof Float32Array) {
    return (a, b) => Object.is(values[a], values[b]);
  }
  if (values instanceof BigInt64Array) {
    const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    if (isWide(column)) {
      return (a, b) => {
        for (let k = 0; k < 4; k++) if (words[4 * a + k] !== words[4 * b + k]) return false;
        return true;
      };
    }
    return (a, b) => words[2 * a] === words[2 * b] && words[2 * a + 1] === words[2 * b + 1];
  }
  return (a, b) => values[a] === values[b];
}

/** Whether a value of a fixed column takes two 64-bit words. */
export function isWide(column: Column): boolean {
  return column.type.kind === 'UUID' || (column.type.kind === 'DECIMAL' && column.type.precision > 18);
}

// ── data plane ──

const seed = 0x3c6ef372;
const nullHash = 0x51ed270b;

function finish(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return h ^ (h >>> 13);
}

function hashesOfCodes(codes: Int32Array, rows: number, entries: Int32Array): Int32Array {
  const hashes = new Int32Array(rows);
  for (let i = 0; i < rows; i++) hashes[i] = entries[codes[i]!]!;
  return hashes;
}

function mix(hash: number, word: number): number {
  return Math.imul(((hash << 13) | (hash >>> 19)) ^ word, 0x9e3779b1);
}

function isNull(validity: Uint8Array | null, row: number): boolean {
  return validity !== null && (validity[row >> 3]! & (1 << (row & 7))) === 0;
}

function hashWords(
  words: Int32Array,
  wordsEach: number,
  validity: Uint8Array | null,
  rows: number,
  hashes: Int32Array,
): void {
  for (let i = 0; i < rows; i++) {
    let h = hashes[i]!;
    if (isNull(validity, i)) h = mix(h, nullHash);
    else for (let k = 0; k < wordsEach; k++) h = mix(h, words[i * wordsEach + k]!);
    hashes[i] = h;
  }
}

function hashNumbers(values: Float64Array, validity: Uint8Array | null, rows: number, hashes: Int32Array): void {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  for (let i = 0; i < rows; i++) {
    const value = values[i]!;
    if (isNull(validity, i)) hashes[i] = mix(hashes[i]!, nullHash);
    else if (Number.isNaN(value)) hashes[i] = mix(hashes[i]!, 0x7ff80000);
    else hashes[i] = mix(mix(hashes[i]!, words[2 * i]!), words[2 * i + 1]!);
  }
}

function hashBytes(
  offsets: Int32Array,
  bytes: Uint8Array,
  validity: Uint8Array | null,
  rows: number,
  hashes: Int32Array,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < rows; i++) {
    if (isNull(validity, i)) hashes[i] = mix(hashes[i]!, nullHash);
    else hashes[i] = mixBytes(hashes[i]!, view, bytes, offsets[i]!, offsets[i + 1]!);
  }
}

function hashEntries(
  codes: Int32Array,
  offsets: Int32Array,
  bytes: Uint8Array,
  validity: Uint8Array | null,
  rows: number,
  hashes: Int32Array,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < rows; i++) {
    if (isNull(validity, i)) hashes[i] = mix(hashes[i]!, nullHash);
    else hashes[i] = mixBytes(hashes[i]!, view, bytes, offsets[codes[i]!]!, offsets[codes[i]! + 1]!);
  }
}

function mixBytes(hash: number, view: DataView, bytes: Uint8Array, start: number, end: number): number {
  let h = mix(hash, end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) h = mix(h, view.getInt32(at, true));
  for (; at < end; at++) h = mix(h, bytes[at]!);
  return h;
}

function equalBytes(bytes: Uint8Array, startA: number, endA: number, startB: number, endB: number): boolean {
  if (endA - startA !== endB - startB) return false;
  for (let i = startA, j = startB; i < endA; i++, j++) if (bytes[i] !== bytes[j]) return false;
  return true;
}
