// Pages of one column chunk of a Parquet file: header, decompression, definition levels, and where the values begin.
//
// Grammar of a chunk: page*; page = thrift header, then `compressed_page_size` bytes. A dictionary page, if any, comes
// first. Data page v1: compress([levels] values), levels = length (4 bytes, little-endian) and an RLE/bit-packed hybrid,
// or MSB-first bits without a length (BIT_PACKED, old). Data page v2: levels (uncompressed, lengths in the header), then
// compress(values). Flat columns have no repetition levels, and definition level 1 means: there is a value.
// Every length is checked against the chunk before it is used; what does not fit throws ParquetDamaged. hyparquet reads
// thrift and holds the decompressors; native ones of Node are used where there are any.
import { type Context, createContext, Script } from 'node:vm';
import * as zlib from 'node:zlib';
import type { CompressionCodec, Encoding } from 'hyparquet';
import { Encodings } from 'hyparquet/src/constants.js';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { compressors } from 'hyparquet-compressors';
import { MillraceError } from '../../runtime/errors.ts';
import { ParquetDamaged, ParquetUnsupported } from './parquet-errors.ts';

export interface Page {
  readonly kind: 'dictionary' | 'data';
  readonly encoding: Encoding;
  /** Entries of a dictionary; rows of a data page, NULLs included. */
  readonly count: number;
  /** How many values are stored: `count` less the NULLs. */
  readonly stored: number;
  /** A byte for each row, 1 = there is a value; null: every row has one. */
  readonly levels: Uint8Array | null;
  /** Decompressed value bytes. */
  readonly values: Uint8Array;
}

/** What has to be known of a chunk to walk over its pages. */
export interface ChunkShape {
  readonly name: string;
  readonly codec: CompressionCodec;
  readonly optional: boolean;
  /** Sum of the decompressed page sizes, headers included, as the directory says. */
  readonly uncompressedBytes: number;
}

/** Reads the pages of `chunk`, a view of exactly the chunk's bytes, until `rows` rows have been seen. */
export function* readPages(chunk: Uint8Array, shape: ChunkShape, rows: number): Generator<Page> {
  const reader = { view: viewOf(chunk), offset: 0 };
  let rowsSeen = 0;
  while (rowsSeen < rows) {
    const header = readHeader(reader, shape);
    const end = reader.offset + header.compressedBytes;
    if (end > chunk.length) throw damaged(shape, 'a page reaches beyond its column chunk');
    const body = chunk.subarray(reader.offset, end);
    reader.offset = end;
    const page = openPage(header, body, shape);
    if (page === null) continue;
    if (page.kind === 'data') {
      rowsSeen += page.count;
      if (rowsSeen > rows) throw damaged(shape, `its pages hold more than the ${rows} rows of the row group`);
    }
    yield page;
  }
}

interface PageHeader {
  readonly type: number;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  /** Thrift struct of the page's own kind. */
  readonly own: Readonly<Record<string, unknown>>;
}

const dataPage = 0;
const dictionaryPage = 2;
const dataPageV2 = 3;
const ownField: Readonly<Record<number, string>> = {
  [dataPage]: 'field_5',
  [dictionaryPage]: 'field_7',
  [dataPageV2]: 'field_8',
};

function readHeader(reader: { view: DataView; offset: number }, shape: ChunkShape): PageHeader {
  let struct: Readonly<Record<string, unknown>>;
  try {
    struct = deserializeTCompactProtocol(reader);
  } catch (cause) {
    throw new ParquetDamaged({ detail: `column "${shape.name}" has an unreadable page header` }, { cause });
  }
  const type = sizeIn(struct, 'field_1', shape);
  const own = struct[ownField[type] ?? ''];
  return {
    type,
    uncompressedBytes: sizeIn(struct, 'field_2', shape),
    compressedBytes: sizeIn(struct, 'field_3', shape),
    // SAFETY: thrift structs are read as plain objects; every field of one is checked when it is used.
    own: (typeof own === 'object' && own !== null ? own : {}) as Readonly<Record<string, unknown>>,
  };
}

