// A batch on its way between the threads of one engine: its arrays, without what both sides know (schema, types).
//
// Arrays are placed into one piece of shared memory (shared-room.ts), which every thread reads where it lies; those that lie in shared
// memory already, as those of frames for an engine of several workers may, stay where they are. The strings of a circuit's pool are only
// pointed at; other dictionaries are cut down to the entries in use and get a new identity. Columns without values (partition-rows.ts)
// stay so, and cost nothing.

import { assert } from '../../../runtime/assert.ts';
import { type ChangeBatch, presenceBytes } from '../../../runtime/batch/change-batch.ts';
import type { Column, DictionaryColumn, Values } from '../../../runtime/batch/column.ts';
import { packed } from '../../../runtime/batch/packed-array.ts';
import { isUnread, unreadOf } from '../../../runtime/batch/partition-rows.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { type SqlType, storageOf } from '../../../runtime/batch/sql-type.ts';
import { rebase } from '../../../runtime/wire/column-kernels.ts';
import { compact } from '../../../runtime/wire/column-layout.ts';
import type { SharedRoom } from './shared-room.ts';

type PackedColumn =
  /** Nobody reads it: a column of this layout without values. */
  | { readonly layout: 'unread'; readonly of: Column['layout'] }
  | { readonly layout: 'fixed'; readonly validity: Uint8Array | null; readonly values: Values }
  | {
      readonly layout: 'bytes';
      readonly validity: Uint8Array | null;
      readonly offsets: Int32Array;
      readonly bytes: Uint8Array;
    }
  | {
      readonly layout: 'dictionary';
      readonly validity: Uint8Array | null;
      readonly codes: Int32Array;
      readonly offsets: Int32Array;
      readonly bytes: Uint8Array;
      /** Whether offsets and bytes are those of the sender's string pool, which both threads read. */
      readonly isPool: boolean;
      readonly repeats: boolean;
    };

/** What the strings of a sender's pool are known by: those that it compares, and those that it only carries. */
export interface SenderPool {
  readonly interned: object;
  readonly carried: object;
}

export interface PackedBatch {
  readonly rows: number;
  readonly weights: Int32Array | null;
  readonly presence: Uint8Array | null;
  readonly columns: readonly PackedColumn[];
}

/** Puts an array to where the other threads find it. */
type Place = <A extends Values>(array: A) => A;

/** Only the columns in `reads` have values (null: all). */
export function packBatch(batch: ChangeBatch, room: SharedRoom, reads: ReadonlySet<number> | null = null): PackedBatch {
  return packedInto(batch, reads, room.place);
}

/** `pool`: what the strings of the sender's pool are known by, always the same for one sender. */
export function unpackBatch(
  { rows, weights, presence, columns }: PackedBatch,
  schema: Schema,
  pool: SenderPool,
): ChangeBatch {
  assert(columns.length === schema.fields.length, 'both threads have one schema');
  const unpacked = packed(columns, (column, ordinal) => unpackColumn(column, schema.fields[ordinal]!.type, pool));
  return { schema, rows, weights, columns: unpacked, presence };
}

function unpackColumn(column: PackedColumn, type: SqlType, pool: SenderPool): Column {
  if (column.layout === 'unread') return unreadOf(type, column.of);
  const { validity } = column;
  switch (column.layout) {
    case 'fixed':
      return { layout: 'fixed', type, validity, values: column.values };
    case 'bytes':
      return { layout: 'bytes', type, validity, offsets: column.offsets, bytes: column.bytes };
    case 'dictionary': {
      const { codes, offsets, bytes, repeats } = column;
      const known = repeats ? pool.carried : pool.interned;
      const identity = column.isPool ? known : column;
      const dictionary = { identity, size: offsets.length - 1, offsets, bytes, repeats, isLasting: column.isPool };
      return { layout: 'dictionary', type, validity, codes, dictionary };
    }
  }
}

function packedInto(batch: ChangeBatch, reads: ReadonlySet<number> | null, place: Place): PackedBatch {
  const { rows, weights, presence, columns } = batch;
  return {
    rows,
    weights: weights === null ? null : place(weights.subarray(0, rows)),
    presence: presence === null ? null : place(presence.subarray(0, rows * presenceBytes(columns.length))),
    columns: packed(columns, (column, ordinal) =>
      packColumn(column, rows, reads === null || reads.has(ordinal), place),
    ),
  };
}

function packColumn(given: Column, rows: number, isRead: boolean, place: Place): PackedColumn {
  if (!isRead || isUnread(given)) return { layout: 'unread', of: given.layout };
  const validity = given.validity === null ? null : place(given.validity.subarray(0, (rows + 7) >> 3));
  switch (given.layout) {
    case 'fixed': {
      const values = given.values.subarray(0, storageOf(given.type) === 'i128' ? rows * 2 : rows);
      return { layout: 'fixed', validity, values: place(values) };
    }
    case 'bytes': {
      const { offsets, bytes } = strings(given.offsets, given.bytes, rows);
      return { layout: 'bytes', validity, offsets: place(offsets), bytes: place(bytes) };
    }
    case 'dictionary': {
      const { repeats = false, isShared } = given.dictionary;
      if (isShared === true) {
        const { offsets, bytes } = given.dictionary;
        return {
          layout: 'dictionary',
          validity,
          codes: place(given.codes.subarray(0, rows)),
          offsets,
          bytes,
          repeats,
          isPool: true,
        };
      }
      const { codes, dictionary } = compacted(given, rows);
      const { offsets, bytes } = strings(dictionary.offsets, dictionary.bytes, dictionary.size);
      return {
        layout: 'dictionary',
        validity,
        codes: place(codes.subarray(0, rows)),
        offsets: place(offsets),
        bytes: place(bytes),
        repeats,
        isPool: false,
      };
    }
  }
}

function strings(offsets: Int32Array, bytes: Uint8Array, count: number): { offsets: Int32Array; bytes: Uint8Array } {
  const base = offsets[0] ?? 0;
  const used = offsets.subarray(0, count + 1);
  return { offsets: base === 0 ? used : rebase(used, base), bytes: bytes.subarray(base, offsets[count] ?? 0) };
}

function compacted(column: DictionaryColumn, rows: number): Pick<DictionaryColumn, 'codes' | 'dictionary'> {
  return column.dictionary.size <= rows ? column : compact(column, rows);
}
