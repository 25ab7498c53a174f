// Transactions, paused outputs, marks for every step, and checkpoints of the engine actor.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { engineBehaviour } from '../../../actors/engine/engine-actor.ts';
import type { EngineCheckpoint, EngineMessage, EngineNotice, EngineProgress } from '../../../actors/engine/messages.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { loneActor, until } from '../lone-actor.ts';
import { engineFixture, rowsOf, send, TestCircuit, takeWaiting } from './engine-fixture.ts';

const start: EngineMessage = { kind: 'start transaction' };
const commit: EngineMessage = { kind: 'commit transaction' };

async function refused(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.is(error instanceof MillraceError && error.code, code);
}

test('what comes in during a transaction is one step, whatever a step may take', async () => {
  const engine = await engineFixture(10);
  const out = await engine.output('all.out');
  const input = await engine.input('a.in');
  const other = await engine.input('b.in', { table: 'b' });
  assert.is(await engine.ask(start), 1);
  await refused(engine.ask(start), 'transaction.in_progress');
  for (let i = 0; i < 20; i++) {
    send(input, [i, i, i]);
    send(other, [100 + i]);
  }
  input.send({ kind: 'mark', mark: 1 });
  input.send({ kind: 'end' });
  await until(() => input.queuedRows === 0 && other.queuedRows === 0);
  assert.ok(out.isEmpty);
  assert.equal(engine.circuit.stepSizes, [0]);
  assert.is(engine.notices.filter((n) => n.kind === 'mark stepped' || n.kind === 'input finished').length, 0);
  const waiting = await engine.ask<EngineProgress>({ kind: 'progress' });
  assert.equal(
    waiting.inputs?.map(({ takenRecords, queuedRecords }) => [takenRecords, queuedRecords]),
    [
      [0, 60],
      [0, 20],
    ],
  );
  await engine.ask(commit);
  assert.equal(engine.circuit.stepSizes, [0, 80]);
  await until(() => out.queuedRows === 80);
  assert.is(takeWaiting(out).filter((frame) => frame.kind === 'mark').length, 1);
  await engine.noticed('input finished');
  const committed = await engine.noticed('transaction committed');
  assert.equal(committed, { kind: 'transaction committed', id: 1, step: 2 });
  await refused(engine.ask(commit), 'transaction.none');
  await engine.close();
});

test('a commit waits for an output that is full, and rows behind it wait for their own step', async () => {
  const engine = await engineFixture();
  const out = await engine.output('all.out', { rowsMax: 2 });
  const input = await engine.input('a.in');
  send(input, [1, 2, 3]);
  await until(() => out.queuedRows === 3);
  await engine.ask(start);
  send(input, [4, 5]);
  await until(() => input.queuedRows === 0);
  await engine.ask(commit);
  send(input, [6]);
  assert.not.ok(engine.circuit.stepSizes.includes(2));
  assert.equal(rowsOf(takeWaiting(out)), [1, 2, 3]);
  await engine.noticed('transaction committed');
  await until(() => out.queuedRows >= 2);
  assert.equal(rowsOf(takeWaiting(out)).slice(0, 2), [4, 5]);
  await until(() => engine.circuit.stepSizes.at(-1) === 1);
  await engine.close();
});

test('a commit takes everything that has arrived, however few rows of an input a step may take', async () => {
  const engine = await engineFixture();
  const input = await engine.input('a.in', { batchRowsMax: 2 });
  await engine.ask(start);
  for (let n = 0; n < 50; n++) send(input, [n, n, n]);
  await engine.ask(commit);
  assert.equal(engine.circuit.stepSizes, [0, 150]);
  await engine.close();
});

test('a drain carries out a transaction that is open', async () => {
  const engine = await engineFixture();
  const input = await engine.input('a.in');
  await engine.ask(start);
  send(input, [1, 2]);
  await engine.ask({ kind: 'drain' });
  assert.equal(engine.circuit.stepSizes, [0, 2]);
  await engine.close();
});

test('a paused output gets nothing, holds nobody back, and goes on with the next step', async () => {
  const engine = await engineFixture();
  const out = await engine.output('all.out', { rowsMax: 1 });
  const input = await engine.input('a.in');
  await engine.ask({ kind: 'pause output', endpoint: 'all.out' });
  for (const n of [1, 2, 3]) {
    send(input, [n]);
    await until(() => engine.circuit.taken.length === n);
  }
  const { completedStep, steps } = await engine.ask<EngineProgress>({ kind: 'progress' });
  assert.is(completedStep, steps);
  await engine.ask({ kind: 'resume output', endpoint: 'all.out' });
  send(input, [4]);
  await until(() => out.queuedRows > 0);
  assert.equal(rowsOf(takeWaiting(out)), [4]);
  await engine.close();
});

test('a checkpoint says what has entered steps, and an engine goes on from it', async () => {
  const engine = await engineFixture(2);
  const held = await engine.input('b.held', { table: 'b', held: true });
  const input = await engine.input('a.in');
  send(held, [9]);
  send(input, [1, 2, 3]);
  input.send({ kind: 'end' });
  await engine.noticed('input finished');
  const image = await engine.ask<EngineCheckpoint>({ kind: 'checkpoint', checkpoint: 'c' });
  assert.equal(image.inputs, [
    { endpoint: 'b.held', takenRecords: 0, ended: false },
    { endpoint: 'a.in', takenRecords: 3, ended: true },
  ]);
  await engine.ask(start);
  await refused(engine.ask({ kind: 'checkpoint', checkpoint: 'c' }), 'transaction.in_progress');
  await engine.close();
  const circuit = new TestCircuit();
  const program = { tables: [], views: [] };
  const restored = await loneActor<never, EngineMessage, EngineNotice>(
    engineBehaviour(() => circuit) as never, // SAFETY: the arguments below are those of the behaviour.
    { program, onError: 'stop', stepRowsMax: 10, restore: image } as never,
  );
  const progress = await restored.ask<EngineProgress>({ kind: 'progress' });
  assert.equal([progress.steps, progress.processedRecords, progress.completedStep], [image.steps, 3, image.steps]);
  const completed = await restored.noticed('step completed');
  assert.is(completed.kind === 'step completed' && completed.step, image.steps);
  assert.is(circuit.statistics().stateRows, 3);
  await restored.actor.stop();
});

test.run();
