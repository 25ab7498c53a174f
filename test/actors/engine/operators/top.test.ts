// The window of ORDER BY … LIMIT … OFFSET while rows come and go.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Top } from '../../../../actors/engine/operators/top.ts';
import { StringPool } from '../../../../actors/engine/state/string-pool.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { batchOf, bigint, schemaOf, seeded, step, text, transplant, type WeightedRow } from '../zset-rows.ts';

const schema = schemaOf({ n: bigint, s: text });
interface Options {
  readonly limit?: number | null;
  readonly offset?: number;
  readonly appendOnly?: boolean;
  readonly hashMask?: number;
  readonly pool?: StringPool;
}
function topOf({ limit = 2, offset = 0, appendOnly = false, hashMask = -1, pool }: Options = {}): Top {
  const keys = [{ ordinal: 0, descending: true, nullsFirst: false }];
  return new Top({ schema, keys, limit, offset, appendOnly, pool: pool ?? new StringPool(hashMask), hashMask });
}
const rows = (...all: WeightedRow[]): readonly [number, ChangeBatch] => [0, batchOf(schema, all)];

test('a row enters the window and pushes the last one out', () => {
  const top = topOf();
  assert.equal(step(top, rows([1, 1n, 'a'], [1, 5n, 'b'], [1, 3n, 'c'])), ['+1: 5, b', '+1: 3, c']);
  assert.equal(step(top, rows([1, 4n, 'd'])), ['+1: 4, d', '-1: 3, c']);
  assert.equal(step(top, rows([1, 2n, 'e'])), []);
});

test('a row below the window comes back when one above it is deleted', () => {
  const top = topOf();
  step(top, rows([1, 1n, 'a'], [1, 5n, 'b'], [1, 3n, 'c']));
  assert.equal(step(top, rows([-1, 5n, 'b'])), ['-1: 5, b', '+1: 1, a']);
});

test('weights count as rows, and the offset is skipped', () => {
  const top = topOf({ limit: 3, offset: 1 });
  assert.equal(step(top, rows([3, 9n, 'a'], [5, 8n, 'b'])), ['+2: 9, a', '+1: 8, b']);
  assert.equal(step(top, rows([-2, 9n, 'a'])), ['-2: 9, a', '+2: 8, b']);
});

test('NULL goes where the key says and ties are broken by the other columns', () => {
  const top = topOf({ limit: 3 });
  assert.equal(step(top, rows([1, null, 'z'], [1, 1n, 'b'], [1, 1n, 'a'])), ['+1: 1, a', '+1: 1, b', '+1: , z']);
});

test('append-only input keeps no more than the window', () => {
  const top = topOf({ appendOnly: true });
  const random = seeded(5);
  for (let i = 0; i < 10; i++) {
    step(top, rows(...Array.from({ length: 50 }, (): WeightedRow => [1, BigInt(random(1000)), 'x'])));
  }
  assert.is(top.stateRows(), 2);
});

test('a bad hash and a snapshot in between change nothing', () => {
  const random = seeded(2);
  const pool = new StringPool(0);
  const good = topOf({ limit: 4, offset: 1 });
  let bad = topOf({ limit: 4, offset: 1, hashMask: 0, pool });
  const present: WeightedRow[] = [];
  for (let round = 0; round < 40; round++) {
    const changes = Array.from({ length: 6 }, (): WeightedRow => {
      if (present.length > 0 && random(2) === 0) {
        const [, ...values] = present.splice(random(present.length), 1)[0]!;
        return [-1, ...values];
      }
      const row: WeightedRow = [1, BigInt(random(12)), `s${random(3)}`];
      present.push(row);
      return row;
    });
    assert.equal(step(bad, rows(...changes)), step(good, rows(...changes)));
    const copy = topOf({ limit: 4, offset: 1, hashMask: 0, pool });
    transplant(bad, copy);
    bad = copy;
  }
});

test.run();
