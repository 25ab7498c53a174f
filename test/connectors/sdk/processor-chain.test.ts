// Chains of processors: what rows of the answer and failures say about the rows that came in.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Processor, perRecord } from '../../../connectors/sdk/processor.ts';
import { ProcessorChain } from '../../../connectors/sdk/processor-chain.ts';
import type { ConnectorRecord } from '../../../connectors/sdk/record.ts';
import { recordBatchOf, recordsOf } from '../../../connectors/sdk/record-batch.ts';

const encoder = new TextEncoder();
const textOf = (record: ConnectorRecord): string =>
  record.after instanceof Uint8Array ? Buffer.from(record.after).toString() : '';

function recordsFrom(texts: readonly string[]): ConnectorRecord[] {
  return texts.map((text, i) => ({
    position: encoder.encode(`p${i}`),
    operation: 'create',
    metadata: {},
    key: null,
    before: null,
    after: encoder.encode(text),
  }));
}

/** Every letter of the text becomes a record. */
const letters: Processor = perRecord((record) =>
  [...textOf(record)].map((letter) => ({ ...record, after: encoder.encode(letter) })),
);

function refusing(letter: string): Processor {
  return perRecord((record) => {
    if (textOf(record).includes(letter)) throw new Error(`no ${letter}`);
    return record;
  });
}

function dropping(letter: string): Processor {
  return perRecord((record) => (textOf(record).includes(letter) ? null : record));
}

const chainOf = (...processors: Processor[]): ProcessorChain =>
  new ProcessorChain(processors.map((processor, i) => ({ id: `processor ${i}`, processor })));

test('a chain without processors answers with the batch itself', async () => {
  const batch = recordBatchOf(recordsFrom(['a', 'b']));
  const chain = chainOf();
  assert.ok(chain.isEmpty);
  assert.equal(await chain.process(batch), { batch, origins: null, failed: [] });
});

test('a record whose part is refused is refused whole, once, by name', async () => {
  const batch = recordBatchOf(recordsFrom(['ab', 'xax', 'cb']));
  const { batch: out, origins, failed } = await chainOf(letters, dropping('b'), refusing('x')).process(batch);
  assert.equal(recordsOf(out).map(textOf), ['a', 'c']);
  assert.equal([...(origins ?? [])], [0, 2]);
  assert.equal(
    failed.map(({ row, node, error }) => [row, node, error.message]),
    [[1, 'processor 2', 'no x']],
  );
});

test('origins and failures of any chain are those of its records one by one', async () => {
  const step = fc.oneof(
    fc.constant(letters),
    fc.constantFrom('a', 'b', 'c').map(refusing),
    fc.constantFrom('a', 'b', 'c').map(dropping),
  );
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 8 }), fc.array(step, { maxLength: 4 }), async (texts, steps) => {
      const records = recordsFrom(texts);
      const whole = await chainOf(...steps).process(recordBatchOf(records));
      const outcomes: string[] = [];
      const failures: number[] = [];
      for (const [i, record] of records.entries()) {
        const one = await chainOf(...steps).process(recordBatchOf([record]));
        if (one.failed.length > 0) failures.push(i);
        else for (const made of recordsOf(one.batch)) outcomes.push(`${i} ${textOf(made)}`);
      }
      const rows = recordsOf(whole.batch);
      const { origins } = whole;
      assert.equal(
        rows.map((record, row) => `${origins === null ? row : origins[row]} ${textOf(record)}`),
        outcomes,
      );
      assert.equal(
        whole.failed.map(({ row }) => row),
        failures,
      );
    }),
    { numRuns: 200 },
  );
});

test('what was opened is torn down, the last first, also when one cannot be opened', async () => {
  const calls: string[] = [];
  const named = (name: string, fails = false): Processor => ({
    process: (batch) => ({ batch, origins: null, failed: [] }),
    open: () => {
      calls.push(`open ${name}`);
      if (fails) throw new Error(`cannot open ${name}`);
    },
    teardown: () => void calls.push(`teardown ${name}`),
  });
  const chain = chainOf(named('a'), named('b', true), named('c'));
  try {
    await chain.open();
    assert.unreachable();
  } catch (thrown) {
    assert.is(thrown instanceof Error && thrown.message, 'cannot open b');
  }
  await chain.teardown();
  assert.equal(calls, ['open a', 'open b', 'teardown b', 'teardown a']);
});

test.run();
