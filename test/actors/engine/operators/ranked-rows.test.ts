// The first rows of each partition, beside the window operator, which keeps all rows and computes them anew.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RankedRows } from '../../../../actors/engine/operators/ranked-rows.ts';
import { Window } from '../../../../actors/engine/operators/window.ts';
import type { OrderKey } from '../../../../actors/engine/state/row-order.ts';
import { StringPool } from '../../../../actors/engine/state/string-pool.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { makeSchema, type Schema } from '../../../../runtime/batch/schema.ts';
import { batchOf, bigint, linesOf, schemaOf, seeded, step, text, transplant, type WeightedRow } from '../zset-rows.ts';

const input = schemaOf({ p: bigint, k: bigint, s: text, t: text });
const withNumber: Schema = makeSchema([...input.fields, { name: 'n', type: bigint, nullable: false }]);
const down: OrderKey = { ordinal: 1, descending: true, nullsFirst: false };

interface Options {
  readonly most: number;
  readonly numbered?: boolean;
  readonly order?: readonly OrderKey[];
  readonly hashMask?: number;
  readonly pool?: StringPool;
}
function ranked({ most, numbered = false, order = [down], hashMask = -1, pool }: Options): RankedRows {
  const schema = numbered ? withNumber : input;
  const strings = pool ?? new StringPool();
  return new RankedRows({ input, partition: [0], order, most, numbered, schema, pool: strings, hashMask });
}

function window({ most, order = [down] }: Options): Window {
  const frame = { unit: 'rows', start: { kind: 'unbounded' }, end: { kind: 'unbounded' } } as const;
  const operands = { operand: null, filter: null, fallback: null };
  return new Window({
    input,
    partition: [0],
    order,
    calls: [{ function: 'row_number', ...operands, offset: 0, ignoreNulls: false, frame, type: bigint }],
    limit: { call: 0, most },
    appendOnly: false,
    schema: withNumber,
    pool: new StringPool(),
    fail: () => {},
  });
}

/** Adds `+2: row` lines to a sum. */
function add(sum: Map<string, number>, lines: readonly string[]): void {
  for (const line of lines) {
    const [weight, row] = [Number.parseInt(line, 10), line.slice(line.indexOf(':') + 2)];
    const total = (sum.get(row) ?? 0) + weight;
    if (total === 0) sum.delete(row);
    else sum.set(row, total);
  }
}
const sorted = (sum: ReadonlyMap<string, number>): string[] => [...sum].map(([row, n]) => `${n}: ${row}`).sort();

test('the first row of each partition is replaced by one that comes before it', () => {
  const rows = ranked({ most: 1 });
  assert.equal(
    step(rows, [
      0,
      batchOf(input, [
        [1, 1n, 5n, 'a', 'x'],
        [1, 1n, 7n, 'b', null],
        [1, 2n, 1n, null, 'y'],
      ]),
    ]),
    ['+1: 1, 7, b, ', '+1: 2, 1, , y'],
  );
  assert.equal(step(rows, [0, batchOf(input, [[1, 1n, 6n, 'c', 'z']])]), []);
  assert.equal(step(rows, [0, batchOf(input, [[1, 1n, 8n, 'd', 'z']])]), ['-1: 1, 7, b, ', '+1: 1, 8, d, z']);
});

test('numbers move when a row comes between', () => {
  const rows = ranked({ most: 2, numbered: true });
  step(rows, [
    0,
    batchOf(input, [
      [1, 1n, 5n, 'a', 'x'],
      [1, 1n, 7n, 'b', 'y'],
    ]),
  ]);
  assert.equal(step(rows, [0, batchOf(input, [[1, 1n, 6n, 'c', 'z']])]), ['-1: 1, 5, a, x, 2', '+1: 1, 6, c, z, 2']);
  assert.is(rows.stateRows(), 2);
});

/** So many texts that are all different that the next ones are taken to be different as well, and not looked up. */
const different = batchOf(
  input,
  Array.from({ length: 2500 }, (_, i): WeightedRow => [1, BigInt(1000 + i), 0n, `s ${i}`, `t ${i}`]),
);

for (const [title, order] of [
  ['numbers', [down]],
  ['a text', [{ ordinal: 2, descending: false, nullsFirst: true }]],
] as const) {
  test(`rows ordered by ${title} are those of the window operator, whatever the limit, through a snapshot`, () => {
    for (let seed = 1; seed <= 40; seed++) {
      const below = seeded(seed * 7919);
      const pool = new StringPool(below(3) === 0 ? 1 : -1);
      const options = { most: 1 + below(5), numbered: below(2) === 0, order, pool, hashMask: below(3) === 0 ? 3 : -1 };
      let fast = ranked(options);
      const slow = window(options);
      const [quick, sure] = [new Map<string, number>(), new Map<string, number>()];
      if (below(2) === 0) for (const operator of [fast, slow]) step(operator, [0, different]);
      for (let s = 0; s < 8; s++) {
        const rows = Array.from({ length: below(30) }, (): WeightedRow => {
          const key = below(6) === 0 ? null : BigInt(below(7));
          const texts = [below(5) === 0 ? null : `s${below(3)}`, below(5) === 0 ? null : 'x'.repeat(below(4))] as const;
          return [1 + (below(8) === 0 ? 1 : 0), BigInt(below(3)), key, ...texts];
        });
        const half = rows.length >> 1;
        const pushes = [rows.slice(0, half), rows.slice(half)].map((part) => [0, batchOf(input, part)] as const);
        add(quick, step(fast, ...pushes));
        const lines = step(slow, ...pushes);
        add(sure, options.numbered ? lines : lines.map((line) => line.replace(/, \d+$/, '')));
        assert.equal(sorted(quick), sorted(sure), `seed ${seed}, step ${s}`);
        if (s !== 4) continue;
        const copy = ranked(options);
        transplant(fast, copy);
        fast = copy;
      }
    }
  });
}

test('its content is what it gave out', () => {
  const rows = ranked({ most: 3, numbered: true });
  const sum = new Map<string, number>();
  const below = seeded(11);
  for (let s = 0; s < 5; s++) {
    const batch = Array.from(
      { length: 2000 },
      (): WeightedRow => [1, BigInt(below(4000)), BigInt(below(50)), 'a', null],
    );
    add(sum, step(rows, [0, batchOf(input, batch)]));
  }
  rows.lend(true);
  const held: ChangeBatch[] = [];
  rows.contents((batch) => held.push(batch));
  const content = new Map<string, number>();
  add(content, linesOf(held));
  assert.equal(sorted(content), sorted(sum));
});

test.run();
