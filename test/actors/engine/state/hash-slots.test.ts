// The slots of a hash table: every entry is found at its home or behind it, however the table grows and whatever goes.
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HashSlots, homeOf } from '../../../../actors/engine/state/hash-slots.ts';
import { SnapshotReader, SnapshotWriter } from '../../../../actors/engine/state/snapshot-codec.ts';

const hashSlots = suite('hash slots');

/** Homes from which on the tables of these tests grow slot by slot. */
const doublingMax = 32;

function insert(table: HashSlots, hash: number, value: number): void {
  const { slots, homes } = table;
  let at = homeOf(homes, hash);
  while (slots[at + 1] !== 0) at += 2;
  slots[at] = hash;
  slots[at + 1] = value;
}

/** Whether a walk from the home of a hash comes to a value before it comes to a free slot. */
function finds({ slots, homes }: HashSlots, hash: number, value: number): boolean {
  for (let at = homeOf(homes, hash); slots[at + 1] !== 0; at += 2) if (slots[at + 1] === value) return true;
  return false;
}

const hashOf = (value: number, bits: number): number =>
  Math.imul(value, 0x9e3779b1) & (bits === 32 ? -1 : 2 ** bits - 1);

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('insert' as const), count: fc.integer({ min: 1, max: 60 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('remove' as const), count: fc.integer({ min: 1, max: 40 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('remove all' as const), count: fc.integer({ min: 1, max: 9 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), count: fc.constant(0) }) },
  ),
  { maxLength: 40 },
);

hashSlots('finds all entries that are there, and no others, while it grows slot by slot', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(0, 3, 7, 32), fc.integer(), (list, bits, seed) => {
      let table = new HashSlots(16, doublingMax);
      const held: number[] = [];
      let next = 1;
      for (const { kind, count } of list) {
        if (kind === 'insert') {
          table.reserve(held.length + count, count);
          for (let i = 0; i < count; i++, next++) {
            insert(table, hashOf(next + seed, bits), next);
            held.push(next);
          }
        } else if (kind === 'remove') {
          for (let i = 0; i < count && held.length > 0; i++) {
            const [gone] = held.splice((i * 7919) % held.length, 1);
            table.remove(hashOf(gone! + seed, bits), gone!);
          }
        } else if (kind === 'remove all') {
          const isGone = Uint8Array.from({ length: next }, (_, i) => ((i + 1) % count === 0 ? 1 : 0));
          table.removeAll(isGone);
          held.splice(0, held.length, ...held.filter((value) => isGone[value - 1] === 0));
        } else {
          const writer = new SnapshotWriter();
          table.snapshot(writer);
          table = new HashSlots(16, doublingMax);
          table.restore(new SnapshotReader(writer.finish()));
        }
        assert.is(table.entries, held.length);
        for (const value of held) assert.ok(finds(table, hashOf(value + seed, bits), value), `${value} is found`);
        const used = new Uint8Array(next);
        table.mark(used);
        assert.equal(
          [...used.keys()].filter((i) => used[i] === 1),
          held.map((value) => value - 1).sort((a, b) => a - b),
        );
      }
    }),
    { numRuns: 60 },
  );
});

hashSlots('has room for as many entries as were announced when all of them have the last home', () => {
  const table = new HashSlots(16, doublingMax);
  for (let value = 1; value <= 500; value++) {
    if (value % 50 === 1) table.reserve(value + 49, 50);
    insert(table, -1, value);
    assert.is(table.slots.at(-1), 0);
  }
  for (let value = 1; value <= 500; value++) assert.ok(finds(table, -1, value));
});

hashSlots('takes over a table that went round at its end', () => {
  // Four entries whose home is the last of eight slots.
  const ring = new Int32Array(16);
  for (const [place, value] of [7, 0, 1, 2].entries()) ring.set([7, place + 1], 2 * value);
  const writer = new SnapshotWriter();
  writer.words(ring);
  const table = new HashSlots();
  table.restore(new SnapshotReader(writer.finish()));
  assert.is(table.entries, 4);
  for (let value = 1; value <= 4; value++) assert.ok(finds(table, 7, value));
});

hashSlots('a large one grows with each key by what the key needs', () => {
  const table = new HashSlots();
  table.reserve(100_000, 100_000);
  const homes = table.homes[1]! >> 1;
  table.reserve(100_010, 10);
  const grown = (table.homes[1]! >> 1) - homes;
  assert.ok(grown > 0 && grown <= 100, `${grown} homes came`);
});

hashSlots.run();
