// A lane (see row-lane.ts) for rows as PostgreSQL's COPY … TO STDOUT prints them: `1\tone\t\N\n`.
//
//   \N  NULL       nothing  the empty text       t  f  booleans       +00  behind a time in UTC
// Every other backslash, and every value that its column does not take as it is spelled, ends the lane in front of its row: whoever
// called it reads that row in another way. The server has printed the rows, in UTF-8, in ISO forms and canonical numbers.
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { DecoderContext } from '../sdk/format.ts';
import { encodeDefaults, writeDefault } from './column-default.ts';
import {
  type ColumnTarget,
  makeTargets,
  targetBigint,
  targetBoolean,
  targetDate,
  targetDecimal,
  targetFloat,
  targetInteger,
  targetString,
  targetTime,
  targetTimestamp,
  targetUuid,
} from './column-target.ts';
import { writeField } from './csv-field.ts';
import { Refusal } from './refusal.ts';
import {
  compileLane,
  emitAbsent,
  emitGeneral,
  emitPlainWords,
  emitValue,
  type Lane,
  type LaneEnd,
  stringBytesMax,
  type ValueGrammar,
  valueBytesMax,
} from './row-lane.ts';
import { RowWriter } from './row-writer.ts';
import { findInvalidUtf8 } from './utf8.ts';

export interface CopiedField {
  /** Of the column that it feeds. */
  readonly name: string;
  /** `text`: the column takes the very text. `number`, `time`, `boolean`: spelled as COPY does. `zoned`: a time with a zone, which is UTC. */
  readonly form: 'text' | 'number' | 'time' | 'zoned' | 'boolean';
}

const tab = 9;
const backslash = 92;

const grammar: ValueGrammar = {
  numberGoesOn: `c !== ${tab} && c !== 10`,
  leadingZeros: false,
  temporalQuote: -1,
};

const kindsOf: Readonly<Record<CopiedField['form'], readonly number[]>> = {
  text: [targetString],
  number: [targetInteger, targetBigint, targetFloat, targetDecimal],
  time: [targetDate, targetTime, targetTimestamp, targetUuid],
  zoned: [targetTimestamp],
  boolean: [targetBoolean],
};

export class CopyTextReader {
  readonly #lane: Lane;
  readonly #writer: RowWriter;
  readonly #end: LaneEnd = { position: 0, row: 0 };

  private constructor(lane: Lane, targets: readonly ColumnTarget[]) {
    this.#lane = lane;
    this.#writer = new RowWriter(targets);
  }

  /** Null: such rows have no lane. */
  static of(context: DecoderContext, fields: readonly CopiedField[]): CopyTextReader | null {
    const { relation, defaults } = context;
    const targets = makeTargets(relation, new BatchBuilder(relation.schema, 8).columns, 'copy');
    const fed = fields.map(({ name }) => targets.find((target) => target.field.name === name));
    const order = fed.filter((target) => target !== undefined);
    const suits = fields.every(({ form }, i) => kindsOf[form].includes(fed[i]?.kind ?? -1));
    if (!suits || order.length !== fields.length || new Set(order).size !== order.length) return null;
    const absent = targets.filter((target) => !order.includes(target));
    const encoded = encodeDefaults(targets, defaults);
    return new CopyTextReader(makeLane(fields, targets, order, absent, encoded), targets);
  }

