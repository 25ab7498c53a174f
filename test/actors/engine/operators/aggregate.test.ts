// Groups and aggregates by hand-made changes; that every aggregate agrees with SQL is tested in test/oracle.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Aggregate } from '../../../../actors/engine/operators/aggregate.ts';
import type { AggregateColumn } from '../../../../actors/engine/operators/aggregate-cells.ts';
import { StringPool } from '../../../../actors/engine/state/string-pool.ts';
import {
  batchOf,
  bigint,
  double,
  linesOf,
  schemaOf,
  seeded,
  step,
  text,
  transplant,
  type WeightedRow,
} from '../zset-rows.ts';

const input = schemaOf({ g: text, v: bigint, d: double });
const column = (name: AggregateColumn['function'], operand: number | null, distinct = false): AggregateColumn => ({
  function: name,
  operand,
  operandType: operand === null ? null : input.fields[operand]!.type,
  operandNullable: true,
  distinct,
  filter: null,
  type: operand === 2 && name !== 'count' ? double : bigint,
});

interface Options {
  readonly groups?: readonly number[];
  readonly appendOnly?: boolean;
  readonly hashMask?: number;
  readonly pool?: StringPool;
  readonly failures?: string[];
}

function aggregateOf(aggregates: readonly AggregateColumn[], options: Options = {}): Aggregate {
  const groups = options.groups ?? [0];
  const fields = Object.fromEntries([
    ...groups.map((g) => [`g${g}`, input.fields[g]!.type] as const),
    ...aggregates.map((call, i) => [`a${i}`, call.type] as const),
  ]);
  return new Aggregate({
    input,
    groups,
    aggregates,
    schema: schemaOf(fields),
    appendOnly: options.appendOnly ?? false,
    pool: options.pool ?? new StringPool(options.hashMask),
    fail: (position, group) => options.failures?.push(`${position} of ${linesOf([group]).join()}`),
    hashMask: options.hashMask ?? -1,
  });
}
const rows = (...all: WeightedRow[]): readonly [number, ReturnType<typeof batchOf>] => [0, batchOf(input, all)];

test('a group is retracted and emitted anew only when its result differs', () => {
  const sum = aggregateOf([column('sum', 1), column('count', null)]);
  assert.equal(step(sum, rows([1, 'a', 1n, null], [1, 'b', 2n, null])), ['+1: a, 1, 1', '+1: b, 2, 1']);
  assert.equal(step(sum, rows([1, 'a', 4n, null], [-1, 'a', 1n, null])), ['-1: a, 1, 1', '+1: a, 4, 1']);
  assert.equal(step(sum, rows([1, 'b', 9n, null], [-1, 'b', 9n, null])), []);
});

test('a group without rows is gone, from the output and from state', () => {
  const sum = aggregateOf([column('sum', 1), column('max', 1), column('count', 1, true)]);
  step(sum, rows([1, 'a', 1n, null]));
  assert.equal(step(sum, rows([-1, 'a', 1n, null])), ['-1: a, 1, 1, 1']);
  assert.is(sum.stateRows(), 0);
});

test('without group columns there is one row from the first step on', () => {
  const count = aggregateOf([column('count', null), column('sum', 1)], { groups: [] });
  assert.equal(step(count), ['+1: 0, ']);
  assert.equal(step(count), []);
  assert.equal(step(count, rows([1, 'a', 5n, null])), ['-1: 0, ', '+1: 1, 5']);
  assert.equal(step(count, rows([-1, 'a', 5n, null])), ['-1: 1, 5', '+1: 0, ']);
});

test('NULL is a group of its own and no value of an aggregate', () => {
  const sum = aggregateOf([column('sum', 1), column('count', 1), column('min', 2)]);
  assert.equal(step(sum, rows([1, null, null, null], [1, null, 3n, 0.5])), ['+1: , 3, 1, 0.5']);
});

