// One column chunk of a row group becomes one column of that many rows.
//
// Fixed-width values are gathered or scattered straight into the column's array. Byte strings are kept as pieces, one a
// page: codes into the chunk's dictionary, or strings of their own (writers give a dictionary up when it grows too
// large). A column whose pages are all codes stays a dictionary column when that is worth it: entries distinct, and few
// of them, since a dictionary goes along with every batch that is sent over a port.
// NULL: a bit in `validity`; the value under it is 0 or empty.
import type { CompressionCodec } from 'hyparquet';
import { allocateValues } from '../../runtime/batch/batch-builder.ts';
import type { Column, Values } from '../../runtime/batch/column.ts';
import { type SqlType, type Storage, storageOf } from '../../runtime/batch/sql-type.ts';
import type { Conversion } from './parquet-conversion.ts';
import { damaged, type Page, readPages, unpackCodes } from './parquet-page.ts';
import { readStoredValues, type StoredShape } from './parquet-stored-values.ts';
import { type ConvertedBytes, type ConvertedValues, convertValues, type Refused } from './parquet-value-conversion.ts';

/** A column chunk as the directory describes it. Plain data. */
export interface ChunkDescription extends StoredShape {
  readonly codec: CompressionCodec;
  readonly optional: boolean;
  /** Bytes from the start of the block. */
  readonly offset: number;
  readonly length: number;
  readonly uncompressedBytes: number;
  readonly conversion: Conversion;
}

export interface DecodedChunk {
  readonly column: Column;
  /** Row number -> the value as text, for values that the column cannot hold. */
  readonly refused: Refused | null;
}

/** Pages of byte strings, in the order of their rows. */
type Piece =
  | { readonly codes: Int32Array; readonly strings: null }
  | {
      readonly codes: null;
      readonly strings: ConvertedBytes;
      readonly levels: Uint8Array | null;
      readonly rows: number;
    };

/** @throws a coded error when the chunk contradicts itself. `keptEntriesMax` bounds a dictionary that is worth keeping. */
export function decodeColumnChunk(
  bytes: Uint8Array,
  chunk: ChunkDescription,
  type: SqlType,
  rows: number,
  keptEntriesMax: number,
): DecodedChunk {
  return new ChunkDecoder(chunk, type, rows).decode(bytes, keptEntriesMax);
}

class ChunkDecoder {
  readonly #chunk: ChunkDescription;
  readonly #type: SqlType;
  readonly #rows: number;
  readonly #storage: Storage;
  #dictionary: ConvertedValues | null = null;
  #validity: Uint8Array | null = null;
  #refused: Refused | null = null;
  readonly #pieces: Piece[] = [];

  constructor(chunk: ChunkDescription, type: SqlType, rows: number) {
    this.#chunk = chunk;
    this.#type = type;
    this.#rows = rows;
    this.#storage = storageOf(type);
  }

