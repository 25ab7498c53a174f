// Reads one JSON row, an object by column names or an array by position, into the current row of every column.
//
// A missing column takes its default, else NULL, else the row is refused; an explicit null never takes the default. Of a key that
// stands twice the last value counts, as in JSON.parse. A deletion by key reads the key columns only, a partial update leaves the
// columns that it does not give absent. Arrays give all columns that are wanted: there is no default for what they lack.
// Returns as json-value.ts does. The caller commits the row, or rolls it back.
import type { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { DecoderContext } from '../sdk/format.ts';
import { encodeDefaults, writeDefault } from './column-default.ts';
import { type ColumnTarget, makeTargets } from './column-target.ts';
import { JsonKeys, keyRefused, keyUnknown, matchSpelling } from './json-keys.ts';
import { skipSpace, skipValue } from './json-scan.ts';
import { readValue, refused } from './json-value.ts';
import { Refusal } from './refusal.ts';

/** What a row is read for: every column, the key columns, or the columns that are given. */
export const rowInserted = 0;
export const rowDeletedByKey = 1;
export const rowUpdated = 2;

/** What the rows of one connector need to be read: made once, bound to a builder for each call. */
export class RowReader {
  readonly relation: Relation;
  readonly strict: boolean;
  readonly targets: readonly ColumnTarget[];
  readonly keys: JsonKeys;
  readonly isKey: Uint8Array;
  readonly defaults: (Uint8Array | null)[];
  readonly refusal: Refusal = new Refusal();
  /** seen[c] === stamp: the row at hand has given column c. */
  readonly seen: Int32Array;
  stamp = 0;
  /** Over the bytes of the call. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Unknown fields of the row at hand. */
  unknownFields = 0;
  /** Unknown fields of the rows that a lane has read. */
  unknownInLane = 0;

  /** @throws FormatBadDefault, FormatUnsupportedType */
  constructor(context: DecoderContext, scratch: BatchBuilder, format: string) {
    this.relation = context.relation;
    this.strict = context.strict;
    this.targets = makeTargets(context.relation, scratch.columns, format);
    this.keys = new JsonKeys(context.relation.schema);
    this.isKey = new Uint8Array(this.targets.length);
    for (const ordinal of context.relation.primaryKey) this.isKey[ordinal] = 1;
    this.seen = new Int32Array(this.targets.length);
    this.defaults = encodeDefaults(this.targets, context.defaults);
  }
}

// ── data plane ── `reader` is a record of arrays; loops work on locals.

/** Reads the row at `start` for `purpose` into row `row`. A partial update marks absent columns in `builder`. */
export function readRow(
  reader: RowReader,
  bytes: Uint8Array,
  start: number,
  end: number,
  row: number,
  purpose: number,
  builder: BatchBuilder,
): number {
  reader.unknownFields = 0;
  if (start < end && bytes[start] === 0x7b) return readObject(reader, bytes, start, end, row, purpose, builder);
  if (start < end && bytes[start] === 0x5b) return readArray(reader, bytes, start, end, row, purpose);
  const stop = skipValue(bytes, start, end);
  if (stop < 0) return stop;
  reader.refusal.set('malformed', -1, start, stop, 'a row is an object or an array');
  return refused;
}

function readObject(
  reader: RowReader,
  bytes: Uint8Array,
  start: number,
  end: number,
  row: number,
  purpose: number,
  builder: BatchBuilder,
): number {
  const { targets, seen, keys, refusal, view } = reader;
  const { spellings, successors } = keys;
  if (reader.stamp === 0x7fffffff) {
    seen.fill(0);
    reader.stamp = 0;
  }
  const stamp = ++reader.stamp;
  let given = 0;
  let previous = -1;
  let i = start + 1;
  if (i < end && bytes[i]! <= 0x20) i = skipSpace(bytes, i, end);
  if (i < end && bytes[i] === 0x7d) {
    return given === targets.length ? i + 1 : completeRow(reader, i + 1, row, purpose, builder);
  }
  for (;;) {
    let column = successors[previous + 1]!;
    // White space behind the spelling: the key is read in full, and the white space remembered as part of it.
    const valueStart = matchSpelling(view, i, end, spellings[column]!);
    if (valueStart > 0 && bytes[valueStart]! > 0x20) i = valueStart;
    else {
      column = keys.lookup(bytes, i, end, previous, refusal);
      if (keys.valueStart < 0) return brokenKey(reader, bytes, keys.valueStart, end);
      if (column === keyRefused) return refused;
      if (column === keyUnknown && reader.strict) {
        refusal.suggestion = keys.suggest(bytes, i, keys.end);
        return refused;
      }
      i = keys.valueStart;
    }
    if (column < 0) {
      reader.unknownFields++;
      i = skipValue(bytes, i, end);
      if (i < 0) return brokenKey(reader, bytes, i, end);
    } else {
      previous = column;
      const target = targets[column]!;
      if (purpose === rowDeletedByKey && reader.isKey[column] === 0) {
        i = skipValue(bytes, i, end);
        if (i < 0) return brokenKey(reader, bytes, i, end);
      } else {
        if (seen[column] === stamp) target.column.clearRow(row);
        else {
          seen[column] = stamp;
          given++;
        }
        i =
          i < end && bytes[i] === 0x6e
            ? readNull(bytes, i, end, target, row, refusal)
            : readValue(bytes, view, i, end, target, row, refusal);
        if (i < 0) return i;
      }
    }
    if (i < end && bytes[i]! <= 0x20) i = skipSpace(bytes, i, end);
    if (i >= end) return ~end;
    if (bytes[i] === 0x2c) {
      i++;
      if (i < end && bytes[i]! <= 0x20) i = skipSpace(bytes, i, end);
    } else if (bytes[i] === 0x7d) {
      return given === targets.length ? i + 1 : completeRow(reader, i + 1, row, purpose, builder);
    } else return ~i;
  }
}

function readArray(
  reader: RowReader,
  bytes: Uint8Array,
  start: number,
  end: number,
  row: number,
  purpose: number,
): number {
  const { targets, refusal, view } = reader;
  let column = 0;
  let i = skipSpace(bytes, start + 1, end);
  if (i < end && bytes[i] === 0x5d) i++;
  else {
    for (;;) {
      const target = targets[column];
      if (target === undefined || (purpose === rowDeletedByKey && reader.isKey[column] === 0)) {
        const first = i;
        i = skipValue(bytes, i, end);
        if (i < 0) return brokenKey(reader, bytes, i, end);
        if (target !== undefined) target.writeUnused(row);
        else {
          reader.unknownFields++;
          if (reader.strict) {
            refusal.set('unknown', -1, first, i, `the row has more than ${targets.length} values`);
            return refused;
          }
        }
      } else {
        i =
          i < end && bytes[i] === 0x6e
            ? readNull(bytes, i, end, target, row, refusal)
            : readValue(bytes, view, i, end, target, row, refusal);
        if (i < 0) return i;
      }
      column++;
      i = skipSpace(bytes, i, end);
      if (i >= end) return ~end;
      const byte = bytes[i++]!;
      if (byte === 0x5d) break;
      if (byte !== 0x2c) return ~(i - 1);
      i = skipSpace(bytes, i, end);
    }
  }
  for (; column < targets.length; column++) {
    if (purpose !== rowDeletedByKey || reader.isKey[column] === 1) {
      refusal.set('missing', column, start, -1, `column ${targets[column]!.field.name} is missing from the array`);
      return refused;
    }
    targets[column]!.writeUnused(row);
  }
  return i;
}

function readNull(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
  refusal: Refusal,
): number {
  const stop = skipValue(bytes, start, end);
  if (stop < 0) return stop;
  if (!target.nullable) {
    refusal.set('null', target.ordinal, start, stop);
    return refused;
  }
  target.column.setNull(row);
  return stop;
}

/** Writes the columns that an object did not give. Returns `stop`, or `refused`. */
function completeRow(reader: RowReader, stop: number, row: number, purpose: number, builder: BatchBuilder): number {
  const { targets, seen, stamp } = reader;
  for (let c = 0; c < targets.length; c++) {
    if (seen[c] === stamp) continue;
    const target = targets[c]!;
    if (purpose !== rowInserted && reader.isKey[c] === 0) {
      target.writeUnused(row);
      if (purpose === rowUpdated) builder.setAbsent(c);
      continue;
    }
    if (purpose !== rowInserted) {
      reader.refusal.set('missing', c, stop, -1, `key column ${target.field.name} is missing`);
      return refused;
    }
    if (!writeDefault(reader.defaults, target, row, reader.refusal)) {
      reader.refusal.set('missing', c, stop, -1);
      return refused;
    }
  }
  return stop;
}

function brokenKey(reader: RowReader, bytes: Uint8Array, stop: number, end: number): number {
  if (~stop >= end || bytes[~stop]! < 0x80) return stop;
  reader.refusal.set('utf8', -1, ~stop, -1);
  return refused;
}
