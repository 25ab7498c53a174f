// @tanstack/db-ivm on the Nexmark queries that are the same in it: q0 to q3. Prints one JSON line {seconds, rows, checksum}; seconds are CPU
// time of the steps alone: its rows are made, as the objects that it takes, before.
//
//   node dist/bench/nexmark-rival.js QUERY EVENTS
import { D2, filter, type IStreamBuilder, join, MultiSet, map, output } from '@tanstack/db-ivm';
import { planProgram } from '../actors/engine/plan/planner.ts';
import { compileProgram } from '../actors/engine/sql/compile-program.ts';
import { rowsFromBatch } from '../runtime/batch/row-objects.ts';
import { NexmarkEvents } from './nexmark-events.ts';
import { nexmarkProgram } from './nexmark-queries.ts';

const [query = 'q0', eventsText = '200000'] = process.argv.slice(2);
const events = Number(eventsText);
const stepEvents = 40_000;

interface Bid {
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly date_time: string;
  readonly extra: string;
}
interface Auction {
  readonly id: number;
  readonly seller: number;
  readonly category: number;
}
interface Person {
  readonly id: number;
  readonly name: string;
  readonly city: string;
  readonly state: string;
}

const { program } = compileProgram(nexmarkProgram(query, 'VIEW'));
if (program === null) throw new Error(`${query} does not compile`);
const made = new NexmarkEvents(program);
// How many rows the query has is asked of our own circuit, which is held to DuckDB elsewhere.
const circuit = planProgram(program, { onError: 'stop' });
circuit.observe(query);
const steps: { readonly bids: Bid[]; readonly auctions: Auction[]; readonly people: Person[] }[] = [];
let expected = 0;
for (let from = 0; from < events; from += stepEvents) {
  const inputs = made.step(from, Math.min(from + stepEvents, events));
  // SAFETY: the columns of schema.sql; numbers are below 2^53.
  const rowsOf = <T>(table: string): T[] =>
    (inputs.get(table) ?? []).flatMap((batch) => rowsFromBatch(batch).rows as unknown as T[]);
  steps.push({ bids: rowsOf('bid'), auctions: rowsOf('auction'), people: rowsOf('person') });
  expected += circuit.step(inputs).get(query)?.rows ?? 0;
}

const graph = new D2();
const bids = graph.newInput<Bid>();
const auctions = graph.newInput<Auction>();
const people = graph.newInput<Person>();
let count = 0;
const counted = <T>(stream: IStreamBuilder<T>): void => {
  stream.pipe(
    output((message) => {
      for (const [, weight] of message.getInner()) count += weight;
    }),
  );
};
switch (query) {
  case 'q0':
    counted(
      bids.pipe(map(({ auction, bidder, price, date_time, extra }) => ({ auction, bidder, price, date_time, extra }))),
    );
    break;
  case 'q1':
    counted(
      bids.pipe(
        map(({ auction, bidder, price, date_time, extra }) => ({
          auction,
          bidder,
          price: 0.908 * price,
          date_time,
          extra,
        })),
      ),
    );
    break;
  case 'q2':
    counted(
      bids.pipe(
        filter(({ auction }) => auction % 123 === 0),
        map(({ auction, price }) => ({ auction, price })),
      ),
    );
    break;
  default: {
    const wanted = people.pipe(
      filter(({ state }) => state === 'OR' || state === 'ID' || state === 'CA'),
      map((person): [number, Person] => [person.id, person]),
    );
    counted(
      auctions.pipe(
        filter(({ category }) => category === 10),
        map((auction): [number, Auction] => [auction.seller, auction]),
        join(wanted, 'inner'),
      ),
    );
  }
}
bids.pipe(output(() => {}));
auctions.pipe(output(() => {}));
people.pipe(output(() => {}));
graph.finalize();
const weighted = <T>(rows: readonly T[]): MultiSet<T> => new MultiSet(rows.map((row): [T, number] => [row, 1]));
const inputs = steps.map((step) => [weighted(step.bids), weighted(step.auctions), weighted(step.people)] as const);
const before = process.cpuUsage();
for (const [bidRows, auctionRows, personRows] of inputs) {
  bids.sendData(bidRows);
  auctions.sendData(auctionRows);
  people.sendData(personRows);
  graph.run();
}
const { user, system } = process.cpuUsage(before);
if (count !== expected) throw new Error(`${query} has ${count} rows, ${expected} were expected`);
process.stdout.write(`${JSON.stringify({ seconds: (user + system) / 1e6, rows: events, checksum: 'as DuckDB' })}\n`);