  decode(bytes: Uint8Array, keptEntriesMax: number): DecodedChunk {
    const chunk = this.#chunk;
    const values = this.#storage === 'bytes' ? null : allocateValues(this.#storage, this.#rows);
    let row = 0;
    for (const page of readPages(bytes.subarray(chunk.offset, chunk.offset + chunk.length), chunk, this.#rows)) {
      if (page.kind === 'dictionary') {
        const stored = readStoredValues(page.values, page.count, page.encoding, chunk);
        this.#dictionary = convertValues(stored, chunk.conversion, this.#type, chunk);
        continue;
      }
      if (page.levels !== null) this.#markNulls(page.levels, row);
      if (values === null) this.#addPiece(page, row);
      else this.#writeNumbers(page, row, values);
      row += page.count;
    }
    const column = values === null ? this.#bytesColumn(keptEntriesMax) : this.#fixedColumn(values);
    return { column, refused: this.#refused };
  }

  #fixedColumn(values: Values): Column {
    return { layout: 'fixed', type: this.#type, validity: this.#validity, values };
  }

  /** Codes of a page for each row, 0 under a NULL; null when the page is not encoded by the dictionary. */
  #readCodes(page: Page): Int32Array | null {
    if (page.encoding !== 'RLE_DICTIONARY' && page.encoding !== 'PLAIN_DICTIONARY') return null;
    if (this.#dictionary === null) throw damaged(this.#chunk, 'a page refers to a dictionary that is missing');
    const codes = new Int32Array(page.count);
    const width = page.stored === 0 ? 0 : (page.values[0] ?? 255);
    if (width > 32 || (page.stored > 0 && !unpackCodes(page.values, 1, width, codes, page.stored))) {
      throw damaged(this.#chunk, 'a page ends before its values');
    }
    if (page.stored > 0 && !allBelow(codes, page.stored, this.#dictionary.count)) {
      throw damaged(this.#chunk, 'a page refers to an entry that its dictionary lacks');
    }
    if (page.levels !== null) spreadCodes(codes, page.levels, page.stored);
    return codes;
  }

  #writeNumbers(page: Page, row: number, values: Values): void {
    const width = this.#storage === 'i128' ? 2 : 1;
    const codes = this.#readCodes(page);
    if (codes !== null) {
      const entries = numbersOf(this.#dictionary, this.#chunk);
      if (entries.count > 0) gather(entries.values, codes, page.count, width, values, row);
      if (entries.refused !== null) this.#refuseCodes(entries.refused, codes, page.levels, row);
      return;
    }
    const stored = readStoredValues(page.values, page.stored, page.encoding, this.#chunk);
    const converted = numbersOf(convertValues(stored, this.#chunk.conversion, this.#type, this.#chunk), this.#chunk);
    if (page.levels === null) copyInto(converted.values, values, row * width);
    else scatter(converted.values, page.levels, width, values, row);
    if (converted.refused !== null) this.#refuseStored(converted.refused, page.levels, row);
  }

  #addPiece(page: Page, row: number): void {
    const codes = this.#readCodes(page);
    if (codes !== null) {
      const entries = bytesOf(this.#dictionary, this.#chunk);
      if (entries.refused !== null) this.#refuseCodes(entries.refused, codes, page.levels, row);
      this.#pieces.push({ codes, strings: null });
      return;
    }
    const stored = readStoredValues(page.values, page.stored, page.encoding, this.#chunk);
    const strings = bytesOf(convertValues(stored, this.#chunk.conversion, this.#type, this.#chunk), this.#chunk);
    if (strings.refused !== null) this.#refuseStored(strings.refused, page.levels, row);
    this.#pieces.push({ codes: null, strings, levels: page.levels, rows: page.count });
  }

  #bytesColumn(keptEntriesMax: number): Column {
    const validity = this.#validity;
    const type = this.#type;
    const dictionary = this.#dictionary === null ? null : bytesOf(this.#dictionary, this.#chunk);
    const onlyCodes = this.#pieces.every((piece) => piece.codes !== null);
    if (dictionary !== null && onlyCodes && dictionary.count <= keptEntriesMax && areDistinct(dictionary)) {
      const { offsets, bytes, count } = dictionary;
      const codes = joinCodes(this.#pieces, this.#rows);
      return { layout: 'dictionary', type, validity, codes, dictionary: { identity: {}, size: count, offsets, bytes } };
    }
    const offsets = new Int32Array(this.#rows + 1);
    let total = 0;
    let row = 0;
    for (const piece of this.#pieces) {
      if (piece.codes === null)
        total = layOutStrings(piece.strings.offsets, piece.levels, piece.rows, offsets, row, total);
      else {
        const entries = bytesOf(dictionary, this.#chunk);
        total = layOutCodes(entries.offsets, entries.count, piece.codes, this.#validity, offsets, row, total);
      }
      row += piece.codes === null ? piece.rows : piece.codes.length;
      if (total >= 2 ** 31) throw damaged(this.#chunk, 'its texts exceed 2 GiB in one row group');
    }
    const bytes = new Uint8Array(total);
    row = 0;
    for (const piece of this.#pieces) {
      if (piece.codes === null) {
        bytes.set(piece.strings.bytes.subarray(0, piece.strings.offsets[piece.strings.count]), offsets[row]);
        row += piece.rows;
      } else {
        const entries = bytesOf(dictionary, this.#chunk);
        copyEntries(entries.offsets, entries.bytes, piece.codes, offsets, row, bytes);
        row += piece.codes.length;
      }
    }
    return { layout: 'bytes', type, validity, offsets, bytes };
  }

  #markNulls(levels: Uint8Array, row: number): void {
    this.#validity ??= new Uint8Array((this.#rows + 7) >> 3).fill(255);
    clearBits(this.#validity, levels, row);
  }

  #refuseCodes(refused: Refused, codes: Int32Array, levels: Uint8Array | null, row: number): void {
    this.#refused ??= new Map();
    for (let i = 0; i < codes.length; i++) {
      const text = levels !== null && levels[i] === 0 ? undefined : refused.get(codes[i] ?? -1);
      if (text !== undefined) this.#refused.set(row + i, text);
    }
  }

  #refuseStored(refused: Refused, levels: Uint8Array | null, row: number): void {
    this.#refused ??= new Map();
    if (levels === null) {
      for (const [entry, text] of refused) this.#refused.set(row + entry, text);
      return;
    }
    for (let i = 0, entry = 0; i < levels.length; i++) {
      if (levels[i] === 0) continue;
      const text = refused.get(entry++);
      if (text !== undefined) this.#refused.set(row + i, text);
    }
  }
}

function numbersOf(values: ConvertedValues | null, chunk: ChunkDescription): ConvertedValues & { kind: 'numbers' } {
  if (values?.kind !== 'numbers') throw damaged(chunk, 'its values are not of the type that the schema says');
  return values;
}

function bytesOf(values: ConvertedValues | null, chunk: ChunkDescription): ConvertedBytes {
  if (values?.kind !== 'bytes') throw damaged(chunk, 'its values are not of the type that the schema says');
  return values;
}

function joinCodes(pieces: readonly Piece[], rows: number): Int32Array {
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined && first.codes !== null) return first.codes;
  const codes = new Int32Array(rows);
  let row = 0;
  for (const piece of pieces) {
    if (piece.codes === null) continue;
    codes.set(piece.codes, row);
    row += piece.codes.length;
  }
  return codes;
}

/** Entries of a dictionary column have to be distinct; what another program wrote need not be. */
function areDistinct(entries: ConvertedBytes): boolean {
  const seen = new Set<string>();
  const buffer = Buffer.from(entries.bytes.buffer, entries.bytes.byteOffset, entries.bytes.byteLength);
  for (let i = 0; i < entries.count; i++)
    seen.add(buffer.toString('latin1', entries.offsets[i], entries.offsets[i + 1]));
  return seen.size === entries.count;
}

/** `from` and `to` are of one class: both hold the column's storage. 64-bit values move as pairs of words. */
function gather(from: Values, codes: Int32Array, count: number, width: number, to: Values, row: number): void {
  if (from instanceof BigInt64Array && to instanceof BigInt64Array) {
    const fromWords = new Int32Array(from.buffer, from.byteOffset, from.length * 2);
    const toWords = new Int32Array(to.buffer, to.byteOffset, to.length * 2);
    if (width === 1) gatherWordPairs(fromWords, codes, count, toWords, row);
    else gatherWordQuads(fromWords, codes, count, toWords, row);
  } else if (from instanceof Float64Array && to instanceof Float64Array) gatherFloat64(from, codes, count, to, row);
  else if (from instanceof Int32Array && to instanceof Int32Array) gatherInt32(from, codes, count, to, row);
  // SAFETY: the classes that are left hold numbers; this loop is the same for all of them.
  else gatherNumbers(from as Int16Array, codes, count, to as Int16Array, row);
}

function copyInto(from: Values, to: Values, at: number): void {
  // SAFETY: both arrays hold the column's storage, so they are of one class.
  (to as Int32Array).set(from as Int32Array, at);
}

function scatter(from: Values, levels: Uint8Array, width: number, to: Values, row: number): void {
  if (from instanceof BigInt64Array && to instanceof BigInt64Array) scatterInt64(from, levels, width, to, row);
  // SAFETY: the classes that are left hold numbers; this loop is the same for all of them.
  else scatterNumbers(from as Int32Array, levels, to as Int32Array, row);
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

function allBelow(codes: Int32Array, count: number, size: number): boolean {
  let above = 0;
  for (let i = 0; i < count; i++) if (codes[i]! >>> 0 >= size) above++;
  return above === 0;
}

/** From dense to one code a row, in place and from behind. */
function spreadCodes(codes: Int32Array, levels: Uint8Array, stored: number): void {
  for (let i = codes.length - 1, from = stored - 1; i >= 0; i--) codes[i] = levels[i]! === 1 ? codes[from--]! : 0;
}

function clearBits(validity: Uint8Array, levels: Uint8Array, row: number): void {
  for (let i = 0; i < levels.length; i++) {
    if (levels[i]! === 0) validity[(row + i) >> 3]! &= ~(1 << ((row + i) & 7));
  }
}

function gatherWordPairs(from: Int32Array, codes: Int32Array, count: number, to: Int32Array, row: number): void {
  for (let i = 0, at = row * 2; i < count; i++, at += 2) {
    const code = codes[i]! * 2;
    to[at] = from[code]!;
    to[at + 1] = from[code + 1]!;
  }
}

function gatherWordQuads(from: Int32Array, codes: Int32Array, count: number, to: Int32Array, row: number): void {
  for (let i = 0, at = row * 4; i < count; i++, at += 4) {
    const code = codes[i]! * 4;
    for (let k = 0; k < 4; k++) to[at + k] = from[code + k]!;
  }
}

function gatherFloat64(from: Float64Array, codes: Int32Array, count: number, to: Float64Array, row: number): void {
  for (let i = 0; i < count; i++) to[row + i] = from[codes[i]!]!;
}

function gatherInt32(from: Int32Array, codes: Int32Array, count: number, to: Int32Array, row: number): void {
  for (let i = 0; i < count; i++) to[row + i] = from[codes[i]!]!;
}

function gatherNumbers(from: Int16Array, codes: Int32Array, count: number, to: Int16Array, row: number): void {
  for (let i = 0; i < count; i++) to[row + i] = from[codes[i]!]!;
}

function scatterInt64(from: BigInt64Array, levels: Uint8Array, width: number, to: BigInt64Array, row: number): void {
  let at = 0;
  for (let i = 0; i < levels.length; i++) {
    if (levels[i]! === 0) continue;
    for (let k = 0; k < width; k++) to[(row + i) * width + k] = from[at++]!;
  }
}

function scatterNumbers(from: Int32Array, levels: Uint8Array, to: Int32Array, row: number): void {
  let at = 0;
  for (let i = 0; i < levels.length; i++) if (levels[i]! === 1) to[row + i] = from[at++]!;
}

/** Writes offsets[row + 1 ..]; returns the bytes used so far. */
function layOutStrings(
  from: Int32Array,
  levels: Uint8Array | null,
  rows: number,
  offsets: Int32Array,
  row: number,
  used: number,
): number {
  let entry = 0;
  let at = used;
  for (let i = 0; i < rows; i++) {
    if (levels === null || levels[i]! === 1) {
      at += from[entry + 1]! - from[entry]!;
      entry++;
    }
    offsets[row + i + 1] = at;
  }
  return at;
}

function layOutCodes(
  from: Int32Array,
  entries: number,
  codes: Int32Array,
  validity: Uint8Array | null,
  offsets: Int32Array,
  row: number,
  used: number,
): number {
  let at = used;
  for (let i = 0; i < codes.length; i++) {
    const isThere = validity === null || (validity[(row + i) >> 3]! & (1 << ((row + i) & 7))) !== 0;
    const code = codes[i]!;
    if (isThere && code < entries) at += from[code + 1]! - from[code]!;
    offsets[row + i + 1] = at;
  }
  return at;
}

function copyEntries(
  from: Int32Array,
  entries: Uint8Array,
  codes: Int32Array,
  offsets: Int32Array,
  row: number,
  to: Uint8Array,
): void {
  for (let i = 0; i < codes.length; i++) {
    let source = from[codes[i]!]!;
    for (let at = offsets[row + i]!, end = offsets[row + i + 1]!; at < end; ) to[at++] = entries[source++]!;
  }
}
