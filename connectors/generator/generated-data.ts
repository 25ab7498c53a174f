// Made-up data of records, written into column builders as bytes: JSON text, or MessagePack of structured data. No objects.
//
// Kinds: int (63 bits), string (a word), time (now, text in RFC 3339), duration (up to 1000 s, in nanoseconds), bool. Chance is a
// xorshift generator seeded from the clock: it is fast and good enough for data that stands for nothing.
import type { ColumnBuilder } from '../../runtime/batch/batch-builder.ts';
import type { Clock } from '../../runtime/clock.ts';
import { printDigits, printNine, printShort } from '../sdk/decimal-digits.ts';
import { compareBytes } from '../sdk/exact-json.ts';
import { plainWords } from './word-list.ts';

export type DataForm = 'raw' | 'structured' | 'file';

interface PlannedField {
  readonly kind: string;
  /** The name with what stands around it: `{"name":`, or a MessagePack text. */
  readonly json: string;
  readonly msgpack: Uint8Array;
}

/** Bytes in groups of four, little-endian, the last one filled up: they are written a group at a time, over what comes behind them. */
interface Grouped {
  readonly groups: Int32Array;
  readonly length: number;
}

/** JSON text that is the same for many records, and the value behind it that is not; '': there is none. */
interface Piece extends Grouped {
  readonly kind: 'int' | 'bool' | 'duration' | 'word' | '';
}

interface Plan {
  readonly fields: readonly PlannedField[];
  /** Of the time that `timeMs` says. */
  pieces: readonly Piece[];
  /** The most bytes that a record has, what is written over its end included. */
  bytesMax: number;
  timeMs: number;
}

const encoder = new TextEncoder();
const wordBytes = Array.from({ length: plainWords.count }, (_, i) =>
  plainWords.bytes.slice(plainWords.offsets[i], plainWords.offsets[i + 1]),
);
/** Bytes of any value but a word. */
const valueBytesMax = 48;
const wordBytesMax = Math.max(...wordBytes.map((word) => word.length));
const groupedWords: readonly Grouped[] = wordBytes.map(grouped);
const noGroups: Grouped = grouped(new Uint8Array(0));

