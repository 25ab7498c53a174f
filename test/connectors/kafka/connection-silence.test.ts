// A connection is given up when nothing moves on it while an answer is awaited, and for no other reason.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionSilence } from '../../../connectors/kafka/connection-silence.ts';
import type { Clock } from '../../../runtime/clock.ts';

/** A clock whose timers of `every` fire when they are told to. */
function watched(): {
  tick(times: number): void;
  socket: Record<'bytesRead' | 'bytesWritten' | 'writableLength', number>;
  silence: ConnectionSilence;
  silences: number[];
} {
  const calls = new Set<() => void>();
  let ticks = 0;
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    after: () => ({ cancel: () => {} }),
    every: (_, call) => {
      calls.add(call);
      return { cancel: () => void calls.delete(call) };
    },
  };
  const socket = { bytesRead: 0, bytesWritten: 0, writableLength: 0 };
  const silences: number[] = [];
  const silence = new ConnectionSilence(clock, socket, 1_000, () => void silences.push(ticks));
  const tick = (times: number): void => {
    for (let i = 0; i < times; i++) {
      ticks++;
      for (const call of calls) call();
    }
  };
  return { tick, socket, silence, silences };
}

test('nothing is noticed while no answer is awaited', () => {
  const { tick, silence, silences } = watched();
  tick(20);
  silence.begin();
  tick(3);
  silence.end();
  tick(20);
  assert.equal(silences, []);
});

test('a few bytes either way are a sign of life, bytes that only wait to be sent are none', () => {
  const { tick, socket, silence, silences } = watched();
  silence.begin();
  for (let i = 0; i < 10; i++) {
    tick(4);
    socket.bytesRead++;
  }
  tick(1);
  socket.bytesWritten = 100;
  socket.writableLength = 100;
  tick(4);
  assert.equal(silences, []);
  socket.writableLength = 99;
  tick(5);
  assert.equal(silences, []);
  tick(1);
  assert.is(silences.length, 1);
});

test('another answer that is awaited does not begin the wait anew', () => {
  const { tick, silence, silences } = watched();
  silence.begin();
  tick(3);
  silence.begin();
  silence.end();
  tick(2);
  assert.equal(silences, [5]);
});

test.run();
