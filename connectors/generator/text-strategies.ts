// Strategies that make up texts: each appends the text of one row to a column, drawn from the row's own numbers.
//
// A strategy is a row of the table below. `length` is drawn from the field's range and says how many words, sentences or
// characters there are, for the strategies that ask for it. Draws use lanes from 8 on; lower ones belong to the filler.
import type { ColumnBuilder } from '../../runtime/batch/batch-builder.ts';
import { random32, randomBelow } from './random.ts';
import * as lists from './word-list.ts';

/** Appends to the current row of `column`. */
export type TextStrategy = (column: ColumnBuilder, key: number, row: number, length: number) => void;

const firstLane = 8;

/** Every strategy that is for texts only, by the name that a configuration gives it. */
export const textStrategies: ReadonlyMap<string, TextStrategy> = new Map<string, TextStrategy>([
  ['word', (to, key, row) => pick(to, lists.plainWords, key, row, 0)],
  ['words', (to, key, row, length) => words(to, key, row, length, 0, false)],
  ['sentence', (to, key, row, length) => sentence(to, key, row, Math.max(length, 3), 0)],
  ['sentences', (to, key, row, length) => sentences(to, key, row, Math.max(length, 1))],
  ['paragraph', (to, key, row, length) => sentences(to, key, row, Math.max(length, 3))],
  ['first_name', (to, key, row) => pick(to, lists.firstNames, key, row, 0)],
  ['last_name', (to, key, row) => pick(to, lists.lastNames, key, row, 1)],
  ['name', name],
  ['name_with_title', nameWithTitle],
  ['title', (to, key, row) => text(to, randomBelow(2, key, row, firstLane) === 0 ? 'Dr' : 'Prof')],
  ['username', username],
  ['email', email],
  ['free_email', email],
  ['safe_email', email],
  ['password', (to, key, row, length) => alphanumeric(to, key, row, Math.max(length, 8))],
  ['ipv4', ipv4],
  ['ip', ipv4],
  ['ipv6', (to, key, row) => groups(to, key, row, 8, 4, 0x3a)],
  ['mac_address', (to, key, row) => groups(to, key, row, 6, 2, 0x3a)],
  ['domain_suffix', (to) => text(to, 'example')],
  ['city_name', (to, key, row) => pick(to, lists.cities, key, row, 0)],
  ['country_name', (to, key, row) => pick(to, lists.countries, key, row, 0)],
  ['state_name', (to, key, row) => pick(to, lists.states, key, row, 0)],
  ['street_name', streetName],
  ['building_number', (to, key, row) => digits(to, 1 + randomBelow(999, key, row, firstLane), 0)],
  ['zip_code', (to, key, row) => digits(to, randomBelow(100_000, key, row, firstLane), 5)],
  ['post_code', (to, key, row) => digits(to, randomBelow(100_000, key, row, firstLane), 5)],
  ['company_name', companyName],
  ['company_suffix', (to, key, row) => pick(to, lists.companySuffixes, key, row, 0)],
  ['job_title', (to, key, row) => pick(to, lists.jobTitles, key, row, 0)],
  ['profession', (to, key, row) => pick(to, lists.jobTitles, key, row, 0)],
  ['color', (to, key, row) => pick(to, lists.colors, key, row, 0)],
  ['hex_color', hexColor],
  ['phone_number', phoneNumber],
  ['cell_number', phoneNumber],
  ['credit_card_number', creditCardNumber],
  ['digit', (to, key, row) => digits(to, randomBelow(10, key, row, firstLane), 1)],
  ['file_name', fileName],
  ['file_extension', (to, key, row) => pick(to, lists.fileExtensions, key, row, 0)],
  ['uuid', uuid],
  ['latitude', (to, key, row) => fixed(to, randomBelow(180_000_001, key, row, firstLane) - 90_000_000)],
  ['longitude', (to, key, row) => fixed(to, randomBelow(360_000_001, key, row, firstLane) - 180_000_000)],
]);

function name(to: ColumnBuilder, key: number, row: number): void {
  pick(to, lists.firstNames, key, row, 0);
  byte(to, 0x20);
  pick(to, lists.lastNames, key, row, 1);
}

function nameWithTitle(to: ColumnBuilder, key: number, row: number): void {
  text(to, randomBelow(2, key, row, firstLane + 2) === 0 ? 'Dr ' : 'Prof ');
  name(to, key, row);
}

function username(to: ColumnBuilder, key: number, row: number): void {
  pick(to, lists.plainWords, key, row, 0);
  digits(to, randomBelow(10_000, key, row, firstLane + 1), 0);
}

function email(to: ColumnBuilder, key: number, row: number): void {
  username(to, key, row);
  byte(to, 0x40);
  pick(to, lists.mailHosts, key, row, 2);
}

function streetName(to: ColumnBuilder, key: number, row: number): void {
  pick(to, lists.lastNames, key, row, 0);
  byte(to, 0x20);
  pick(to, lists.streetSuffixes, key, row, 1);
}

function companyName(to: ColumnBuilder, key: number, row: number): void {
  pick(to, lists.lastNames, key, row, 0);
  byte(to, 0x20);
  pick(to, lists.companySuffixes, key, row, 1);
}

