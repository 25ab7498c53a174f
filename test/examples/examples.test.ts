// The examples run to their end and show what they promise, each with the server that it starts itself.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const run = promisify(execFile);
const entry = fileURLToPath(new URL('../../examples/run.js', import.meta.url));

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
}

/** What the example prints; null where its server is not on this machine, which CI must not be. */
async function example(name: string): Promise<string | null> {
  const ended = await run(process.execPath, [entry, name], { timeout: 200_000 }).then(
    (result): Ended => result,
    (failed: Ended) => failed,
  );
  if (
    /is not installed|is not built|needs (Go|java|mvn)|jars of Kafka/.test(ended.stderr) &&
    process.env['CI'] === undefined
  ) {
    console.log(`skipped: example ${name}: its server is not on this machine`);
    return null;
  }
  assert.not.match(ended.stderr, /Error/, ended.stderr);
  return ended.stdout;
}

test('s3: users and products, then orders by prefix', async () => {
  const shown = await example('s3');
  if (shown !== null) assert.match(shown, /Ann.*13\.50[\s\S]*Bob.*12\.00/);
});

test('postgres: a table is followed and another one kept', async () => {
  const shown = await example('postgres');
  if (shown !== null) assert.match(shown, /Bob.*3\.00[\s\S]*Ann.*20\.50/);
});

test('url: a resource that breaks off is read on, and objects are written', async () => {
  const shown = await example('url');
  if (shown !== null)
    assert.match(shown, /behind byte 0[\s\S]*behind byte [1-9][\s\S]*shop.*10000[\s\S]*"page":"shop","visits":10000/);
});

test('kafka: a paused connector reads when it is resumed', async () => {
  const shown = await example('kafka');
  if (shown !== null) assert.match(shown, /0 records so far[\s\S]*visit.*3333/);
});

test.run();
