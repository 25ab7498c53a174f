// A lane for JSON rows (see row-lane.ts): learned from one record that the general reader has accepted.
//
// What stands between the values of that record (braces, keys, colons, commas, white space, the line break) is compared byte for byte; the
// values are read by the type of their column. Values of keys that the table lacks are skipped by the general grammar and counted.
import { writeDefault } from './column-default.ts';
import { type ColumnTarget, targetString } from './column-target.ts';
import { keyRefused } from './json-keys.ts';
import type { RowReader } from './json-row.ts';
import { skipColon, skipSpace, skipString, skipValue } from './json-scan.ts';
import { readValue } from './json-value.ts';
import { Refusal } from './refusal.ts';
import {
  compileLane,
  emitAbsent,
  emitGeneral,
  emitLiteral,
  emitPlainWords,
  emitValue,
  type Lane,
  stringBytesMax,
  type ValueGrammar,
  valueBytesMax,
} from './row-lane.ts';

const grammar: ValueGrammar = {
  numberGoesOn: 'c === 46 || (c | 32) === 101',
  leadingZeros: false,
  temporalQuote: 0x22,
};

/** The record at `start`, cut into literal bytes and values. `columns[k]` follows `literals[k]`; -1 is a value to skip. */
interface RecordShape {
  readonly literals: readonly Uint8Array[];
  readonly columns: readonly number[];
}

/** A lane for records shaped like the one at `start`, which has just been read; null when there is none for it. */
export function learnJsonLane(
  reader: RowReader,
  bytes: Uint8Array,
  start: number,
  end: number,
  envelope: boolean,
): Lane | null {
  const shape = shapeOf(reader, bytes, start, end, envelope);
  if (shape === null) return null;
  const { targets } = reader;
  const absent = targets.filter((target) => !shape.columns.includes(target.ordinal));
  // The most bytes of a record that are looked at without another look at the end.
  const rest = shape.literals.reduce(
    (sum, literal) => sum + literal.length + valueBytesMax + stringBytesMax,
    valueBytesMax + stringBytesMax,
  );
  const unknown = shape.columns.filter((column) => column < 0).length;
  if (unknown > 0 && reader.strict) return null;
  const parts = [`if (p + ${rest} > end) break;`];
  shape.columns.forEach((column, k) => {
    parts.push(emitLiteral(shape.literals[k]!));
    if (column < 0) parts.push(`p = skipValue(bytes, p, end); if (p < 0 || p + ${rest} > end) break rows;`);
    else parts.push(emitColumn(targets[column]!, rest));
  });
  parts.push(emitLiteral(shape.literals[shape.literals.length - 1]!));
  if (absent.length > 0) parts.push(emitAbsent(absent));
  if (unknown > 0) parts.push(`countUnknown(${unknown});`);
  const refusal = new Refusal();
  return compileLane(parts.join('\n'), {
    targets,
    readValue: (source, view, at, stop, target, row) =>
      at < stop && source[at] === 0x6e
        ? readNull(source, at, stop, target, row)
        : readValue(source, view, at, stop, target, row, refusal),
    writeAbsent: (row) => absent.every((target) => writeDefault(reader.defaults, target, row, refusal)),
    skipValue,
    countUnknown: (values) => {
      reader.unknownInLane += values;
    },
  });
}

function emitColumn(target: ColumnTarget, rest: number): string {
  const c = target.ordinal;
  const value = target.kind === targetString ? emitString(target, rest) : emitValue(target, rest, grammar);
  if (!target.nullable) return value;
  return `if (bytes[p] === 110 && view.getInt32(p, true) === 0x6c6c756e) { t${c}.column.setNull(row); p += 4; } else {
${value}
}`;
}

function emitString(target: ColumnTarget, rest: number): string {
  const c = target.ordinal;
  return `s = p; ok = 0; all = 0;
if (bytes[p] === 34) {
  if (u${c} + ${stringBytesMax} > b${c}.length) { t${c}.column.bytesUsed = u${c}; t${c}.column.reserveBytes(${stringBytesMax}); b${c} = t${c}.column.bytes; }
  to = u${c}; limit = ++p + ${stringBytesMax - 1};
  ${emitPlainWords(c, [0x22, 0x5c])}
  for (; p < limit; p++) {
    v = bytes[p];
    if (v === 34) { ok = 1; break; }
    if (v < 32 || v === 92) break;
    b${c}[to++] = v; all |= v;
  }
}
if (ok) {
  if (all >= 128 && findInvalidUtf8(bytes, s, p) >= 0) break rows;
  u${c} = to; p++;
} else { p = s; ${emitGeneral(target, rest)} }`;
}

function readNull(bytes: Uint8Array, start: number, end: number, target: ColumnTarget, row: number): number {
  if (!target.nullable) return -1;
  target.column.setNull(row);
  return skipValue(bytes, start, end);
}

function shapeOf(
  reader: RowReader,
  bytes: Uint8Array,
  start: number,
  end: number,
  envelope: boolean,
): RecordShape | null {
  const literals: Uint8Array[] = [];
  const columns: number[] = [];
  const refusal = new Refusal();
  let literalStart = start;
  let i = skipSpace(bytes, start + 1, end);
  if (envelope) {
    // {"insert": and the row.
    i = skipColon(bytes, skipString(bytes, i, end), end);
    if (bytes[i] !== 0x7b) return null;
    i = skipSpace(bytes, i + 1, end);
  }
  if (bytes[start] !== 0x7b || bytes[i] !== 0x22) return null;
  for (let previous = -1; ; i = skipSpace(bytes, i + 1, end)) {
    const column = reader.keys.lookup(bytes, i, end, previous, refusal);
    if (column === keyRefused || (column >= 0 && columns.includes(column))) return null;
    if (column >= 0) previous = column;
    i = reader.keys.valueStart;
    if (i < 0) return null;
    literals.push(bytes.slice(literalStart, i));
    columns.push(column);
    literalStart = skipValue(bytes, i, end);
    if (literalStart < 0) return null;
    i = skipSpace(bytes, literalStart, end);
    if (bytes[i] !== 0x2c) break;
  }
  if (i >= end || bytes[i++] !== 0x7d) return null;
  if (envelope) {
    i = skipSpace(bytes, i, end);
    if (i >= end || bytes[i++] !== 0x7d) return null;
  }
  // The white space up to the next record belongs to the shape; at the end of the bytes it is not known.
  const stop = skipSpace(bytes, i, end);
  if (stop === end) return null;
  literals.push(bytes.slice(literalStart, stop));
  return { literals, columns };
}
