// The user's event loop blocks for three seconds; ingestion goes on: rows keep arriving at a file sink meanwhile.
import { statSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../index.ts';
import { Fixture } from './pipeline-fixture.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());

test('a main thread that is blocked for 3 s does not stall the pipeline', async () => {
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
  const sizes: number[] = [];
  // Nothing but this thread runs on it: no timer, no promise, no message.
  for (let i = 0; i < 6; i++) {
    Atomics.wait(block, 0, 0, 500);
    sizes.push(statSync(fixture.path('out.csv')).size);
  }
  const growing = sizes.filter((size, i) => i > 0 && size > (sizes[i - 1] ?? 0)).length;
  assert.ok(growing >= 4, `the sink grew in ${growing} of 5 intervals: ${sizes.join(' ')}`);
  const { totalRecords } = await pipeline.inputConnectorStats('t', 't');
  assert.ok(totalRecords > 20_000, `${totalRecords} rows in 3 s`);
  await pipeline.stop();
});

test.run();
