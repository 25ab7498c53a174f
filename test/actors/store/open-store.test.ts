// The store by its face: catalog, keys, checkpoints, ingress log, and what remains of them when the folder is opened again.
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { StoredApiKey } from '../../../actors/store/messages.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { codeOf, trialImage, withFolder, withStore } from './trial-folder.ts';

const key: StoredApiKey = {
  id: 'k1',
  name: 'first',
  scopes: ['read'],
  pipelines: null,
  createdAt: 1,
  salt: '00',
  hash: 'ff',
};

test('what was written is there when the folder is opened again', () =>
  withFolder(async (folder) => {
    await withStore(folder, async (store) => {
      assert.equal(await store.putPipeline('a', { name: 'one' }), { id: 'a', version: 1, document: { name: 'one' } });
      assert.is((await store.putPipeline('a', { name: 'two' }, 1)).version, 2);
      await store.putHistory('a', { lines: ['one'] });
      await store.putHistory('a', { lines: ['one', 'two'] });
      await store.addApiKey(key);
      await store.writeCheckpoint('a', trialImage(1));
    });
    await withStore(folder, async (store) => {
      assert.equal(await store.pipelines(), [{ id: 'a', version: 2, document: { name: 'two' } }]);
      assert.equal(await store.history('a'), { lines: ['one', 'two'] });
      assert.is(await store.history('b'), null);
      assert.equal(await store.apiKeys(), [key]);
      const read = await store.readCheckpoint('a');
      assert.equal(read?.image, trialImage(1));
      assert.is(read?.info.bytes, 3_000_010);
    });
  }));

test('a write for a version that is gone is refused, and the others of its transaction are not', () =>
  withFolder((folder) =>
    withStore(folder, async (store) => {
      const answers = await Promise.allSettled([
        store.putPipeline('a', 1, 0),
        store.putPipeline('a', 2, 0),
        store.putPipeline('b', 3, 0),
        store.addApiKey(key),
        store.addApiKey({ ...key, id: 'k2' }),
      ]);
      assert.equal(
        answers.map((answer) => answer.status),
        ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected'],
      );
      assert.is(await codeOf(store.putPipeline('a', 2, 7)), 'store.version_conflict');
      assert.equal(
        (await store.pipelines()).map((pipeline) => pipeline.document),
        [1, 3],
      );
      assert.is(await store.removeApiKey('k1'), true);
      assert.is(await store.removeApiKey('k1'), false);
    }),
  ));

test('the latest two checkpoints stay, numbers are never given twice', () =>
  withFolder((folder) =>
    withStore(folder, async (store) => {
      for (let i = 1; i <= 4; i++) assert.is((await store.writeCheckpoint('a', trialImage(i))).number, i);
      await store.writeCheckpoint('ab', trialImage(9));
      assert.equal(
        (await store.checkpoints('a')).map(({ number }) => number),
        [4, 3],
      );
      assert.equal((await store.readCheckpoint('a', 3))?.image, trialImage(3));
      assert.is(await store.readCheckpoint('a', 2), null);
      await store.clearCheckpoints('a');
      assert.is(await store.readCheckpoint('a'), null);
      assert.is((await store.checkpoints('ab')).length, 1, 'another pipeline, whose id begins alike, keeps its own');
      assert.is((await store.writeCheckpoint('a', trialImage(5))).number, 5);
    }),
  ));

