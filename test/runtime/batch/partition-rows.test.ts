// Whose rows are whose: each row has one owner, the same by every way of finding it and in every layout of its columns; and shares that
// follow from how many rows the keys have.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sharedBatch } from '../../../bench/shared-batch.ts';
import { bucketOwners, selectByBucket } from '../../../runtime/batch/bucket-owners.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { ownerHashes, ownerOf } from '../../../runtime/batch/owner-hash.ts';
import { ownersOf, rowsOf } from '../../../runtime/batch/partition-rows.ts';
import { hashRows } from '../../../runtime/batch/row-key.ts';
import type { CellValue } from '../../../runtime/batch/scalar-values.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { withDictionaries } from '../../actors/engine/plan/scalar-nodes.ts';
import { batchOf, bigint, linesOf, schemaOf, text } from '../../actors/engine/zset-rows.ts';

const schema: Schema = schemaOf({ a: bigint, b: bigint, s: text }, ['a', 'b']);

const rowsOfBatch: fc.Arbitrary<readonly (readonly [number, bigint, bigint, string | null])[]> = fc.array(
  fc.tuple(
    fc.constantFrom(1, -1, 2),
    fc.bigInt({ min: -3n, max: 3n }),
    fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }),
    fc.constantFrom('', 'x', 'apple', 'something longer', null),
  ),
  { maxLength: 40 },
);

const keys: readonly (readonly number[])[] = [[0], [0, 1], [2], [2, 0], [0, 1, 2]];

test('each row of a batch is the row of exactly one worker, in every layout of its key', () => {
  fc.assert(
    fc.property(rowsOfBatch, fc.constantFrom(1, 2, 3, 8), fc.constantFrom(...keys), (rows, workers, columns) => {
      const plain = batchOf(schema, rows);
      const { rows: byOwner, starts } = ownersOf(plain, columns, workers);
      // By whichever loop, an owner follows from the hash that other kinds of columns have for the same values.
      const hashes = ownerHashes(
        columns.map((ordinal) => plain.columns[ordinal]!),
        plain.rows,
      );
      for (let worker = 0; worker < workers; worker++) {
        const own = [...hashes.keys()].filter((row) => ownerOf(hashes[row]!, workers) === worker);
        assert.equal([...byOwner.subarray(starts[worker]!, starts[worker + 1]!)], own);
      }
      for (const batch of [plain, withDictionaries(plain), sharedBatch(plain)]) {
        for (let worker = 0; worker < workers; worker++) {
          const expected = [...byOwner.subarray(starts[worker]!, starts[worker + 1]!)];
          assert.equal([...rowsOf(batch, columns, workers, worker)], expected);
        }
      }
      assert.equal(
        [...byOwner].sort((a, b) => a - b),
        [...rows.keys()],
      );
    }),
  );
});

test('numbers that were given out one after the other fall to the workers in turn, also those at equal distances', () => {
  for (const distance of [1n, 2n, 5n, 10n, 64n, 100n, 1000n, 1024n, 3600n, 1_000_000n, 60_000_000n]) {
    const rows = Array.from({ length: 48 }, (_, i): readonly [number, bigint] => [
      1,
      1_000_000_007n + distance * BigInt(i),
    ]);
    const batch = batchOf(schemaOf({ k: bigint }), rows);
    for (const workers of [2, 3, 8]) {
      const { starts } = ownersOf(batch, [0], workers);
      const counts = Array.from({ length: workers }, (_, worker) => starts[worker + 1]! - starts[worker]!);
      const most = Math.max(...counts);
      assert.ok(
        most <= 48 / workers + 5,
        `${most} of 48 keys at a distance of ${distance} on one of ${workers} workers`,
      );
    }
  }
});

test('a key of 64 bits has the same owner whether or not its column has NULLs, and NULL has one', () => {
  const [a, b] = [schemaOf({ k: bigint, l: bigint }, ['k', 'l']), schemaOf({ k: bigint, l: bigint })];
  const values = Array.from({ length: 64 }, (_, i): readonly [number, bigint, bigint] => [
    1,
    BigInt(i * i),
    BigInt(-i),
  ]);
  const nulls = [1, 2].map((): readonly [number, null, bigint] => [1, null, 7n]);
  const owners = (batch: ChangeBatch): readonly number[] => {
    const found = new Array<number>(batch.rows).fill(-1);
    for (let worker = 0; worker < 3; worker++) for (const row of rowsOf(batch, [0, 1], 3, worker)) found[row] = worker;
    return found;
  };
  const mixed = owners(batchOf(a, [...values, ...nulls]));
  assert.equal(mixed.slice(0, 64), owners(batchOf(b, values)));
  assert.is(mixed[64], mixed[65]);
  assert.is(mixed.includes(-1), false);
});

test('a batch in shared memory has the rows that it had, where all threads see them', () => {
  fc.assert(
    fc.property(rowsOfBatch, (rows) => {
      const batch = batchOf(schema, rows);
      for (const each of [batch, withDictionaries(batch)]) {
        const shared = sharedBatch(each);
        assert.equal(linesOf([shared]), linesOf([batch]));
        for (const column of shared.columns) {
          const array =
            column.layout === 'fixed' ? column.values : column.layout === 'bytes' ? column.bytes : column.codes;
          assert.instance(array.buffer, SharedArrayBuffer);
        }
      }
    }),
  );
});

function ofKeys(count: number, keyOf: (row: number) => CellValue): ChangeBatch {
  return batchOf(
    schemaOf({ k: text }),
    Array.from({ length: count }, (_, row): readonly [number, CellValue] => [1, keyOf(row)]),
  );
}

test('keys with many rows are dealt out so that no worker has much more than its part', () => {
  const hot = ofKeys(8192, (row) => (row % 64 === 0 ? `rare ${row}` : `hot ${row % 4}`));
  const hashes = hashRows(hot.columns, hot.rows);
  for (const workers of [2, 4]) {
    const owners = bucketOwners(hashes, hot.rows, workers);
    if (owners === null) continue;
    const out = new Int32Array(hot.rows);
    for (let worker = 0; worker < workers; worker++) {
      const rows = selectByBucket(hashes, hot.rows, owners, worker, out);
      assert.ok(Math.abs(rows / hot.rows - 1 / workers) < 0.05, `${rows} rows on worker ${worker} of ${workers}`);
    }
  }
  const one = ofKeys(8192, (row) => (row % 4 === 0 ? `rare ${row}` : 'hot'));
  const owners = bucketOwners(hashRows(one.columns, one.rows), one.rows, 2);
  const out = new Int32Array(one.rows);
  assert.is(owners === null, false);
  const rows = selectByBucket(hashRows(one.columns, one.rows), one.rows, owners!, 0, out);
  // The hot key goes to one worker, and everything else to the other.
  assert.ok(Math.max(rows, one.rows - rows) / one.rows < 0.76);
});

test('shares are even where a batch has few rows, or no key that stands out', () => {
  const few = ofKeys(512, () => 'hot');
  assert.is(bucketOwners(hashRows(few.columns, few.rows), few.rows, 2), null);
  const even = ofKeys(8192, (row) => `key ${row}`);
  assert.is(bucketOwners(hashRows(even.columns, even.rows), even.rows, 2), null);
});

test.run();
