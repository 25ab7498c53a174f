// The mailbox: lanes, order, bounds.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../runtime/errors.ts';
import { type Lane, lanes, Mailbox, Queue } from '../../../runtime/mailbox/mailbox.ts';

test('a higher lane goes first, and within a lane order is kept', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...lanes)), (puts) => {
      const mailbox = new Mailbox<{ lane: Lane; number: number }>('a');
      for (const [number, lane] of puts.entries()) mailbox.put(lane, { lane, number });
      const taken: { lane: Lane; number: number }[] = [];
      for (let item = mailbox.take(); item !== undefined; item = mailbox.take()) taken.push(item);
      const expected = puts.map((lane, number) => ({ lane, number }));
      assert.equal(
        taken,
        expected.sort((a, b) => lanes.indexOf(a.lane) - lanes.indexOf(b.lane) || a.number - b.number),
      );
    }),
  );
});

test('a lane at its bound refuses, the others go on', () => {
  const mailbox = new Mailbox<number>('engine', 2);
  mailbox.put('control', 1);
  mailbox.put('control', 2);
  try {
    mailbox.put('control', 3);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, MillraceError);
    assert.is((error as MillraceError).code, 'mailbox.full');
    assert.is((error as MillraceError).retry, 'later');
  }
  mailbox.put('signal', 4);
  assert.is(mailbox.take(), 4);
  assert.is(mailbox.size, 2);
});

test('a queue keeps its order however puts and takes are mixed', () => {
  const queue = new Queue<number>();
  let put = 0;
  let taken = 0;
  for (let round = 0; round < 5_000; round++) {
    for (let i = 0; i < (round % 7) + 1; i++) queue.put(put++);
    for (let i = 0; i < round % 6; i++) if (queue.size > 0) assert.is(queue.take(), taken++);
  }
  assert.is(queue.size, put - taken);
  while (queue.size > 0) assert.is(queue.take(), taken++);
  assert.is(queue.take(), undefined);
});

test.run();
