// Columns whose DEFAULT reads CONNECTOR_METADATA(): many records at once, and all records of a file.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../../../actors/engine/sql/compile-program.ts';
import { MetadataEvaluator } from '../../../actors/metadata-defaults.ts';
import { Pipeline } from '../../../index.ts';

test('a default that fails, or finds nothing, is none; those of the other records are not touched', () => {
  const text = `CREATE TABLE t (
    a BIGINT DEFAULT 100 / CAST(CONNECTOR_METADATA()['n'] AS BIGINT),
    b VARCHAR DEFAULT UPPER(CAST(CONNECTOR_METADATA()['s'] AS VARCHAR)) || '!',
    c VARIANT DEFAULT CONNECTOR_METADATA()
  );`;
  const [table] = compileProgram(text, {}).program?.tables ?? [];
  if (table === undefined) throw new Error('the program compiles');
  const defaults = table.defaults.flatMap((expression, column) =>
    expression === null ? [] : [{ column, expression }],
  );
  // What the thread of a source gets is a copy.
  const evaluator = new MetadataEvaluator(structuredClone(defaults), table.relation);
  const evaluated = (records: readonly string[]): readonly string[] => {
    const offsets = new Int32Array(records.length + 1);
    records.forEach((record, i) => {
      offsets[i + 1] = (offsets[i] ?? 0) + record.length;
    });
    const made = evaluator.evaluate(offsets, Buffer.from(records.join('')));
    assert.equal(made.columns, [0, 1, 2]);
    return Array.from({ length: records.length * 3 }, (_, n) =>
      Buffer.from(made.bytes.subarray(made.offsets[n], made.offsets[n + 1])).toString(),
    );
  };
  assert.equal(evaluated(['{"n":4,"s":"x"}', '{"n":5}']), ['25', '"X!"', '{"n":4,"s":"x"}', '20', '', '{"n":5}']);
  assert.equal(evaluated(['{"n":0,"s":"x"}', '{"n":5,"s":"y"}']).slice(3), ['20', '"Y!"', '{"n":5,"s":"y"}']);
  assert.equal(evaluated(['{"n":0,"s":"x"}', '{"n":5,"s":"y"}'])[0], '');
});

test('rows of a file know its path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-metadata-'));
  const path = join(folder, 'rows.csv');
  writeFileSync(path, '1\n2,given\n');
  try {
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE t (
        id BIGINT NOT NULL PRIMARY KEY,
        source VARCHAR DEFAULT CAST(CONNECTOR_METADATA()['file_path'] AS VARCHAR)
      );`,
      inputs: {
        i: { stream: 't', transport: { name: 'file_input', config: { path } }, format: { name: 'csv' } },
      },
    });
    await pipeline.start();
    await pipeline.waitForCompletion();
    assert.equal(await pipeline.query('SELECT * FROM t ORDER BY id'), [
      { id: 1, source: path },
      { id: 2, source: 'given' },
    ]);
    await pipeline.stop({ force: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
