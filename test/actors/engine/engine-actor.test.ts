// The engine actor between its ports: steps, holds, back-pressure, completion, queries, drain.
import { MessageChannel } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BoundQuery, EngineProgress, QueryResult } from '../../../actors/engine/messages.ts';
import { OutputQueue } from '../../../actors/engine/output-queue.ts';
import { encodeAll } from '../../../actors/source/encoded-batch.ts';
import { assert as holds } from '../../../runtime/assert.ts';
import { FrameRooms } from '../../../runtime/mailbox/frame-rooms.ts';
import { openFrameReceiver, openFrameSender } from '../../../runtime/mailbox/port-channel.ts';
import { decodeBatch } from '../../../runtime/wire/batch-codec.ts';
import { until } from '../lone-actor.ts';
import { engineFixture, numberBatch, numberSchema, numbersOf, rowsOf, send, takeWaiting } from './engine-fixture.ts';

/** The circuit of these tests answers every query alike. */
const anyQuery: BoundQuery = { query: { kind: 'values', schema: numberSchema, rows: [] }, displayOrder: [] };

test('what comes in goes out, each step closed by its mark, and is complete when it is confirmed', async () => {
  const engine = await engineFixture();
  const out = await engine.output('all.out');
  const input = await engine.input('a.in');
  send(input, [1, 2, 3]);
  input.send({ kind: 'mark', mark: 5 });
  await until(() => out.queuedRows === 3 && !out.isEmpty);
  const stepped = await engine.noticed('mark stepped');
  const frames = takeWaiting(out, false);
  assert.equal(rowsOf(frames), [1, 2, 3]);
  const mark = frames.at(-1);
  assert.is(mark?.kind, 'mark');
  assert.is(stepped.kind === 'mark stepped' && stepped.mark, 5);
  let progress = await engine.ask<EngineProgress>({ kind: 'progress' });
  assert.equal([progress.processedRecords, progress.completedRecords], [3, 0]);
  out.confirm(mark?.kind === 'mark' ? mark.mark : 0);
  await until(() => engine.notices.some((n) => n.kind === 'step completed' && n.step === progress.steps));
  progress = await engine.ask<EngineProgress>({ kind: 'progress' });
  assert.is(progress.completedRecords, 3);
  await engine.close();
});

test('an input is finished after the step with its last row', async () => {
  const engine = await engineFixture(10);
  const input = await engine.input('a.in');
  for (let i = 0; i < 20; i++) send(input, [i, i, i]);
  input.send({ kind: 'end' });
  const finished = await engine.noticed('input finished');
  assert.is(engine.circuit.taken.flatMap(({ numbers }) => numbers).length, 60);
  assert.is(finished.kind === 'input finished' && finished.step, engine.circuit.stepSizes.length);
  assert.ok(engine.circuit.stepSizes.every((rows) => rows <= 10));
  await engine.close();
});

test('the first step takes place without any input, for views that have rows then', async () => {
  const engine = await engineFixture();
  const count = await engine.output('count.out', { relation: 'count' });
  await engine.input('a.in');
  await until(() => count.queuedRows > 0);
  assert.equal(rowsOf(takeWaiting(count)), [0]);
  await engine.close();
});

test('no row of a held input enters a step, and no input is held by another', async () => {
  const engine = await engineFixture();
  const held = await engine.input('a.held', { held: true });
  const free = await engine.input('b.free', { table: 'b' });
  send(held, [1]);
  send(free, [2]);
  await until(() => engine.circuit.taken.length > 0);
  assert.equal(engine.circuit.taken, [{ relation: 'b', numbers: [2] }]);
  await engine.ask({ kind: 'hold input', endpoint: 'b.free' });
  send(free, [3]);
  await engine.ask({ kind: 'release input', endpoint: 'a.held' });
  await until(() => engine.circuit.taken.length > 1);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(engine.circuit.taken.slice(1), [{ relation: 'a', numbers: [1] }]);
  await engine.ask({ kind: 'release input', endpoint: 'b.free' });
  await until(() => engine.circuit.taken.length > 2);
  await engine.close();
});

