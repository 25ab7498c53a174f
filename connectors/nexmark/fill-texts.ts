// The texts of Nexmark events: names, addresses, channels and the padding that gives each event its usual size, written as bytes
// straight into the column.
//
// Padding (`extra`) is random letters of a random length, up to a fifth shorter or longer than what makes a person about 200 bytes, an
// auction 500 and a bid 100.
import type { ColumnBuilder } from '../../runtime/batch/batch-builder.ts';
import type { Column } from '../../runtime/batch/column.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import { below, mix, randomBits } from './event-stream.ts';

export type FillTexts = (column: ColumnBuilder, events: Float64Array, key: number) => void;
export type MakeTexts = (type: SqlType, events: Float64Array, key: number, room: ChannelRoom) => Column;

/** The channels of the latest events, picked once for the columns that are of them, in arrays that the next ones use again. */
export interface ChannelRoom {
  events?: Float64Array;
  /** Rows, and how many channels these have. */
  codes?: Int32Array;
  size?: number;
  /** Which of all channels a code stands for. */
  used?: Int32Array;
  codeOf?: Int32Array;
}

/** Texts of a list, one behind the other; text i is bytes[offsets[i] .. offsets[i + 1]). */
interface TextList {
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly offsets: Int32Array;
}

const encoder = new TextEncoder();

function listOf(texts: readonly string[]): TextList {
  const offsets = new Int32Array(texts.length + 1);
  for (const [i, each] of texts.entries()) offsets[i + 1] = (offsets[i] ?? 0) + encoder.encode(each).length;
  return { size: texts.length, bytes: encoder.encode(texts.join('')), offsets };
}

const firstNames = ['Ada', 'Boris', 'Clara', 'Dmitri', 'Elena', 'Farid', 'Greta', 'Hugo', 'Ines', 'Jonas', 'Keiko'];
const lastNames = ['Adler', 'Brandt', 'Castro', 'Dumont', 'Eriksen', 'Fischer', 'Gomez', 'Hansen', 'Ivanova'];
const names = listOf(firstNames.flatMap((first) => lastNames.map((last) => `${first} ${last}`)));
/** Ten cities, and the state of each. */
const places = [
  ['Phoenix', 'AZ'],
  ['Los Angeles', 'CA'],
  ['San Francisco', 'CA'],
  ['Boise', 'ID'],
  ['Portland', 'OR'],
  ['Bend', 'OR'],
  ['Redmond', 'WA'],
  ['Seattle', 'WA'],
  ['Kent', 'WA'],
  ['Cheyenne', 'WY'],
] as const;
const cities = listOf(places.map(([city]) => city));
const states = listOf(places.map(([, state]) => state));

const wellKnown = ['Apple', 'Google', 'Facebook', 'Baidu'];
/** One bid in so many comes from none of the four channels. */
const rareEvery = 100;
const rareChannels = 10_000;
/** The four, then the rare ones, so that a channel is one number. */
const channels = listOf([...wellKnown, ...Array.from({ length: rareChannels }, (_, n) => `channel-${n}`)]);
const urls = listOf(Array.from({ length: wellKnown.length + rareChannels }, (_, n) => urlOf(n)));

/** Three segments of a path, and for nine rare channels in ten a parameter. */
function urlOf(channel: number): string {
  const segment = (lane: number): string => {
    let bits = mix(Math.imul(channel + 1, 0x2545f491) + lane);
    let made = '';
    for (let i = 0; i < 5; i++) {
      made += String.fromCharCode(97 + below(26, bits));
      bits = mix(bits + i);
    }
    return made;
  };
  const n = channel - wellKnown.length;
  const parameter = n >= 0 && n % 10 !== 0 ? `&channel_id=${n}` : '';
  return `https://www.nexmark.com/${segment(1)}/${segment(2)}/${segment(3)}/item.htm?query=1${parameter}`;
}

