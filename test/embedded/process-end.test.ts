// A process that has used a pipeline ends by itself, prints nothing that it was not asked to, and leaves no thread.
import { spawn } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const entry = new URL('../../index.js', import.meta.url).href;

/** Runs a program with the package's entry; resolves when it has ended. */
function run(body: string): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const text = `import { Pipeline } from ${JSON.stringify(entry)};\n${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

const open = `const pipeline = await Pipeline.open({ program: 'CREATE TABLE t (x INT);' });`;

test('after stop the process ends, and nothing was printed', async () => {
  const { code, out, err } = await run(`${open}
    await pipeline.start();
    pipeline.listen('t');
    await pipeline.completed(await pipeline.inputJson('t', [{ x: 1 }]));
    await pipeline.stop();
    console.log(process.getActiveResourcesInfo().filter((name) => /Worker|MessagePort/.test(name)).join());`);
  assert.equal({ code, out, err }, { code: 0, out: '\n', err: '' });
});

test('a pipeline that could not be opened keeps nothing alive', async () => {
  const { code, out } = await run(`
    try { await Pipeline.open({ program: 'CREATE NONSENSE' }); } catch (error) { console.log(error.code); }`);
  assert.equal({ code, out }, { code: 0, out: 'pipeline.invalid\n' });
});

test('a pipeline that is opened and stopped without a start keeps nothing alive', async () => {
  const { code, out, err } = await run(`${open} await pipeline.stop();`);
  assert.equal({ code, out, err }, { code: 0, out: '', err: '' });
});

test('leaving the block of await using stops the pipeline', async () => {
  const { code, out } = await run(`${open}
    await pipeline.start();
    await pipeline[Symbol.asyncDispose]();
    console.log(pipeline.status.state);`);
  assert.equal({ code, out }, { code: 0, out: 'stopped\n' });
});

test.run();