function fileName(to: ColumnBuilder, key: number, row: number): void {
  pick(to, lists.plainWords, key, row, 0);
  byte(to, 0x2e);
  pick(to, lists.fileExtensions, key, row, 1);
}

function hexColor(to: ColumnBuilder, key: number, row: number): void {
  byte(to, 0x23);
  hex(to, random32(key, row, firstLane), 6);
}

function phoneNumber(to: ColumnBuilder, key: number, row: number): void {
  text(to, '555-');
  digits(to, randomBelow(1000, key, row, firstLane), 3);
  byte(to, 0x2d);
  digits(to, randomBelow(10_000, key, row, firstLane + 1), 4);
}

/** Of the range that is issued to nobody. */
function creditCardNumber(to: ColumnBuilder, key: number, row: number): void {
  digits(to, 9999, 4);
  for (let group = 0; group < 3; group++) digits(to, randomBelow(10_000, key, row, firstLane + group), 4);
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

function byte(to: ColumnBuilder, value: number): void {
  to.reserveBytes(1);
  to.bytes[to.bytesUsed++] = value;
}

function text(to: ColumnBuilder, ascii: string): void {
  for (let i = 0; i < ascii.length; i++) byte(to, ascii.charCodeAt(i));
}

function pick(to: ColumnBuilder, list: lists.WordList, key: number, row: number, lane: number): void {
  const i = randomBelow(list.count, key, row, firstLane + lane);
  to.appendBytes(list.bytes, list.offsets[i]!, list.offsets[i + 1]!);
}

function words(to: ColumnBuilder, key: number, row: number, count: number, lane: number, capital: boolean): void {
  for (let i = 0; i < count; i++) {
    if (i > 0) byte(to, 0x20);
    const start = to.bytesUsed;
    pick(to, lists.plainWords, key, row, lane + i);
    if (capital && i === 0) to.bytes[start]! &= ~0x20;
  }
}

function sentence(to: ColumnBuilder, key: number, row: number, count: number, lane: number): void {
  words(to, key, row, count, lane, true);
  byte(to, 0x2e);
}

function sentences(to: ColumnBuilder, key: number, row: number, count: number): void {
  for (let i = 0; i < count; i++) {
    if (i > 0) byte(to, 0x20);
    sentence(to, key, row, 4 + randomBelow(6, key, row, firstLane + 1000 + i), i * 16);
  }
}

/** At least `width` digits. */
export function digits(to: ColumnBuilder, value: number, width: number): void {
  let length = 1;
  for (let rest = Math.floor(value / 10); rest > 0; rest = Math.floor(rest / 10)) length++;
  length = Math.max(length, width);
  to.reserveBytes(length);
  let rest = value;
  for (let at = to.bytesUsed + length - 1; at >= to.bytesUsed; at--) {
    const quotient = Math.floor(rest / 10);
    to.bytes[at] = 48 + (rest - quotient * 10);
    rest = quotient;
  }
  to.bytesUsed += length;
}

/** Millionths as a decimal number. */
function fixed(to: ColumnBuilder, millionths: number): void {
  if (millionths < 0) byte(to, 0x2d);
  const magnitude = Math.abs(millionths);
  digits(to, Math.floor(magnitude / 1_000_000), 1);
  byte(to, 0x2e);
  digits(to, magnitude % 1_000_000, 6);
}

function hex(to: ColumnBuilder, value: number, width: number): void {
  for (let i = width - 1; i >= 0; i--) {
    const digit = (value >>> (i * 4)) & 15;
    byte(to, digit < 10 ? 48 + digit : 87 + digit);
  }
}

function groups(to: ColumnBuilder, key: number, row: number, count: number, width: number, separator: number): void {
  for (let i = 0; i < count; i++) {
    if (i > 0) byte(to, separator);
    hex(to, random32(key, row, firstLane + i), width);
  }
}

function ipv4(to: ColumnBuilder, key: number, row: number): void {
  const bits = random32(key, row, firstLane);
  for (let i = 0; i < 4; i++) {
    if (i > 0) byte(to, 0x2e);
    digits(to, (bits >>> (i * 8)) & 255, 0);
  }
}

function uuid(to: ColumnBuilder, key: number, row: number): void {
  hex(to, random32(key, row, firstLane), 8);
  byte(to, 0x2d);
  const middle = random32(key, row, firstLane + 1);
  hex(to, middle >>> 16, 4);
  byte(to, 0x2d);
  hex(to, 0x4000 | (middle & 0xfff), 4);
  byte(to, 0x2d);
  const end = random32(key, row, firstLane + 2);
  hex(to, 0x8000 | (end & 0x3fff), 4);
  byte(to, 0x2d);
  hex(to, end >>> 16, 4);
  hex(to, random32(key, row, firstLane + 3), 8);
}

const alphabet = new TextEncoder().encode('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789');

export function alphanumeric(to: ColumnBuilder, key: number, row: number, length: number): void {
  to.reserveBytes(length);
  for (let i = 0; i < length; i++) {
    to.bytes[to.bytesUsed++] = alphabet[randomBelow(alphabet.length, key, row, firstLane + i)]!;
  }
}