/** Eight letters each, chosen by chance: padding is made of these. As doubles, which are written at once; letters are no NaN. */
const eightLetters: Float64Array = new Float64Array(4096);
new Uint8Array(eightLetters.buffer).forEach((_, i, letters) => {
  letters[i] = 97 + below(26, mix(i + 0x1b873593));
});

const addressBytes = 17;

export const fillNames: FillTexts = (column, events, key) => pickFrom(names, column, events, key);
export const fillCities: FillTexts = (column, events, key) => pickFrom(cities, column, events, key);
export const fillStates: FillTexts = (column, events, key) => pickFrom(states, column, events, key);
export const makeChannels: MakeTexts = (type, events, key, room) => columnOfChannels(channels, type, events, key, room);
export const makeUrls: MakeTexts = (type, events, key, room) => columnOfChannels(urls, type, events, key, room);
export const fillAddresses: FillTexts = (column, events, key) => spellAddresses(column, events, key);
export const fillCards: FillTexts = (column, events, key) => spellCards(column, events, key);
export const fillItemNames: FillTexts = (column, events, key) => spellLetters(column, events, key, 15, 25);
export const fillDescriptions: FillTexts = (column, events, key) => spellLetters(column, events, key, 80, 120);
export const fillPersonExtra: FillTexts = (column, events, key) => spellLetters(column, events, key, 99, 149);
export const fillAuctionExtra: FillTexts = (column, events, key) => spellLetters(column, events, key, 259, 389);
export const fillBidExtra: FillTexts = (column, events, key) => spellLetters(column, events, key, 54, 82);

