// Upserts, deletions and partial updates by key, and the changes that they make.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KeyedTable } from '../../../../actors/engine/operators/keyed-table.ts';
import { StringPool } from '../../../../actors/engine/state/string-pool.ts';
import { BatchBuilder } from '../../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { writeCell } from '../../../../runtime/batch/scalar-values.ts';
import { batchOf, bigint, linesOf, schemaOf, seeded, step, text, transplant, type WeightedRow } from '../zset-rows.ts';

const schema = schemaOf({ id: bigint, name: text, n: bigint }, ['id']);
const relation = { name: 't', schema, primaryKey: [0] };
const tableOf = (hashMask = -1): KeyedTable => new KeyedTable(relation, new StringPool(hashMask), hashMask);
const rows = (...all: WeightedRow[]): readonly [number, ChangeBatch] => [0, batchOf(schema, all)];

function contents(table: KeyedTable): string[] {
  const out: ChangeBatch[] = [];
  table.contents((batch) => out.push(batch));
  return linesOf(out).sort();
}

test('an upsert retracts the old row', () => {
  const table = tableOf();
  assert.equal(step(table, rows([1, 1n, 'a', null])), ['+1: 1, a, ']);
  assert.equal(step(table, rows([1, 1n, 'b', 2n])), ['-1: 1, a, ', '+1: 1, b, 2']);
  assert.equal(step(table, rows([1, 1n, 'b', 2n])), [], 'the same row is no change');
  assert.equal(step(table, rows([-1, 1n, 'anything', null])), ['-1: 1, b, 2']);
  assert.is(table.stateRows(), 0);
});

test('the last write of a step wins, over all its batches', () => {
  const table = tableOf();
  assert.equal(step(table, rows([1, 1n, 'a', 1n], [1, 1n, 'b', 1n]), rows([1, 1n, 'c', 1n])), ['+1: 1, c, 1']);
  assert.equal(step(table, rows([-1, 1n, '', null]), rows([1, 1n, 'c', 1n])), []);
  assert.equal(step(table, rows([1, 2n, 'x', 1n]), rows([-1, 2n, '', null])), []);
  assert.is(table.stateRows(), 1);
});

test('an absent key is ignored by a deletion', () => {
  const table = tableOf();
  assert.equal(step(table, rows([-1, 9n, 'a', null])), []);
  assert.is(table.stateRows(), 0);
});

test('a partial update writes only the columns that are present, and only to keys that are there', () => {
  const table = tableOf();
  step(table, rows([1, 1n, 'a', 5n]));
  const builder = new BatchBuilder(schema);
  for (const id of [1n, 2n]) {
    builder.reserve(1);
    writeCell(builder.columns[0]!, builder.rows, id);
    writeCell(builder.columns[1]!, builder.rows, null);
    writeCell(builder.columns[2]!, builder.rows, 6n);
    builder.setAbsent(1);
    builder.commitRow(1);
  }
  assert.equal(step(table, [0, builder.finish()]), ['-1: 1, a, 5', '+1: 1, a, 6']);
  assert.equal(contents(table), ['+1: 1, a, 6']);
});

test('a bad hash changes nothing', () => {
  const random = seeded(11);
  const good = tableOf();
  const bad = tableOf(0);
  for (let round = 0; round < 30; round++) {
    const changes = Array.from(
      { length: 8 },
      (): WeightedRow => [random(3) === 0 ? -1 : 1, BigInt(random(9) - 3), `v${random(3)}`, null],
    );
    assert.equal(step(good, rows(...changes)), step(bad, rows(...changes)));
    assert.equal(contents(good), contents(bad));
  }
});

test('a keyed table goes on from a snapshot as if nothing had been', () => {
  const pool = new StringPool();
  const original = new KeyedTable(relation, pool);
  step(original, rows([1, 1n, 'a', 1n], [1, 2n, 'b', null]), rows([-1, 1n, '', null]));
  const copy = new KeyedTable(relation, pool);
  transplant(original, copy);
  const next = rows([1, 2n, 'c', null], [1, 3n, 'd', 4n]);
  assert.equal(step(copy, next), step(original, next));
  assert.equal(contents(copy), contents(original));
});

test.run();
