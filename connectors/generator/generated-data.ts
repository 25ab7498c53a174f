// Made-up data of records, written into column builders as bytes: JSON text, or MessagePack of structured data. No objects.
//
// Kinds: int (63 bits), string (a word), time (now, text in RFC 3339), duration (up to 1000 s, in nanoseconds), bool. Chance is a
// xorshift generator seeded from the clock: it is fast and good enough for data that stands for nothing.
import type { ColumnBuilder } from '../../runtime/batch/batch-builder.ts';
import type { Clock } from '../../runtime/clock.ts';
import { printNine, printShort } from '../sdk/decimal-digits.ts';
import { compareBytes } from '../sdk/exact-json.ts';
import { plainWords } from './word-list.ts';

export type DataForm = 'raw' | 'structured' | 'file';

interface PlannedField {
  readonly kind: string;
  /** The name with what stands around it: `{"name":`, or a MessagePack text. */
  readonly json: Uint8Array;
  readonly msgpack: Uint8Array;
}

const encoder = new TextEncoder();
const wordBytes = Array.from({ length: plainWords.count }, (_, i) =>
  plainWords.bytes.slice(plainWords.offsets[i], plainWords.offsets[i + 1]),
);
/** Bytes of any value but a word. */
const valueBytesMax = 48;
const wordBytesMax = Math.max(...wordBytes.map((word) => word.length));

export class GeneratedData {
  readonly #clock: Clock;
  readonly #plans = new Map<object, readonly PlannedField[]>();
  #state: Int32Array;
  #timeMs = -1;
  #timeText: Uint8Array = new Uint8Array(0);

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
    this.#timeText = encoder.encode(new Date(now).toISOString().replace(/\.?0*Z$/, 'Z'));
  }

  below(bound: number): number {
    return (nextRandom(this.#state) >>> 1) % bound;
  }

  /** A number in decimal digits. */
  count(value: number, column: ColumnBuilder | undefined): void {
    if (column === undefined) return;
    column.reserveBytes(20);
    column.bytesUsed = printDecimal(value, 0, column.bytes, column.bytesUsed);
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

  #planOf(fields: Readonly<Record<string, string>>): readonly PlannedField[] {
    const known = this.#plans.get(fields);
    if (known !== undefined) return known;
    const names = Object.keys(fields).sort(compareBytes);
    const plan = names.map((name, i): PlannedField => {
      const text = encoder.encode(name);
      const head = text.length < 32 ? [0xa0 | text.length] : [0xda, text.length >> 8, text.length & 255];
      return {
        kind: fields[name] ?? '',
        json: encoder.encode(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`),
        msgpack: Uint8Array.of(...head, ...text),
      };
    });
    this.#plans.set(fields, plan);
    return plan;
  }

  #json(plan: readonly PlannedField[], column: ColumnBuilder): void {
    const random = this.#state;
    for (const field of plan) {
      column.appendBytes(field.json, 0, field.json.length);
      column.reserveBytes(valueBytesMax + wordBytesMax);
      const out = column.bytes;
      let at = column.bytesUsed;
      switch (field.kind) {
        case 'int':
          at = printDecimal(nextRandom(random) >>> 0, (nextRandom(random) >>> 1) >>> 0, out, at);
          break;
        case 'bool':
          at = copy((nextRandom(random) & 1) === 0 ? falseText : trueText, out, at);
          break;
        case 'duration':
          at = printDecimal(this.below(1000), 0, out, at);
          at = copy(nanoseconds, out, at);
          break;
        default:
          out[at++] = 0x22;
          at = copy(field.kind === 'time' ? this.#timeText : this.#word(), out, at);
          out[at++] = 0x22;
      }
      column.bytesUsed = at;
    }
    column.reserveBytes(2);
    if (plan.length === 0) column.bytes[column.bytesUsed++] = 0x7b;
    column.bytes[column.bytesUsed++] = 0x7d;
  }

  #msgpack(plan: readonly PlannedField[], column: ColumnBuilder): void {
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

/** high x 2^32 + low in decimal digits. */
function printDecimal(low: number, high: number, out: Uint8Array, at: number): number {
  // Three parts of at most nine digits: 2^32 = 4 x 10^9 + 294 967 296.
  let small = (low % 1e9) + high * 294967296;
  let middle = Math.floor(low / 1e9) + high * 4;
  // high x 294 967 296 stays below 2^60, beyond what a double counts exactly: it is taken in two steps.
  if (high > 0xffffff) {
    const upper = Math.floor(high / 65536);
    const lower = high % 65536;
    const product = upper * 294967296;
    small = (low % 1e9) + lower * 294967296 + (product % 1e9) * 65536;
    middle = Math.floor(low / 1e9) + high * 4 + Math.floor(product / 1e9) * 65536;
  }
  middle += Math.floor(small / 1e9);
  small %= 1e9;
  const large = Math.floor(middle / 1e9);
  middle %= 1e9;
  let to = at;
  if (large > 0) to = printNine(middle, out, printShort(large, out, to));
  else if (middle > 0) to = printShort(middle, out, to);
  return large > 0 || middle > 0 ? printNine(small, out, to) : printShort(small, out, to);
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
