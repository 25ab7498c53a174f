// Memory that threads share for a step: arrays stay what they are until the next step begins, and memory follows what steps need.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedRoom } from '../../../../actors/engine/workers/shared-room.ts';

const filled = (rows: number, value: number): Int32Array => new Int32Array(rows).fill(value);

test('arrays of a step lie in shared memory and do not touch one another, however many there are', () => {
  const room = new SharedRoom();
  for (let step = 0; step < 5; step++) {
    room.clear();
    const placed = Array.from({ length: 50 }, (_, i) => room.place(filled(1 + i * 200 * step, i)));
    placed.forEach((array, i) => {
      assert.instance(array.buffer, SharedArrayBuffer);
      assert.equal(array, filled(1 + i * 200 * step, i));
    });
  }
});

test('an array that lies in shared memory already is not copied', () => {
  const shared = new Float64Array(new SharedArrayBuffer(64));
  assert.is(new SharedRoom().place(shared), shared);
});

test('a great step gets its room in the next one, and gives it back when no other one comes', () => {
  const room = new SharedRoom();
  room.place(filled(1 << 20, 1));
  room.clear();
  assert.ok(room.byteLength >= 4 << 20);
  for (let step = 0; step < 100; step++) {
    room.place(filled(1000, 1));
    room.clear();
  }
  assert.ok(room.byteLength < 1 << 20, `${room.byteLength} bytes`);
});

test.run();
