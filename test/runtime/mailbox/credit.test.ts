// Credit: bounds, hysteresis, and that it always comes back.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ReturnCredit, SendCredit } from '../../../runtime/mailbox/credit.ts';

test('credit closes at either bound and opens at half of both', () => {
  const credit = new SendCredit({ rowsMax: 100, bytesMax: 1_000 });
  credit.spend(99, 1);
  assert.ok(credit.isOpen);
  credit.spend(1, 1);
  assert.not.ok(credit.isOpen);
  assert.not.ok(credit.giveBack(49, 1));
  assert.ok(credit.giveBack(1, 0), 'at the low water mark');
  credit.spend(0, 999);
  assert.not.ok(credit.isOpen, 'the other bound');
  assert.not.ok(credit.giveBack(50, 499));
  assert.ok(credit.giveBack(0, 1));
  assert.is(credit.queuedRows, 0);
  assert.is(credit.queuedBytes, 500);
});

test('a frame larger than the bound passes, alone', () => {
  const credit = new SendCredit({ rowsMax: 10, bytesMax: 10 });
  credit.spend(1_000, 1_000);
  assert.not.ok(credit.isOpen);
  assert.ok(credit.giveBack(1_000, 1_000));
});

test('credit that was not spent cannot come back', () => {
  const credit = new SendCredit({ rowsMax: 10, bytesMax: 10 });
  assert.throws(() => credit.giveBack(1, 0), /no more credit comes back/);
});

test('whatever is sent and taken, the bound holds to one frame, hysteresis holds, and nobody waits for ever', () => {
  const frame = fc.record({ rows: fc.nat({ max: 50 }), bytes: fc.nat({ max: 500 }) });
  const limits = fc.record({ rowsMax: fc.integer({ min: 1, max: 100 }), bytesMax: fc.integer({ min: 1, max: 1_000 }) });
  fc.assert(
    fc.property(limits, fc.array(fc.tuple(frame, fc.boolean()), { maxLength: 200 }), (bounds, steps) => {
      const send = new SendCredit(bounds);
      const giveBack = new ReturnCredit(bounds);
      const queue: { rows: number; bytes: number }[] = [];
      const take = (): void => {
        const taken = queue.shift();
        if (taken === undefined || !giveBack.take(taken.rows, taken.bytes, queue.length === 0)) return;
        const { rows, bytes } = giveBack.collect();
        const wasOpen = send.isOpen;
        const opened = send.giveBack(rows, bytes);
        assert.is(opened, !wasOpen && send.isOpen);
        if (opened) assert.ok(send.queuedRows * 2 <= bounds.rowsMax && send.queuedBytes * 2 <= bounds.bytesMax);
      };
      for (const [{ rows, bytes }, isTake] of steps) {
        if (isTake) take();
        else if (send.isOpen) {
          assert.ok(send.queuedRows < bounds.rowsMax && send.queuedBytes < bounds.bytesMax);
          send.spend(rows, bytes);
          queue.push({ rows, bytes });
        }
      }
      while (queue.length > 0) take();
      assert.ok(send.isOpen);
      assert.is(send.queuedRows, 0);
      assert.is(send.queuedBytes, 0);
    }),
  );
});

test.run();