function openPage(header: PageHeader, body: Uint8Array, shape: ChunkShape): Page | null {
  switch (header.type) {
    case dictionaryPage: {
      const count = sizeIn(header.own, 'field_1', shape);
      const values = decompress(body, header.uncompressedBytes, shape);
      return { kind: 'dictionary', encoding: 'PLAIN', count, stored: count, levels: null, values };
    }
    case dataPage:
      return openDataPage(header, body, shape);
    case dataPageV2:
      return openDataPageV2(header, body, shape);
    default:
      // Index pages and kinds that later versions add carry no values.
      return null;
  }
}

function openDataPage(header: PageHeader, body: Uint8Array, shape: ChunkShape): Page {
  const count = sizeIn(header.own, 'field_1', shape);
  const encoding = encodingIn(header.own, 'field_2', shape);
  const bytes = decompress(body, header.uncompressedBytes, shape);
  if (!shape.optional) return { kind: 'data', encoding, count, stored: count, levels: null, values: bytes };
  let levels: Uint8Array | null;
  let end: number;
  if (encodingIn(header.own, 'field_3', shape) === 'BIT_PACKED') {
    end = (count + 7) >> 3;
    if (end > bytes.length) throw damaged(shape, 'its definition levels are cut off');
    levels = unpackLevelsMsbFirst(bytes, count);
  } else {
    if (bytes.length < 4) throw damaged(shape, 'its definition levels are cut off');
    end = 4 + viewOf(bytes).getUint32(0, true);
    if (end > bytes.length) throw damaged(shape, 'its definition levels are cut off');
    levels = readLevels(bytes.subarray(4, end), count, shape);
  }
  const stored = levels === null ? count : countOnes(levels);
  return { kind: 'data', encoding, count, stored, levels, values: bytes.subarray(end) };
}

function openDataPageV2(header: PageHeader, body: Uint8Array, shape: ChunkShape): Page {
  const count = sizeIn(header.own, 'field_1', shape);
  const nulls = sizeIn(header.own, 'field_2', shape);
  const encoding = encodingIn(header.own, 'field_4', shape);
  const levelBytes = sizeIn(header.own, 'field_5', shape);
  const before = levelBytes + sizeIn(header.own, 'field_6', shape);
  if (before > body.length || before > header.uncompressedBytes) {
    throw damaged(shape, 'its definition levels are cut off');
  }
  const repetitionBytes = before - levelBytes;
  const levels = shape.optional && nulls > 0 ? readLevels(body.subarray(repetitionBytes, before), count, shape) : null;
  const plain = header.uncompressedBytes - before;
  const compressed = body.subarray(before);
  const values = header.own['field_7'] === false ? compressed : decompress(compressed, plain, shape);
  const stored = levels === null ? count : countOnes(levels);
  if (stored !== count - nulls) throw damaged(shape, 'its definition levels do not agree with its number of NULLs');
  return { kind: 'data', encoding, count, stored, levels, values };
}

function readLevels(bytes: Uint8Array, count: number, shape: ChunkShape): Uint8Array | null {
  if (isRunOfOnes(bytes, count)) return null;
  if (count > shape.uncompressedBytes * 8 && count > rowsOfOnePageMax) throw damaged(shape, 'it claims too many rows');
  const levels = new Uint8Array(count);
  if (!unpackLevels(bytes, count, levels)) throw damaged(shape, 'its definition levels are cut off');
  return levels;
}

/** A guard for allocations only: a page of NULLs alone may be tiny and yet stand for many rows. */
const rowsOfOnePageMax = 2 ** 27;

/** Writers disagree on whether page headers count towards the size of a chunk. */
const headerSlackBytes = 1024;

