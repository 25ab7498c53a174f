// Inner and left joins by hand-made changes: weights, NULLs, unmatched rows, state, collisions, snapshots.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Join } from '../../../../actors/engine/operators/join.ts';
import { StringPool } from '../../../../actors/engine/state/string-pool.ts';
import { batchOf, bigint, schemaOf, seeded, step, text, transplant, type WeightedRow } from '../zset-rows.ts';

const left = schemaOf({ k: bigint, a: text });
const right = schemaOf({ k: bigint, b: text });
const joined = schemaOf({ k: bigint, a: text, rk: bigint, b: text });

function joinOf(type: 'inner' | 'left', pool: StringPool, hashMask = -1, nullsMatch = false, appendOnly = false): Join {
  return new Join({
    type,
    left: { schema: left, keys: [0], appendOnly },
    right: { schema: right, keys: [0], appendOnly: false },
    nullsMatch,
    schema: joined,
    outputs: [
      { side: 'left', ordinal: 0 },
      { side: 'left', ordinal: 1 },
      { side: 'right', ordinal: 0 },
      { side: 'right', ordinal: 1 },
    ],
    pool,
    hashMask,
  });
}
const l = (...rows: WeightedRow[]): readonly [number, ReturnType<typeof batchOf>] => [0, batchOf(left, rows)];
const r = (...rows: WeightedRow[]): readonly [number, ReturnType<typeof batchOf>] => [1, batchOf(right, rows)];

test('weights of matching rows are multiplied', () => {
  const join = joinOf('inner', new StringPool());
  assert.equal(step(join, l([2, 1n, 'x'])), []);
  assert.equal(step(join, r([3, 1n, 'y'])), ['+6: 1, x, 1, y']);
  assert.equal(step(join, l([-1, 1n, 'x'])), ['-3: 1, x, 1, y']);
});

test('a NULL in a key matches nothing', () => {
  const join = joinOf('inner', new StringPool());
  assert.equal(step(join, l([1, null, 'x'], [1, 1n, 'z']), r([1, null, 'y'])), []);
  assert.equal(join.stateRows(), 1);
});

test('NULLs match where the planner asks for it', () => {
  const join = joinOf('inner', new StringPool(), -1, true);
  assert.equal(step(join, l([1, null, 'x']), r([1, null, 'y'])), ['+1: , x, , y']);
});

test('a left join retracts the null row when the first match arrives, and restores it when the last one goes', () => {
  const join = joinOf('left', new StringPool());
  assert.equal(step(join, l([1, 1n, 'x'], [1, null, 'n'])), ['+1: , n, , ', '+1: 1, x, , ']);
  assert.equal(step(join, r([1, 1n, 'y'])), ['+1: 1, x, 1, y', '-1: 1, x, , ']);
  assert.equal(step(join, r([1, 1n, 'z'])), ['+1: 1, x, 1, z']);
  assert.equal(step(join, r([-1, 1n, 'y'], [-1, 1n, 'z'])), ['-1: 1, x, 1, y', '-1: 1, x, 1, z', '+1: 1, x, , ']);
});

test('an update of a matched row within a batch does not show the null row', () => {
  const join = joinOf('left', new StringPool());
  step(join, l([1, 1n, 'x']), r([1, 1n, 'old']));
  assert.equal(step(join, r([-1, 1n, 'old'], [1, 1n, 'new'])), ['-1: 1, x, 1, old', '+1: 1, x, 1, new']);
});

test('rows that are gone leave no state', () => {
  const join = joinOf('left', new StringPool());
  step(join, l([1, 1n, 'x'], [1, 2n, 'y']), r([1, 1n, 'b']));
  step(join, l([-1, 1n, 'x'], [-1, 2n, 'y']), r([-1, 1n, 'b']));
  assert.is(join.stateRows(), 0);
});

test('a deletion from a key with many rows finds its row by hash, not by walking the chain', () => {
  const join = joinOf('inner', new StringPool());
  const rows = Array.from({ length: 3000 }, (_, i): WeightedRow => [1, 1n, `row ${i % 1500}`]);
  step(join, l(...rows));
  step(join, l([-1, 1n, 'row 7'], [-1, 1n, 'row 7'], [-1, 1n, 'row 8']));
  assert.is(step(join, r([1, 1n, 'b'])).length, 1499);
  assert.is(join.stateRows(), 1499 + 1);
});

test('a bad hash changes nothing', () => {
  const random = seeded(7);
  const good = joinOf('left', new StringPool());
  const bad = joinOf('left', new StringPool(0), 0);
  for (let round = 0; round < 20; round++) {
    const rows = Array.from({ length: 12 }, (): WeightedRow => {
      const key = random(5);
      return [random(2) === 0 ? 1 : -1, key === 0 ? null : BigInt(key), `v${random(4)}`];
    });
    const pushes = [l(...rows.slice(0, 6)), r(...rows.slice(6))];
    assert.equal(step(good, ...pushes), step(bad, ...pushes));
  }
});

test('a join goes on from a snapshot as if nothing had been', () => {
  const pool = new StringPool();
  const original = joinOf('left', pool);
  const many = Array.from({ length: 40 }, (_, i): WeightedRow => [1, BigInt(i % 3), `a${i}`]);
  step(original, l(...many), r([1, 1n, 'b']), l([-1, 1n, 'a1']));
  const copy = joinOf('left', pool);
  transplant(original, copy);
  const next = [r([1, 0n, 'c'], [-1, 1n, 'b']), l([-1, 0n, 'a3'], [1, 2n, 'new'])];
  assert.equal(step(copy, ...next), step(original, ...next));
});

test('rows of a side that only grows come out as they went in, equal ones and NULLs too', () => {
  const pool = new StringPool();
  const [carrying, plain] = [joinOf('left', pool, -1, false, true), joinOf('left', new StringPool())];
  const many = Array.from({ length: 3000 }, (_, i): WeightedRow => [1, BigInt(i % 500), i % 7 === 0 ? null : `a ${i}`]);
  const pushes = [
    [l(...many), r([1, 3n, 'x'])],
    [l([2, 3n, 'same'], [1, 3n, 'same'], [1, 4n, null]), r([1, 4n, 'y'])],
    [r([-1, 3n, 'x'])],
  ];
  for (const some of pushes) {
    const sum = (lines: readonly string[]): readonly string[] => {
      const weights = new Map<string, number>();
      for (const line of lines) {
        const row = line.slice(line.indexOf(':'));
        weights.set(row, (weights.get(row) ?? 0) + Number.parseInt(line, 10));
      }
      return [...weights].map(([row, weight]) => `${weight}${row}`).sort();
    };
    assert.equal(sum(step(carrying, ...some)), sum(step(plain, ...some)));
  }
});

test('more matches than fit one batch come out in several', () => {
  const join = joinOf('inner', new StringPool());
  step(join, l(...Array.from({ length: 400 }, (_, i): WeightedRow => [1, 1n, `a${i}`])));
  const out = step(join, r(...Array.from({ length: 400 }, (_, i): WeightedRow => [1, 1n, `b${i}`])));
  assert.is(new Set(out).size, 160_000);
});

test.run();
