// @tanstack/db-ivm and @electric-sql/d2ts on the Nexmark queries that are the same in them: q0 to q3. Prints one JSON line
// {seconds, rows, checksum}; seconds are CPU time of the steps alone: rows are made, as the objects that they take, before.
//
//   node dist/bench/nexmark-rival.js db-ivm|d2ts QUERY EVENTS
import { planProgram } from '../actors/engine/plan/planner.ts';
import { compileProgram } from '../actors/engine/sql/compile-program.ts';
import { rowsFromBatch } from '../runtime/batch/row-objects.ts';
import { type DataflowName, openDataflow, type Stream } from './dataflow-rivals.ts';
import { NexmarkEvents } from './nexmark-events.ts';
import { nexmarkProgram } from './nexmark-queries.ts';

const [library = 'db-ivm', query = 'q0', eventsText = '200000'] = process.argv.slice(2);
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

// SAFETY: the caller names one of the two.
const flow = openDataflow(library as DataflowName);
const bids = flow.input<Bid>();
const auctions = flow.input<Auction>();
const people = flow.input<Person>();
let count = 0;
const counted = <T>(stream: Stream<T>): void => flow.output(stream, (_, weight) => (count += weight));
switch (query) {
  case 'q0':
    counted(
      flow.map(bids.stream, ({ auction, bidder, price, date_time, extra }) => ({
        auction,
        bidder,
        price,
        date_time,
        extra,
      })),
    );
    break;
  case 'q1':
    counted(
      flow.map(bids.stream, ({ auction, bidder, price, date_time, extra }) => ({
        auction,
        bidder,
        price: 0.908 * price,
        date_time,
        extra,
      })),
    );
    break;
  case 'q2': {
    const wanted = flow.filter(bids.stream, ({ auction }) => auction % 123 === 0);
    counted(flow.map(wanted, ({ auction, price }) => ({ auction, price })));
    break;
  }
  default: {
    const near = flow.filter(people.stream, ({ state }) => state === 'OR' || state === 'ID' || state === 'CA');
    const sold = flow.filter(auctions.stream, ({ category }) => category === 10);
    counted(
      flow.join(
        flow.map(sold, (auction): [number, Auction] => [auction.seller, auction]),
        flow.map(near, (person): [number, Person] => [person.id, person]),
      ),
    );
  }
}
for (const { stream } of [bids, auctions, people]) flow.output<unknown>(stream, () => {});
flow.finalize();
const sends = steps.map((step) => [
  bids.prepare(step.bids),
  auctions.prepare(step.auctions),
  people.prepare(step.people),
]);
const before = process.cpuUsage();
for (const step of sends) {
  for (const send of step) send();
  flow.step();
}
const { user, system } = process.cpuUsage(before);
if (count !== expected) throw new Error(`${query} has ${count} rows, ${expected} were expected`);
process.stdout.write(`${JSON.stringify({ seconds: (user + system) / 1e6, rows: events, checksum: 'as DuckDB' })}\n`);
