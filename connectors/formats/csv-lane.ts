// A lane for CSV records (see row-lane.ts): as many fields as the table or header has, one after the other, read by the type of their
// column. Fields in quotes go through the general reader of fields; a record with escaped quotes, with too few or too many fields, a blank
// line and a comment end the lane.
import { writeDefault } from './column-default.ts';
import { type ColumnTarget, targetString } from './column-target.ts';
import { writeField } from './csv-field.ts';
import type { CsvInputOptions } from './csv-options.ts';
import { findClosingQuote, hasEscape, skipUnquoted } from './csv-scan.ts';
import { Refusal } from './refusal.ts';
import {
  compileLane,
  emitAbsent,
  emitGeneral,
  emitPlainWords,
  emitValue,
  type Lane,
  stringBytesMax,
  type ValueGrammar,
  valueBytesMax,
} from './row-lane.ts';

/** What a CSV lane is made for. */
export interface CsvShape {
  readonly options: CsvInputOptions;
  readonly targets: readonly ColumnTarget[];
  readonly defaults: readonly (Uint8Array | null)[];
  /** The column of each field. */
  readonly order: Int32Array;
  readonly absent: readonly ColumnTarget[];
}

/** A lane for plain records, or null when the options need the general reader. */
export function makeCsvLane(shape: CsvShape): Lane | null {
  const { options, targets, defaults, order, absent } = shape;
  const { delimiter, comment } = options;
  // A delimiter that numbers or dates are spelled with has to be found before the value is read.
  if (options.trimFields || /[A-Za-z0-9 .:+-]/.test(String.fromCharCode(delimiter))) return null;
  const rest = (order.length + 1) * (valueBytesMax + stringBytesMax);
  const grammar: ValueGrammar = {
    numberGoesOn: `c !== ${delimiter} && c !== 10 && c !== 13`,
    leadingZeros: true,
    temporalQuote: -1,
  };
  const parts = [`if (p + ${rest} > end) break; c = bytes[p]; if (c === 10 || c === 13 || c === ${comment}) break;`];
  order.forEach((column, k) => {
    const isLast = k === order.length - 1;
    parts.push(emitField(targets[column]!, rest, options, grammar, isLast));
    if (isLast) parts.push('c = bytes[p]; if (c === 13) c = bytes[++p]; if (c !== 10) break rows; p++;');
    else parts.push(`if (bytes[p] !== ${delimiter}) break rows; p++;`);
  });
  if (absent.length > 0) parts.push(emitAbsent(absent));
  const refusal = new Refusal();
  return compileLane(parts.join('\n'), {
    targets,
    readValue: (bytes, view, start, end, target, row) =>
      readField(bytes, view, start, end, target, row, options, refusal),
    writeAbsent: (row) => absent.every((target) => writeDefault(defaults, target, row, refusal)),
    skipValue: () => -1,
    countUnknown: () => {},
  });
}

function emitField(
  target: ColumnTarget,
  rest: number,
  options: CsvInputOptions,
  grammar: ValueGrammar,
  isLast: boolean,
): string {
  const c = target.ordinal;
  const { delimiter, quote } = options;
  const empty = target.nullable ? `t${c}.column.setNull(row);` : target.kind === targetString ? '' : 'break rows;';
  const quoted = quote < 0 ? '' : `else if (c === ${quote}) { ${emitGeneral(target, rest)} }`;
  const value =
    target.kind === targetString ? emitString(target, rest, delimiter, isLast) : emitValue(target, rest, grammar);
  return `c = bytes[p];
if (c === ${delimiter} || c === 10 || (c === 13 && bytes[p + 1] === 10)) { ${empty} }
${quoted}
else {
${value}
}`;
}

function emitString(target: ColumnTarget, rest: number, delimiter: number, isLast: boolean): string {
  const c = target.ordinal;
  // Before the line feed a carriage return belongs to the line break.
  const cut = isLast ? `if (v === 10 && b${c}[to - 1] === 13) { to--; p--; }` : '';
  return `s = p; ok = 0; all = 0;
if (u${c} + ${stringBytesMax} > b${c}.length) { t${c}.column.bytesUsed = u${c}; t${c}.column.reserveBytes(${stringBytesMax}); b${c} = t${c}.column.bytes; }
to = u${c}; limit = p + ${stringBytesMax};
${emitPlainWords(c, delimiter >= 32 && delimiter < 128 ? [delimiter] : [])}
for (; p < limit; p++) {
  v = bytes[p];
  if (v === ${delimiter} || v === 10) { ok = 1; break; }
  b${c}[to++] = v; all |= v;
}
if (ok) {
  if (all >= 128 && findInvalidUtf8(bytes, s, p) >= 0) break rows;
  ${cut}
  u${c} = to;
} else { p = s; ${emitGeneral(target, rest)} }`;
}

// ── data plane ──

/** Reads any field without escapes; returns the position of what ends it, or -1. */
function readField(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
  options: CsvInputOptions,
  refusal: Refusal,
): number {
  if (start < end && bytes[start] === options.quote) {
    const close = findClosingQuote(bytes, start, end, options);
    if (close < 0 || hasEscape(bytes, start + 1, close, options)) return -1;
    return writeField(bytes, view, start + 1, close, true, target, row, refusal) ? close + 1 : -1;
  }
  const stop = skipUnquoted(bytes, start, end, options.delimiter);
  const textEnd = stop > start && stop < end && bytes[stop] === 10 && bytes[stop - 1] === 13 ? stop - 1 : stop;
  return writeField(bytes, view, start, textEnd, false, target, row, refusal) ? textEnd : -1;
}
