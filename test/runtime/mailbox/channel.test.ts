// What channel.ts promises, proved over a real port.
import { MessageChannel } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeAll } from '../../../actors/source/encoded-batch.ts';
import { assert as holds } from '../../../runtime/assert.ts';
import { makeSchema } from '../../../runtime/batch/schema.ts';
import type {
  ChannelOptions,
  Frame,
  FrameReceiver,
  FrameSender,
  MailboxLimits,
} from '../../../runtime/mailbox/channel.ts';
import { FrameRooms, type LentFrame } from '../../../runtime/mailbox/frame-rooms.ts';
import { openFrameReceiver, openFrameSender } from '../../../runtime/mailbox/port-channel.ts';
import { encodeBatch } from '../../../runtime/wire/batch-codec.ts';
import { numbersBatch, numbersSchema } from '../actor/trial-behaviours.ts';
import { rowsOfBatch } from '../batch/arbitrary-batch.ts';

interface Ends {
  readonly sender: FrameSender;
  readonly receiver: FrameReceiver;
}

function portChannel(options: ChannelOptions): Ends {
  const { port1, port2 } = new MessageChannel();
  return { sender: openFrameSender(port1, options), receiver: openFrameReceiver(port2, options) };
}

function batch(sequence: number, rows: number): Frame {
  return { kind: 'batch', sequence, batch: numbersBatch(sequence * 1_000, rows) };
}

/** Resolves when the receiver holds a frame. */
function arrival(receiver: FrameReceiver): Promise<void> {
  return receiver.isEmpty ? new Promise((resolve) => (receiver.onFrame = resolve)) : Promise.resolve();
}

async function takeNext(receiver: FrameReceiver): Promise<Frame> {
  await arrival(receiver);
  const frame = receiver.take();
  assert.ok(frame !== null);
  return frame as Frame;
}

const wide: MailboxLimits = { rowsMax: 1_000_000, bytesMax: 1 << 30 };

test('a batch is copied into the channel, so that its thread keeps all its buffers; a frame that comes encoded is given away', async () => {
  const { port1, port2 } = new MessageChannel();
  const given: unknown[] = [];
  const post = port1.postMessage.bind(port1);
  port1.postMessage = (message: unknown, transfer: readonly unknown[] = []): void => {
    given.push(...transfer);
    // SAFETY: what the channel hands to a port.
    post(message, transfer as ArrayBuffer[]);
  };
  const options = { schema: numbersSchema, limits: wide };
  const sender = openFrameSender(port1, options);
  const receiver = openFrameReceiver(port2, options);
  sender.send(batch(1, 3));
  assert.equal(given, []);
  const frame = encodeBatch(numbersBatch(2_000, 2), 2, 'in memory');
  sender.sendEncoded(frame, 2);
  assert.equal(given, [frame]);
  assert.is(frame.byteLength, 0);
  for (const [first, rows] of [
    [1_000, 3],
    [2_000, 2],
  ] as const) {
    const got = await takeNext(receiver);
    assert.is(got.kind, 'batch');
    if (got.kind === 'batch') assert.equal(rowsOfBatch(got.batch), rowsOfBatch(numbersBatch(first, rows)));
  }
  sender.close();
  receiver.close();
});

test('frames arrive as they were sent, in order, with marks and end between them', async () => {
  const { sender, receiver } = portChannel({ schema: numbersSchema, limits: wide });
  const sent: Frame[] = [
    batch(1, 3),
    { kind: 'mark', mark: 1 },
    batch(2, 0),
    batch(3, 2),
    { kind: 'mark', mark: 2 },
    { kind: 'end' },
  ];
  for (const frame of sent) sender.send(frame);
  for (const expected of sent) {
    await arrival(receiver);
    assert.is(receiver.peek(), expected.kind);
    const rows = expected.kind === 'batch' ? expected.batch.rows : 0;
    assert.is(receiver.peekRows, rows);
    const queuedRows = receiver.queuedRows;
    const got = receiver.take();
    assert.is(receiver.queuedRows, queuedRows - rows);
    if (got?.kind !== 'batch' || expected.kind !== 'batch') assert.equal(got, expected);
    else {
      assert.is(got.sequence, expected.sequence);
      assert.equal(rowsOfBatch(got.batch), rowsOfBatch(numbersBatch(expected.sequence * 1_000, rows)));
    }
  }
  assert.is(receiver.take(), null);
  assert.is(receiver.peek(), null);
  assert.is(receiver.queuedBytes, 0);
  sender.close();
  receiver.close();
});

test('a lent frame is read where it lies, and its room is free again when it is given back', async () => {
  const rows = 4_000;
  const rooms = new FrameRooms(1 << 20);
  const { port1, port2 } = new MessageChannel();
  const sender = openFrameSender(port1, { schema: numbersSchema, limits: wide, rooms });
  const receiver = openFrameReceiver(port2, { schema: numbersSchema, limits: wide });
  const lend = (first: number): LentFrame => {
    const [encoded] = encodeAll([numbersBatch(first, rows)], rooms);
    holds(encoded !== undefined && !(encoded.frame instanceof ArrayBuffer), 'there is room');
    return encoded.frame;
  };
  const first = lend(10);
  sender.sendLent(first, rows);
  assert.is(sender.queuedBytes, first.bytes);
  await arrival(receiver);
  assert.is(receiver.peek(), 'batch');
  assert.is(receiver.peekRows, rows);
  const got = await takeNext(receiver);
  holds(got.kind === 'batch' && got.room !== undefined, 'it is a batch in a room');
  assert.equal(rowsOfBatch(got.batch), rowsOfBatch(numbersBatch(10, rows)));
  assert.is(rooms.held.out, 1);
  receiver.giveBack([got.room]);
  while (rooms.held.out > 0) await new Promise<void>((resolve) => setImmediate(resolve));
  assert.is(lend(20).memory, first.memory);
  assert.equal(rowsOfBatch(got.batch), rowsOfBatch(numbersBatch(20, rows)));
  sender.close();
  receiver.close();
});

