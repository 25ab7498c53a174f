// Which frames enter a step: order, bounds, fairness, signs.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InputGate } from '../../../actors/engine/input-gate.ts';
import { planStep } from '../../../actors/engine/step-scheduler.ts';
import { assert as holds } from '../../../runtime/assert.ts';
import type { EncodedFrame, Frame, FrameReceiver } from '../../../runtime/mailbox/channel.ts';
import { numberBatch, numbersOf } from './engine-fixture.ts';

type Given = Frame | Extract<EncodedFrame, { kind: 'clear' }>;

/** A mailbox that is filled once. */
function mailbox(frames: Given[]): FrameReceiver {
  const rows = (): number => (frames[0]?.kind === 'batch' ? frames[0].batch.rows : 0);
  return {
    get queuedRows() {
      return frames.reduce((sum, frame) => sum + (frame.kind === 'batch' ? frame.batch.rows : 0), 0);
    },
    queuedBytes: 0,
    get isEmpty() {
      return frames.length === 0;
    },
    peek: () => frames[0]?.kind ?? null,
    get peekRows() {
      return rows();
    },
    take: () => {
      const frame = frames.shift() ?? null;
      holds(frame?.kind !== 'clear', 'a clear is taken as it came');
      return frame;
    },
    takeEncoded: () => {
      const frame = frames.shift() ?? null;
      holds(frame?.kind === 'clear', 'nothing else is taken as it came');
      return frame;
    },
    giveBack: () => {},
    confirm: () => {},
    settle: () => {},
    refuse: () => {},
    onFrame: null,
    onClose: null,
    close: () => {},
  };
}

function gate(endpoint: string, frames: Given[], rowsMax = Number.MAX_SAFE_INTEGER, isHeld = false): InputGate {
  return new InputGate({ endpoint, table: endpoint, receiver: mailbox(frames), rowsMax, isHeld });
}

const batch = (from: number, rows: number): Frame => ({
  kind: 'batch',
  sequence: 1,
  batch: numberBatch(Array.from({ length: rows }, (_, i) => from + i)),
});

test('steps take every row once, in the order of its input, within the bounds, with marks and ends where they stand', () => {
  const arbitraryFrame = fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: 40 }) },
    { weight: 1, arbitrary: fc.constant(-1) },
  );
  const arbitraryInput = fc.record({
    frames: fc.array(arbitraryFrame, { maxLength: 12 }),
    max: fc.integer({ min: 1, max: 60 }),
  });
  fc.assert(
    fc.property(
      fc.array(arbitraryInput, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 50 }),
      (inputs, rowsMax) => {
        const wanted = inputs.map(() => 0);
        const gates = inputs.map(({ frames, max }, g) => {
          const made = frames.map((size): Frame => {
            if (size < 0) return { kind: 'mark', mark: wanted[g]! };
            const made = batch(wanted[g]!, size);
            wanted[g]! += size;
            return made;
          });
          return gate(`${g}`, [...made, { kind: 'end' }], max);
        });
        const seen = inputs.map(() => 0);
        const ended = new Set<string>();
        for (let turn = 0; gates.some((one) => one.isReady); turn++) {
          const plan = planStep(gates, turn, rowsMax);
          const rows = inputs.map(() => 0);
          for (const { relation, batch } of plan.batches) {
            const g = Number(relation);
            holds(batch !== null, 'there are no clears');
            for (const n of numbersOf(batch)) assert.is(n, seen[g]!++);
            rows[g]! += batch.rows;
          }
          for (const [g, count] of rows.entries()) assert.ok(count <= inputs[g]!.max);
          assert.is(
            plan.rows,
            rows.reduce((a, b) => a + b, 0),
          );
          assert.ok(plan.rows <= rowsMax);
          for (const { endpoint, mark } of plan.marks) assert.ok(mark <= seen[Number(endpoint)]!);
          for (const endpoint of plan.ended) ended.add(endpoint);
          const isIdle =
            plan.rows === 0 && plan.marks.length === 0 && plan.ended.length === 0 && plan.batches.length === 0;
          assert.not(isIdle, 'every step gets on');
        }
        assert.equal(seen, wanted);
        assert.is(ended.size, inputs.length);
      },
    ),
  );
});

test('an input that has much does not keep the others waiting', () => {
  const greedy = gate(
    'greedy',
    Array.from({ length: 100 }, (_, i) => batch(i * 10, 10)),
  );
  const modest = gate('modest', [batch(0, 10)]);
  const { batches } = planStep([greedy, modest], 0, 30);
  assert.equal(
    batches.map(({ relation }) => relation),
    ['greedy', 'modest', 'greedy'],
  );
});

test('a batch that does not fit beside others waits and is not cut', () => {
  const one = gate('one', [batch(0, 20)]);
  const two = gate('two', [batch(0, 20)]);
  assert.equal(
    planStep([one, two], 0, 30).batches.map(({ relation }) => relation),
    ['one'],
  );
  assert.equal(
    planStep([one, two], 1, 30).batches.map(({ batch }) => batch?.rows),
    [20],
  );
});

test('a held input gives nothing, not even what is left of a batch that was cut', () => {
  const held = gate('held', [batch(0, 100), { kind: 'mark', mark: 7 }], 32);
  assert.is(planStep([held], 0, 1000).rows, 32);
  held.isHeld = true;
  assert.equal(planStep([held], 0, 1000).batches, []);
  assert.is(held.queuedRows, 68);
  held.isHeld = false;
  assert.equal(numbersOf(planStep([held], 0, 1000).batches[0]!.batch!)[0], 32);
});

test('a clear is taken in its order, counts as one row, and waits for a step that has room for it', () => {
  const input = gate('t', [batch(0, 2), { kind: 'clear' }, batch(2, 2), { kind: 'mark', mark: 1 }, { kind: 'clear' }]);
  const taken = (rowsMax: number): readonly (number | undefined)[] =>
    planStep([input], 0, rowsMax).batches.map(({ batch: one }) => one?.rows);
  assert.equal(taken(2), [2]);
  const plan = planStep([input], 0, 100);
  assert.equal(
    plan.batches.map(({ batch: one }) => one?.rows),
    [undefined, 2, undefined],
  );
  assert.equal([plan.rows, plan.inputs.get(input), plan.marks.length], [4, 4, 1]);
  assert.not(input.isReady);
  const held = gate('t', [{ kind: 'clear' }], 10, true);
  assert.equal(planStep([held], 0, 100).batches, []);
});

test.run();