test('a full output that blocks holds the steps back, and nothing is lost', async () => {
  const engine = await engineFixture(10);
  const out = await engine.output('all.out', { rowsMax: 10 });
  const input = await engine.input('a.in');
  const sent = Array.from({ length: 200 }, (_, i) => i);
  for (const n of sent) send(input, [n]);
  await until(() => engine.gauges.get('throttled') === 1);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(out.queuedRows <= 20);
  const got: number[] = [];
  await until(() => {
    got.push(...rowsOf(takeWaiting(out)));
    return got.length === sent.length;
  });
  assert.equal(got, sent);
  await engine.close();
});

test('memory that is lent goes back when the last of its rows has been in a step', async () => {
  const rooms = new FrameRooms(1 << 20);
  const engine = await engineFixture(2_000);
  const input = await engine.input('a.in', { rooms });
  const rows = Array.from({ length: 8_000 }, (_, i) => 1_000 + i);
  const [encoded] = encodeAll([numberBatch(rows)], rooms);
  holds(encoded !== undefined && !(encoded.frame instanceof ArrayBuffer), 'there is room');
  input.sendLent(encoded.frame, rows.length);
  await until(() => rooms.held.out === 0);
  // The first step may have come before.
  const sizes = engine.circuit.stepSizes.filter((size) => size > 0);
  assert.equal(sizes, [2_000, 2_000, 2_000, 2_000]);
  assert.equal(
    engine.circuit.taken.flatMap(({ numbers }) => numbers),
    rows,
  );
  await engine.close();
});

test('what waits for a full output is not in memory that is lent', async () => {
  const { port1, port2 } = new MessageChannel();
  const limits = { rowsMax: 1, bytesMax: 1 << 20 };
  const sender = openFrameSender(port1, { schema: numberSchema, limits });
  const receiver = openFrameReceiver(port2, { schema: numberSchema, limits });
  const queue = new OutputQueue({ endpoint: 'all.out', relation: 'all', sender, onFull: 'block' });
  const values = new Int32Array(new SharedArrayBuffer(8));
  values.set([1, 2]);
  const [field] = numberSchema.fields;
  holds(field !== undefined, 'numbers have a column');
  const column = { layout: 'fixed', type: field.type, validity: null, values } as const;
  const batch = { schema: numberSchema, rows: 2, weights: null, columns: [column], presence: null };
  queue.sendStep([batch], 1);
  queue.sendStep([batch], 2);
  assert.not.ok(queue.isFlushed);
  values.fill(0);
  const got: number[] = [];
  await until(() => {
    got.push(...rowsOf(takeWaiting(receiver)));
    return got.length === 4;
  });
  assert.equal(got, [1, 2, 1, 2]);
  sender.close();
  receiver.close();
});

test('an output without columns is sent how many rows there are, and what each counts for', async () => {
  const engine = await engineFixture();
  const out = await engine.output('all.out', { withoutColumns: true });
  const input = await engine.input('a.in');
  send(input, [1, 2, 3]);
  await until(() => out.queuedRows === 3);
  const [frame] = takeWaiting(out);
  assert.equal(frame?.kind === 'batch' && [frame.batch.rows, frame.batch.columns, frame.batch.weights], [3, [], null]);
  await engine.close();
});

test('a full output that drops loses whole steps, counts them, and holds nobody back', async () => {
  const engine = await engineFixture(10);
  const out = await engine.output('all.out', { rowsMax: 10, onFull: 'drop' });
  const input = await engine.input('a.in');
  for (let n = 0; n < 200; n++) send(input, [n]);
  input.send({ kind: 'end' });
  await engine.noticed('input finished');
  const { outputs } = await engine.ask<EngineProgress>({ kind: 'progress' });
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  const got = rowsOf(takeWaiting(out));
  assert.ok(got.length >= 10 && got.length < 200);
  assert.is(outputs?.[0]?.droppedRecords, 200 - got.length);
  assert.is(engine.gauges.get('droppedRecords'), 200 - got.length);
  await engine.close();
});

