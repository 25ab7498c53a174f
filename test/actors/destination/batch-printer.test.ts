// Large batches are printed in parts where that is the same, and whole where it is not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { printBatch } from '../../../actors/destination/batch-printer.ts';
import { csvOutput } from '../../../connectors/formats/csv-encoder.ts';
import { jsonOutput } from '../../../connectors/formats/json-encoder.ts';
import type { Encoder } from '../../../connectors/sdk/format.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { bigint, relationOf } from '../../connectors/connector-context.ts';

const rows = 50_000;
const relation = relationOf({ id: bigint });

function batchOf(weightOf: (row: number) => number): ChangeBatch {
  const builder = new BatchBuilder(relation.schema, rows);
  builder.reserve(rows);
  // SAFETY: a BIGINT is stored so.
  const ids = builder.columns[0]?.values as BigInt64Array;
  for (let row = 0; row < rows; row++) ids[row] = BigInt(row);
  builder.commitRows(
    rows,
    Int32Array.from({ length: rows }, (_, row) => weightOf(row)),
  );
  return builder.finish();
}

async function printed(
  encoder: Encoder,
  batch: ChangeBatch,
): Promise<{ readonly text: string; readonly writes: number; readonly refused: readonly number[] }> {
  const written: Buffer[] = [];
  const refused: number[] = [];
  await printBatch(
    encoder,
    batch,
    async ({ bytes }) => void written.push(Buffer.from(bytes)),
    (_, row) => refused.push(row),
  );
  return { text: Buffer.concat(written).toString(), writes: written.length, refused };
}

const lines = (): Encoder => jsonOutput.encoder({ update_format: 'insert_delete' }, relation);

test('insertions are printed in parts, with the bytes that they have together', async () => {
  const batch = batchOf((row) => 1 + (row % 3));
  for (const make of [lines, (): Encoder => csvOutput.encoder({}, relation)]) {
    const whole = Buffer.from(make().encode(batch).bytes).toString();
    const { text, writes } = await printed(make(), batch);
    assert.ok(text === whole, 'byte for byte');
    assert.is(writes, 4);
  }
});

test('deletions come before all insertions, and arrays end with their batch', async () => {
  const mixed = batchOf((row) => (row === rows - 1 ? -1 : 1));
  const first = await printed(lines(), mixed);
  assert.is(first.writes, 1);
  assert.ok(first.text.startsWith(`{"delete":{"id":${rows - 1}}}\n{"insert":{"id":0}}\n`));
  const array = jsonOutput.encoder({ update_format: 'insert_delete', array: true }, relation);
  assert.is(
    (
      await printed(
        array,
        batchOf(() => 1),
      )
    ).writes,
    1,
  );
});

test('a row that cannot be printed is the one of its batch, in whichever part it is', async () => {
  const bad = [0, 16_383, 16_384, 40_000];
  const batch = batchOf((row) => (bad.includes(row) ? 2_000_000 : 1));
  const { text, refused } = await printed(lines(), batch);
  assert.equal(refused, bad);
  assert.is(text.split('\n').length - 1, rows - bad.length);
});

test.run();