function decompress(bytes: Uint8Array, length: number, shape: ChunkShape): Uint8Array {
  if (length > shape.uncompressedBytes + headerSlackBytes) {
    throw damaged(shape, 'a page is larger than its whole column chunk should be');
  }
  if (shape.codec === 'UNCOMPRESSED') {
    if (bytes.length !== length) throw damaged(shape, 'a page is not as long as its header says');
    return bytes;
  }
  if (length === 0) return new Uint8Array(0);
  let plain: Uint8Array | undefined;
  try {
    plain = decompressWith(shape.codec, bytes, length);
    // Not a Buffer, whose `slice` shares memory where that of other arrays copies.
    if (plain instanceof Buffer) plain = new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength);
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    throw new ParquetDamaged({ detail: `a page of column "${shape.name}" cannot be decompressed` }, { cause });
  }
  if (plain.length !== length) throw damaged(shape, 'a page is not as long as its header says');
  return plain;
}

/** Node 22.15 and later have it; the types of Node 20 do not know it. */
const zstdDecompress: ((bytes: Uint8Array, options: object) => Uint8Array) | undefined =
  'zstdDecompressSync' in zlib && typeof zlib.zstdDecompressSync === 'function'
    ? (zlib.zstdDecompressSync as (bytes: Uint8Array, options: object) => Uint8Array) // SAFETY: as Node documents it.
    : undefined;

function decompressWith(codec: CompressionCodec, bytes: Uint8Array, length: number): Uint8Array {
  const options = { maxOutputLength: length };
  if (codec === 'GZIP') return zlib.gunzipSync(bytes, options);
  if (codec === 'BROTLI') return zlib.brotliDecompressSync(bytes, options);
  if (codec === 'ZSTD' && zstdDecompress !== undefined) return zstdDecompress(bytes, options);
  const decompressor = compressors[codec];
  if (decompressor === undefined) throw new ParquetUnsupported({ detail: `the compression ${codec}` });
  return withinTime(() => decompressor(bytes, length), decompressMsMax + length / plainBytesOfMs);
}

/** Far beyond what any page takes: a page of 1 MiB takes some 10 ms. */
const decompressMsMax = 2000;
const plainBytesOfMs = 1024;

/**
 * Damaged bytes can send a decompressor written in JavaScript into a loop without end (the one for ZSTD has such loops),
 * and a decoding thread that never comes back would hold up its pipeline for ever. The watchdog of `vm` stops the
 * call from outside, also when what runs was not compiled by it. @throws an Error when the time is over.
 */
function withinTime<T>(call: () => T, ms: number): T {
  watched.call = call;
  try {
    // SAFETY: the script returns what `call` returns.
    return watchedScript.runInContext(watchedContext, { timeout: Math.ceil(ms) }) as T;
  } finally {
    watched.call = null;
  }
}

/** The call under way, which the script finds as its global; set and cleared within one synchronous call. */
const watched: { call: (() => unknown) | null } = { call: null };
const watchedContext: Context = createContext(watched);
const watchedScript: Script = new Script('call()');

function sizeIn(struct: Readonly<Record<string, unknown>>, field: string, shape: ChunkShape): number {
  const value = struct[field];
  if (typeof value !== 'number' || value < 0) throw damaged(shape, 'a page header lacks a size');
  return value;
}

function encodingIn(struct: Readonly<Record<string, unknown>>, field: string, shape: ChunkShape): Encoding {
  const encoding = Encodings[sizeIn(struct, field, shape)];
  if (encoding === undefined) throw new ParquetUnsupported({ detail: `an unknown encoding in column "${shape.name}"` });
  return encoding;
}

