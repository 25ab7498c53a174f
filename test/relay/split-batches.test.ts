// A batch that is more than one message to a plugin, which ends in the middle of it: what it had acknowledged does not come again.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ErrorRecovery } from '../../actors/relay-definition.ts';
import { probePlugin } from '../plugins/probe-plugin.ts';
import { RelayFixture } from './relay-fixture.ts';

const test = suite<{ fixture: RelayFixture }>('split batches');
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
const tool = await probePlugin();

if ('missing' in tool) {
  console.log(`skipped: ${tool.missing}`);
  test.skip('split batches', () => {});
} else {
  const { path } = tool;
  test('a destination that ends inside a large batch gets only what it had not acknowledged', async ({ fixture }) => {
    const out = join(fixture.folder, 'out');
    const records = 60;
    const source = fixture.source({ records: String(records), batch: String(records), text_length: '60000' });
    const destination = {
      ...fixture.destination({}),
      plugin: 'standalone:probe',
      settings: { out, mode: 'exit', at: '25' },
    };
    const definition = fixture.definition([source, destination], { errorRecovery: quick });
    const pipeline = await fixture.open(definition, { plugins: { 'standalone:probe': { path } } });
    await pipeline.start();
    await pipeline.completed();
    const restarts = pipeline.status.connectors.find(({ endpoint }) => endpoint === 'p:out')?.restarts ?? 0;
    await pipeline.stop();
    const times = new Map<string, number>();
    for (const line of readFileSync(out, 'utf8').trim().split('\n')) {
      const number = Buffer.from(line.split(' ')[0] ?? '', 'hex').toString();
      times.set(number, (times.get(number) ?? 0) + 1);
    }
    assert.is(times.size, records);
    // It ends behind 25 records, and a message holds four: those of the message that it was in come again, no others.
    const again = [...times].filter(([, count]) => count > 1).map(([number]) => Number(number));
    assert.ok(restarts >= 2 && restarts <= 3, `${restarts} restarts`);
    assert.ok(again.length <= 4 * restarts, `${again.length} records came again: ${again.join()}`);
    assert.not.ok(
      again.some((number) => number < 16),
      again.join(),
    );
  });
}

test.run();
