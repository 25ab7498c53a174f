// Processors on the way: what they drop is acknowledged, what they refuse goes to the dead-letter queue, in the order of the records.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelayProcessor } from '../../actors/relay-definition.ts';
import { RelayFixture } from './relay-fixture.ts';

const test = suite<{ fixture: RelayFixture }>('processors');
test.before.each((context) => {
  context.fixture = new RelayFixture();
});
test.after.each(async ({ fixture }) => await fixture.cleanUp());

const processor = (id: string, plugin: string, condition: string): RelayProcessor => ({
  id,
  plugin,
  settings: {},
  condition,
  workers: 1,
});
const numberIs = (...numbers: readonly number[]): string =>
  `{{ or ${[...numbers, -1].map((n) => `(eq .Metadata.n "${n}")`).join(' ')} }}`;
const written = (lines: readonly string[]): string[] =>
  lines.filter((line) => line.startsWith('write')).map((line) => line.split(' ')[1] ?? '');

for (const side of ['source', 'destination'] as const) {
  test(`of the ${side}: the filtered are acknowledged, the refused are dead letters, the others pass`, async ({
    fixture,
  }) => {
    const processors = [
      processor('p:drop', 'filter', numberIs(0, 4, 9)),
      processor('p:refuse', 'error', numberIs(2, 3, 7)),
    ];
    const source = { ...fixture.source({ batch: '4' }), ...(side === 'source' ? { processors } : {}) };
    const destination = {
      ...fixture.destination({}, 'p:out', 'builtin:answering'),
      ...(side === 'destination' ? { processors } : {}),
    };
    const deadLetterQueue = fixture.deadLetters({ windowSize: 0, windowNackThreshold: 0 });
    const pipeline = await fixture.open(fixture.definition([source, destination], { deadLetterQueue }));
    await pipeline.start();
    await pipeline.completed();
    await pipeline.stop();
    assert.equal(written(fixture.lines('p:out')), ['1', '5', '6', '8']);
    assert.equal(written(fixture.lines('p-dlq')), ['p:in/2', 'p:in/3', 'p:in/7']);
    assert.equal(await fixture.journal.positions(), [
      { connector: 'p:in', position: { record: Buffer.from('9').toString('base64') } },
    ]);
  });
}

test('a processor that a module of the user exports runs where it is named', async ({ fixture }) => {
  const processors = [{ ...processor('p:mine', 'keep_even@v1', ''), settings: { upTo: '6' } }];
  const pipeline = await fixture.open(fixture.definition([fixture.source(), fixture.destination()], { processors }));
  await pipeline.start();
  await pipeline.completed();
  await pipeline.stop();
  assert.equal(written(fixture.lines('p:out')), ['0', '2', '4', '6']);
});

test('a refusal of a processor that is one too many fails the pipeline, with what stands before it acknowledged', async ({
  fixture,
}) => {
  const processors = [processor('p:refuse', 'error', numberIs(5))];
  const pipeline = await fixture.open(fixture.definition([fixture.source(), fixture.destination()], { processors }));
  await pipeline.start();
  const status = await pipeline.statusWhere(({ state }) => state === 'failed');
  assert.match(status.error?.message ?? '', "'p:refuse' has refused a record");
  await pipeline.stop();
  assert.equal(await fixture.journal.positions(), [
    { connector: 'p:in', position: { record: Buffer.from('4').toString('base64') } },
  ]);
});

test('everything that is wrong with processors is told before anything is started, with its place', async ({
  fixture,
}) => {
  const processors = [processor('p:one', 'fildset', ''), processor('p:two', 'filter', '{{ eq }')];
  const source = { ...fixture.source(), processors: [processor('p:three', 'filter', '{{ nobody }}')] };
  const definition = fixture.definition([source, fixture.destination()], { processors });
  try {
    await fixture.open(definition);
    assert.unreachable();
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    for (const place of ['connectors[0].processors[0].condition', 'processors[0].plugin', 'processors[1].condition']) {
      assert.ok(message.includes(place), message);
    }
  }
  assert.equal(fixture.lines('p:in'), []);
});

test.run();