test('credit ends at the bound and comes back at half of it, in one go', async () => {
  const { sender, receiver } = portChannel({ schema: numbersSchema, limits: { rowsMax: 10, bytesMax: 1 << 20 } });
  let ready = 0;
  sender.onReady = () => ready++;
  let sent = 0;
  while (sender.hasCredit) sender.send(batch(++sent, 2));
  assert.is(sent, 5);
  assert.is(sender.queuedRows, 10);
  const waiting = sender.whenReady();
  await takeNext(receiver);
  await takeNext(receiver);
  const order: string[] = [];
  waiting.then(() => order.push('ready'));
  await settled();
  assert.not.ok(sender.hasCredit, 'still above half');
  assert.is(ready, 0);
  await takeNext(receiver);
  await waiting;
  assert.is(ready, 1);
  assert.ok(sender.hasCredit);
  assert.is(sender.queuedRows, 4);
  await sender.whenReady();
  sender.close();
  receiver.close();
});

test('waiting for credit ends with the reason of the signal', async () => {
  const { sender, receiver } = portChannel({ schema: numbersSchema, limits: { rowsMax: 1, bytesMax: 1 << 20 } });
  sender.send(batch(1, 1));
  const controller = new AbortController();
  const waiting = sender.whenReady(controller.signal);
  controller.abort('enough');
  assert.is(await waiting.catch((reason: unknown) => reason), 'enough');
  assert.is(await sender.whenReady(controller.signal).catch((reason: unknown) => reason), 'enough');
  sender.close();
  receiver.close();
});

test('marks are confirmed to the sender', async () => {
  const { sender, receiver } = portChannel({ schema: numbersSchema, limits: wide });
  const confirmed = new Promise<number>((resolve) => (sender.onConfirm = resolve));
  sender.send({ kind: 'mark', mark: 7 });
  assert.equal(await takeNext(receiver), { kind: 'mark', mark: 7 });
  receiver.confirm(7);
  assert.is(await confirmed, 7);
  sender.close();
  receiver.close();
});

test('what was sent before the sender closed can still be taken', async () => {
  const { sender, receiver } = portChannel({ schema: numbersSchema, limits: wide });
  const closed = new Promise<void>((resolve) => (receiver.onClose = resolve));
  for (let i = 1; i <= 50; i++) sender.send(batch(i, 1));
  sender.send({ kind: 'end' });
  sender.close();
  await closed;
  for (let i = 1; i <= 50; i++) {
    const frame = receiver.take();
    assert.is(frame?.kind === 'batch' ? frame.sequence : 0, i);
  }
  assert.equal(receiver.take(), { kind: 'end' });
  receiver.close();
});

test('a sender hears that its receiver is gone, and who waits for credit is let go', async () => {
  const { sender, receiver } = portChannel({ schema: numbersSchema, limits: { rowsMax: 1, bytesMax: 1 << 20 } });
  sender.send(batch(1, 1));
  const closed = new Promise<void>((resolve) => (sender.onClose = resolve));
  const waiting = sender.whenReady().catch((error: { code: string }) => error.code);
  receiver.close();
  assert.is(await waiting, 'channel.closed');
  await closed;
  sender.send(batch(2, 1));
  sender.close();
});

test('a batch of another schema is refused', async () => {
  const other = makeSchema([{ name: 'other', type: { kind: 'BIGINT' }, nullable: false }]);
  const { sender, receiver } = portChannel({ schema: other, limits: wide });
  let code = '';
  try {
    sender.send(batch(1, 1));
    await takeNext(receiver);
  } catch (error) {
    code = (error as { code: string }).code;
  }
  assert.is(code, 'wire.schema_mismatch');
  sender.close();
  receiver.close();
});

test('ports may be filled before the receiver opens', async () => {
  const options = { schema: numbersSchema, limits: wide };
  const { port1, port2 } = new MessageChannel();
  const sender = openFrameSender(port1, options);
  for (let i = 1; i <= 10; i++) sender.send(batch(i, 1));
  await settled();
  const receiver = openFrameReceiver(port2, options);
  for (let i = 1; i <= 10; i++) {
    const frame = await takeNext(receiver);
    assert.is(frame.kind === 'batch' ? frame.sequence : 0, i);
  }
  sender.close();
  receiver.close();
});

test('an end that is opened after the other has closed hears of it, and of what was sent before', async () => {
  const options = { schema: numbersSchema, limits: wide };
  const forReceiver = new MessageChannel();
  const sender = openFrameSender(forReceiver.port1, options);
  sender.send({ kind: 'mark', mark: 1 });
  sender.close();
  const forSender = new MessageChannel();
  openFrameReceiver(forSender.port2, options).close();
  await settled();
  const late = openFrameReceiver(forReceiver.port2, options);
  await new Promise<void>((resolve) => {
    late.onClose = resolve;
  });
  assert.equal(late.take(), { kind: 'mark', mark: 1 });
  const lateSender = openFrameSender(forSender.port1, options);
  await new Promise<void>((resolve) => {
    lateSender.onClose = resolve;
  });
});

/** A few turns of the event loop: what is on its way in this process has arrived. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

test.run();
