// VARIANT as JavaScript values: agreement with JSON.parse, and exact integers of any size.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatVariant, parseVariant } from '../../../runtime/batch/variant-json.ts';

test('JSON without big integers is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1), (value, space) => {
      const text = JSON.stringify(value, null, space);
      fc.pre(!/\d{16}/.test(text));
      assert.equal(parseVariant(text), JSON.parse(text));
      // A long run of digits in a string takes the other reader over the same value.
      const wrapped = `[ "1234567890123456" , ${text} ]`;
      assert.equal(parseVariant(wrapped), JSON.parse(wrapped));
    }),
    { numRuns: 300 },
  );
});

test('integers beyond the safe range are bigint, other long numbers are numbers', () => {
  assert.is(parseVariant('9007199254740993'), 9007199254740993n);
  assert.is(parseVariant('-9007199254740993'), -9007199254740993n);
  assert.is(parseVariant('9007199254740991'), 9007199254740991);
  assert.equal(parseVariant('{"a": [0.5000000000000000, 1e3, 12345678901234567890]}'), {
    a: [0.5, 1e3, 12345678901234567890n],
  });
  assert.throws(() => parseVariant('12345678901234567x'));
});

test('values are printed without white space, big integers with all digits', () => {
  const value = { a: [1, 12345678901234567890n, null, 'x"'], skipped: undefined, d: new Date(0), b: Uint8Array.of(1) };
  const text = '{"a":[1,12345678901234567890,null,"x\\""],"d":"1970-01-01T00:00:00.000Z","b":[1]}';
  assert.is(formatVariant(value), text);
  for (const none of [undefined, Number.NaN, Symbol('s'), { f: () => 1 }, [undefined], new Date(Number.NaN)]) {
    assert.is(formatVariant(none), undefined);
  }
});

test.run();
