// The columns of the three tables, by name: their types, and the kernel that writes each for a run of events.
//
// A column is made by itself, whole, straight into its arrays; nothing of a row exists anywhere but there. Channels and URLs, of
// which there are few, are columns of codes. Columns that a table does not have are not generated. Fresh arrays for each batch would cost
// a quarter of the making: whoever makes many gives the same `ColumnRoom` for as long as nobody reads the batch before.
import { ColumnBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Column } from '../../runtime/batch/column.ts';
import type { Schema } from '../../runtime/batch/schema.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import {
  auctionOf,
  auctionsIn,
  baseMicros,
  below,
  type EventStream,
  eventNumbers,
  groupEvents,
  laneKey,
  type NexmarkTable,
  personOf,
  priceOf,
  randomBits,
  tradedId,
  tradersIn,
} from './event-stream.ts';
import * as texts from './fill-texts.ts';

/** `kept`: what the column before was written to, and nobody reads any more. */
type Make = (type: SqlType, events: Float64Array, stream: EventStream, kept: Kept) => Column;

/** The arrays of one column from one batch to the next. */
interface Kept {
  builder: ColumnBuilder | null;
  readonly channels: texts.ChannelRoom;
}

/** The arrays of the columns of one table. One batch at a time. */
export class ColumnRoom {
  readonly #columns: Kept[] = [];
  readonly #channels: texts.ChannelRoom = {};

  column(ordinal: number): Kept {
    this.#columns[ordinal] ??= { builder: null, channels: this.#channels };
    return this.#columns[ordinal];
  }
}
type Fill = (column: ColumnBuilder, events: Float64Array, stream: EventStream) => void;

export interface ColumnKind {
  readonly type: SqlType['kind'];
  readonly make: Make;
}

const filled =
  (fill: Fill): Make =>
  (type, events, stream, kept) => {
    const column = kept.builder ?? new ColumnBuilder(type, events.length);
    kept.builder = column;
    column.grow(events.length);
    column.clear(events.length);
    fill(column, events, stream);
    return column.finish(events.length);
  };

type Integer = (event: number, stream: EventStream, key: number) => number;

const integer = (lane: number, integerOf: Integer): ColumnKind => ({
  type: 'BIGINT',
  make: filled((column, events, stream) =>
    fillIntegers(wordsOf(column), events, stream, laneKey(stream.seed, lane), integerOf),
  ),
});

/** A kernel of its own: there are 46 bids in 50 events. */
type FillIds = (words: Int32Array, events: Float64Array, stream: EventStream, key: number) => void;

const ofEvents = (lane: number, fill: FillIds): ColumnKind => ({
  type: 'BIGINT',
  make: filled((column, events, stream) => fill(wordsOf(column), events, stream, laneKey(stream.seed, lane))),
});

const text = (lane: number, fill: texts.FillTexts): ColumnKind => ({
  type: 'VARCHAR',
  make: filled((column, events, stream) => fill(column, events, laneKey(stream.seed, lane))),
});

/** Of the channel of a bid. */
const ofChannel = (make: texts.MakeTexts): ColumnKind => ({
  type: 'VARCHAR',
  make: (type, events, stream, kept) => make(type, events, laneKey(stream.seed, lanes.channel), kept.channels),
});

const time: ColumnKind = {
  type: 'TIMESTAMP',
  make: filled((column, events, { gapMs }) => fillTimes(wordsOf(column), events, gapMs)),
};

const lanes = { price: 1, reserve: 2, category: 3, expires: 4, seller: 5, bidder: 6, auction: 7, channel: 8 } as const;

const columns: Readonly<Record<NexmarkTable, ReadonlyMap<string, ColumnKind>>> = {
  person: new Map([
    ['id', integer(0, personOf)],
    ['name', text(10, texts.fillNames)],
    ['emailaddress', text(11, texts.fillAddresses)],
    ['creditcard', text(12, texts.fillCards)],
    ['city', text(13, texts.fillCities)],
    ['state', text(13, texts.fillStates)],
    ['date_time', time],
    ['extra', text(14, texts.fillPersonExtra)],
  ]),
  auction: new Map([
    ['id', integer(0, auctionOf)],
    ['itemname', text(20, texts.fillItemNames)],
    ['description', text(21, texts.fillDescriptions)],
    ['initialbid', integer(lanes.price, (event, _stream, key) => priceOf(event, key))],
    [
      'reserve',
      integer(
        lanes.price,
        (event, { seed }, key) => priceOf(event, key) + priceOf(event, laneKey(seed, lanes.reserve)),
      ),
    ],
    ['date_time', time],
    [
      'expires',
      {
        type: 'TIMESTAMP',
        make: filled((column, events, { seed, gapMs }) =>
          fillExpiries(wordsOf(column), events, gapMs, laneKey(seed, lanes.expires)),
        ),
      },
    ],
    [
      'seller',
      ofEvents(lanes.seller, (words, events, { hotSellerRatio }, key) =>
        fillTraders(words, events, hotSellerRatio, 0, key),
      ),
    ],
    ['category', integer(lanes.category, (event, _stream, key) => 10 + below(5, randomBits(key, event)))],
    ['extra', text(22, texts.fillAuctionExtra)],
  ]),
  bid: new Map([
    ['auction', ofEvents(lanes.auction, fillAuctionsOfBids)],
    [
      'bidder',
      ofEvents(lanes.bidder, (words, events, { hotBidderRatio }, key) =>
        fillTraders(words, events, hotBidderRatio, 1, key),
      ),
    ],
    ['price', ofEvents(lanes.price, fillPrices)],
    ['channel', ofChannel(texts.makeChannels)],
    ['url', ofChannel(texts.makeUrls)],
    ['date_time', time],
    ['extra', text(30, texts.fillBidExtra)],
  ]),
};

