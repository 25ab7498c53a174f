// Rows as COPY … TO STDOUT sends them, to lines of JSON for the decoder: `1\tone\n` to `{"insert":{"id":1,"t":"one"}}\n`.
//
//   \N  NULL        \b \f \n \r \t \\  as in JSON        \v  a vertical tab        everything else stands for itself
// Most values are copied byte by byte: numbers as they are, texts between quotes. What takes more than that (arrays, rows, bytes, JSON, times
// with a zone) goes through `jsonOf`, as every value of a change does, so that a row is the same in a snapshot and in a change.
import type { FittedColumn } from './column-fit.ts';
import { jsonOf } from './json-value.ts';
import { oid } from './type-catalog.ts';

const copiedNumber = 0;
const copiedText = 1;
const copiedBoolean = 2;
const converted = 3;
const outputBytes = 1 << 20;
/** A control character becomes six bytes. */
const growthMax = 6;

export class CopyRows {
  readonly #columns: readonly FittedColumn[];
  readonly #kinds: Uint8Array;
  /** What stands before the value of each column. */
  readonly #before: readonly Uint8Array[];
  readonly #fixedBytes: number;
  /** Used again and again: fresh arrays cost as much as what is written into them. */
  #out: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Where the value ended that was copied last. */
  readonly #cursor: Int32Array = new Int32Array(1);

  constructor(columns: readonly FittedColumn[]) {
    this.#columns = columns;
    this.#kinds = Uint8Array.from(columns, kindOf);
    this.#before = columns.map(({ field }, i) =>
      Buffer.from(`${i === 0 ? '{"insert":{' : ','}${JSON.stringify(field.name)}:`),
    );
    this.#fixedBytes = this.#before.reduce((sum, { length }) => sum + length + 8, 8);
  }

  /** The lines of whole rows. They hold until the next call. */
  lines(rows: Uint8Array): Uint8Array {
    const source = Buffer.from(rows.buffer, rows.byteOffset, rows.length);
    const end = source.length;
    let out = this.#out.length < end * 2 ? new Uint8Array(Math.max(outputBytes, end * 2)) : this.#out;
    let to = 0;
    for (let at = 0; at < end; ) {
      const stop = source.indexOf(10, at);
      const needed = to + (stop - at) * growthMax + this.#fixedBytes;
      if (needed > out.length) out = grown(out, needed);
      for (let c = 0; c < this.#columns.length; c++) {
        to = copyBytes(this.#before[c]!, out, to);
        if (this.#kinds[c] !== converted) {
          to = copyValue(source, at, stop, out, to, this.#kinds[c]!, this.#cursor);
          at = this.#cursor[0]! + 1;
          continue;
        }
        const valueEnd = endOfValue(source, at, stop);
        const text = this.#converted(source, at, valueEnd, c);
        const room = to + text.length * 3 + this.#fixedBytes + (stop - valueEnd) * growthMax;
        if (room > out.length) out = grown(out, room);
        to += Buffer.from(out.buffer).write(text, to);
        at = valueEnd + 1;
      }
      out[to] = 0x7d;
      out[to + 1] = 0x7d;
      out[to + 2] = 10;
      to += 3;
      at = stop + 1;
    }
    this.#out = out;
    return out.subarray(0, to);
  }

  #converted(source: Buffer, start: number, end: number, column: number): string {
    const raw = source.toString('utf8', start, end);
    if (raw === '\\N') return 'null';
    const { field, type } = this.#columns[column]!;
    return jsonOf(raw.includes('\\') ? unescaped(raw) : raw, field.type, type);
  }
}

/** How a column is spelled, where it can be read as it stands. */
export interface CopyForm {
  readonly name: string;
  readonly form: 'text' | 'number' | 'time' | 'zoned' | 'boolean';
}

/** Null where a column takes more than that. */
export function copyForms(columns: readonly FittedColumn[]): readonly CopyForm[] | null {
  const forms: CopyForm[] = [];
  for (const column of columns) {
    const { field, type } = column;
    const kind = kindOf(column);
    const isText = field.type.kind === 'VARCHAR' || field.type.kind === 'CHAR';
    if (kind === copiedNumber) forms.push({ name: field.name, form: 'number' });
    else if (kind === copiedBoolean) forms.push({ name: field.name, form: 'boolean' });
    else if (kind === copiedText) forms.push({ name: field.name, form: isText ? 'text' : 'time' });
    else if (type.oid === oid.timestamptz && field.type.kind === 'TIMESTAMP')
      forms.push({ name: field.name, form: 'zoned' });
    else return null;
  }
  return forms;
}

