// Codes of strings: equality, growth, order, snapshots, collisions.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SnapshotReader, SnapshotWriter } from '../../../../actors/engine/state/snapshot-codec.ts';
import { StringPool } from '../../../../actors/engine/state/string-pool.ts';

function intern(pool: StringPool, text: string): number {
  const bytes = new TextEncoder().encode(text);
  return pool.intern(bytes, new DataView(bytes.buffer), 0, bytes.length);
}
const texts = Array.from({ length: 2000 }, (_, i) => `${i % 7 === 0 ? 'é' : 'x'.repeat(i % 40)}${i}`);

for (const [title, hashMask] of [
  ['a good hash', -1],
  ['a bad hash', 1],
] as const) {
  test(`equal strings have one code, others another: ${title}`, () => {
    const pool = new StringPool(hashMask);
    const codes = texts.map((text) => intern(pool, text));
    assert.equal(
      codes,
      texts.map((_, i) => i),
    );
    assert.equal(
      texts.map((text) => intern(pool, text)),
      codes,
    );
    const { bytes, offsets, size } = pool.dictionary();
    assert.is(size, texts.length);
    assert.is(new TextDecoder().decode(bytes.subarray(offsets[1234], offsets[1235])), texts[1234]);
  });
}

test('a dictionary that was given out stays right while the pool grows', () => {
  const pool = new StringPool();
  intern(pool, 'first');
  const early = pool.dictionary();
  for (const text of texts) intern(pool, text);
  assert.is(new TextDecoder().decode(early.bytes.subarray(early.offsets[0], early.offsets[1])), 'first');
  assert.is(pool.dictionary().identity, early.identity);
});

test('strings are ordered bytewise, and a prefix comes first', () => {
  const pool = new StringPool();
  const sorted = ['', 'a', 'aa', 'ab', 'b', 'é'];
  const codes = sorted.map((text) => intern(pool, text)).reverse();
  assert.equal(
    codes.sort((a, b) => pool.compare(a, b)),
    [0, 1, 2, 3, 4, 5],
  );
});

test('a restored pool gives the same codes', () => {
  const pool = new StringPool();
  for (const text of texts) intern(pool, text);
  const writer = new SnapshotWriter();
  pool.snapshot(writer);
  const copy = new StringPool();
  copy.restore(new SnapshotReader(writer.finish()));
  assert.is(intern(copy, texts[77]!), 77);
  assert.is(intern(copy, 'new one'), texts.length);
});

test.run();
