// Lifecycle events against a model: what a connector has been told, whatever is changed between starts and wherever the process dies.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LifecycleCall } from '../../../actors/connector-calls.ts';
import type { ConnectorMark, LifecycleJournal } from '../../../actors/lifecycle-journal.ts';
import { deletionStep, startStep } from '../../../actors/supervisor/lifecycle-events.ts';
import { LifecycleKeeper } from '../../../actors/supervisor/lifecycle-keeper.ts';
import { memoryJournal } from '../../../actors/supervisor/memory-journal.ts';
import { PluginHasNoEvents } from '../../../connectors/standalone/plugin-errors.ts';

const source = (settings: Record<string, string>, plugin = 'p') =>
  ({ connector: 'c', type: 'source', plugin, settings }) as const;
const a = { path: 'a' };
const b = { path: 'b' };

/** A connector that notes its events; `next` says how the next call goes. */
class Told {
  readonly events: string[] = [];
  next: 'succeed' | 'fail' | 'unknown' = 'succeed';

  readonly tell = async (call: LifecycleCall | null): Promise<void> => {
    if (call === null) return;
    this.events.push(spelled(call));
    if (this.next === 'fail') throw new Error('no');
    if (this.next === 'unknown') throw new PluginHasNoEvents({ plugin: 'p', event: call.event });
  };
}

function spelled(call: LifecycleCall): string {
  const show = (settings: Readonly<Record<string, unknown>>): string => JSON.stringify(settings);
  return call.event === 'updated'
    ? `updated ${show(call.before)} ${show(call.after)}`
    : `${call.event} ${show(call.settings)}`;
}

async function keeperOf(journal: LifecycleJournal): Promise<LifecycleKeeper> {
  const keeper = new LifecycleKeeper(journal);
  await keeper.load();
  return keeper;
}

test('a connector that is never started hears nothing, also when it is deleted', async () => {
  const journal = memoryJournal();
  const told = new Told();
  await (await keeperOf(journal)).delete('c', told.tell);
  assert.equal(told.events, []);
});

test('what changes before the first start is one creation with the newest settings', async () => {
  const told = new Told();
  const keeper = await keeperOf(memoryJournal());
  await keeper.start(source(b), told.tell);
  assert.equal(told.events, [`created ${JSON.stringify(b)}`]);
});

test('settings that change are one update at the next start; those that are as they were are none', async () => {
  const told = new Told();
  const keeper = await keeperOf(memoryJournal());
  await keeper.start(source(a), told.tell);
  await keeper.start(source({ ...a }), told.tell);
  await keeper.start(source(b), told.tell);
  await keeper.start(source(b, 'another plugin'), told.tell);
  assert.equal(told.events, ['created {"path":"a"}', 'updated {"path":"a"} {"path":"b"}']);
});

test('a deletion speaks of the settings of the last start', async () => {
  const told = new Told();
  const journal = memoryJournal();
  const keeper = await keeperOf(journal);
  await keeper.start(source(a), told.tell);
  await keeper.delete('c', told.tell);
  assert.equal(told.events, ['created {"path":"a"}', 'deleted {"path":"a"}']);
  assert.equal(await journal.marks(), []);
});

test('an event that fails is not recorded and comes again; a deletion is owed until it succeeds', async () => {
  const told = new Told();
  const journal = memoryJournal();
  const keeper = await keeperOf(journal);
  const failing = async (call: Promise<void>): Promise<void> =>
    await call.then(
      () => assert.unreachable(),
      () => {},
    );
  told.next = 'fail';
  await failing(keeper.start(source(a), told.tell));
  told.next = 'succeed';
  await keeper.start(source(a), told.tell);
  told.next = 'fail';
  await failing(keeper.start(source(b), told.tell));
  await failing(keeper.delete('c', told.tell));
  told.next = 'succeed';
  await (await keeperOf(journal)).delete('c', told.tell);
  assert.equal(told.events.slice(2), [
    'updated {"path":"a"} {"path":"b"}',
    'deleted {"path":"a"}',
    'deleted {"path":"a"}',
  ]);
});

