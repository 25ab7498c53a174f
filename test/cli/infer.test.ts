// `millrace infer` on real files: what it prints is a pipeline file that runs and reads every row.
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../index.ts';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { called } from './called-command.ts';
import { millrace } from './cli-process.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const folder = fixture.folder;

/** A file of the package vega-datasets; tests run in a build folder of the checkout. */
function dataset(name: string): string {
  return fileURLToPath(new URL(`../../../node_modules/vega-datasets/data/${name}`, import.meta.url));
}

fixture.write(
  'events.ndjson',
  '{"id":1,"at":"2024-01-02 03:04:05","price":1.5,"note":null,"tags":["a"]}\n{"id":2,"at":"2024-01-02 03:04:06","price":2,"note":"x","tags":[]}\n',
);

const files: readonly { readonly path: string; readonly table: string; readonly rows: number | null }[] = [
  { path: dataset('airports.csv'), table: 'airports', rows: 3376 },
  { path: 'events.ndjson', table: 'events', rows: 2 },
  { path: dataset('penguins.json'), table: 'penguins', rows: 344 },
  // Three million rows: checked, not run.
  { path: dataset('flights-3m.parquet'), table: 'flights_3m', rows: null },
];

for (const { path, table, rows } of files) {
  test(`what it prints for ${path.replace(/.*\//, '')} is a pipeline file`, async () => {
    const inferred = await (rows === null ? millrace : called)(['infer', path], { folder });
    assert.is(inferred.code, 0, inferred.err);
    assert.is(inferred.err, '');
    const file = fixture.write(`${table}.yaml`, inferred.out);
    const pipeline = await fixture.track(Pipeline.open({ file }));
    assert.equal(pipeline.startOrder(), [[`${table}.${table}`]]);
    if (rows !== null) {
      await pipeline.start();
      await pipeline.waitForCompletion();
      const stats = await pipeline.inputConnectorStats(table, table);
      assert.equal(
        [stats.totalRecords, stats.numParseErrors, stats.numUnknownFields],
        [rows, 0, 0],
        JSON.stringify(stats.parseErrors),
      );
    }
    await pipeline.stop();
  });
}

test('check accepts what it prints', async () => {
  const { code, out } = await called(['check', 'flights_3m.yaml'], { folder });
  assert.is(code, 0);
  assert.match(out, 'flights_3m (date TIMESTAMP, delay BIGINT, distance BIGINT, origin VARCHAR, destination VARCHAR)');
});

test('a file that is missing, a folder and a file without rows are refused with exit 2', async () => {
  fixture.write('empty.csv', '');
  const results = await Promise.all(
    ['nowhere.csv', '.', 'empty.csv'].map((path) => called(['infer', path], { folder })),
  );
  const [nowhere = '', aFolder = '', empty = ''] = results.map(({ err }) => err);
  assert.match(
    nowhere,
    /^error infer\.unreadable_file: cannot read .*nowhere\.csv: there is no such file\n {2}help: Check the path/,
  );
  assert.match(aFolder, /^error infer\.unreadable_file: .*it is a folder/);
  assert.match(empty, /^error infer\.nothing: /);
  for (const { code, out, err } of results) {
    assert.is(code, 2, err);
    assert.is(out, '');
  }
});

test.run();