export function damaged(shape: { readonly name: string }, detail: string): MillraceError {
  return new ParquetDamaged({ detail: `column "${shape.name}": ${detail}` });
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

function countOnes(levels: Uint8Array): number {
  let ones = 0;
  for (let i = 0; i < levels.length; i++) ones += levels[i]!;
  return ones;
}

/** The usual case, told without unpacking: one run of ones that covers the page. */
function isRunOfOnes(bytes: Uint8Array, count: number): boolean {
  let header = 0;
  let at = 0;
  for (let shift = 0; at < bytes.length && shift <= 28; shift += 7) {
    const byte = bytes[at++]!;
    header |= (byte & 127) << shift;
    if (byte < 128) break;
  }
  return (header & 1) === 0 && header >>> 1 >= count && bytes[at] === 1;
}

/** RLE/bit-packed hybrid of width 1. False when the bytes end before `count` levels. */
function unpackLevels(bytes: Uint8Array, count: number, levels: Uint8Array): boolean {
  let at = 0;
  let row = 0;
  while (row < count) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length || shift > 28) return false;
      const byte = bytes[at++]!;
      header |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    header >>>= 0;
    if ((header & 1) === 0) {
      if (at >= bytes.length) return false;
      const end = Math.min(count, row + (header >>> 1));
      levels.fill(bytes[at++]! & 1, row, end);
      row = end;
      continue;
    }
    const end = Math.min(count, row + (header >>> 1) * 8);
    if (at + ((end - row + 7) >> 3) > bytes.length) return false;
    for (let i = 0; row < end; i++, row++) levels[row] = (bytes[at + (i >> 3)]! >> (i & 7)) & 1;
    at += header >>> 1;
  }
  return true;
}

function unpackLevelsMsbFirst(bytes: Uint8Array, count: number): Uint8Array {
  const levels = new Uint8Array(count);
  for (let i = 0; i < count; i++) levels[i] = (bytes[i >> 3]! >> (7 - (i & 7))) & 1;
  return levels;
}

/**
 * Unpacks `count` numbers of `width` bits (0 to 32) from an RLE/bit-packed hybrid in bytes[at .. end of bytes).
 * False when the bytes end too early.
 */
export function unpackCodes(bytes: Uint8Array, at: number, width: number, codes: Int32Array, count: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const valueBytes = (width + 7) >> 3;
  let row = 0;
  while (row < count) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length || shift > 28) return false;
      const byte = bytes[at++]!;
      header |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    header >>>= 0;
    if ((header & 1) === 0) {
      if (at + valueBytes > bytes.length) return false;
      let value = 0;
      for (let i = 0; i < valueBytes; i++) value |= bytes[at++]! << (i * 8);
      const end = Math.min(count, row + (header >>> 1));
      codes.fill(value, row, end);
      row = end;
      continue;
    }
    const groups = header >>> 1;
    const wanted = Math.min(groups * 8, count - row);
    if (at + Math.ceil((wanted * width) / 8) > bytes.length) return false;
    unpackGroups(bytes, view, at, width, codes, row, wanted);
    row += wanted;
    at += groups * width;
  }
  return true;
}

/** Eight numbers fill `width` bytes exactly, so every group starts at a byte border. */
function unpackGroups(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  width: number,
  codes: Int32Array,
  row: number,
  wanted: number,
): void {
  const end = row + wanted;
  if (width === 8) {
    while (row < end) codes[row++] = bytes[at++]!;
    return;
  }
  if (width <= 25) {
    const mask = (1 << width) - 1;
    // A 32-bit window at the last number of a group reads at most 4 bytes behind the group's first `width - 1`.
    while (row + 8 <= end && at + width + 4 <= bytes.length) {
      for (let bit = 0; bit < width * 8; bit += width) {
        codes[row++] = (view.getInt32(at + (bit >> 3), true) >>> (bit & 7)) & mask;
      }
      at += width;
    }
  }
  for (let bit = 0; row < end; bit += width) {
    let value = 0;
    for (let i = 0; i < width; i++) {
      const from = bit + i;
      value |= ((bytes[at + (from >> 3)]! >> (from & 7)) & 1) << i;
    }
    codes[row++] = value;
  }
}
