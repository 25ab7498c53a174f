// The hash table of records against a Map, with good hashes and with none.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordKernelSource } from '../../../../actors/engine/state/kernel-source.ts';
import { RecordTable } from '../../../../actors/engine/state/record-table.ts';
import { SnapshotReader, SnapshotWriter } from '../../../../actors/engine/state/snapshot-codec.ts';

type Key = readonly number[];
const one = new Int32Array(1);

function record(table: RecordTable, key: Key): number {
  table.findOrInsert(Int32Array.from(key), key.length, 1, one);
  return one[0]!;
}
function lookup(table: RecordTable, key: Key): number {
  table.find(Int32Array.from(key), key.length, 1, one);
  return one[0]!;
}

for (const [title, hashMask] of [
  ['a good hash', -1],
  ['a hash of two bits', 3],
  ['no hash at all', 0],
] as const) {
  for (const keyWords of [1, 2, 3, 5, 30]) {
    test(`keys of ${keyWords} words and ${title}: the table agrees with a Map`, () => {
      const key = fc.array(fc.constantFrom(0, 1, 2, 7, -1, 2 ** 31 - 1), { minLength: keyWords, maxLength: keyWords });
      const command = fc.record({ key, remove: fc.boolean() });
      fc.assert(
        fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
          let table = new RecordTable({ keyWords, extraWords: 1, hashMask });
          const model = new Map<string, number>();
          commands.forEach((each, i) => {
            const name = each.key.join();
            if (each.remove) {
              const found = lookup(table, each.key);
              assert.is(found >= 0, model.has(name));
              if (found >= 0) table.remove(found);
              model.delete(name);
            } else {
              const id = record(table, each.key);
              assert.is(table.words[id * table.width + keyWords], model.get(name) ?? 0);
              table.words[id * table.width + keyWords] = i + 1;
              model.set(name, i + 1);
            }
            assert.is(table.live, model.size);
            if (i !== 30) return;
            const writer = new SnapshotWriter();
            table.snapshot(writer);
            table = new RecordTable({ keyWords, extraWords: 1, hashMask });
            table.restore(new SnapshotReader(writer.finish()));
          });
          const content = [...table.ids()].map((id) => table.words[id * table.width + keyWords]!);
          assert.equal(content.sort(), [...model.values()].sort());
        }),
        { numRuns: 40 },
      );
    });
  }
}

for (const distance of [1, 2, 8, 3]) {
  test(`keys that come in order at a distance of ${distance} are found, also when some of them are gone and come again`, () => {
    const runs = fc.record({
      first: fc.nat(2000),
      count: fc.integer({ min: 1, max: 200 }),
      remove: fc.nat(5),
      restore: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(runs, { maxLength: 12 }), (commands) => {
        let table = new RecordTable({ keyWords: 2, extraWords: 1 });
        const model = new Set<number>();
        for (const { first, count, remove, restore } of commands) {
          const keys = Int32Array.from({ length: 2 * count }, (_, k) =>
            k % 2 === 0 ? first + (k >> 1) * distance : 0,
          );
          const ids = new Int32Array(count);
          if (remove === 0) {
            const chosen = [...new Set(keys.filter((_, k) => k % 4 === 0))].filter((key) => model.has(key));
            const gone = chosen.map((key) => lookup(table, [key, 0])).sort((a, b) => a - b);
            if (count % 2 === 0) table.removeAll(Int32Array.from(gone));
            else for (const id of gone) table.remove(id);
            for (const key of chosen) model.delete(key);
          } else {
            table.findOrInsert(keys, 2, count, ids);
            for (let i = 0; i < count; i++) model.add(keys[2 * i]!);
          }
          if (restore) {
            const writer = new SnapshotWriter();
            table.snapshot(writer);
            table = new RecordTable({ keyWords: 2, extraWords: 1 });
            table.restore(new SnapshotReader(writer.finish()));
          }
          assert.is(table.live, model.size);
          const all = [...model];
          const found = new Int32Array(all.length);
          table.findOrInsert(Int32Array.from(all.flatMap((key) => [key, 0])), 2, all.length, found);
          assert.is(table.live, model.size, 'no key came twice');
          all.forEach((key, i) => {
            assert.is(table.words[found[i]! * table.width], key);
          });
        }
      }),
      { numRuns: 60 },
    );
  });
}

test('many keys at once, small ones and scattered ones', () => {
  const table = new RecordTable({ keyWords: 2, extraWords: 0 });
  const count = 40_000;
  const keys = new Int32Array(count * 2);
  for (let i = 0; i < count; i++) {
    keys[2 * i] = i % 2 === 0 ? i >> 2 : Math.imul(i >> 2, 0x9e3779b1);
    keys[2 * i + 1] = i % 2 === 0 ? 0 : 1;
  }
  const ids = new Int32Array(count);
  for (let round = 0; round < 3; round++) {
    table.findOrInsert(keys, 2, count, ids);
    assert.is(table.live, count / 2);
    for (let i = 0; i < count; i++) {
      const base = ids[i]! * table.width;
      if (table.words[base] !== keys[2 * i] || table.words[base + 1] !== keys[2 * i + 1])
        assert.unreachable(`key ${i}`);
    }
  }
});

test('records that go together leave the others as they are, many of them and few', () => {
  for (const hashMask of [-1, 3]) {
    for (const keep of [2, 5, 1000]) {
      const table = new RecordTable({ keyWords: 2, extraWords: 1, hashMask });
      const keys = Array.from({ length: 300 }, (_, i): Key => [i, i % 3 === 0 ? 0 : i]);
      const ids = keys.map((key) => record(table, key));
      const isGone = (i: number): boolean => (keep === 1000 ? i % 7 === 0 : i % keep !== 0);
      table.removeAll(Int32Array.from(ids.filter((_, i) => isGone(i))));
      keys.forEach((key, i) => {
        assert.is(lookup(table, key), isGone(i) ? -1 : ids[i]);
      });
      assert.equal(
        [...table.ids()],
        ids.filter((_, i) => !isGone(i)),
      );
      // Their numbers are given out again, and what was behind their keys is gone.
      for (const key of keys) assert.is(table.words[record(table, key) * table.width + 2], 0);
      assert.equal(
        [...table.ids()],
        [...ids].sort((a, b) => a - b),
      );
    }
  }
});

test('kernels are made of numbers alone', () => {
  assert.not.match(recordKernelSource(3), /undefined|NaN|\[object/);
});

test.run();
