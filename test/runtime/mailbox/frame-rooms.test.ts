// What frame-rooms.ts promises: nothing is lent twice, what came back is used again, and the bound holds.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FrameRooms, type LentFrame, lentBytesMin } from '../../../runtime/mailbox/frame-rooms.ts';

test('a room is lent to one at a time, holds what was asked for, and all rooms stay within the bound', () => {
  const bytesMax = 64 * lentBytesMin;
  const call = fc.oneof(
    fc.record({ take: fc.integer({ min: 1, max: 20 * lentBytesMin }) }),
    fc.record({ back: fc.nat({ max: 40 }) }),
  );
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
      const rooms = new FrameRooms(bytesMax);
      const out: LentFrame[] = [];
      for (const each of calls) {
        if ('back' in each) {
          const [frame] = out.splice(each.back, 1);
          if (frame !== undefined) rooms.giveBack([frame.room]);
        } else {
          const frame = rooms.take(each.take);
          if (frame === null) continue;
          assert.ok(frame.bytes === each.take && frame.memory.byteLength >= each.take);
          assert.not.ok(out.some(({ memory }) => memory === frame.memory));
          out.push(frame);
        }
        assert.is(rooms.held.out, out.length);
        assert.ok(rooms.held.bytes <= bytesMax);
      }
    }),
  );
});

test('a room that came back is the next to be lent, and one that nobody has lent is not known', () => {
  const rooms = new FrameRooms(1 << 20);
  const first = rooms.take(100_000);
  const second = rooms.take(100_000);
  assert.ok(first !== null && second !== null);
  rooms.giveBack([first?.room ?? 0, 99, first?.room ?? 0]);
  assert.is(rooms.take(90_000)?.memory, first?.memory);
  assert.is(rooms.held.out, 2);
});

test('small frames get no room, nor does what is beyond the bound', () => {
  const rooms = new FrameRooms(1 << 20);
  assert.is(rooms.take(lentBytesMin - 1), null);
  assert.is(rooms.take(2 << 20), null);
  assert.ok(rooms.take(900_000) !== null);
  assert.is(rooms.take(900_000), null);
});

test('the memory of a flood is let go when it is over', () => {
  const rooms = new FrameRooms(64 << 20);
  const lent = Array.from({ length: 20 }, () => rooms.take(2 << 20));
  assert.ok(rooms.held.bytes > 40 << 20);
  rooms.giveBack(lent.flatMap((frame) => (frame === null ? [] : [frame.room])));
  assert.ok(rooms.held.bytes <= 8 << 20 && rooms.held.bytes > 0);
});

test.run();
