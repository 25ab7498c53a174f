// Copies between memories of both kinds, wherever they begin.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { copyBytes } from '../../../runtime/batch/copy-bytes.ts';

function memory(isShared: boolean, front: number, length: number): Uint8Array {
  const bytes = front + length + 5;
  return new Uint8Array(isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes), front, length);
}

test('bytes are copied as they are, and nothing beside them is touched', () => {
  const place = fc.record({ isShared: fc.boolean(), front: fc.nat({ max: 9 }) });
  fc.assert(
    fc.property(place, place, fc.uint8Array({ maxLength: 70 }), fc.nat({ max: 9 }), (from, to, content, at) => {
      const source = memory(from.isShared, from.front, content.length);
      source.set(content);
      const target = memory(to.isShared, to.front, at + content.length);
      const whole = new Uint8Array(target.buffer).fill(7);
      copyBytes(target, at, source);
      const start = to.front + at;
      const expected = new Uint8Array(whole.length).fill(7);
      expected.set(content, start);
      assert.equal([...whole], [...expected]);
    }),
  );
});

test.run();
