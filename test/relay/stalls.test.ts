// Connectors that hang, in each call of their life: that is to be seen in their status, and they can be stopped all the same.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RelayFixture } from './relay-fixture.ts';

const test = suite<{ fixture: RelayFixture }>('connectors that hang');
test.before.each((context) => {
  context.fixture = new RelayFixture();
});
test.after.each(async ({ fixture }) => await fixture.cleanUp());

const deadlines = { stallMs: 100, stopMs: 300, teardownMs: 300 };

for (const [side, phase] of [
  ['source', 'configure'],
  ['source', 'onCreated'],
  ['source', 'open'],
  ['destination', 'configure'],
  ['destination', 'onCreated'],
  ['destination', 'open'],
  ['destination', 'write'],
] as const) {
  test(`a ${side} that hangs in ${phase} is shown as stalled, with the call, and is let go of by a stop`, async ({
    fixture,
  }) => {
    const settings = { hang: phase };
    const source = fixture.source({ endless: 'true', ...(side === 'source' ? settings : {}) });
    const destination = fixture.destination(side === 'destination' ? settings : {});
    const pipeline = await fixture.open(fixture.definition([source, destination]), { deadlines });
    const started = pipeline.start().catch(() => {});
    const id = side === 'source' ? 'p:in' : 'p:out';
    const status = await pipeline.statusWhere(({ connectors }) =>
      // A call before it may take as long on a slow machine.
      connectors.some(
        ({ endpoint, health: { status, reason } }) =>
          endpoint === id && status === 'stalled' && reason.includes(`not come back from ${phase}`),
      ),
    );
    const health = status.connectors.find(({ endpoint }) => endpoint === id)?.health;
    assert.type(health?.since, 'number');
    await pipeline.stop({ force: true });
    await started;
  });
}

test('a source that reads nothing for long is shown as quiet, and as ok when it reads again', async ({ fixture }) => {
  // It has enough to read afterwards: a state that is over again soon may be seen by nobody on a slow machine.
  const source = fixture.source({ endless: 'true', hang_read: '5', records: '5000' });
  const pipeline = await fixture.open(fixture.definition([source, fixture.destination()]), { deadlines });
  await pipeline.start();
  const healthOf = (wanted: string): Promise<unknown> =>
    pipeline.statusWhere(({ connectors }) =>
      connectors.some(({ endpoint, health }) => endpoint === 'p:in' && health.status === wanted),
    );
  await healthOf('quiet');
  fixture.touch('p:in', 'released');
  await healthOf('ok');
  await pipeline.stop({ force: true });
});

test.run();
