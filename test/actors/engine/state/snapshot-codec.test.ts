// What is written is read back, in order, however long it is.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SnapshotReader, SnapshotWriter } from '../../../../actors/engine/state/snapshot-codec.ts';

test('entries longer than the first buffer come back whole', () => {
  const writer = new SnapshotWriter();
  const text = 'ü'.repeat(10_000);
  const bytes = new Uint8Array(20_000).fill(7);
  const words = new Int32Array(30_000).fill(-3);
  writer.text(text);
  writer.bytes(bytes);
  writer.words(words);
  writer.number(0.5);
  const reader = new SnapshotReader(writer.finish());
  assert.is(reader.text(), text);
  assert.equal(reader.bytes(), bytes);
  assert.equal(reader.words(), words);
  assert.is(reader.number(), 0.5);
  reader.end();
});

test.run();
