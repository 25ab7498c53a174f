// The texts of Nexmark events: names, addresses, channels and the padding that gives each event its usual size, written as bytes
// straight into the column.
//
// Padding (`extra`) is random letters of a random length, up to a fifth shorter or longer than what makes a person about 200 bytes, an
// auction 500 and a bid 100.
import type { ColumnBuilder } from '../../runtime/batch/batch-builder.ts';
import { below, mix, randomBits } from './event-stream.ts';

export type FillTexts = (column: ColumnBuilder, events: Float64Array, key: number) => void;

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
  // Three bytes more, since texts are copied by fours.
  return { size: texts.length, bytes: encoder.encode(`${texts.join('')}   `), offsets };
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
/** The longest URL, or more. */
const channelBytesMax = 96;
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

/** Four letters each, chosen by chance: padding is made of these. */
const fourLetters: Int32Array = new Int32Array(4096);
for (let i = 0; i < fourLetters.length; i++) {
  const bits = mix(i + 0x1b873593);
  const letter = (shift: number): number => (97 + ((((bits >>> shift) & 255) * 26) >> 8)) << shift;
  fourLetters[i] = letter(0) | letter(8) | letter(16) | letter(24);
}

export const fillNames: FillTexts = (column, events, key) => pickFrom(names, column, events, key);
export const fillCities: FillTexts = (column, events, key) => pickFrom(cities, column, events, key);
export const fillStates: FillTexts = (column, events, key) => pickFrom(states, column, events, key);
export const fillChannels: FillTexts = (column, events, key) => pickChannels(channels, column, events, key);
export const fillUrls: FillTexts = (column, events, key) => pickChannels(urls, column, events, key);
export const fillAddresses: FillTexts = (column, events, key) => spellAddresses(column, events, key);
export const fillCards: FillTexts = (column, events, key) => spellCards(column, events, key);
export const fillItemNames: FillTexts = (column, events, key) => spellLetters(column, events, key, 15, 25);
export const fillDescriptions: FillTexts = (column, events, key) => spellLetters(column, events, key, 80, 120);
export const fillPersonExtra: FillTexts = (column, events, key) => spellLetters(column, events, key, 99, 149);
export const fillAuctionExtra: FillTexts = (column, events, key) => spellLetters(column, events, key, 259, 389);
export const fillBidExtra: FillTexts = (column, events, key) => spellLetters(column, events, key, 54, 82);

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────
// Room for the longest is reserved first, so that the arrays stay the same for a whole column.

function pickFrom(list: TextList, column: ColumnBuilder, events: Float64Array, key: number): void {
  for (let i = 0; i < events.length; i++) {
    const choice = below(list.size, randomBits(key, events[i]!));
    column.appendBytes(list.bytes, list.offsets[choice]!, list.offsets[choice + 1]!);
    column.offsets[i + 1] = column.bytesUsed;
  }
}

/** `list` holds a text for every channel. */
function pickChannels(list: TextList, column: ColumnBuilder, events: Float64Array, key: number): void {
  const { bytes, offsets } = list;
  column.reserveBytes(events.length * channelBytesMax + 4);
  const target = new DataView(column.bytes.buffer, column.bytes.byteOffset);
  const source = new DataView(bytes.buffer, bytes.byteOffset);
  const ends = column.offsets;
  let at = column.bytesUsed;
  for (let i = 0; i < events.length; i++) {
    const bits = randomBits(key, events[i]!);
    const choice = below(rareEvery, bits) > 0 ? bits & 3 : 4 + below(rareChannels, mix(bits + 0x6a09e667));
    const start = offsets[choice]!;
    const length = offsets[choice + 1]! - start;
    // What is written behind the end is written over by the next row.
    for (let k = 0; k < length; k += 4) target.setInt32(at + k, source.getInt32(start + k, true), true);
    at += length;
    ends[i + 1] = at;
  }
  column.bytesUsed = at;
}

/** Small letters, `shortest` to `longest` of them. */
function spellLetters(
  column: ColumnBuilder,
  events: Float64Array,
  key: number,
  shortest: number,
  longest: number,
): void {
  column.reserveBytes(events.length * longest + 8);
  const target = new DataView(column.bytes.buffer, column.bytes.byteOffset);
  const ends = column.offsets;
  const span = longest - shortest + 1;
  let at = column.bytesUsed;
  for (let i = 0; i < events.length; i++) {
    let bits = randomBits(key, events[i]!);
    const end = at + shortest + below(span, bits);
    bits |= 1;
    // What is written behind the end is written over by the next row.
    while (at < end) {
      bits ^= bits << 13;
      bits ^= bits >>> 17;
      bits ^= bits << 5;
      target.setInt32(at, fourLetters[bits >>> 20]!, true);
      target.setInt32(at + 4, fourLetters[(bits >>> 8) & 4095]!, true);
      at += 8;
    }
    at = end;
    ends[i + 1] = at;
  }
  column.bytesUsed = at;
}

/** Seven letters, an at sign, five letters, `.com`. */
function spellAddresses(column: ColumnBuilder, events: Float64Array, key: number): void {
  column.reserveBytes(events.length * 17);
  const target = column.bytes;
  let at = column.bytesUsed;
  for (let i = 0; i < events.length; i++) {
    let bits = randomBits(key, events[i]!);
    for (let k = 0; k < 13; k++) {
      bits = mix(bits + k);
      target[at++] = k === 7 ? 64 : 97 + below(26, bits);
    }
    target[at] = 46;
    target[at + 1] = 99;
    target[at + 2] = 111;
    target[at + 3] = 109;
    at += 4;
    column.offsets[i + 1] = at;
  }
  column.bytesUsed = at;
}

/** Four times four digits. */
function spellCards(column: ColumnBuilder, events: Float64Array, key: number): void {
  column.reserveBytes(events.length * 19);
  const target = column.bytes;
  let at = column.bytesUsed;
  for (let i = 0; i < events.length; i++) {
    let bits = randomBits(key, events[i]!);
    for (let k = 0; k < 19; k++) {
      bits = mix(bits + k);
      target[at++] = k % 5 === 4 ? 32 : 48 + below(10, bits);
    }
    column.offsets[i + 1] = at;
  }
  column.bytesUsed = at;
}