  /** Reads rows from `start` on into `builder`; answers with the position in front of the first one that it did not read. */
  read(bytes: Uint8Array, start: number, builder: BatchBuilder): number {
    const end = bytes.length;
    const view = new DataView(bytes.buffer, bytes.byteOffset, end);
    const writer = this.#writer;
    writer.start(builder, ((end - start) >> 4) + 1);
    let at = start;
    for (;;) {
      writer.prepare();
      const rowEnd = writer.reservedEnd;
      this.#lane(bytes, view, at, end, writer.row, rowEnd, this.#end);
      at = this.#end.position;
      writer.adopt(this.#end.row);
      if (this.#end.row < rowEnd) break;
    }
    writer.finish();
    return at;
  }
}

function makeLane(
  fields: readonly CopiedField[],
  targets: readonly ColumnTarget[],
  order: readonly ColumnTarget[],
  absent: readonly ColumnTarget[],
  defaults: readonly (Uint8Array | null)[],
): Lane {
  const rest = (order.length + 1) * (valueBytesMax + stringBytesMax);
  const parts = [`if (p + ${rest} > end) break;`];
  order.forEach((target, i) => {
    parts.push(emitField(target, fields[i]?.form ?? 'text', rest));
    parts.push(`if (bytes[p] !== ${i === order.length - 1 ? 10 : tab}) break rows; p++;`);
  });
  if (absent.length > 0) parts.push(emitAbsent(absent));
  const refusal = new Refusal();
  return compileLane(parts.join('\n'), {
    targets,
    readValue: (bytes, view, start, end, target, row) => readPlain(bytes, view, start, end, target, row, refusal),
    writeAbsent: (row) => absent.every((target) => writeDefault(defaults, target, row, refusal)),
    skipValue: () => -1,
    countUnknown: () => {},
  });
}

function emitField(target: ColumnTarget, form: CopiedField['form'], rest: number): string {
  const c = target.ordinal;
  const empty = target.nullable ? `t${c}.column.setNull(row); p += 2;` : 'break rows;';
  const value =
    form === 'text'
      ? emitText(target, rest)
      : form === 'boolean'
        ? `if (c === 116) a${c}[row] = 1; else if (c === 102) a${c}[row] = 0; else break rows; p++;`
        : form === 'zoned'
          ? `p = scanTimestampFixed(bytes, view, p, a${c}, row); if (p < 0 || bytes[p] !== 43 || bytes[p + 1] !== 48 || bytes[p + 2] !== 48) break rows; p += 3;`
          : emitValue(target, rest, grammar);
  return `c = bytes[p];
if (c === ${backslash} && bytes[p + 1] === 78) { ${empty} }
else {
${value}
}`;
}

function emitText(target: ColumnTarget, rest: number): string {
  const c = target.ordinal;
  return `s = p; ok = 0; all = 0;
if (u${c} + ${stringBytesMax} > b${c}.length) { t${c}.column.bytesUsed = u${c}; t${c}.column.reserveBytes(${stringBytesMax}); b${c} = t${c}.column.bytes; }
to = u${c}; limit = p + ${stringBytesMax};
${emitPlainWords(c, [backslash])}
for (; p < limit; p++) {
  v = bytes[p];
  if (v < 11) { ok = 1; break; }
  if (v === ${backslash}) break rows;
  b${c}[to++] = v; all |= v;
}
if (ok) {
  if (all >= 128 && findInvalidUtf8(bytes, s, p) >= 0) break rows;
  u${c} = to;
} else { p = s; ${emitGeneral(target, rest)} }`;
}

// ── data plane ──

/** A longer text without a backslash, or a number, a time or a UUID of more digits; the position behind it, or -1. */
function readPlain(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  target: ColumnTarget,
  row: number,
  refusal: Refusal,
): number {
  let stop = start;
  for (let byte = 0; stop < end; stop++) {
    byte = bytes[stop]!;
    if (byte === tab || byte === 10) break;
    if (byte === backslash) return -1;
  }
  const { kind } = target;
  if (kind === targetString) {
    if (findInvalidUtf8(bytes, start, stop) >= 0) return -1;
  } else {
    const first = bytes[start]! === 45 ? bytes[start + 1]! : bytes[start]!;
    const isNumber = kind === targetBigint || kind === targetDecimal;
    if (kind !== targetUuid && !(isNumber && first >= 48 && first <= 57)) return -1;
  }
  return writeField(bytes, view, start, stop, true, target, row, refusal) ? stop : -1;
}