test('ingress is replayed in order, after a sequence, and is cut by a checkpoint in its transaction', () =>
  withFolder(async (folder) => {
    const entry = (n: number) => ({
      endpoint: 't.api',
      table: 't',
      kind: 'raw' as const,
      format: { name: 'json' },
      chunks: [new Uint8Array([n]).buffer, new Uint8Array(5_000_000).fill(n).buffer],
    });
    await withStore(folder, async (store) => {
      const sequences = await Promise.all([1, 2, 3, 4, 5].map((n) => store.appendIngress('a', entry(n))));
      assert.equal(sequences, [1, 2, 3, 4, 5]);
      await store.writeCheckpoint('a', trialImage(1), 2);
    });
    await withStore(folder, async (store) => {
      const seen: number[] = [];
      for await (const record of store.replayIngress('a')) {
        assert.equal(record.format, { name: 'json' });
        assert.is(record.chunks[1]?.byteLength, 5_000_000);
        assert.is(new Uint8Array(record.chunks[1] ?? new ArrayBuffer(0))[7], record.sequence);
        seen.push(record.sequence);
      }
      assert.equal(seen, [3, 4, 5]);
      await store.truncateIngress('a', 5);
      assert.is(await store.appendIngress('a', entry(6)), 6);
      const rest: number[] = [];
      for await (const record of store.replayIngress('a', 5)) rest.push(record.sequence);
      assert.equal(rest, [6]);
    });
  }));

test('a deleted pipeline leaves nothing behind', () =>
  withFolder((folder) =>
    withStore(folder, async (store) => {
      await store.putPipeline('a', {});
      await store.putHistory('a', 1);
      await store.writeCheckpoint('a', trialImage(1));
      await store.appendIngress('a', { endpoint: 'e', table: 't', kind: 'batches', format: null, chunks: [] });
      await store.deletePipeline('a');
      assert.equal(await store.pipelines(), []);
      assert.is(await store.history('a'), null);
      assert.equal(await store.checkpoints('a'), []);
      for await (const record of store.replayIngress('a')) assert.unreachable(`record ${record.sequence}`);
    }),
  ));

test('a closed store says so', () =>
  withFolder(async (folder) => {
    let late = (): Promise<unknown> => Promise.resolve();
    await withStore(folder, async (store) => {
      late = () => store.putPipeline('a', 1);
    });
    assert.is(await codeOf(late()), 'store.closed');
  }));

/** What opening the folder and reading its checkpoint ends with: codes from the outside in. */
async function codesOf(folder: string): Promise<readonly string[]> {
  const codes: string[] = [];
  try {
    await withStore(folder, async (store) => {
      const read = await store.readCheckpoint('a');
      codes.push(read === null ? 'nothing' : 'read');
      await store.putPipeline('b', null);
    });
  } catch (thrown) {
    for (let error = thrown; error instanceof MillraceError; error = error.cause) codes.push(error.code);
  }
  return codes;
}

test('a file that was cut anywhere is told as damaged, or holds what it held; it never ends the process', () =>
  withFolder(async (folder) => {
    await withStore(folder, async (store) => {
      await store.putPipeline('a', { name: 'x'.repeat(5_000) });
      await store.writeCheckpoint('a', trialImage(1, [0, 10, 100_000]));
    });
    const file = join(folder, 'store.lmdb');
    const whole = readFileSync(file);
    const told: Record<string, number> = {};
    for (const cut of [1, 4_096, 8_191, 12_288, whole.length >> 1, whole.length - 4_096, whole.length - 1]) {
      writeFileSync(file, whole);
      truncateSync(file, cut);
      const [code = '', cause = ''] = await codesOf(folder);
      const isTold = code === 'store.checkpoint_corrupt' || (code === 'thread.gone' && cause === 'store.file_damaged');
      assert.ok(isTold || code === 'read', `cut at ${cut} of ${whole.length}: ${code} ${cause}`);
      told[isTold ? 'told' : code] = (told[isTold ? 'told' : code] ?? 0) + 1;
    }
    assert.ok((told['told'] ?? 0) >= 5, JSON.stringify(told));
    for (const at of [24, 48, 4096 + 24]) {
      writeFileSync(file, Buffer.from(whole).fill(0x77, at, at + 4));
      assert.equal(await codesOf(folder), ['thread.gone', 'store.file_damaged'], `header at ${at}`);
    }
  }));

test.run();
