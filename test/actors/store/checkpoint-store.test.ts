// Checkpoints against what happens to disks and processes: a kill in the middle of writing, a flipped byte, a missing chunk.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { listCheckpoints, readCheckpoint, writeCheckpoint } from '../../../actors/store/checkpoint-store.ts';
import { appendIngress, readIngress, sealIngress } from '../../../actors/store/ingress-log.ts';
import { LmdbFile } from '../../../actors/store/lmdb-file.ts';
import { siblingModule } from '../../../runtime/thread/worker-thread.ts';
import { codeOf, trialImage, withFolder, withStore } from './trial-folder.ts';

const writer = fileURLToPath(siblingModule('./trial-checkpoint-writer', import.meta.url));
const kills = process.env['MILLRACE_LONG'] === '1' ? 60 : 5;

test('a process killed while it writes leaves whole checkpoints, the latest it has promised among them', () =>
  withFolder(async (folder) => {
    let promised = 0;
    for (let kill = 0; kill < kills; kill++) {
      const child = spawn(process.execPath, [writer, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines = createInterface({ input: child.stdout });
      // The moment differs from round to round: from just after a commit to well inside the next.
      lines.on('line', (line) => {
        promised = Number(line);
        if (promised % 3 === 0) setTimeout(() => child.kill('SIGKILL'), (kill * 7) % 40);
      });
      await once(child, 'close');
      await withStore(folder, async (store) => {
        const kept = await store.checkpoints('p');
        assert.ok(kept.length >= 1 && kept.length <= 2);
        assert.ok((kept[0]?.number ?? 0) >= promised, `promised ${promised}, found ${kept[0]?.number}`);
        for (const info of kept) {
          const read = await store.readCheckpoint('p', info.number);
          assert.equal(read?.image, trialImage(info.number, [1, 1_000_000, 4_000_000]));
        }
        // What the checkpoint contains is cut off the log in the same transaction: never both, never neither.
        const sequences: number[] = [];
        for await (const record of store.replayIngress('p')) sequences.push(record.sequence);
        assert.ok(sequences.every((sequence) => sequence > (kept[0]?.number ?? 0)));
      });
    }
  }));

async function withFile(use: (file: LmdbFile) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const file = new LmdbFile(join(folder, 'store.lmdb'));
    await use(file);
    await file.close();
  });
}

const origin = { uuid: 'u', time: 1 };

test('a flipped byte in a part is found by its checksum, and the checkpoint before it can still be read', () =>
  withFile(async (file) => {
    await file.write(() => writeCheckpoint(file, 'p', trialImage(1), origin));
    await file.write(() => writeCheckpoint(file, 'p', trialImage(2), origin));
    const chunk = Buffer.from(file.blob(['part', 'p', 2, 2, 1]) ?? []);
    chunk[77] = (chunk[77] ?? 0) ^ 1;
    await file.write(() => file.putBlob(['part', 'p', 2, 2, 1], chunk));
    const error = await codeOf((async () => readCheckpoint(file, 'p', undefined))());
    assert.is(error, 'store.checkpoint_corrupt');
    assert.equal(readCheckpoint(file, 'p', 1)?.image, trialImage(1));
  }));

test('a missing chunk and a damaged head are found too', () =>
  withFile(async (file) => {
    await file.write(() => writeCheckpoint(file, 'p', trialImage(1), origin));
    await file.write(() => file.removeAll(['part', 'p', 1, 2, 2]));
    assert.is(await codeOf((async () => readCheckpoint(file, 'p', 1))()), 'store.checkpoint_corrupt');
    const head = Buffer.from(file.blob(['checkpoint', 'p', 1]) ?? []);
    head[head.length - 3] = 0;
    await file.write(() => file.putBlob(['checkpoint', 'p', 1], head));
    assert.is(await codeOf((async () => readCheckpoint(file, 'p', 1))()), 'store.checkpoint_corrupt');
    assert.equal(listCheckpoints(file, 'p'), []);
  }));

test('a damaged record of the ingress log is refused after everything before it was replayed', () =>
  withFile(async (file) => {
    const sealed = sealIngress({
      endpoint: 'e',
      table: 't',
      kind: 'raw',
      format: null,
      chunks: [new Uint8Array(9).buffer],
    });
    for (let i = 0; i < 3; i++) await file.write(() => appendIngress(file, 'p', sealed));
    const damaged = Buffer.from(sealed);
    damaged[damaged.length - 1] = 1;
    await file.write(() => file.putBlob(['ingress', 'p', 3], damaged));
    assert.is(readIngress(file, 'p', 0, 1e6).length, 2);
    assert.is(await codeOf((async () => readIngress(file, 'p', 2, 1e6))()), 'store.ingress_log_corrupt');
  }));

test('an error inside a transaction takes all of it back', () =>
  withFile(async (file) => {
    const good = file.write(() => file.putDocument(['a'], 1));
    const bad = file.write(() => {
      file.putDocument(['b'], 1);
      throw new Error('the disk is on fire');
    });
    assert.equal(
      (await Promise.allSettled([good, bad])).map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.is(file.document(['a']), undefined);
    assert.is(file.document(['b']), undefined);
  }));

test.run();
