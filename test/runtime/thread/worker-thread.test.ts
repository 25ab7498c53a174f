// Threads within threads, and a process that ends by itself.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { siblingModule } from '../../../runtime/thread/worker-thread.ts';

test('nested threads start, talk and end while the main thread is blocked', async () => {
  const outcome = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(siblingModule('./nested-control', import.meta.url), {
    workerData: { outcome: outcome.buffer },
  });
  assert.is(Atomics.wait(outcome, 0, 0, 100_000), 'ok', 'done while this thread was blocked');
  assert.equal([...outcome], [1, 200_000]);
  assert.is(await new Promise((resolve) => worker.once('exit', resolve)), 0);
});

for (const [title, flags] of [
  ['a limit on its memory', ['--max-old-space-size=512']],
  ['a limit on its memory and a text to evaluate', ['--stack-size=900', '--no-warnings', '-r', 'node:path', '-e', '']],
] as const) {
  test(`threads start in a process that was given ${title}`, async () => {
    const module = fileURLToPath(siblingModule('../actor/trial-system', import.meta.url));
    const script = `
      import(${JSON.stringify(module)}).then(async ({ makeTrial }) => {
        const { system } = makeTrial();
        await system.spawn({ id: 'a', behaviour: 'trial', args: {}, heat: 'hot' });
        await system.shutdown();
        console.log('shut down');
      });
    `;
    const folder = await mkdtemp(join(tmpdir(), 'millrace-flags-'));
    const file = join(folder, 'main.mjs');
    await writeFile(file, script);
    const what = flags.at(-1) === '' ? [...flags.slice(0, -1), script] : [...flags, file];
    const { stdout } = await promisify(execFile)(process.execPath, what, { timeout: 100_000 });
    await rm(folder, { recursive: true });
    assert.is(stdout, 'shut down\n');
  });
}

test('a process ends by itself after a shutdown, with actors on every kind of thread', async () => {
  const module = fileURLToPath(siblingModule('../actor/trial-system', import.meta.url));
  const script = `
    const { makeTrial } = await import(${JSON.stringify(module)});
    const { system } = makeTrial();
    for (const [i, where] of [{}, { heat: 'hot' }, { thread: 'here' }, { thread: 'intake' }].entries())
      await system.spawn({ id: 'a' + i, behaviour: 'trial', args: {}, heat: 'quiet', ...where });
    await system.shutdown();
    console.log('shut down');
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 100_000,
  });
  assert.is(stdout, 'shut down\n');
});

test.run();
