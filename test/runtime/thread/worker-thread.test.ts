// Threads within threads, and a process that ends by itself.
import { execFile } from 'node:child_process';
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
