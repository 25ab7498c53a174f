// Which event is which: numbers, times and identities in the stream of Nexmark events, all of them functions of the seed and
// the number of the event alone, so that the three tables agree without speaking to each other and may be cut anywhere.
//
//   event n, by n mod 50:   0 a person · 1 2 3 auctions · 4 … 49 bids        time: base + n · gap
//   people and auctions are numbered from 1000 in their order
//   hot: the latest identity that is divisible by 100 (plus 1, for a bidder); else one of the last 1,000 people or 100 auctions
// Random numbers are a hash of (seed, lane, event), mixed as in Chris Wellons' "lowbias32": exact on every machine.

export type NexmarkTable = 'person' | 'auction' | 'bid';

export interface EventStream {
  readonly seed: number;
  readonly gapMs: number;
  readonly hotAuctionRatio: number;
  readonly hotSellerRatio: number;
  readonly hotBidderRatio: number;
}

export const groupEvents = 50;
const firstOfGroup: Readonly<Record<NexmarkTable, number>> = { person: 0, auction: 1, bid: 4 };
const rowsOfGroup: Readonly<Record<NexmarkTable, number>> = { person: 1, auction: 3, bid: 46 };
export const firstId = 1000;
export const hotEvery = 100;
const activePeople = 1000;
const activeAuctions = 100;
/** Of 2015-07-15 00:00:00, in microseconds. */
export const baseMicros = 1_436_918_400_000_000;

/** How many of the first `events` events are of `table`. */
export function rowsAmong(table: NexmarkTable, events: number): number {
  const whole = Math.floor(events / groupEvents);
  const rest = events - whole * groupEvents - firstOfGroup[table];
  return whole * rowsOfGroup[table] + Math.max(0, Math.min(rowsOfGroup[table], rest));
}

/** The numbers of the events of rows firstRow … firstRow + numbers.length of `table`. */
export function eventNumbers(table: NexmarkTable, firstRow: number, numbers: Float64Array): void {
  const rows = rowsOfGroup[table];
  numberEvents(numbers, Math.floor(firstRow / rows), firstRow % rows, rows, firstOfGroup[table]);
}

/** A key for a stream of random numbers of its own. */
export function laneKey(seed: number, lane: number): number {
  return mix(mix(seed | 0) ^ mix(Math.floor(seed / 4294967296) + 0x51ed270b) ^ Math.imul(lane + 1, 0x9e3779b1));
}

/** 100 · 10^(6x) for x of 24 bits is a product of two entries: a power for each price would cost as much as the rest of a bid. */
const coarsePowers: Float64Array = Float64Array.from({ length: 4096 }, (_, i) => 100 * 10 ** ((6 * i) / 4096));
const finePowers: Float64Array = Float64Array.from({ length: 4096 }, (_, i) => 10 ** ((6 * i) / 4096 / 4096));

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────
// Calls of these are inlined by V8; event numbers are doubles, exact up to 2^53.

function numberEvents(numbers: Float64Array, group: number, inGroup: number, rows: number, first: number): void {
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = group * groupEvents + first + inGroup;
    if (++inGroup === rows) {
      inGroup = 0;
      group++;
    }
  }
}

export function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** 32 random bits, signed. */
export function randomBits(key: number, event: number): number {
  return mix(mix(event ^ key) + Math.imul(Math.floor(event / 4294967296) + 1, 0x85ebca6b));
}

/** In [0, span), for a span below 2^32; `bits` as from randomBits. */
export function below(span: number, bits: number): number {
  return Math.floor(((bits >>> 0) * span) / 4294967296);
}

export function personOf(event: number): number {
  return firstId + Math.floor(event / groupEvents);
}

export function auctionOf(event: number): number {
  const group = Math.floor(event / groupEvents);
  return firstId + group * 3 + (event - group * groupEvents) - 1;
}

/** 1 or 0. A branch that goes this way and that by chance would cost more than both of its ways. */
function isHot(hotRatio: number, bits: number): number {
  return Math.min(1, below(hotRatio, bits));
}

/** The numbers, from 0, of the people or auctions of which one is hot at a time: the latest one, the hot one, how many are active. */
export interface Traded {
  readonly last: number;
  readonly hot: number;
  readonly active: number;
}

/** In a group of events. `plus`: 1 for bidders. */
export function tradersIn(group: number, plus: number): Traded {
  const hot = Math.floor(group / hotEvery) * hotEvery + plus;
  return { last: group, hot, active: Math.min(group + 1, activePeople) };
}

export function auctionsIn(group: number): Traded {
  const last = group * 3 + 2;
  return { last, hot: Math.floor(last / hotEvery) * hotEvery, active: Math.min(last + 1, activeAuctions) };
}

/** One of them for an event, by its random bits. */
export function tradedId(last: number, hot: number, active: number, hotRatio: number, bits: number): number {
  const other = last - below(active, mix(bits + 0x3c6ef372));
  return firstId + other + (hot - other) * isHot(hotRatio, bits);
}

/** 10^(6x) · 100, rounded up. */
export function priceOf(event: number, key: number): number {
  const bits = randomBits(key, event);
  return Math.ceil(coarsePowers[bits >>> 20]! * finePowers[(bits >>> 8) & 4095]!);
}