function kindOf({ field, type }: FittedColumn): number {
  const { kind } = field.type;
  const isPlain = type.element === null && type.members === null;
  if (kind === 'BOOLEAN' && type.oid === oid.bool) return copiedBoolean;
  if (type.category === 'N' && type.oid !== oid.money) {
    if (['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'REAL', 'DOUBLE', 'DECIMAL'].includes(kind)) return copiedNumber;
    if (kind === 'VARCHAR' || kind === 'CHAR') return copiedText;
  }
  const isShownOtherwise = [oid.bool, oid.bytea, oid.timestamptz, oid.timetz].some((each) => each === type.oid);
  if ((kind === 'VARCHAR' || kind === 'CHAR') && !isShownOtherwise) return copiedText;
  const isTime = kind === 'DATE' || kind === 'TIME' || kind === 'TIMESTAMP' || kind === 'UUID';
  const isJson = type.oid === oid.json || type.oid === oid.jsonb;
  return isTime && isPlain && !isShownOtherwise && !isJson ? copiedText : converted;
}

function unescaped(raw: string): string {
  const named: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
  return raw.replaceAll(/\\(.)/gs, (_, letter: string) => named[letter] ?? letter);
}

function grown(bytes: Uint8Array<ArrayBuffer>, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(needed, bytes.length * 2));
  larger.set(bytes);
  return larger;
}

// ── data plane ──

/** A tab of a value is escaped: the first one ends it. */
function endOfValue(source: Uint8Array, start: number, stop: number): number {
  let at = start;
  while (at < stop && source[at] !== 9) at++;
  return at;
}

function copyBytes(from: Uint8Array, out: Uint8Array, to: number): number {
  for (let at = 0; at < from.length; at++) out[to + at] = from[at]!;
  return to + from.length;
}

/** Writes the value at `start` as JSON; answers with the position behind it, and puts where it ends into `cursor`. There is room for it. */
function copyValue(
  source: Uint8Array,
  start: number,
  stop: number,
  out: Uint8Array,
  to: number,
  kind: number,
  cursor: Int32Array,
): number {
  let p = to;
  let at = start;
  const first = source[start]!;
  if (first === 0x5c && source[start + 1] === 0x4e) {
    out[p] = 0x6e;
    out[p + 1] = 0x75;
    out[p + 2] = 0x6c;
    out[p + 3] = 0x6c;
    cursor[0] = start + 2;
    return p + 4;
  }
  if (kind === copiedBoolean) {
    const word = first === 0x74 ? 0x65757274 : 0x736c6166;
    for (let k = 0; k < 4; k++) out[p++] = (word >>> (8 * k)) & 255;
    if (first !== 0x74) out[p++] = 0x65;
    cursor[0] = start + 1;
    return p;
  }
  const digit = first === 0x2d ? source[start + 1]! : first;
  if (kind === copiedNumber && digit >= 48 && digit <= 57) {
    for (let byte = first; at < stop && byte !== 9; byte = source[++at]!) out[p++] = byte;
    cursor[0] = at;
    return p;
  }
  out[p++] = 0x22;
  for (; at < stop; at++) {
    const byte = source[at]!;
    if (byte > 0x22 && byte !== 0x5c) out[p++] = byte;
    else if (byte === 9) break;
    else if (byte === 0x22) {
      out[p++] = 0x5c;
      out[p++] = byte;
    } else if (byte === 0x5c) {
      const letter = source[++at]!;
      if (letter === 0x76) p = writeControl(out, p, 11);
      else {
        out[p++] = 0x5c;
        out[p++] = letter;
      }
    } else if (byte < 32) p = writeControl(out, p, byte);
    else out[p++] = byte;
  }
  out[p++] = 0x22;
  cursor[0] = at;
  return p;
}

/** \u00XX */
function writeControl(out: Uint8Array, to: number, byte: number): number {
  out[to] = 0x5c;
  out[to + 1] = 0x75;
  out[to + 2] = 48;
  out[to + 3] = 48;
  out[to + 4] = 48 + (byte >> 4);
  out[to + 5] = (byte & 15) < 10 ? 48 + (byte & 15) : 87 + (byte & 15);
  return to + 6;
}
