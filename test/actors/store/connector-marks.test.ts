// What the store remembers of connectors, and what of it outlives its pipeline.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectorMark } from '../../../actors/lifecycle-journal.ts';
import { withFolder, withStore } from './trial-folder.ts';

const mark = (connector: string, deleted = false): ConnectorMark => ({
  connector,
  type: 'source',
  plugin: 'builtin:file',
  active: { path: 'a' },
  intent: null,
  withoutEvents: false,
  deleted,
});

test('marks, positions and schemas are there when the folder is opened again', () =>
  withFolder(async (folder) => {
    await withStore(folder, async (store) => {
      await store.putConnectorMark('p', mark('a'));
      await store.putConnectorMark('p', { ...mark('b'), intent: { event: 'created', settings: { x: '1' } } });
      await store.putConnectorMark('pp', mark('a'));
      await store.putPositions('p', [
        { connector: 'a', position: { at: 1 } },
        { connector: 'b', position: null },
      ]);
      await store.putPositions('p', [{ connector: 'a', position: { at: 2 } }]);
      await store.putSchema({ subject: 's', version: 1, id: 1, type: 'avro', text: '"long"' });
    });
    await withStore(folder, async (store) => {
      assert.equal(await store.connectorMarks('p'), [
        mark('a'),
        { ...mark('b'), intent: { event: 'created', settings: { x: '1' } } },
      ]);
      assert.equal(await store.connectorMarks('pp'), [mark('a')]);
      assert.equal(await store.positions('p'), [
        { connector: 'a', position: { at: 2 } },
        { connector: 'b', position: null },
      ]);
      assert.equal(await store.schemas(), [{ subject: 's', version: 1, id: 1, type: 'avro', text: '"long"' }]);
      await store.removeConnectorMark('p', 'a');
      assert.equal(
        (await store.positions('p')).map(({ connector }) => connector),
        ['b'],
      );
    });
  }));

test('a deleted pipeline takes its marks and positions with it, but not what it owes', () =>
  withFolder((folder) =>
    withStore(folder, async (store) => {
      await store.putPipeline('p', {});
      await store.putConnectorMark('p', mark('kept', true));
      await store.putConnectorMark('p', mark('gone'));
      await store.putConnectorMark('other', mark('stays'));
      await store.putPositions('p', [{ connector: 'gone', position: { at: 1 } }]);
      await store.deletePipeline('p');
      assert.equal(await store.connectorMarks('p'), [mark('kept', true)]);
      assert.equal(await store.positions('p'), []);
      assert.equal(await store.connectorMarks('other'), [mark('stays')]);
      assert.equal(await store.owedMarks(), [{ pipeline: 'p', mark: mark('kept', true) }]);
    }),
  ));

test.run();
