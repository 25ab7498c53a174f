// Pipelines without SQL, from definition to end: order of calls, acknowledgements, durable positions.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, RelayFixture } from './relay-fixture.ts';

const test = suite<{ fixture: RelayFixture }>('relay');
test.before.each((context) => {
  context.fixture = new RelayFixture();
});
test.after.each(async ({ fixture }) => await fixture.cleanUp());

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `write ${from + i}`);

test('records pass from a source to its destination, each in its order, and are acknowledged once they are stored', async ({
  fixture,
}) => {
  const pipeline = await fixture.open(fixture.definition([fixture.source(), fixture.destination()]));
  await pipeline.start();
  await pipeline.completed();
  await pipeline.stop();
  const source = fixture.lines('p:in');
  assert.equal(source.slice(0, 3), ['configure', 'onCreated null', 'open null']);
  assert.equal(source.slice(-2), ['ack 9', 'teardown']);
  const destination = fixture.lines('p:out');
  assert.equal(destination.slice(0, 3), ['configure', 'onCreated null', 'open']);
  assert.equal(
    destination.filter((line) => line.startsWith('write')),
    numbers(0, 10),
  );
  assert.equal(destination.slice(-2), ['stop', 'teardown']);
  assert.equal(await fixture.journal.positions(), [
    { connector: 'p:in', position: { record: Buffer.from('9').toString('base64') } },
  ]);
});

test('a second run goes on behind the first, and fires no event', async ({ fixture }) => {
  const all = [fixture.source(), fixture.destination()];
  for (const records of [10, 12]) {
    const [source, destination] = all;
    assert.ok(source !== undefined && destination !== undefined);
    fixture.forget('p:in');
    const grown = { ...source, settings: { ...source.settings, records: '12' } };
    const pipeline = await fixture.open(fixture.definition([records === 10 ? source : grown, destination]));
    await pipeline.start();
    await pipeline.completed();
    await pipeline.stop();
  }
  assert.equal(fixture.lines('p:in').slice(0, 3), ['configure', 'onUpdated null null', 'open 9']);
  assert.equal(
    fixture.lines('p:out').filter((line) => line.startsWith('write')),
    numbers(0, 12),
  );
  assert.is(fixture.lines('p:out').filter((line) => line.startsWith('on')).length, 1);
});

test('an idle source is acknowledged at once, and a graceful stop stops it before it is torn down', async ({
  fixture,
}) => {
  const endless = fixture.source({ endless: 'true', records: '5' });
  const pipeline = await fixture.open(fixture.definition([endless, fixture.destination()]));
  await pipeline.start();
  await eventually(() => fixture.lines('p:in').includes('ack 4'));
  assert.equal(await pipeline.stop(), { detached: [] });
  assert.equal(fixture.lines('p:in').slice(-3), ['ack 4', 'stop', 'teardown']);
});

test.run();
