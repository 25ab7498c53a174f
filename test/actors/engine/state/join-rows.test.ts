// Rows of a side of a join against a plain list of them: growing over chunks, deletions, the switch to the indexed form.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { JoinRows, type MatchedPairs } from '../../../../actors/engine/state/join-rows.ts';
import { RecordTable } from '../../../../actors/engine/state/record-table.ts';
import { SnapshotReader, SnapshotWriter } from '../../../../actors/engine/state/snapshot-codec.ts';

const keyCount = 4;
const headAt = 1;

interface Side {
  readonly table: RecordTable;
  readonly rows: JoinRows;
}

function side(chunkBits: number): Side {
  const table = new RecordTable({ keyWords: 1, extraWords: 1 });
  table.findOrInsert(Int32Array.of(0, 1, 2, 3), 1, keyCount, new Int32Array(keyCount));
  return { table, rows: new JoinRows(table, headAt, 2, -1, chunkBits) };
}

function change({ rows }: Side, changes: readonly (readonly [key: number, value: number, weight: number])[]): void {
  const source = Int32Array.from(changes.flatMap(([, value]) => [value, -value]));
  const ids = Int32Array.from(changes, ([key]) => key);
  const weights = Int32Array.from(changes, ([, , weight]) => weight);
  rows.change(source, 2, 0, ids, weights, changes.length, []);
}

/** Weight of each (key, value), by matching every key with a room for `room` pairs at a time. */
function content({ rows }: Side, room: number): Map<string, number> {
  const found = new Map<string, number>();
  const pairs: MatchedPairs = {
    rows: new Int32Array(room),
    weights: new Int32Array(room),
    staged: new Int32Array(0),
    cursor: new Int32Array(3),
    heads: new Int32Array(keyCount),
  };
  const weights = new Int32Array(keyCount).fill(1);
  rows.startMatch(Int32Array.of(0, 1, 2, 3), keyCount, pairs);
  while (pairs.cursor[0]! < keyCount) {
    rows.match(weights, keyCount, pairs);
    for (let p = 0; p < pairs.cursor[2]!; p++) {
      assert.is(pairs.staged[2 * p + 1], -pairs.staged[2 * p]!);
      const name = `${pairs.rows[p]}: ${pairs.staged[2 * p]}`;
      found.set(name, (found.get(name) ?? 0) + pairs.weights[p]!);
    }
  }
  for (const [name, weight] of found) if (weight === 0) found.delete(name);
  return found;
}

test('what was added and not taken back is matched, whatever the form of the rows', () => {
  const weight = fc.constantFrom(1, 1, 1, 1, 1, 1, -1, 2, -3);
  const row = fc.tuple(fc.nat(keyCount - 1), fc.integer({ min: 1, max: 6 }), weight);
  const onlyInserted = row.map(([key, value]): [number, number, number] => [key, value, 1]);
  const blocks = fc.array(
    fc.oneof(fc.array(onlyInserted, { minLength: 1, maxLength: 20 }), fc.array(row, { minLength: 1, maxLength: 5 })),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(blocks, fc.nat(5), fc.integer({ min: 1, max: 7 }), (steps, chunkBits, room) => {
      const tested = side(chunkBits);
      const expected = new Map<string, number>();
      for (const step of steps) {
        change(tested, step);
        for (const [key, value, by] of step) {
          const name = `${key}: ${value}`;
          expected.set(name, (expected.get(name) ?? 0) + by);
        }
        for (const [name, sum] of expected) if (sum === 0) expected.delete(name);
        assert.equal(sorted(content(tested, room)), sorted(expected));
        // A snapshot goes on where it was taken.
        const writer = new SnapshotWriter();
        tested.rows.snapshot(writer);
        const reader = new SnapshotReader(writer.finish());
        tested.rows.restore(reader);
        reader.end();
      }
    }),
  );
});

test('of rows below a bound none stays unless many others do, others stay, and keys without rows are told', () => {
  const added = fc.tuple(
    fc.nat(keyCount - 1),
    fc.integer({ min: 1, max: 9 }),
    fc.constantFrom(...Array(40).fill(1), 2),
  );
  const step = fc.record({
    rows: fc.array(added, { minLength: 1, maxLength: 30 }),
    above: fc.integer({ min: 0, max: 9 }),
  });
  let dropped = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), fc.nat(5), fc.boolean(), (steps, chunkBits, isSorted) => {
      const tested = side(chunkBits);
      let model = new Map<string, number>();
      for (const { rows, above } of steps) {
        // The payload is a 64-bit number that falls while the value grows: greater values are below.
        change(tested, isSorted ? rows.toSorted(([, a], [, b]) => b - a) : rows);
        for (const [key, value, by] of rows) model.set(`${key}: ${value}`, (model.get(`${key}: ${value}`) ?? 0) + by);
        const before = model;
        const stays = (name: string): boolean => Number(name.slice(3)) <= above;
        const emptied = new Int32Array(keyCount);
        const gone = tested.rows.dropBelow({ offset: 0, nullWord: -1, nullBit: 0, high: -above, low: 0 }, emptied);
        model = content(tested, 7);
        for (const [name, weight] of before) if (stays(name)) assert.is(model.get(name), weight, name);
        for (const [name, weight] of model) assert.is(before.get(name), weight, name);
        const left = [...model.values()].reduce((sum, weight) => sum + weight, 0);
        const wanted = [...before].reduce((sum, [name, weight]) => sum + (stays(name) ? weight : 0), 0);
        const all = [...before.values()].reduce((sum, weight) => sum + weight, 0);
        assert.ok(
          left === wanted || (left === all && wanted * 2 > all),
          `${left} of ${all} rows, ${wanted} have to stay`,
        );
        if (left < all) dropped++;
        const keysOf = (rowsOf: Map<string, number>): string[] => [
          ...new Set([...rowsOf.keys()].map((name) => name[0]!)),
        ];
        const lost = keysOf(before).filter((key) => !keysOf(model).includes(key));
        assert.equal([...emptied.subarray(0, gone)].map(String), lost.sort());
        const writer = new SnapshotWriter();
        tested.rows.snapshot(writer);
        tested.rows.restore(new SnapshotReader(writer.finish()));
      }
    }),
  );
  assert.ok(dropped > 100, `${dropped} times rows went`);
});

test('a key whose last row goes is reported', () => {
  const { rows } = side(20);
  const one = Int32Array.of(1);
  const emptied: number[] = [];
  rows.change(Int32Array.of(7, -7), 2, 0, Int32Array.of(2), one, 1, emptied);
  assert.equal(emptied, []);
  rows.change(Int32Array.of(7, -7), 2, 0, Int32Array.of(2), Int32Array.of(-1), 1, emptied);
  assert.equal(emptied, [2]);
  assert.is(rows.live, 0);
});

function sorted(content: Map<string, number>): readonly (readonly [string, number])[] {
  return [...content].sort(([a], [b]) => (a < b ? -1 : 1));
}

test.run();
