// The user's event loop is blocked; ingestion goes on: rows keep arriving at a file sink meanwhile.
import { statSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../index.ts';
import { Fixture } from './pipeline-fixture.ts';

const fixture = new Fixture();
/** Of some 20,000 rows. */
const bytesMin = 200_000;
test.after(() => fixture.cleanUp());

test('a main thread that is blocked does not stall the pipeline', async () => {
  const pipeline = await fixture.track(
    Pipeline.open({
      program: 'CREATE TABLE t (id BIGINT, name VARCHAR);',
      baseFolder: fixture.folder,
      inputs: {
        t: {
          stream: 't',
          transport: { name: 'datagen', config: { plan: [{ rate: 20_000 }] } },
        },
      },
      outputs: {
        out: {
          stream: 't',
          transport: { name: 'file_output', config: { path: 'out.csv' } },
          format: { name: 'csv' },
        },
      },
    }),
  );
  await pipeline.start();
  const block = new Int32Array(new SharedArrayBuffer(4));
  const sizes = [statSync(fixture.path('out.csv')).size];
  // Nothing but this loop runs on this thread: no timer, no promise, no message. More than one step grows the file, and more rows
  // arrive than fit into the queues between the threads.
  for (let look = 0; look < 500 && (sizes.length < 6 || Number(sizes.at(-1)) < bytesMin); look++) {
    Atomics.wait(block, 0, 0, 200);
    const { size } = statSync(fixture.path('out.csv'));
    if (size > Number(sizes.at(-1))) sizes.push(size);
  }
  assert.ok(sizes.length >= 6 && Number(sizes.at(-1)) >= bytesMin, `the sink grew to ${sizes.join(', ')} bytes`);
  await pipeline.stop();
});

test.run();
