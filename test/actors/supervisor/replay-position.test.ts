// Where an input goes on: never a row twice, never one left out, through any number of checkpoints.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeFrame } from '../../../actors/source/encoded-batch.ts';
import { ReplayPoints } from '../../../actors/source/replay-points.ts';
import { decodeReplayStart, encodeReplayStart, replayFrom } from '../../../actors/supervisor/replay-position.ts';
import { encodeBatch } from '../../../runtime/wire/batch-codec.ts';
import { numberBatch, numberSchema, numbersOf } from '../engine/engine-fixture.ts';

test('runs that are interrupted anywhere take every row once', () => {
  const plan = fc.record({
    rows: fc.integer({ min: 0, max: 60 }),
    batch: fc.integer({ min: 1, max: 9 }),
    resumes: fc.boolean(),
    cuts: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 5 }),
  });
  fc.assert(
    fc.property(plan, ({ rows, batch, resumes, cuts }) => {
      const input = Array.from({ length: rows }, (_, i) => i);
      const taken: number[] = [];
      let kept = encodeReplayStart({ position: null, skipRows: 0 });
      for (const cut of [...cuts, rows]) {
        const begin = decodeReplayStart(JSON.parse(JSON.stringify(kept)));
        const points = new ReplayPoints(numberSchema, begin);
        const sent: number[] = [];
        for (let at = Number(begin.position?.['row'] ?? 0); at < rows; at += batch) {
          const numbers = input.slice(at, at + batch);
          const left = points.keep({ frame: encodeBatch(numberBatch(numbers), 0, 'in memory'), rows: numbers.length });
          if (left !== null) {
            sent.push(...numbersOf(decodeFrame(left, numberSchema)));
            points.sent(left.rows);
          }
          const row = at + numbers.length;
          if (resumes) points.reached(() => ({ row }));
        }
        const stepped = Math.min(cut, sent.length);
        taken.push(...sent.slice(0, stepped));
        kept = encodeReplayStart(replayFrom(points.toArray(), stepped));
      }
      assert.equal(taken, input);
    }),
  );
});

test('there are never many points, and the first of all stays', () => {
  const points = new ReplayPoints(numberSchema, { position: null, skipRows: 3 });
  for (let n = 0; n < 10_000; n++) {
    points.sent(1);
    points.reached(() => ({ n }));
  }
  const list = points.toArray();
  assert.ok(list.length <= 512);
  assert.equal(list[0], { records: 0, position: null, skipRows: 3 });
  assert.ok((list.at(-1)?.records ?? 0) > 9900);
});

test('a position that nobody has made is refused', () => {
  assert.throws(() => decodeReplayStart({ offset: 5 }), TypeError);
});

test.run();