/** By the names of the columns, in lower case. */
export function columnsOf(table: NexmarkTable): ReadonlyMap<string, ColumnKind> {
  return columns[table];
}

/** Rows firstRow … firstRow + count of `table`, in `room`; column i is of kind `kinds[i]`. */
export function makeBatch(
  schema: Schema,
  kinds: readonly ColumnKind[],
  table: NexmarkTable,
  stream: EventStream,
  firstRow: number,
  count: number,
  room: ColumnRoom = new ColumnRoom(),
): ChangeBatch {
  const events = new Float64Array(count);
  eventNumbers(table, firstRow, events);
  const columns = schema.fields.map(({ type }, i) => kinds[i]!.make(type, events, stream, room.column(i)));
  return { schema, rows: count, weights: null, columns, presence: null };
}

function wordsOf({ values }: ColumnBuilder): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.byteLength >> 2);
}

/** Of 100 auctions, which a bid may be for: the longest time that an auction is open is twice that. */
const openEvents = Math.floor((100 * groupEvents) / 3);

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────
// 64-bit integers are written as two words: BigInt(value) would make an object a row.

function fillIntegers(
  words: Int32Array,
  events: Float64Array,
  stream: EventStream,
  key: number,
  integerOf: Integer,
): void {
  for (let i = 0; i < events.length; i++) {
    const value = integerOf(events[i]!, stream, key);
    words[2 * i] = value | 0;
    words[2 * i + 1] = Math.floor(value / 4294967296);
  }
}

/** What is of a group is computed once for the 46 bids in it. */
function fillAuctionsOfBids(words: Int32Array, events: Float64Array, stream: EventStream, key: number): void {
  const { hotAuctionRatio } = stream;
  let next = 0;
  let last = 0;
  let hot = 0;
  let active = 0;
  for (let i = 0; i < events.length; i++) {
    const event = events[i]!;
    if (event >= next) {
      const group = Math.floor(event / groupEvents);
      next = (group + 1) * groupEvents;
      ({ last, hot, active } = auctionsIn(group));
    }
    const value = tradedId(last, hot, active, hotAuctionRatio, randomBits(key, event));
    words[2 * i] = value | 0;
    words[2 * i + 1] = Math.floor(value / 4294967296);
  }
}

function fillTraders(words: Int32Array, events: Float64Array, hotRatio: number, plus: number, key: number): void {
  let next = 0;
  let last = 0;
  let hot = 0;
  let active = 0;
  for (let i = 0; i < events.length; i++) {
    const event = events[i]!;
    if (event >= next) {
      const group = Math.floor(event / groupEvents);
      next = (group + 1) * groupEvents;
      ({ last, hot, active } = tradersIn(group, plus));
    }
    const value = tradedId(last, hot, active, hotRatio, randomBits(key, event));
    words[2 * i] = value | 0;
    words[2 * i + 1] = Math.floor(value / 4294967296);
  }
}

/** A price is less than 2^32: the upper words are zero already. */
function fillPrices(words: Int32Array, events: Float64Array, _stream: EventStream, key: number): void {
  for (let i = 0; i < events.length; i++) words[2 * i] = priceOf(events[i]!, key);
}

function fillTimes(words: Int32Array, events: Float64Array, gapMs: number): void {
  for (let i = 0; i < events.length; i++) {
    const micros = baseMicros + Math.floor(events[i]! * gapMs) * 1000;
    words[2 * i] = micros | 0;
    words[2 * i + 1] = Math.floor(micros / 4294967296);
  }
}

function fillExpiries(words: Int32Array, events: Float64Array, gapMs: number, key: number): void {
  const spanMs = Math.max(1, Math.floor(2 * openEvents * gapMs));
  for (let i = 0; i < events.length; i++) {
    const event = events[i]!;
    const openMs = 1 + below(spanMs, randomBits(key, event));
    const micros = baseMicros + (Math.floor(event * gapMs) + openMs) * 1000;
    words[2 * i] = micros | 0;
    words[2 * i + 1] = Math.floor(micros / 4294967296);
  }
}