test('a connector that knows no events is asked once, until its plugin changes', async () => {
  const told = new Told();
  told.next = 'unknown';
  const keeper = await keeperOf(memoryJournal());
  await keeper.start(source(a), told.tell);
  await keeper.start(source(b), told.tell);
  assert.is(told.events.length, 1);
  await keeper.start(source(a, 'q'), told.tell);
  assert.is(told.events.length, 2);
  await keeper.delete('c', told.tell);
  assert.is(told.events.length, 2);
});

test('settings are the same whatever the order of their keys, and nothing is written for what has not changed', () => {
  const mark: ConnectorMark = {
    connector: 'c',
    type: 'source',
    plugin: 'p',
    active: { x: '1', y: '2' },
    intent: null,
    withoutEvents: false,
    deleted: false,
  };
  assert.equal(startStep(mark, source({ y: '2', x: '1' })), { event: null, before: null, after: null, failed: null });
  assert.is(deletionStep({ ...mark, active: null }).event, null);
});

/** Dies, for good, at a given write or call. */
class Crash extends Error {}

interface Step {
  readonly action: 'start' | 'delete';
  readonly settings: number;
  /** The write or call at which the process dies: 0 the intent, 1 the event before, 2 the event after, 3 the outcome; 4: none. */
  readonly dies: number;
  readonly fails: boolean;
}

test('wherever the process dies, no event is lost, and only one whose end nobody knows comes twice', async () => {
  const step = fc.record({
    action: fc.constantFrom('start' as const, 'start' as const, 'start' as const, 'delete' as const),
    settings: fc.integer({ min: 0, max: 2 }),
    dies: fc.integer({ min: 0, max: 6 }),
    fails: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps: readonly Step[]) => {
      const kept = memoryJournal();
      /** What the connector itself knows it was told last, and the event it was told without anybody knowing. */
      let known: string | null = null;
      let unsure: string | null = null;
      for (const { action, settings: number, dies, fails } of steps) {
        const settings = { n: String(number) };
        let writes = 0;
        const dying: LifecycleJournal = {
          ...kept,
          putMark: async (mark) => {
            if (dies === 0 && writes === 0) throw new Crash();
            if (dies === 3 && writes === 1) throw new Crash();
            writes++;
            await kept.putMark(mark);
          },
        };
        const keeper = await keeperOf(dying);
        let hasHeard = false;
        const tell = async (call: LifecycleCall | null): Promise<void> => {
          if (call === null) return;
          if (dies === 1) throw new Crash();
          // Never told of what it knows, unless nobody knew that it does.
          const says: string | null = call.event === 'deleted' ? null : settingsOf(call);
          if (call.event === 'created') assert.ok(known === null || unsure !== null, 'created twice');
          if (call.event === 'updated') {
            assert.ok(known !== null || unsure !== null, 'updated without being created');
            assert.ok(says !== known || unsure !== null, 'updated to what it knows');
          }
          if (fails && dies > 3) throw new Error('refused');
          hasHeard = true;
          known = says;
          if (dies === 2) throw new Crash();
        };
        try {
          if (action === 'start') await keeper.start({ ...source(settings) }, tell);
          else await keeper.delete('c', tell);
          unsure = null;
          // Whatever came before: after a start it knows what it runs with, after a deletion it knows nothing.
          assert.is(known, action === 'start' ? JSON.stringify(settings) : null);
        } catch (error) {
          if (error instanceof Crash && hasHeard) unsure = known ?? 'deleted';
        }
      }
    }),
    { numRuns: 400 },
  );
});

function settingsOf(call: LifecycleCall): string {
  return JSON.stringify(call.event === 'updated' ? call.after : call.settings);
}

test.run();
