// Delivery: whatever is ready first, everything leaves in order, within the bound, up to the first failure.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Delivery } from '../../../actors/source/delivery.ts';

test('results leave in the order in which they were pushed, at most so many at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 5 }),
      async (s, count, entriesMax) => {
        const left: number[] = [];
        let pushed = 0;
        const delivery = new Delivery<number>({ entriesMax, bytesMax: 1000 }, async (result) => {
          await s.schedule(Promise.resolve());
          left.push(result);
        });
        const done = (async () => {
          for (let i = 0; i < count; i++) {
            await delivery.room();
            const result = i % 3 === 0 ? i : s.schedule(Promise.resolve(i));
            delivery.push({ result, bytes: 1 });
            pushed++;
            assert.ok(pushed - left.length <= entriesMax);
          }
          await delivery.finished();
        })();
        await s.waitFor(done);
        assert.equal(
          left,
          Array.from({ length: count }, (_, i) => i),
        );
        assert.ok(delivery.isEmpty);
      },
    ),
    { numRuns: 50 },
  );
});

test('what stands before a failure leaves, what stands behind it does not', async () => {
  const left: number[] = [];
  const delivery = new Delivery<number>({ entriesMax: 10, bytesMax: 1000 }, async (result) => {
    left.push(result);
  });
  delivery.push({ result: Promise.resolve(1), bytes: 1 });
  delivery.push({ result: Promise.reject(new Error('broken')), bytes: 1 });
  delivery.push({ result: 3, bytes: 1 });
  const reason = await delivery.failed.catch((error) => error.message);
  assert.is(reason, 'broken');
  assert.equal(left, [1]);
  assert.is(await delivery.room().catch((error) => error.message), 'broken');
  assert.is(await delivery.finished().catch((error) => error.message), 'broken');
});

test('an entry that is larger than the bound passes alone', async () => {
  let release = (): void => {};
  const delivery = new Delivery<number>(
    { entriesMax: 10, bytesMax: 100 },
    () => new Promise((resolve) => (release = resolve)),
  );
  await delivery.room();
  delivery.push({ result: 1, bytes: 5000 });
  let hasRoom = false;
  const room = delivery.room().then(() => (hasRoom = true));
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.not(hasRoom);
  release();
  await room;
});

test.run();
