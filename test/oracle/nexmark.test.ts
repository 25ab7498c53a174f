// The Nexmark queries (bench/nexmark/*.sql) over a few thousand made-up events in many steps, against DuckDB over all of them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planProgram } from '../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../actors/engine/sql/compile-program.ts';
import { nexmarkProgram, nexmarkQueries, oracleOf, textOf } from '../../bench/nexmark-queries.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../runtime/batch/row-objects.ts';
import type { CellValue } from '../../runtime/batch/scalar-values.ts';
import { batchOf } from '../actors/engine/zset-rows.ts';
import { DuckdbTables } from './duckdb-tables.ts';

type Row = readonly CellValue[];
interface Event {
  readonly table: 'person' | 'auction' | 'bid' | 'side_input';
  readonly row: Row;
}

const columns: Readonly<Record<Event['table'], readonly string[]>> = {
  person: [
    'id BIGINT',
    'name VARCHAR',
    'emailAddress VARCHAR',
    'creditCard VARCHAR',
    'city VARCHAR',
    'state VARCHAR',
    'date_time TIMESTAMP',
    'extra VARCHAR',
  ],
  auction: [
    'id BIGINT',
    'itemName VARCHAR',
    'description VARCHAR',
    'initialBid BIGINT',
    'reserve BIGINT',
    'date_time TIMESTAMP',
    'expires TIMESTAMP',
    'seller BIGINT',
    'category BIGINT',
    'extra VARCHAR',
  ],
  bid: [
    'auction BIGINT',
    'bidder BIGINT',
    'price BIGINT',
    'channel VARCHAR',
    'url VARCHAR',
    'date_time TIMESTAMP',
    'extra VARCHAR',
  ],
  side_input: ['date_time TIMESTAMP', 'key BIGINT', 'value VARCHAR'],
};
const start = 1_436_918_400_000_000n;

/** Events in the order of their times, a gap of 100 ms apart, so that windows of ten seconds hold a hundred. */
function events(count: number): readonly Event[] {
  let state = 42;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  const made: Event[] = Array.from({ length: 40 }, (_, i): Event => {
    return {
      table: 'side_input',
      row: [start + BigInt(random(200)) * 1_000_000n, BigInt(1000 + (i % 20)), `side ${i}`],
    };
  });
  let people = 0;
  let auctions = 0;
  for (let n = 0; n < count; n++) {
    const at = start + BigInt(n) * 100_000n;
    const place = n % 50;
    if (place === 0) {
      const state = ['OR', 'ID', 'CA', 'WA', 'AZ'][random(5)]!;
      made.push({
        table: 'person',
        row: [BigInt(1000 + people++), `name ${random(9)}`, 'a@b', '1234', 'city', state, at, 'x'],
      });
    } else if (place <= 3) {
      const expires = at + BigInt(random(60_000)) * 1000n;
      const seller = BigInt(1000 + random(people));
      const row = [
        BigInt(1000 + auctions++),
        `item ${random(9)}`,
        'text',
        BigInt(random(99)),
        500n,
        at,
        expires,
        seller,
        BigInt(10 + random(5)),
        'y',
      ];
      made.push({ table: 'auction', row });
    } else {
      const auction = BigInt(1000 + auctions - 1 - random(Math.min(auctions, 20)));
      const channel = ['Apple', 'Google', 'channel-7'][random(3)]!;
      const url = `https://www.site.com/a${random(3)}/b${random(3)}/c${random(3)}/item.htm?q=1`;
      const price = BigInt(100 * (1 + random(30_000) * (1 + random(4) * 20)));
      made.push({
        table: 'bid',
        row: [auction, BigInt(1000 + random(people)), price, channel, url, at, 'c'.repeat(random(5))],
      });
    }
  }
  return made;
}

function literal(value: CellValue, column: string): string {
  if (typeof value === 'string') return `'${value}'`;
  return column.endsWith('TIMESTAMP') ? `make_timestamp(${value}::BIGINT)` : String(value);
}

test('every query has the rows of the oracle', async () => {
  const duckdb = await DuckdbTables.open();
  const all = events(2000);
  for (const [table, names] of Object.entries(columns)) {
    const rows = all
      .filter((event) => event.table === table)
      .map(({ row }) => row.map((value, c) => literal(value, names[c]!)));
    await duckdb.fill(table, names, rows);
  }
  for (const name of nexmarkQueries) {
    const { program, problems } = compileProgram(nexmarkProgram(name, 'MATERIALIZED VIEW'));
    assert.equal(
      problems.map((problem) => problem.message),
      [],
      name,
    );
    const circuit = planProgram(program!, { onError: 'stop' });
    for (let from = 0; from < all.length; from += 173) {
      const inputs = new Map<string, ChangeBatch[]>();
      for (const { relation } of program!.tables) {
        const rows = all.slice(from, from + 173).filter(({ table }) => table === relation.name);
        if (rows.length > 0)
          inputs.set(relation.name, [
            batchOf(
              relation.schema,
              rows.map(({ row }) => [1, ...row] as const),
            ),
          ]);
      }
      circuit.step(inputs);
    }
    const actual: string[] = [];
    for (const batch of circuit.contents(name)) {
      for (let row = 0; row < batch.rows; row++) {
        const shown = Object.values(rowFromBatch(batch, row)).map(textOf).join(' | ');
        for (let k = 0; k < (batch.weights === null ? 1 : batch.weights[row]!); k++) actual.push(shown);
      }
    }
    const expected = (await duckdb.rows(oracleOf(name))).map((row) => row.map(textOf).join(' | '));
    assert.ok(expected.length > 0, `${name} has rows`);
    assert.equal(actual.sort(), expected.sort(), name);
  }
  duckdb.close();
});

test.run();
