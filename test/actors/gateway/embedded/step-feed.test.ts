// A listener's feed over a real port channel: steps in order, marks confirmed on arrival, bounds, drops, the end.
import { MessageChannel } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StepFeed } from '../../../../actors/gateway/embedded/step-feed.ts';
import { rowsFromBatch, rowsToBatch } from '../../../../runtime/batch/row-objects.ts';
import { makeSchema, type Relation } from '../../../../runtime/batch/schema.ts';
import type { FrameSender } from '../../../../runtime/mailbox/channel.ts';
import { openFrameReceiver, openFrameSender } from '../../../../runtime/mailbox/port-channel.ts';
import { decodeBatch } from '../../../../runtime/wire/batch-codec.ts';

const relation: Relation = {
  name: 't',
  schema: makeSchema([{ name: 'x', type: { kind: 'INTEGER' }, nullable: false }]),
  primaryKey: [],
};

interface Bench {
  readonly sender: FrameSender;
  readonly feed: StepFeed;
  /** Resolves when the feed has confirmed this mark. */
  confirmed(mark: number): Promise<void>;
  step(mark: number, values: readonly number[]): void;
}

function setUp(options: { readonly backpressure: boolean; readonly rowsMax: number }, channelRows = 1000): Bench {
  const { port1, port2 } = new MessageChannel();
  const limits = { rowsMax: channelRows, bytesMax: 1 << 20 };
  const sender = openFrameSender(port1, { schema: relation.schema, limits });
  const feed = new StepFeed(openFrameReceiver(port2, { schema: relation.schema, limits }), options);
  let highest = 0;
  const waiting: { mark: number; resolve: () => void }[] = [];
  sender.onConfirm = (mark) => {
    highest = mark;
    for (const waiter of waiting) if (waiter.mark <= mark) waiter.resolve();
  };
  let sequence = 0;
  return {
    sender,
    feed,
    confirmed: (mark) =>
      mark <= highest ? Promise.resolve() : new Promise((resolve) => waiting.push({ mark, resolve })),
    step: (mark, values) => {
      const rows = values.map((x) => ({ x }));
      const { batch } = rowsToBatch(rows, relation, [null], { updateFormat: 'raw' });
      if (values.length > 0) sender.send({ kind: 'batch', sequence: ++sequence, batch });
      sender.send({ kind: 'mark', mark });
    },
  };
}

async function pulled(feed: StepFeed): Promise<[number, unknown[]][]> {
  const { steps } = await feed.pull();
  return steps.map(({ sequenceNumber, frames }) => [
    sequenceNumber,
    frames.flatMap((frame) => rowsFromBatch(decodeBatch(frame, relation.schema).batch).rows),
  ]);
}

test('hands over steps in order, numbered from 0, leaving out those without changes', async () => {
  const { feed, step, sender, confirmed } = setUp({ backpressure: true, rowsMax: 100 });
  step(1, [1, 2]);
  step(2, []);
  step(3, [3]);
  await confirmed(3);
  assert.equal(await pulled(feed), [
    [0, [{ x: 1 }, { x: 2 }]],
    [1, [{ x: 3 }]],
  ]);
  sender.send({ kind: 'end' });
  assert.equal(await pulled(feed), []);
  sender.close();
});

test('a pull waits for the next step', async () => {
  const { feed, step, sender } = setUp({ backpressure: true, rowsMax: 100 });
  const next = pulled(feed);
  step(1, [7]);
  assert.equal(await next, [[0, [{ x: 7 }]]]);
  feed.close();
  sender.close();
});

test('a full feed with back-pressure takes nothing until it is pulled, and loses nothing', async () => {
  const { feed, step, sender, confirmed } = setUp({ backpressure: true, rowsMax: 2 });
  for (let mark = 1; mark <= 10; mark++) step(mark, [mark]);
  await confirmed(2);
  const seen: number[] = [];
  while (seen.length < 10) for (const [number] of await pulled(feed)) seen.push(number);
  assert.equal(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await confirmed(10);
  feed.close();
  sender.close();
});

test('a full feed without back-pressure drops whole steps, counts them, and shows a gap', async () => {
  const { feed, step, sender, confirmed } = setUp({ backpressure: false, rowsMax: 2 });
  for (let mark = 1; mark <= 5; mark++) step(mark, [mark]);
  await confirmed(5);
  const first = await feed.pull();
  assert.equal(
    first.steps.map((s) => s.sequenceNumber),
    [0, 1],
  );
  assert.is(first.droppedRecords, 3);
  step(6, [6]);
  assert.equal(await pulled(feed), [[5, [{ x: 6 }]]]);
  feed.close();
  sender.close();
});

test('what has come before a failure is handed over before the failure', async () => {
  const { feed, step, sender, confirmed } = setUp({ backpressure: true, rowsMax: 10 });
  step(1, [1]);
  await confirmed(1);
  feed.fail(new Error('gone'));
  assert.equal(await pulled(feed), [[0, [{ x: 1 }]]]);
  try {
    await feed.pull();
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), 'gone');
  }
  feed.close();
  sender.close();
});

test('a feed whose other end is gone comes to its end', async () => {
  const { feed, step, sender, confirmed } = setUp({ backpressure: true, rowsMax: 10 });
  step(1, [1]);
  await confirmed(1);
  sender.close();
  assert.equal((await pulled(feed)).length, 1);
  assert.equal(await pulled(feed), []);
  feed.close();
});

test.run();
