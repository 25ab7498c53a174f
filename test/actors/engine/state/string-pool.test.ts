// Codes of strings: equality, growth, order, snapshots, collisions.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CarriedTexts } from '../../../../actors/engine/state/carried-texts.ts';
import { SnapshotReader, SnapshotWriter } from '../../../../actors/engine/state/snapshot-codec.ts';
import { StringPool } from '../../../../actors/engine/state/string-pool.ts';
import type { BytesColumn } from '../../../../runtime/batch/column.ts';
import { ownBatch } from '../../../../runtime/batch/own-batch.ts';
import { batchOf, schemaOf, text } from '../zset-rows.ts';

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

/** Rows of a bytes column, null for NULL. */
function columnOf(values: readonly (string | null)[]): BytesColumn {
  const schema = schemaOf({ s: text });
  // SAFETY: what a builder makes of a text field is a bytes column.
  return batchOf(
    schema,
    values.map((value) => [1, value]),
  ).columns[0] as BytesColumn;
}

for (const [title, hashMask] of [
  ['a good hash', -1],
  ['a bad hash', 1],
] as const) {
  test(`a carried string has a code of its own, and one that it shares with its equals: ${title}`, () => {
    const pool = new StringPool(hashMask);
    const first = intern(pool, 'b');
    const codes = new Int32Array(5);
    pool.carryColumn(columnOf(['a', 'b', null, 'a', '']), 0, 5, codes, 1, 0);
    assert.is(new Set(codes).size, 5);
    assert.equal(
      [...codes].map((code, i) => (i === 2 ? null : pool.text(code))),
      ['a', 'b', null, 'a', ''],
    );
    assert.is(pool.interned, 1);
    assert.is(pool.canonical(codes[1]!), first);
    assert.is(pool.canonical(codes[0]!), codes[0]);
    assert.is(pool.canonical(codes[3]!), codes[0]);
    assert.is(intern(pool, 'a'), codes[0]);
    assert.is(pool.compare(codes[0]!, codes[3]!), 0);
    const writer = new SnapshotWriter();
    pool.snapshot(writer);
    const copy = new StringPool(hashMask);
    copy.restore(new SnapshotReader(writer.finish()));
    assert.is(copy.interned, pool.interned);
    assert.is(copy.canonical(codes[3]!), codes[0]);
  });
}

test('strings that are all different are carried after a while, those that come again are not', () => {
  for (const repeats of [false, true]) {
    const pool = new StringPool();
    const texts = new CarriedTexts();
    const codes = new Int32Array(256);
    const all: [number, string][] = [];
    for (let block = 0; block < 40; block++) {
      const values = Array.from({ length: 256 }, (_, i) => `text ${repeats ? i % 50 : block * 256 + i}`);
      texts.write(columnOf(values), 0, 256, codes, 1, 0, pool);
      assert.equal(
        [...codes].map((code) => pool.text(code)),
        values,
      );
      values.forEach((value, i) => {
        all.push([codes[i]!, value]);
      });
    }
    if (repeats) assert.is(pool.size, 50);
    // Each block may begin with a code that names nothing.
    else assert.ok(pool.size >= 40 * 256 && pool.size <= 40 * 257 && pool.interned < 40 * 128);
    for (const [code, value] of all) assert.is(pool.text(code), value);
  }
});

test('rows that are picked are carried byte by byte as they are, however their texts lie', () => {
  const pieces = ['\u007f', '\u{10ffff}', '\u{f0000}', 'a', '\u0000', 'ÿ', ''];
  // Every length up to some words, and DEL and four bytes behind one another at every place of a word.
  const values = Array.from({ length: 300 }, (_, i) =>
    Array.from({ length: i % 90 }, (_each, k) => pieces[(i * 7 + k * (1 + (i % 5))) % pieces.length]).join(''),
  );
  // Most of them, and the few of them that are touched before they are copied.
  for (const isChosen of [(row: number) => row % 3 !== 0, (row: number) => row % 7 === 0, () => false]) {
    const pool = new StringPool();
    const rows = Int32Array.from(values.keys()).filter(isChosen);
    const codes = new Int32Array(values.length);
    pool.carryRows(columnOf(values), rows, rows.length, codes, rows, 1, 0);
    for (const row of rows) assert.is(pool.text(codes[row]!), values[row]);
  }
});

for (const [title, hashMask] of [
  ['a good hash', -1],
  ['a bad hash', 1],
] as const) {
  test(`rows that are picked have the codes that they would have one by one: ${title}`, () => {
    const pool = new StringPool(hashMask);
    const alone = new StringPool(hashMask);
    // So many that the table grows while they come, and some of them again and again.
    for (let block = 0; block < 8; block++) {
      const values = Array.from({ length: 300 }, (_, i) => texts[(block * 150 + i * 7) % texts.length]!);
      const rows = Int32Array.from(values.keys()).filter((row) => row % 3 !== 1);
      const codes = new Int32Array(3 * rows.length);
      pool.internRows(columnOf(values), rows, rows.length, codes, Int32Array.from(rows.keys()), 3, 1);
      rows.forEach((row, i) => {
        assert.is(codes[3 * i + 1], intern(alone, values[row]!));
        assert.is(pool.text(codes[3 * i + 1]!), values[row]);
      });
    }
    assert.is(pool.interned, alone.interned);
  });
}

for (const [title, isShared] of [
  ['a pool', false],
  ['a pool that other threads read', true],
] as const) {
  test(`${title} grows past what is copied, and columns that point at it stay right`, () => {
    const pool = new StringPool(-1, isShared);
    const before = intern(pool, 'before');
    const early = pool.dictionary();
    const long = (i: number): string => `${i}${'-'.repeat(300)}`;
    const codes = Array.from({ length: 12_000 }, (_, i) => intern(pool, long(i)));
    assert.ok(pool.stateBytes > 4_000_000);
    for (const i of [0, 3000, 3600, 7000, 11_999]) assert.is(pool.text(codes[i]!), long(i));
    assert.is(intern(pool, long(3500)), codes[3500]);
    const { bytes, offsets } = early;
    assert.is(new TextDecoder().decode(bytes.subarray(offsets[before], offsets[before + 1])), 'before');
  });
}

test('who keeps a batch does not copy the strings of a large pool', () => {
  const pool = new StringPool();
  for (let i = 0; i < 3000; i++) intern(pool, `${i}${'-'.repeat(300)}`);
  const dictionary = pool.dictionary();
  const codes = Int32Array.of(3, 2999);
  const schema = schemaOf({ s: text }, ['s']);
  const column = { layout: 'dictionary', type: text, validity: null, codes, dictionary } as const;
  const [kept] = ownBatch({ schema, rows: 2, weights: null, columns: [column], presence: null }).columns;
  assert.ok(kept?.layout === 'dictionary' && kept.dictionary.bytes === dictionary.bytes);
});

test.run();
