// The same connectors around a program: records become rows of tables, changes of views records, and sources hear of checkpoints.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OpenRequest } from '../../actors/gateway/embedded/control-interface.ts';
import { eventually, RelayFixture, type RunningRelay } from './relay-fixture.ts';

const test = suite<{ fixture: RelayFixture }>('records and SQL');
test.before.each((context) => {
  context.fixture = new RelayFixture();
});
test.after.each(async ({ fixture }) => await fixture.cleanUp());

const program = `
  CREATE TABLE records (number BIGINT NOT NULL PRIMARY KEY, text VARCHAR, opencdc_operation VARCHAR);
  CREATE MATERIALIZED VIEW doubled AS SELECT number * 2 AS twice, opencdc_operation AS op FROM records;`;

function open(fixture: RelayFixture, source: object, more: Partial<OpenRequest> = {}): Promise<RunningRelay> {
  const inputs = {
    in: { stream: 'records', transport: { name: 'trial', config: { log: fixture.log('in'), ...source } } },
  };
  const transport = { name: 'trial', config: { log: fixture.log('out'), note: 'dead letters' } };
  const definition = { name: 'p', program, inputs, outputs: { out: { stream: 'doubled', transport } } };
  return fixture.openDefinition(definition, more);
}

test('a source of records feeds a table, and a destination of records is written the changes of a view', async ({
  fixture,
}) => {
  const pipeline = await open(fixture, { records: 3 });
  await pipeline.start();
  await pipeline.completed();
  await pipeline.stop();
  const written = fixture.lines('out').filter((line) => line.startsWith('write'));
  assert.equal(
    written.map((line) => line.slice(line.indexOf('{'))).sort(),
    [0, 2, 4].map((twice) => `{"twice":"${twice}n","op":"create"}`),
  );
  assert.equal(fixture.lines('in').slice(0, 3), ['configure', 'onCreated null', 'open null']);
  assert.ok(fixture.lines('in').includes('ack 2'));
});

test('where checkpoints are taken a source is acknowledged once one that holds its records is stored', async ({
  fixture,
}) => {
  const pipeline = await open(fixture, { records: 5, endless: true }, { acknowledgesCheckpoints: true });
  await pipeline.start();
  const stats = () => pipeline.control.call('stats', (control) => control.stats());
  let now = await stats();
  while (now.inputs[0]?.takenRecords !== 5) now = await stats();
  assert.is(now.awaitsCheckpoint, true);
  assert.not.ok(fixture.lines('in').some((line) => line.startsWith('ack')));
  const image = await pipeline.control.wait('checkpoint', (control, waitId) => control.checkpoint(waitId));
  assert.not.ok(fixture.lines('in').some((line) => line.startsWith('ack')));
  await pipeline.control.call('stored', (control) => control.checkpointStored());
  await eventually(() => fixture.lines('in').includes('ack 4'));
  assert.is((await stats()).awaitsCheckpoint, false);
  await pipeline.stop({ force: true });
  fixture.forget('in');
  const again = await open(fixture, { records: 7 }, { restore: image });
  await again.start();
  await again.completed();
  await again.stop();
  assert.ok(fixture.lines('in').includes('open 4'));
});

test.run();
