// Tokens: opaque, URL-safe, told apart by run; marks complete in order.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeToken, encodeToken, MarkProgress } from '../../actors/completion-token.ts';
import { MillraceError } from '../../runtime/errors.ts';

test('a token survives the round trip and is safe in a URL', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.string(), fc.integer({ min: 1 }), (incarnation, endpoint, mark) => {
      const text = encodeToken({ incarnation, endpoint, mark });
      assert.match(text, /^[A-Za-z0-9_-]+$/);
      assert.equal(decodeToken(text), { incarnation, endpoint, mark });
    }),
  );
});

test('anything else is refused with a code, never with a crash', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64url');
  const bad = ['', 'ä', 'a b', base64('{"u":1}'), base64('null'), base64('{'), base64('{"u":"x","e":"y","m":0.5}')];
  for (const text of bad) {
    try {
      decodeToken(text);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, MillraceError);
      assert.is((error as MillraceError).code, 'token.malformed'); // SAFETY: checked above.
    }
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.throws(() => decodeToken(text), /is not a completion token/);
    }),
  );
});

test('a mark is complete once the step that took it is confirmed', () => {
  const progress = new MarkProgress();
  const first = progress.nextMark();
  const second = progress.nextMark();
  progress.stepped(first, 7);
  assert.not.ok(progress.isComplete(first));
  progress.completed(6);
  assert.not.ok(progress.isComplete(first));
  progress.completed(9);
  assert.ok(progress.isComplete(first));
  assert.not.ok(progress.isComplete(second));
  progress.stepped(second, 12);
  progress.completed(12);
  assert.ok(progress.isComplete(second));
  assert.is(progress.completedMark, progress.lastMark);
});

test('marks that somebody else numbers are known from afar, with the step that took them in', () => {
  const progress = new MarkProgress(false);
  assert.not.ok(progress.isComplete(3));
  assert.is(progress.stepOf(3), null);
  progress.stepped(2, 5);
  progress.stepped(4, 6);
  assert.is(progress.stepOf(3), 6);
  progress.completed(6);
  assert.ok(progress.isComplete(4));
  assert.is(progress.stepOf(4), 6);
  for (let mark = 5; mark < 1000; mark++) progress.stepped(mark, mark + 2);
  progress.completed(1001);
  assert.ok(progress.isComplete(2));
  // Too long ago: it is complete, and that is all that is known.
  assert.is(progress.stepOf(2), null);
  assert.is(progress.stepOf(999), 1001);
});

test.run();
