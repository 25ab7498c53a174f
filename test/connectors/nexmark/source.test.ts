// nexmark: the rules of the stream of events, held over its three tables, and the contract of a source.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventNumbers, type NexmarkTable, rowsAmong } from '../../../connectors/nexmark/event-stream.ts';
import { nexmark } from '../../../connectors/nexmark/source.ts';
import { conformance } from '../../../connectors/sdk/conformance.ts';
import { assert as holds } from '../../../runtime/assert.ts';
import { readCell } from '../../../runtime/batch/scalar-values.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { bigint, codeOf, contextFor, eagerClock, readAll, relationOf, varchar } from '../connector-context.ts';

const timestamp: SqlType = { kind: 'TIMESTAMP' };
const tables: Readonly<Record<NexmarkTable, Relation>> = {
  person: relationOf({
    id: bigint,
    name: varchar,
    emailaddress: varchar,
    creditcard: varchar,
    city: varchar,
    state: varchar,
    'date_time!': timestamp,
    extra: varchar,
  }),
  auction: relationOf({
    id: bigint,
    itemname: varchar,
    description: varchar,
    initialbid: bigint,
    reserve: bigint,
    date_time: timestamp,
    expires: timestamp,
    seller: bigint,
    category: bigint,
    extra: varchar,
  }),
  bid: relationOf({
    auction: bigint,
    bidder: bigint,
    price: bigint,
    channel: varchar,
    url: varchar,
    date_time: timestamp,
    extra: varchar,
  }),
};

type Row = Readonly<Record<string, unknown>>;

async function generate(table: NexmarkTable, options: object, relation = tables[table]): Promise<Row[]> {
  const source = nexmark.create({ table, options }, contextFor(relation, '.', eagerClock()));
  await source.open(null);
  const rows: Row[] = [];
  for (const payload of await readAll(source)) {
    if (payload.kind !== 'batch') continue;
    const { batch } = payload;
    for (let i = 0; i < batch.rows; i++) {
      const cells = batch.schema.fields.map(({ name }, c) => {
        const column = batch.columns[c];
        return [name, column === undefined ? null : readCell(column, i)] as const;
      });
      rows.push(Object.fromEntries(cells));
    }
  }
  return rows;
}

for (const table of ['person', 'auction', 'bid'] as const) {
  for (const { title, run } of conformance(nexmark, {
    configuration: { table, options: { events: 900, rate: 2000 } },
    relation: tables[table],
    clock: eagerClock(),
  })) {
    test(`${table}: ${title}`, run);
  }
}

test('2 % of the events are people, 6 % auctions and 92 % bids, and every number is that of one event', () => {
  for (const events of [0, 1, 2, 3, 4, 5, 49, 50, 51, 137, 1000]) {
    const numbers = (['person', 'auction', 'bid'] as const).flatMap((table) => {
      const rows = new Float64Array(rowsAmong(table, events));
      eventNumbers(table, 0, rows);
      return [...rows];
    });
    const all = Array.from({ length: events }, (_, i) => i);
    assert.equal(
      numbers.sort((a, b) => a - b),
      all,
    );
  }
  assert.equal([rowsAmong('person', 1e6), rowsAmong('auction', 1e6), rowsAmong('bid', 1e6)], [20_000, 60_000, 920_000]);
});

test('what an event names has come before it, and times go on by the gap', async () => {
  const options = { events: 50_000, seed: 7, event_gap_ms: 4 };
  const [people, auctions, bids] = await Promise.all([
    generate('person', options),
    generate('auction', options),
    generate('bid', options),
  ]);
  const opened = new Map(auctions.map(({ id, date_time }) => [id, date_time as bigint]));
  const registered = new Map(people.map(({ id, date_time }) => [id, date_time as bigint]));
  assert.is(opened.size, 3000);
  assert.is(people[1]?.['id'], 1001n);
  assert.is(people[1]?.['date_time'], 1_436_918_400_000_000n + 200_000n);
  for (const { seller, date_time } of auctions) {
    assert.ok((registered.get(seller) ?? Number.POSITIVE_INFINITY) < (date_time as bigint), `seller ${seller}`);
  }
  for (const { auction, date_time } of bids) {
    assert.ok((opened.get(auction) ?? Number.POSITIVE_INFINITY) < (date_time as bigint), `auction ${auction}`);
  }
});

