// Left rows that only come beside left rows that may go: the same matches, while right rows come and go.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AsofJoin } from '../../../../actors/engine/operators/asof-join.ts';
import { StringPool } from '../../../../actors/engine/state/string-pool.ts';
import { makeSchema } from '../../../../runtime/batch/schema.ts';
import { batchOf, bigint, schemaOf, seeded, step, text, transplant, type WeightedRow } from '../zset-rows.ts';

const left = schemaOf({ k: bigint, at: bigint, s: text });
const right = schemaOf({ k: bigint, at: bigint, t: text }, ['k', 'at']);
const joined = makeSchema([...left.fields, ...right.fields.map((field) => ({ ...field, nullable: true }))]);

function asofOf(appendOnly: boolean, pool: StringPool): AsofJoin {
  return new AsofJoin({
    left: { schema: left, keys: [0], order: 1, appendOnly },
    right: { schema: right, keys: [0], order: 1, appendOnly: false },
    schema: joined,
    pool,
  });
}

/** Weights by row, without those that came to nothing. */
function sum(lines: readonly string[]): readonly string[] {
  const weights = new Map<string, number>();
  for (const line of lines) {
    const row = line.slice(line.indexOf(':'));
    weights.set(row, (weights.get(row) ?? 0) + Number.parseInt(line, 10));
  }
  return [...weights].flatMap(([row, weight]) => (weight === 0 ? [] : [`${weight}${row}`])).sort();
}

test('a left row has the last right row that is not behind it, and another one when that changes', () => {
  const asof = asofOf(true, new StringPool());
  const l = (...rows: WeightedRow[]) => [0, batchOf(left, rows)] as const;
  const r = (...rows: WeightedRow[]) => [1, batchOf(right, rows)] as const;
  assert.equal(step(asof, l([1, 1n, 5n, 'x'], [2, 1n, null, 'n'])), ['+1: 1, 5, x, , , ', '+2: 1, , n, , , ']);
  assert.equal(sum(step(asof, r([1, 1n, 3n, 'three'], [1, 1n, 6n, 'six']))), [
    '-1: 1, 5, x, , , ',
    '1: 1, 5, x, 1, 3, three',
  ]);
  assert.equal(step(asof, l([1, 1n, 6n, 'y'])), ['+1: 1, 6, y, 1, 6, six']);
  assert.equal(sum(step(asof, r([-1, 1n, 6n, 'six']))), ['-1: 1, 6, y, 1, 6, six', '1: 1, 6, y, 1, 3, three']);
});

test('left rows that are only appended have the matches of left rows that are kept in order', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const below = seeded(seed * 31);
    const pool = new StringPool();
    let quick = asofOf(true, pool);
    const sure = asofOf(false, new StringPool());
    const present: WeightedRow[] = [];
    for (let s = 0; s < 12; s++) {
      const rows = Array.from({ length: below(12) }, (): WeightedRow => {
        const at = below(6) === 0 ? null : BigInt(below(9));
        return [1, below(7) === 0 ? null : BigInt(below(3)), at, below(4) === 0 ? null : `s${below(3)}`];
      });
      const others = Array.from({ length: below(3) }, (): WeightedRow => {
        if (present.length > 0 && below(2) === 0) {
          const [, ...values] = present.splice(below(present.length), 1)[0]!;
          return [-1, ...values];
        }
        const row: WeightedRow = [1, BigInt(below(3)), BigInt(below(9)), `t${below(3)}`];
        present.push(row);
        return row;
      });
      const pushes = [[0, batchOf(left, rows)] as const, [1, batchOf(right, others)] as const];
      if (below(2) === 0) pushes.reverse();
      assert.equal(sum(step(quick, ...pushes)), sum(step(sure, ...pushes)), `seed ${seed}, step ${s}`);
      if (s !== 6) continue;
      const copy = asofOf(true, pool);
      transplant(quick, copy);
      quick = copy;
    }
  }
});

test.run();
