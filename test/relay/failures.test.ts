// What fails in pipelines without SQL, and who is made to feel it: restarts of single connectors, refused records, calls that hang.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ErrorRecovery } from '../../actors/relay-definition.ts';
import { eventually, RelayFixture } from './relay-fixture.ts';

const test = suite<{ fixture: RelayFixture }>('failures of connectors');
test.before.each((context) => {
  context.fixture = new RelayFixture();
});
test.after.each(async ({ fixture }) => await fixture.cleanUp());

const quick: ErrorRecovery = {
  minDelayMs: 5,
  maxDelayMs: 20,
  backoffFactor: 2,
  maxRetries: -1,
  maxRetriesWindowMs: 300_000,
};
const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `write ${from + i}`);
const writes = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith('write'));

test('a destination that fails is opened again alone, and gets what it had not acknowledged', async ({ fixture }) => {
  const failing = fixture.destination({ fail: 'write', fail_at: '4', fail_times: '2' }, 'p:out', 'builtin:answering');
  const definition = fixture.definition([fixture.source(), failing], { errorRecovery: quick });
  const pipeline = await fixture.open(definition);
  await pipeline.start();
  await pipeline.completed();
  const status = pipeline.status.connectors.find(({ endpoint }) => endpoint === 'p:out');
  assert.is(status?.restarts, 2);
  await pipeline.stop();
  assert.equal(writes(fixture.lines('p:out')), numbers(0, 10));
  assert.is(fixture.lines('p:out').filter((line) => line === 'open').length, 3);
  assert.is(fixture.lines('p:in').filter((line) => line.startsWith('open')).length, 1);
  // Its event has succeeded once.
  assert.is(fixture.lines('p:out').filter((line) => line.startsWith('onCreated')).length, 1);
});

test('a source that fails is opened again alone, behind what was delivered', async ({ fixture }) => {
  const failing = fixture.source({ fail: 'read', fail_at: '5', fail_times: '2' });
  const definition = fixture.definition([failing, fixture.destination()], { errorRecovery: quick });
  const pipeline = await fixture.open(definition);
  await pipeline.start();
  await pipeline.completed();
  await pipeline.stop();
  assert.equal(writes(fixture.lines('p:out')), numbers(0, 10));
  assert.equal(
    fixture.lines('p:in').filter((line) => line.startsWith('open')),
    ['open null', 'open 4', 'open 4'],
  );
  // A source that has failed is not asked to stop.
  assert.not.ok(fixture.lines('p:in').includes('stop'));
});

test('more failures than are allowed in a window fail the pipeline, with the cause', async ({ fixture }) => {
  const failing = fixture.source({ fail: 'open' });
  const definition = fixture.definition([failing, fixture.destination()], {
    errorRecovery: { ...quick, maxRetries: 2 },
  });
  const pipeline = await fixture.open(definition);
  await pipeline.start();
  const status = await pipeline.statusWhere(({ state }) => state === 'failed');
  assert.is(status.error?.code, 'connector.failed');
  assert.match(status.error?.causes[0]?.message ?? '', 'open fails as it was told to');
  await pipeline.stop();
  assert.is(fixture.lines('p:in').filter((line) => line.startsWith('open')).length, 3);
  assert.is(fixture.lines('p:in').filter((line) => line === 'teardown').length, 3);
});

test('a refused record stops the pipeline when none may be refused, and nothing that was acknowledged comes again', async ({
  fixture,
}) => {
  const refusing = fixture.destination({ refuse: '4' }, 'p:out', 'builtin:answering');
  const pipeline = await fixture.open(fixture.definition([fixture.source(), refusing], { errorRecovery: quick }));
  await pipeline.start();
  const status = await pipeline.statusWhere(({ state }) => state === 'failed');
  assert.is(status.error?.code, 'dead_letters.threshold_exceeded');
  assert.match(status.error?.causes[0]?.message ?? '', 'no 4 for me');
  await pipeline.stop();
  assert.equal(await fixture.journal.positions(), [
    { connector: 'p:in', position: { record: Buffer.from('3').toString('base64') } },
  ]);
  assert.equal(writes(fixture.lines('p-dlq')), []);
});