test('shares and lengths are those of the specification', async () => {
  const options = { events: 100_000, seed: 1 };
  const bids = await generate('bid', options);
  const share = (rows: readonly Row[], is: (row: Row) => boolean): number => rows.filter(is).length / rows.length;
  const isNear = (value: number, wanted: number, by: number): void =>
    assert.ok(Math.abs(value - wanted) < by, `${value} is not near ${wanted}`);
  isNear(
    share(bids, ({ auction }) => (auction as bigint) % 100n === 0n),
    0.505,
    0.01,
  );
  isNear(
    share(bids, ({ bidder }) => (bidder as bigint) % 100n === 1n),
    0.7525,
    0.01,
  );
  isNear(
    share(bids, ({ channel }) => String(channel).startsWith('channel-')),
    0.01,
    0.002,
  );
  isNear(
    share(bids, ({ price }) => (price as bigint) < 100_000n),
    0.5,
    0.01,
  );
  assert.ok(bids.every(({ price }) => (price as bigint) >= 100n && (price as bigint) <= 100_000_000n));
  assert.ok(
    bids.every(({ url }) =>
      /^https:\/\/www\.nexmark\.com\/\w+\/\w+\/\w+\/item\.htm\?query=1(&channel_id=\d+)?$/.test(String(url)),
    ),
  );
  assert.is(new Set(bids.filter(({ channel }) => channel === 'Baidu').map(({ url }) => url)).size, 1);
  isNear(bids.reduce((sum, { extra }) => sum + String(extra).length, 0) / bids.length, 68, 1);
  assert.ok(bids.every(({ extra }) => /^[a-z]{54,82}$/.test(String(extra))));
  const auctions = await generate('auction', options);
  const openMs = auctions.map(({ expires, date_time }) => Number((expires as bigint) - (date_time as bigint)) / 1000);
  assert.ok(openMs.every((ms) => ms >= 1 && ms <= 33_320));
  isNear(openMs.reduce((sum, ms) => sum + ms, 0) / openMs.length, 16_660, 400);
  assert.equal([...new Set(auctions.map(({ category }) => category))].sort(), [10n, 11n, 12n, 13n, 14n]);
  assert.ok(auctions.every(({ initialbid, reserve }) => (reserve as bigint) > (initialbid as bigint)));
  const people = await generate('person', options);
  assert.is(new Set(people.map(({ city }) => city)).size, 10);
  assert.ok(people.every(({ city, state }) => city !== 'Boise' || state === 'ID'));
  assert.ok(people.every(({ creditcard }) => /^(\d{4} ){3}\d{4}$/.test(String(creditcard))));
  assert.ok(people.every(({ emailaddress }) => /^[a-z]{7}@[a-z]{5}\.com$/.test(String(emailaddress))));
});

test('a table has the columns that it names, and they are the same; another seed makes others', async () => {
  const whole = await generate('bid', { events: 500 });
  const part = await generate('bid', { events: 500 }, relationOf({ url: varchar, PRICE: bigint }));
  assert.equal(
    part.map(({ url, PRICE }) => [url, PRICE]),
    whole.map(({ url, price }) => [url, price]),
  );
  assert.not.equal(await generate('bid', { events: 500, seed: 1 }), whole);
});

test('columns that the events do not have, or have with another type, are refused', async () => {
  const create = (relation: Relation): Promise<string> =>
    codeOf(() => nexmark.create({ table: 'bid' }, contextFor(relation, '.')));
  assert.is(await create(relationOf({ prise: bigint })), 'config.unknown_key price');
  assert.is(await create(relationOf({ price: varchar })), 'config.invalid_value');
});

test('a batch that is released lends its memory to the next, and one that is not stays as it is', async () => {
  const source = nexmark.create(
    { table: 'bid', options: { events: 90_000 } },
    contextFor(tables.bid, '.', eagerClock()),
  );
  await source.open(null);
  const memories: unknown[] = [];
  const prices: unknown[] = [];
  for await (const payload of source.read()) {
    if (payload.kind !== 'batch') continue;
    if (payload.batch.rows < 16_384) {
      payload.release?.();
      continue;
    }
    const [auction, , price] = payload.batch.columns;
    holds(auction?.layout === 'fixed' && price !== undefined, 'numbers are fixed');
    memories.push(auction.values.buffer);
    prices.push(readCell(price, 5));
    if (memories.length !== 2) payload.release?.();
  }
  assert.is(memories.length, 4);
  assert.is(memories[1], memories[0]);
  assert.is.not(memories[2], memories[1]);
  assert.is(memories[3], memories[2]);
  // Those of the batches that grow, from a sixteenth on.
  const first = 15_360;
  const rows = await generate('bid', { events: 90_000 });
  assert.equal(
    prices,
    [0, 1, 2, 3].map((batch) => rows[first + batch * 16_384 + 5]?.['price']),
  );
});

test('a rate is that of all events together', async () => {
  const clock = eagerClock();
  const source = nexmark.create(
    { table: 'bid', options: { events: 10_000, rate: 5000 } },
    contextFor(tables.bid, '.', clock),
  );
  await source.open(null);
  await readAll(source);
  assert.ok(Math.abs(clock.monotonic() - 2000) < 1, String(clock.monotonic()));
});

test.run();