test('MIN and MAX survive the deletion of the extreme', () => {
  const extremes = aggregateOf([column('min', 1), column('max', 1)]);
  step(extremes, rows(...[5, 1, 9, 3, 1].map((v): WeightedRow => [1, 'a', BigInt(v), null])));
  assert.equal(step(extremes, rows([-1, 'a', 9n, null])), ['-1: a, 1, 9', '+1: a, 1, 5']);
  assert.equal(step(extremes, rows([-1, 'a', 1n, null])), []);
  assert.equal(step(extremes, rows([-1, 'a', 1n, null])), ['-1: a, 1, 5', '+1: a, 3, 5']);
});

test('a sum that does not fit is reported and the group has no row until it fits again', () => {
  const failures: string[] = [];
  const sum = aggregateOf([column('sum', 1)], { failures });
  const max = 2n ** 63n - 1n;
  step(sum, rows([1, 'a', max, null]));
  assert.equal(step(sum, rows([1, 'a', 1n, null])), [`-1: a, ${max}`]);
  assert.equal(failures, ['0 of +1: a']);
  assert.equal(step(sum, rows([-1, 'a', 2n, null])), [`+1: a, ${max - 1n}`]);
  assert.equal(step(sum, rows([1, 'a', max, null], [-1, 'a', max, null])), [], 'an overflow in between is none');
  assert.is(failures.length, 1);
});

test('a float sum is 0 again when its values are gone, whatever they were', () => {
  const sum = aggregateOf([column('sum', 2)]);
  const values = [1e16, 1, 0.1, -1e16, 3.3, Number.NaN, Number.POSITIVE_INFINITY];
  step(sum, rows([1, 'a', null, 0.5]));
  step(sum, rows(...values.map((v): WeightedRow => [1, 'a', null, v])));
  assert.equal(step(sum, rows(...values.map((v): WeightedRow => [-1, 'a', null, v]))), ['-1: a, NaN', '+1: a, 0.5']);
});

test('append-only input keeps one extreme for each group', () => {
  const extremes = aggregateOf([column('min', 1), column('max', 2)], { appendOnly: true });
  assert.equal(step(extremes, rows([1, 'a', 5n, 1.5], [1, 'a', null, 2.5], [1, 'a', 3n, null])), ['+1: a, 3, 2.5']);
  assert.equal(step(extremes, rows([1, 'a', 4n, 0.5])), []);
  assert.is(extremes.stateRows(), 1);
});

test('a bad hash changes nothing', () => {
  const calls = [column('count', null), column('sum', 1, true), column('max', 1), column('min', 2), column('sum', 2)];
  const random = seeded(3);
  const good = aggregateOf(calls);
  const bad = aggregateOf(calls, { hashMask: 0 });
  const present: WeightedRow[] = [];
  for (let round = 0; round < 30; round++) {
    const changes = Array.from({ length: 10 }, (): WeightedRow => {
      if (present.length > 0 && random(3) === 0) {
        const [, ...values] = present.splice(random(present.length), 1)[0]!;
        return [-1, ...values];
      }
      const row: WeightedRow = [1, `g${random(4)}`, BigInt(random(6)), random(8) / 4];
      present.push(row);
      return row;
    });
    assert.equal(step(good, rows(...changes)), step(bad, rows(...changes)));
  }
});

test('an aggregate goes on from a snapshot as if nothing had been', () => {
  const pool = new StringPool();
  const calls = [column('max', 1), column('count', 1, true), column('sum', 2)];
  const original = aggregateOf(calls, { pool });
  step(original, rows(...[5, 1, 9, 3].map((v): WeightedRow => [1, 'a', BigInt(v), v / 2])));
  const copy = aggregateOf(calls, { pool });
  transplant(original, copy);
  const next = rows([-1, 'a', 9n, 4.5], [1, 'b', 1n, 1]);
  assert.equal(step(copy, next), step(original, next));
});

test('a step touches the groups of its changes and no others', () => {
  const sum = aggregateOf([column('sum', 1)], { groups: [1] });
  step(sum, rows(...Array.from({ length: 20_000 }, (_, i): WeightedRow => [1, null, BigInt(i), null])));
  assert.is(step(sum, rows([1, null, 5n, null], [1, null, 19_999n, null])).length, 4);
});

test.run();