/** The texts of channels, as codes of those that these events have. */
function columnOfChannels(list: TextList, type: SqlType, events: Float64Array, key: number, room: ChannelRoom): Column {
  if (room.codes === undefined || room.codes.length < events.length) room.codes = new Int32Array(events.length);
  const codes = room.codes.subarray(0, events.length);
  room.used ??= new Int32Array(list.size);
  room.codeOf ??= new Int32Array(list.size);
  const { used, codeOf } = room;
  if (room.events !== events) {
    codeOf.fill(0);
    room.size = pickChannels(codeOf, events, key, codes, used);
    room.events = events;
  }
  const size = room.size ?? 0;
  const offsets = new Int32Array(size + 1);
  let length = 0;
  for (let code = 0; code < size; code++) {
    length += list.offsets[used[code]! + 1]! - list.offsets[used[code]!]!;
    offsets[code + 1] = length;
  }
  const bytes = new Uint8Array(length);
  for (let code = 0; code < size; code++) {
    bytes.set(list.bytes.subarray(list.offsets[used[code]!], list.offsets[used[code]! + 1]), offsets[code]);
  }
  return { layout: 'dictionary', type, validity: null, codes, dictionary: { identity: offsets, size, offsets, bytes } };
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────
// Room for the longest is reserved first, so that the arrays stay the same for a whole column. Loops over rows are functions of their
// own that end with them: V8 compiles a loop that it enters while it runs without knowing what stands behind it, gives the code up there,
// and does so for batch after batch.

function pickFrom(list: TextList, column: ColumnBuilder, events: Float64Array, key: number): void {
  for (let i = 0; i < events.length; i++) {
    const choice = below(list.size, randomBits(key, events[i]!));
    column.appendBytes(list.bytes, list.offsets[choice]!, list.offsets[choice + 1]!);
    column.offsets[i + 1] = column.bytesUsed;
  }
}

/** Writes the code of each event's channel, and which channel a code stands for; returns how many there are. `codeOf` is zero. */
function pickChannels(
  codeOf: Int32Array,
  events: Float64Array,
  key: number,
  codes: Int32Array,
  used: Int32Array,
): number {
  let size = 0;
  for (let channel = 0; channel < wellKnown.length; channel++) {
    used[size++] = channel;
    codeOf[channel] = size;
  }
  for (let i = 0; i < events.length; i++) {
    const bits = randomBits(key, events[i]!);
    if (below(rareEvery, bits) > 0) {
      codes[i] = bits & 3;
      continue;
    }
    const channel = wellKnown.length + below(rareChannels, mix(bits + 0x6a09e667));
    if (codeOf[channel] === 0) {
      used[size++] = channel;
      codeOf[channel] = size;
    }
    codes[i] = codeOf[channel]! - 1;
  }
  return size;
}

/** Small letters, `shortest` to `longest` of them. */
function spellLetters(
  column: ColumnBuilder,
  events: Float64Array,
  key: number,
  shortest: number,
  longest: number,
): void {
  column.reserveBytes(events.length * longest + 16);
  const target = new DataView(column.bytes.buffer, column.bytes.byteOffset);
  column.bytesUsed = writeLetters(target, column.offsets, column.bytesUsed, events, key, shortest, longest);
}

function writeLetters(
  target: DataView,
  ends: Int32Array,
  start: number,
  events: Float64Array,
  key: number,
  shortest: number,
  longest: number,
): number {
  const span = longest - shortest + 1;
  let at = start;
  for (let i = 0; i < events.length; i++) {
    let bits = randomBits(key, events[i]!);
    const end = at + shortest + below(span, bits);
    bits |= 1;
    // What is written behind the end is written over by the next row.
    while (at < end) {
      bits ^= bits << 13;
      bits ^= bits >>> 17;
      bits ^= bits << 5;
      target.setFloat64(at, eightLetters[bits >>> 20]!, true);
      target.setFloat64(at + 8, eightLetters[(bits >>> 8) & 4095]!, true);
      at += 16;
    }
    at = end;
    ends[i + 1] = at;
  }
  return at;
}

/** Seven letters, an at sign, five letters, `.com`. */
function spellAddresses(column: ColumnBuilder, events: Float64Array, key: number): void {
  column.reserveBytes(events.length * addressBytes + 8);
  const target = new DataView(column.bytes.buffer, column.bytes.byteOffset);
  column.bytesUsed = writeAddresses(target, column.offsets, column.bytesUsed, events, key);
}

function writeAddresses(target: DataView, ends: Int32Array, start: number, events: Float64Array, key: number): number {
  let at = start;
  for (let i = 0; i < events.length; i++) {
    const bits = randomBits(key, events[i]!);
    target.setFloat64(at, eightLetters[bits >>> 20]!, true);
    target.setUint8(at + 7, 64);
    target.setFloat64(at + 8, eightLetters[(bits >>> 8) & 4095]!, true);
    // `.com`
    target.setInt32(at + 13, 0x6d6f632e, true);
    at += addressBytes;
    ends[i + 1] = at;
  }
  return at;
}

/** Four times four digits. */
function spellCards(column: ColumnBuilder, events: Float64Array, key: number): void {
  column.reserveBytes(events.length * 19 + 4);
  const target = new DataView(column.bytes.buffer, column.bytes.byteOffset);
  column.bytesUsed = writeCards(target, column.offsets, column.bytesUsed, events, key);
}

function writeCards(target: DataView, ends: Int32Array, start: number, events: Float64Array, key: number): number {
  let at = start;
  for (let i = 0; i < events.length; i++) {
    let bits = randomBits(key, events[i]!);
    for (let k = 0; k < 4; k++) {
      const digits = below(10_000, bits);
      bits = mix(bits + k + 1);
      const tens = Math.floor(digits / 100);
      target.setUint8(at, 48 + Math.floor(tens / 10));
      target.setUint8(at + 1, 48 + (tens % 10));
      target.setUint8(at + 2, 48 + Math.floor((digits % 100) / 10));
      target.setUint8(at + 3, 48 + (digits % 10));
      if (k < 3) target.setUint8(at + 4, 32);
      at += k < 3 ? 5 : 4;
    }
    ends[i + 1] = at;
  }
  return at;
}
