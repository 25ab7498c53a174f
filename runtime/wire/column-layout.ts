// Where the arrays of one column lie in the body of a frame, and how they get there.
//
// A column is written as a descriptor in the header and up to four arrays in the body, in this order, each beginning at a
// multiple of 8 (`at`, in bytes from the start of the body) and followed by zero bytes up to the next multiple:
//
//   validity     (rows + 7) >> 3 bytes        when the descriptor has `validity`
//   fixed        values: rows x width of the storage
//   bytes        offsets: (rows + 1) x 4, offsets[0] = 0;    data: offsets[rows] bytes
//   dictionary   codes: rows x 4;   offsets: (size + 1) x 4, offsets[0] = 0;   data: offsets[size] bytes
//
// A slice of a bytes column is rebased. A dictionary goes whole when it has no more entries than the batch has rows, else
// only the entries in use, numbered anew in order of first use. Codes under a NULL are 0 in a renumbered dictionary. One whose
// entries repeat goes as bytes: what is in a frame is a dictionary of distinct entries.
// `ColumnDescriptor` is what stands in the header. Only batch-codec.ts calls this.
import type { Column, Dictionary, DictionaryColumn } from '../batch/column.ts';
import { type Storage, storageOf } from '../batch/sql-type.ts';
import { compactCodes, copyEntries, copyRows, entryOffsets, rebase } from './column-kernels.ts';

export type Layout = Column['layout'];

export interface ColumnDescriptor {
  readonly layout: Layout;
  readonly storage: Storage;
  /** Where the bitmap lies, or null: no row is NULL. */
  readonly validity: number | null;
  /** Where the values, or the offsets of a bytes column, or the codes lie. */
  readonly at: number;
  /** Bytes and dictionary: bytes of data. Else 0. */
  readonly dataBytes: number;
  /** Dictionary: entries. Else 0. */
  readonly entries: number;
}

/** Bytes of one value. */
export const storageWidths: Readonly<Record<Storage, number>> = {
  bool: 1,
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
  i128: 16,
  f32: 4,
  f64: 8,
  bytes: 0,
};

/** One array to be copied into the body. */
export interface Part {
  readonly at: number;
  readonly bytes: Uint8Array;
}

export function alignTo8(bytes: number): number {
  // Not `& ~7`: a body may be larger than 2^31.
  return Math.ceil(bytes / 8) * 8;
}

/** Collects the arrays of a body and where each will lie. */
export class BodyPlan {
  readonly parts: Part[] = [];
  bodyBytes = 0;

  /** Appends an array; returns where it will lie. */
  add(array: ArrayBufferView): number {
    const at = this.bodyBytes;
    this.parts.push({ at, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) });
    this.bodyBytes = alignTo8(at + array.byteLength);
    return at;
  }
}

/** Appends the arrays of a column to the body; returns its descriptor. */
export function planColumn(plan: BodyPlan, column: Column, rows: number): ColumnDescriptor {
  const storage = storageOf(column.type);
  const validity = column.validity === null ? null : plan.add(column.validity.subarray(0, (rows + 7) >> 3));
  switch (column.layout) {
    case 'fixed': {
      const at = plan.add(column.values.subarray(0, storage === 'i128' ? rows * 2 : rows));
      return { layout: 'fixed', storage, validity, at, dataBytes: 0, entries: 0 };
    }
    case 'bytes': {
      const { at, dataBytes } = planStrings(plan, column.offsets, column.bytes, rows);
      return { layout: 'bytes', storage, validity, at, dataBytes, entries: 0 };
    }
    case 'dictionary': {
      if (column.dictionary.repeats === true) {
        const { at, dataBytes } = planTexts(plan, column, rows);
        return { layout: 'bytes', storage, validity, at, dataBytes, entries: 0 };
      }
      const { codes, dictionary } = column.dictionary.size <= rows ? column : compact(column, rows);
      const at = plan.add(codes.subarray(0, rows));
      const { dataBytes } = planStrings(plan, dictionary.offsets, dictionary.bytes, dictionary.size);
      return { layout: 'dictionary', storage, validity, at, dataBytes, entries: dictionary.size };
    }
  }
}

function planStrings(
  plan: BodyPlan,
  offsets: Int32Array,
  bytes: Uint8Array,
  count: number,
): { at: number; dataBytes: number } {
  const base = offsets[0] ?? 0;
  const end = offsets[count] ?? 0;
  const used = offsets.subarray(0, count + 1);
  const at = plan.add(base === 0 ? used : rebase(used, base));
  plan.add(bytes.subarray(base, end));
  return { at, dataBytes: end - base };
}

/** The strings of the rows themselves: a dictionary whose entries repeat would have about as many. */
function planTexts(plan: BodyPlan, column: DictionaryColumn, rows: number): { at: number; dataBytes: number } {
  const { codes, validity, dictionary } = column;
  const offsets = new Int32Array(rows + 1);
  const dataBytes = entryOffsets(codes, validity, rows, dictionary.offsets, offsets);
  const bytes = new Uint8Array(dataBytes);
  copyRows(codes, rows, dictionary.offsets, dictionary.bytes, offsets, bytes);
  return planStrings(plan, offsets, bytes, rows);
}

/** The same rows over a dictionary that holds only their entries. */
export function compact(column: DictionaryColumn, rows: number): { codes: Int32Array; dictionary: Dictionary } {
  const codes = new Int32Array(rows);
  const used = new Int32Array(rows);
  const source = column.dictionary;
  const size = compactCodes(column.codes, column.validity, rows, source.size, codes, used);
  const offsets = new Int32Array(size + 1);
  let bytesUsed = 0;
  for (let entry = 0; entry < size; entry++) {
    const code = used[entry]!;
    bytesUsed += source.offsets[code + 1]! - source.offsets[code]!;
    offsets[entry + 1] = bytesUsed;
  }
  const bytes = new Uint8Array(bytesUsed);
  copyEntries(source.offsets, source.bytes, used, size, bytes);
  return { codes, dictionary: { identity: codes, size, offsets, bytes } };
}