export class GeneratedData {
  readonly #clock: Clock;
  readonly #plans = new Map<object, Plan>();
  /** Over the bytes of the column that was written last. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  #viewed: Uint8Array = new Uint8Array(0);
  #state: Int32Array;
  #timeMs = -1;
  #timeText: Uint8Array = new Uint8Array(0);
  #timeJson = '';

  constructor(clock: Clock) {
    this.#clock = clock;
    const seed = Math.floor(clock.now() * 1000);
    this.#state = Int32Array.of(seed | 1, (seed / 2 ** 32) | 0x5bd1e995, 0x2545f491, 0x1b873593);
    for (let i = 0; i < 16; i++) nextRandom(this.#state);
  }

  /** From here on times are that of now; it is printed once a millisecond. */
  lookAtClock(): void {
    const now = Math.floor(this.#clock.now());
    if (now === this.#timeMs) return;
    this.#timeMs = now;
    this.#timeJson = new Date(now).toISOString().replace(/\.?0*Z$/, 'Z');
    this.#timeText = encoder.encode(this.#timeJson);
  }

  below(bound: number): number {
    return (nextRandom(this.#state) >>> 1) % bound;
  }

  /** A number in decimal digits. */
  count(value: number, column: ColumnBuilder | undefined): void {
    if (column === undefined) return;
    column.reserveBytes(20);
    column.bytesUsed = printDigits(value, column.bytes, column.bytesUsed);
  }

  word(column: ColumnBuilder | undefined): void {
    const word = this.#word();
    column?.appendBytes(word, 0, word.length);
  }

  data(
    fields: Readonly<Record<string, string>>,
    form: DataForm,
    file: Uint8Array | undefined,
    column: ColumnBuilder | undefined,
  ): void {
    if (column === undefined) return;
    if (form === 'file') {
      if (file !== undefined) column.appendBytes(file, 0, file.length);
      return;
    }
    const plan = this.#planOf(fields);
    if (form === 'raw') this.#json(plan, column);
    else this.#msgpack(plan, column);
  }

  #planOf(fields: Readonly<Record<string, string>>): Plan {
    const known = this.#plans.get(fields);
    if (known !== undefined) return known;
    const names = Object.keys(fields).sort(compareBytes);
    const planned = names.map((name, i): PlannedField => {
      const text = encoder.encode(name);
      const head = text.length < 32 ? [0xa0 | text.length] : [0xda, text.length >> 8, text.length & 255];
      return {
        kind: fields[name] ?? '',
        json: `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`,
        msgpack: Uint8Array.of(...head, ...text),
      };
    });
    const plan: Plan = { fields: planned, pieces: [], bytesMax: 0, timeMs: Number.NaN };
    this.#plans.set(fields, plan);
    return plan;
  }

  /** What stands between two values that differ from record to record is one piece; times are part of it for a millisecond. */
  #cutPieces(plan: Plan): void {
    const pieces: Piece[] = [];
    let text = plan.fields.length === 0 ? '{' : '';
    let bytesMax = 0;
    const cut = (kind: Piece['kind'], before: string): void => {
      const piece = { ...grouped(encoder.encode(text + before)), kind };
      pieces.push(piece);
      bytesMax += piece.groups.length * 4 + Math.max(valueBytesMax, wordBytesMax + 4);
      text = '';
    };
    for (const { kind, json } of plan.fields) {
      text += json;
      if (kind === 'time') text += `"${this.#timeJson}"`;
      else if (kind === 'int' || kind === 'bool' || kind === 'duration') cut(kind, '');
      else {
        cut('word', '"');
        text = '"';
      }
    }
    text += '}';
    cut('', '');
    Object.assign(plan, { pieces, bytesMax, timeMs: this.#timeMs });
  }

  #json(plan: Plan, column: ColumnBuilder): void {
    if (plan.timeMs !== this.#timeMs) this.#cutPieces(plan);
    column.reserveBytes(plan.bytesMax);
    const view = this.#viewOf(column);
    const random = this.#state;
    let at = column.bytesUsed;
    for (const piece of plan.pieces) {
      at = putGroups(piece, view, at);
      switch (piece.kind) {
        case 'int':
          at = putDecimal(nextRandom(random) >>> 0, (nextRandom(random) >>> 1) >>> 0, view, column.bytes, at);
          break;
        case 'word':
          at = putGroups(groupedWords[this.below(groupedWords.length)] ?? noGroups, view, at);
          break;
        case 'bool':
          at = copy((nextRandom(random) & 1) === 0 ? falseText : trueText, column.bytes, at);
          break;
        case 'duration':
          at = printShort(this.below(1000), column.bytes, at);
          at = copy(nanoseconds, column.bytes, at);
          break;
        default:
      }
    }
    column.bytesUsed = at;
  }

  #viewOf({ bytes }: ColumnBuilder): DataView {
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.#view;
  }

  #msgpack({ fields: plan }: Plan, column: ColumnBuilder): void {
    const random = this.#state;
    column.reserveBytes(3);
    column.bytes[column.bytesUsed++] = 0xde;
    column.bytes[column.bytesUsed++] = plan.length >> 8;
    column.bytes[column.bytesUsed++] = plan.length & 255;
    for (const field of plan) {
      column.appendBytes(field.msgpack, 0, field.msgpack.length);
      column.reserveBytes(valueBytesMax + wordBytesMax);
      const out = column.bytes;
      let at = column.bytesUsed;
      switch (field.kind) {
        case 'int':
          out[at] = 0xd3;
          at = putWord(nextRandom(random) & 0x7fffffff, out, at + 1);
          at = putWord(nextRandom(random), out, at);
          break;
        case 'bool':
          out[at++] = 0xc2 | (nextRandom(random) & 1);
          break;
        case 'duration': {
          const size = this.below(1000) * 1_000_000_000;
          out[at] = 0xd3;
          at = putWord((size / 2 ** 32) | 0, out, at + 1);
          at = putWord(size >>> 0, out, at);
          break;
        }
        default: {
          const text = field.kind === 'time' ? this.#timeText : this.#word();
          out[at] = 0xd9;
          out[at + 1] = text.length;
          at = copy(text, out, at + 2);
        }
      }
      column.bytesUsed = at;
    }
  }

  #word(): Uint8Array {
    return wordBytes[this.below(wordBytes.length)] ?? trueText;
  }
}

/** Every number of four digits, as a group. */
const fourDigits: Int32Array = Int32Array.from(
  { length: 10_000 },
  (_, i) => grouped(encoder.encode(String(i).padStart(4, '0'))).groups[0] ?? 0,
);
const trueText = encoder.encode('true');
const falseText = encoder.encode('false');
const nanoseconds = encoder.encode('000000000');

// ── data plane ──

/** xorshift128: 32 bits, state of four words. */
function nextRandom(state: Int32Array): number {
  let t = state[3]!;
  const s = state[0]!;
  state[3] = state[2]!;
  state[2] = state[1]!;
  state[1] = s;
  t ^= t << 11;
  t ^= t >>> 8;
  const next = t ^ s ^ (s >>> 19);
  state[0] = next;
  return next;
}

function putGroups({ groups, length }: Grouped, view: DataView, at: number): number {
  for (let i = 0; i < groups.length; i++) view.setInt32(at + i * 4, groups[i]!, true);
  return at + length;
}

/** high x 2^32 + low in decimal digits, of 63 bits: nearly all of them have 19 digits, which are written in groups. `view` is over `out`. */
function putDecimal(low: number, high: number, view: DataView, out: Uint8Array, at: number): number {
  const upper = (high / 65536) | 0;
  const product = upper * 294967296;
  let small = (low % 1e9) + (high & 65535) * 294967296 + (product % 1e9) * 65536;
  let middle = Math.floor(low / 1e9) + high * 4 + Math.floor(product / 1e9) * 65536;
  const carried = Math.floor(small / 1e9);
  small -= carried * 1e9;
  middle += carried;
  const large = Math.floor(middle / 1e9);
  middle -= large * 1e9;
  if (large === 0) return middle > 0 ? printNine(small, out, printShort(middle, out, at)) : printShort(small, out, at);
  view.setUint8(at, 48 + large);
  putNine(middle, view, at + 1);
  putNine(small, view, at + 10);
  return at + 19;
}

function putNine(value: number, view: DataView, at: number): void {
  const left = value | 0;
  const high = (left / 100_000_000) | 0;
  const rest = left - high * 100_000_000;
  const middle = (rest / 10_000) | 0;
  view.setUint8(at, 48 + high);
  view.setInt32(at + 1, fourDigits[middle]!, true);
  view.setInt32(at + 5, fourDigits[rest - middle * 10_000]!, true);
}

/** Big-endian. */
function putWord(word: number, out: Uint8Array, at: number): number {
  out[at] = word >>> 24;
  out[at + 1] = word >>> 16;
  out[at + 2] = word >>> 8;
  out[at + 3] = word;
  return at + 4;
}

function copy(source: Uint8Array, out: Uint8Array, at: number): number {
  for (let i = 0; i < source.length; i++) out[at + i] = source[i]!;
  return at + source.length;
}

function grouped(bytes: Uint8Array): Grouped {
  const groups = new Int32Array(Math.ceil(bytes.length / 4));
  for (let i = 0; i < bytes.length; i++) groups[i >> 2]! |= bytes[i]! << ((i & 3) * 8);
  return { groups, length: bytes.length };
}
