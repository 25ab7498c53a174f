// Decimal digits in a buffer: every number of digits, and any safe integer, as JavaScript prints them.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { printDigits, printNine, printShort } from '../../../connectors/sdk/decimal-digits.ts';

const text = (print: (value: number, out: Uint8Array, at: number) => number, value: number): string => {
  const out = new Uint8Array(40);
  const end = print(value, out, 3);
  return Buffer.from(out.subarray(3, end)).toString();
};

test('every number of digits prints as JavaScript prints it', () => {
  const edges = Array.from({ length: 15 }, (_, n) => 10 ** n).flatMap((power) => [power - 1, power, power + 1]);
  for (const value of [...edges, Number.MAX_SAFE_INTEGER]) assert.is(text(printDigits, value), String(value));
  for (const value of edges.filter((edge) => edge < 1e9)) {
    assert.is(text(printShort, value), String(value));
    assert.is(text(printNine, value), String(value).padStart(9, '0'));
  }
});

test('so does any safe integer', () => {
  fc.assert(fc.property(fc.maxSafeNat(), (value) => text(printDigits, value) === String(value)));
  fc.assert(fc.property(fc.nat(999_999_999), (value) => text(printNine, value) === String(value).padStart(9, '0')));
});

test.run();