test('a step that cannot be computed lets nothing out and nothing more in', async () => {
  const engine = await engineFixture();
  const out = await engine.output('all.out');
  const input = await engine.input('a.in');
  send(input, [1]);
  await until(() => out.queuedRows === 1);
  send(input, [2, 666]);
  send(input, [3]);
  const failed = await engine.noticed('evaluation failed');
  assert.is(failed.kind === 'evaluation failed' && failed.error.code, 'test.poisoned');
  await engine.ask({ kind: 'drain' });
  const refused = await engine.ask({ kind: 'query', query: anyQuery }).catch((error) => error.code);
  assert.is(refused, 'engine.failed');
  await until(() => out.queuedRows === 1 && takeUntilEnd());
  assert.equal(engine.deaths, []);
  await engine.close();

  function takeUntilEnd(): boolean {
    const frames = takeWaiting(out);
    assert.equal(rowsOf(frames), [1]);
    return frames.at(-1)?.kind === 'end';
  }
});

test('a query sees whole steps and comes back encoded', async () => {
  const engine = await engineFixture();
  const input = await engine.input('a.in');
  send(input, [1, 2]);
  await until(() => engine.circuit.taken.length > 0);
  const { frames } = await engine.ask<QueryResult>({ kind: 'query', query: anyQuery });
  assert.equal(
    frames.flatMap((frame) => numbersOf(decodeBatch(frame, numberSchema).batch)),
    [2],
  );
  await engine.close();
});

test('draining steps everything that is queued and not held, then ends the outputs once', async () => {
  const engine = await engineFixture(10);
  const out = await engine.output('all.out');
  const input = await engine.input('a.in');
  const held = await engine.input('b.in', { held: true, table: 'b' });
  for (let n = 0; n < 50; n++) send(input, [n]);
  send(held, [1000]);
  await engine.ask({ kind: 'drain' });
  await engine.ask({ kind: 'detach output', endpoint: 'all.out' });
  await until(() => out.queuedRows === 50);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  const frames = takeWaiting(out);
  assert.is(rowsOf(frames).length, 50);
  assert.is(frames.filter((frame) => frame.kind === 'end').length, 1);
  await engine.close();
});

test('detaching an input waits for what it has sent, or not', async () => {
  const engine = await engineFixture(10);
  const kept = await engine.input('a.kept');
  for (let n = 0; n < 30; n++) send(kept, [n]);
  kept.close();
  await engine.ask({ kind: 'detach input', endpoint: 'a.kept', discard: false });
  assert.is(engine.circuit.taken.length, 30);
  const held = await engine.input('a.held', { held: true });
  send(held, [1]);
  await engine.ask({ kind: 'detach input', endpoint: 'a.held', discard: true });
  assert.is(engine.circuit.taken.length, 30);
  await engine.close();
});

test('an output that asks for it gets the content first, and one whose reader goes is forgotten', async () => {
  const engine = await engineFixture();
  const first = await engine.output('all.first');
  const input = await engine.input('a.in');
  send(input, [1, 2]);
  await until(() => first.queuedRows === 2);
  const second = await engine.output('all.second', { sendSnapshot: true });
  send(input, [3]);
  await until(() => second.queuedRows === 3);
  assert.equal(rowsOf(takeWaiting(second)), [1, 2, 3]);
  first.close();
  const completed = (): number => Math.max(0, ...engine.notices.map((n) => (n.kind === 'step completed' ? n.step : 0)));
  await until(() => completed() === engine.circuit.stepSizes.length);
  await engine.close();
});

test.run();
