// A relay between made-up inputs and outputs: whatever fails, comes back, refuses, or is slow, every row is delivered or kept as a dead
// letter, in order, and none is settled before it is.
import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EngineMessage, EngineNotice, EngineProgress } from '../../../actors/engine/messages.ts';
import { relayBehaviour } from '../../../actors/relay/relay-actor.ts';
import { recordBatchOf, recordSchema, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import { errorToData } from '../../../runtime/errors.ts';
import type { FrameReceiver, FrameSender } from '../../../runtime/mailbox/channel.ts';
import { openFrameReceiver, openFrameSender } from '../../../runtime/mailbox/port-channel.ts';
import { encodeBatch } from '../../../runtime/wire/batch-codec.ts';
import { type LoneActor, loneActor, until } from '../lone-actor.ts';

const limits = { rowsMax: 1_000, bytesMax: 1 << 20 };
type Relay = LoneActor<EngineMessage, EngineNotice>;

async function relayOf(windowSize = 0, windowNackThreshold = 0): Promise<Relay> {
  return await loneActor(relayBehaviour(), { deadLetters: { endpoint: 'dlq', windowSize, windowNackThreshold } });
}

async function input(relay: Relay, endpoint: string): Promise<{ sender: FrameSender; settled: () => number }> {
  const { port1, port2 } = new MessageChannel();
  await relay.ask({
    kind: 'attach input',
    endpoint,
    table: 'records',
    port: port2,
    limits,
    batchRowsMax: null,
    held: false,
  });
  const sender = openFrameSender(port1, { schema: recordSchema, limits });
  let settled = 0;
  sender.onSettle = (rows) => {
    assert.ok(rows >= settled, 'what is settled never goes back');
    settled = rows;
  };
  return { sender, settled: () => settled };
}

async function output(relay: Relay, endpoint: string): Promise<FrameReceiver> {
  const { port1, port2 } = new MessageChannel();
  await relay.ask({
    kind: 'attach output',
    endpoint,
    relation: 'records',
    port: port2,
    limits,
    onFull: 'block',
    sendSnapshot: false,
    keepsUnsettled: true,
  });
  return openFrameReceiver(port1, { schema: recordSchema, limits });
}

function send(sender: FrameSender, from: string, first: number, rows: number): void {
  const records = Array.from({ length: rows }, (_, i) => ({
    position: Buffer.from(`${from}${first + i}`),
    operation: 'create' as const,
    metadata: {},
    key: null,
    before: null,
    after: Buffer.from('x'),
  }));
  sender.sendEncoded(encodeBatch(recordBatchOf(records), 0, 'in memory'), rows);
}

/** Every row that waits, by position. */
function take(receiver: FrameReceiver): string[] {
  const taken: string[] = [];
  for (let frame = receiver.take(); frame !== null; frame = receiver.take()) {
    if (frame.kind !== 'batch') continue;
    for (const { position } of recordsOf(frame.batch)) taken.push(Buffer.from(position).toString());
  }
  return taken;
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

test('a row is settled when the slowest output has settled it', async () => {
  const relay = await relayOf();
  const one = await output(relay, 'one');
  const two = await output(relay, 'two');
  const { sender, settled } = await input(relay, 'in');
  send(sender, 'a', 0, 5);
  await until(() => one.peekRows === 5 && two.peekRows === 5);
  one.settle(5);
  two.settle(3);
  await until(() => settled() === 3);
  two.settle(5);
  await until(() => settled() === 5);
  await relay.actor.stop();
});

test('an output that comes back gets the rest of the frame that it had settled in part, and nothing that it had settled', async () => {
  const relay = await relayOf();
  const first = await output(relay, 'out');
  const { sender, settled } = await input(relay, 'in');
  send(sender, 'a', 0, 4);
  send(sender, 'a', 4, 4);
  await until(() => first.queuedRows === 8);
  first.settle(2);
  await until(() => settled() === 2);
  first.close();
  const second = await output(relay, 'out');
  await until(() => second.queuedRows === 6);
  assert.equal(take(second), ['a2', 'a3', 'a4', 'a5', 'a6', 'a7']);
  second.settle(6);
  await until(() => settled() === 8);
  await relay.actor.stop();
});

test('a refused row holds back what is behind it until its dead letter is kept', async () => {
  const relay = await relayOf(10, 2);
  const out = await output(relay, 'out');
  const letters = await output(relay, 'dlq');
  const { sender, settled } = await input(relay, 'in');
  send(sender, 'a', 0, 5);
  await until(() => out.queuedRows === 5);
  out.refuse(2, errorToData(new Error('bad')));
  out.settle(5);
  await until(() => letters.queuedRows === 1 && settled() === 2);
  assert.equal(take(letters), ['in/a2']);
  letters.settle(1);
  await until(() => settled() === 5);
  await relay.actor.stop();
});

test('more refusals than the window allows are told once, and the row is never settled', async () => {
  const relay = await relayOf(2, 1);
  const out = await output(relay, 'out');
  const letters = await output(relay, 'dlq');
  const { sender, settled } = await input(relay, 'in');
  send(sender, 'a', 0, 6);
  await until(() => out.queuedRows === 6);
  for (const row of [0, 3, 4]) out.refuse(row, errorToData(new Error(`bad ${row}`)));
  out.settle(6);
  await until(() => letters.queuedRows === 2);
  letters.settle(2);
  await relay.noticed('refused too often');
  await until(() => settled() === 4);
  send(sender, 'a', 6, 1);
  await turns(20);
  assert.is(settled(), 4);
  assert.is(relay.notices.filter(({ kind }) => kind === 'refused too often').length, 1);
  await relay.actor.stop();
});

test('an input is finished when its end has come and everything before it is settled', async () => {
  const relay = await relayOf();
  const out = await output(relay, 'out');
  const { sender } = await input(relay, 'in');
  send(sender, 'a', 0, 2);
  sender.send({ kind: 'end' });
  await until(() => out.queuedRows === 2);
  await turns(20);
  assert.not.ok(relay.notices.some(({ kind }) => kind === 'input finished'));
  out.settle(2);
  await relay.noticed('input finished');
  await relay.actor.stop();
});

test('what needs a program is refused with a code', async () => {
  const relay = await relayOf();
  await relay.ask({ kind: 'checkpoint', checkpoint: 'c' }).then(
    () => assert.unreachable(),
    (error: { readonly code?: string }) => assert.is(error.code, 'pipeline.without_sql'),
  );
  await relay.actor.stop();
});

type Move =
  | { readonly kind: 'send'; readonly input: number; readonly rows: number }
  | { readonly kind: 'settle'; readonly output: number; readonly rows: number }
  | { readonly kind: 'refuse'; readonly output: number }
  | { readonly kind: 'fail'; readonly output: number }
  | { readonly kind: 'letters' };

test('whatever is sent, settled, refused and lost: each output gets every row in order, and inputs are told no more than is true', async () => {
  const which = fc.integer({ min: 0, max: 1 });
  const move: fc.Arbitrary<Move> = fc.oneof(
    fc.record({ kind: fc.constant('send' as const), input: which, rows: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('settle' as const), output: which, rows: fc.integer({ min: 1, max: 7 }) }),
    fc.record({ kind: fc.constant('refuse' as const), output: which }),
    fc.record({ kind: fc.constant('fail' as const), output: which }),
    fc.record({ kind: fc.constant('letters' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 25 }), async (moves) => {
      const relay = await relayOf();
      const inputs = [await input(relay, 'a'), await input(relay, 'b')];
      const sent = [0, 0];
      const letters = await output(relay, 'dlq');
      let lettersSettled = 0;
      const outputs = await Promise.all(
        ['x', 'y'].map(async (endpoint) => ({
          endpoint,
          receiver: await output(relay, endpoint),
          /** Every row that was settled or refused, over all its lives; what waits in this one. */
          done: [] as string[],
          waiting: [] as string[],
          settled: 0,
        })),
      );
      const settle = (out: (typeof outputs)[number], rows: number): void => {
        const now = Math.min(rows, out.waiting.length);
        out.done.push(...out.waiting.splice(0, now));
        out.settled += now;
        out.receiver.settle(out.settled);
      };
      for (const next of [...moves, { kind: 'settle', output: 0, rows: 1_000 } as const]) {
        await turns(3);
        for (const out of outputs) out.waiting.push(...take(out.receiver));
        if (next.kind === 'send') {
          const to = inputs[next.input];
          assert.ok(to);
          send(to.sender, 'ab'[next.input] ?? '', sent[next.input] ?? 0, next.rows);
          sent[next.input] = (sent[next.input] ?? 0) + next.rows;
        } else if (next.kind === 'letters') {
          lettersSettled += take(letters).length;
          letters.settle(lettersSettled);
        } else {
          const out = outputs[next.output];
          assert.ok(out);
          if (next.kind === 'settle') settle(out, next.rows);
          else if (next.kind === 'refuse' && out.waiting.length > 0) {
            out.receiver.refuse(out.settled, errorToData(new Error('no')));
            settle(out, 1);
          } else if (next.kind === 'fail') {
            // What it has said has been heard: in the program a back-off lies between.
            await turns(5);
            out.receiver.close();
            out.waiting = [];
            out.settled = 0;
            out.receiver = await output(relay, out.endpoint);
          }
        }
      }
      // Everything is settled in the end, and nothing was before it was.
      for (let round = 0; inputs.some(({ settled }, i) => settled() < (sent[i] ?? 0)); round++) {
        assert.ok(round < 2_000, 'it comes to an end');
        await turns(1);
        for (const out of outputs) {
          out.waiting.push(...take(out.receiver));
          settle(out, 1_000);
        }
        lettersSettled += take(letters).length;
        letters.settle(lettersSettled);
      }
      for (const { done } of outputs) {
        for (const [i, name] of ['a', 'b'].entries()) {
          const own = done.filter((row) => row.startsWith(name));
          assert.equal(
            own,
            Array.from({ length: sent[i] ?? 0 }, (_, n) => `${name}${n}`),
          );
        }
      }
      const progress = await relay.ask<EngineProgress>({ kind: 'progress' });
      assert.is(progress.completedRecords, (sent[0] ?? 0) + (sent[1] ?? 0));
      await relay.actor.stop();
    }),
    { numRuns: 60 },
  );
});

test.run();