test('refused records within the window are kept whole by the dead-letter queue, and the others pass', async ({
  fixture,
}) => {
  const refusing = fixture.destination({ refuse: '2,7' }, 'p:out', 'builtin:answering');
  const deadLetterQueue = fixture.deadLetters({ windowSize: 5, windowNackThreshold: 1 });
  const pipeline = await fixture.open(fixture.definition([fixture.source(), refusing], { deadLetterQueue }));
  await pipeline.start();
  await pipeline.completed();
  await pipeline.stop();
  assert.equal(
    writes(fixture.lines('p:out')),
    numbers(0, 10).filter((line) => !['write 2', 'write 7'].includes(line)),
  );
  const letters = writes(fixture.lines('p-dlq'));
  assert.equal(
    letters.map((line) => line.split(' ')[1]),
    ['p:in/2', 'p:in/7'],
  );
  assert.match(letters[0] ?? '', '"payload":{"before":null,"after":{"number":"2n","text":"record 2"}}');
  assert.equal(await fixture.journal.positions(), [
    { connector: 'p:in', position: { record: Buffer.from('9').toString('base64') } },
  ]);
});

test('an event that fails fails the start and comes again; one that succeeded does not when open fails', async ({
  fixture,
}) => {
  const source = fixture.source({ fail: 'onCreated', fail_times: '1' });
  const destination = fixture.destination({ fail: 'open', fail_times: '1' });
  const pipeline = await fixture.open(fixture.definition([source, destination], { errorRecovery: quick }));
  await pipeline.start();
  await pipeline.completed();
  await pipeline.stop();
  assert.equal(fixture.lines('p:in').slice(0, 6), [
    'configure',
    'onCreated null',
    'teardown',
    'configure',
    'onCreated null',
    'open null',
  ]);
  assert.equal(fixture.lines('p:out').slice(0, 6), [
    'configure',
    'onCreated null',
    'open',
    'teardown',
    'configure',
    'open',
  ]);
});

test('a stop is not kept waiting by a source that hangs in open, and says so', async ({ fixture }) => {
  const pipeline = await fixture.open(fixture.definition([fixture.source({ hang: 'open' }), fixture.destination()]), {
    deadlines: { teardownMs: 60_000, stopMs: 300 },
  });
  await pipeline.start();
  await eventually(() => fixture.lines('p:in').includes('open null'));
  assert.is(pipeline.state('p:in'), 'opening');
  await pipeline.stop();
  assert.equal(fixture.lines('p:in').slice(-2), ['open null', 'teardown']);
});

test('a connector that hangs in teardown is let go of, and the answer names it', async ({ fixture }) => {
  const pipeline = await fixture.open(
    fixture.definition([fixture.source({ hang: 'teardown' }), fixture.destination()]),
    {
      // The other connectors are torn down within it.
      deadlines: { teardownMs: 2_000 },
    },
  );
  await pipeline.start();
  await eventually(() => fixture.lines('p:in').includes('ack 9'));
  const { detached } = await pipeline.stop();
  assert.equal(detached, [{ endpoint: 'p:in', direction: 'input', phase: 'teardown' }]);
});

test('a call that does not come back within its deadline fails the start and is named', async ({ fixture }) => {
  const definition = fixture.definition([fixture.source(), fixture.destination({ hang: 'onCreated' })], {
    errorRecovery: { ...quick, maxRetries: 0 },
  });
  // The source is configured and told within the same time.
  const deadlines = { configureMs: 1_000, eventMs: 1_000, teardownMs: 60_000 };
  const pipeline = await fixture.open(definition, { deadlines });
  await pipeline.start().catch(() => {});
  const status = await pipeline.statusWhere(({ state }) => state === 'failed');
  assert.match(status.error?.causes[0]?.message ?? '', "'p:out' has not come back from onCreated within 2000 ms");
  await pipeline.stop();
});

test.run();
