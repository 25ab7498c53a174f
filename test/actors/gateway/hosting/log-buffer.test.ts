// The log of a pipeline: lines are numbered, old ones go, followers are told.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LogBuffer } from '../../../../actors/gateway/hosting/log-buffer.ts';

test('lines are numbered from 1, a text of two lines counts twice', () => {
  const log = new LogBuffer();
  log.add('a');
  log.add('b\nc');
  assert.is(log.lastSequence, 3);
  assert.equal(log.after(0, 10), ['a', 'b', 'c']);
  assert.equal(log.after(1, 1), ['b']);
});

test('the oldest lines go when there are too many, and the first number says so', () => {
  const log = new LogBuffer();
  for (let i = 1; i <= 10_005; i++) log.add(`line ${i}`);
  assert.is(log.firstSequence, 6);
  assert.equal(log.after(0, 1), ['line 6']);
});

test('followers are called until they leave, and at the end', () => {
  const log = new LogBuffer();
  let calls = 0;
  const leave = log.follow(() => calls++);
  log.add('a');
  log.end();
  leave();
  log.add('b');
  assert.is(calls, 2);
  assert.ok(log.isEnded);
});

test.run();
