// Integers and booleans as text, against BigInt and String.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  parseBigint,
  parseBoolean,
  parseInteger,
  printBigint,
  printBoolean,
  printInteger,
} from '../../../runtime/batch/text-integer.ts';
import { malformed, outOfRange, parsed } from '../../../runtime/batch/text-outcome.ts';
import { wordsOf } from '../../../runtime/batch/text-words.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array, end: number): string => new TextDecoder().decode(bytes.subarray(0, end));
const min = -(2n ** 63n);
const max = 2n ** 63n - 1n;

function parse(text: string): bigint | number {
  const bytes = bytesOf(`x${text}x`);
  const values = new BigInt64Array(3);
  const outcome = parseBigint(bytes, 1, bytes.length - 1, wordsOf(values), 1);
  assert.is(values[0], 0n);
  assert.is(values[2], 0n);
  return outcome === parsed ? (values[1] ?? 0n) : outcome;
}

function print(value: bigint): string {
  const out = new Uint8Array(64);
  return textOf(out, printBigint(wordsOf(BigInt64Array.of(7n, value)), 1, out, 0));
}

test('every int64 survives printing and parsing', () => {
  const edges = [
    min,
    min + 1n,
    max,
    max - 1n,
    0n,
    1n,
    -1n,
    2n ** 53n,
    -(2n ** 53n),
    2n ** 53n + 1n,
    2n ** 32n,
    -(2n ** 32n),
  ];
  for (const value of edges) {
    assert.is(parse(value.toString()), value);
    assert.is(print(value), value.toString());
  }
  for (let bits = 1n; bits < 63n; bits++) {
    for (const value of [2n ** bits - 1n, 2n ** bits, -(2n ** bits), 10n ** (bits / 4n)])
      assert.is(print(value), value.toString());
  }
  fc.assert(
    fc.property(fc.bigInt({ min, max }), fc.integer({ min: 0, max: 63 }), (wide, shift) => {
      const value = wide >> BigInt(shift);
      assert.is(parse(value.toString()), value);
      assert.is(print(value), value.toString());
    }),
    { numRuns: 2000 },
  );
});

test('an integer beyond int64 is out of range', () => {
  for (const value of [max + 1n, min - 1n, 9999999999999999999n, 10n ** 19n, 10n ** 400n, -(10n ** 30n)]) {
    assert.is(parse(value.toString()), outOfRange);
  }
});

test('leading zeros and a plus sign are allowed, anything else is malformed', () => {
  assert.is(parse('+0000000000000000000000000000012'), 12n);
  assert.is(parse(`-000000000000${2n ** 63n}`), min);
  assert.is(parse('-0'), 0n);
  for (const text of ['', '-', '+', '1 ', ' 1', '1.0', '1e3', '0x1', '--1', '12345678901234567a', '١']) {
    assert.is(parse(text), malformed, text);
  }
});

test('smaller integers hold their bounds', () => {
  const into = new Int8Array(1);
  const tiny = (text: string): number => {
    const bytes = bytesOf(text);
    const outcome = parseInteger(bytes, 0, bytes.length, -128, 127, into, 0);
    return outcome === parsed ? (into[0] ?? 0) : outcome + 1000;
  };
  assert.is(tiny('-128'), -128);
  assert.is(tiny('127'), 127);
  assert.is(tiny('128'), outOfRange + 1000);
  assert.is(tiny('9'.repeat(500)), outOfRange + 1000);
  assert.is(tiny('-'), malformed + 1000);
  assert.is(tiny('1.5'), malformed + 1000);
  const out = new Uint8Array(32);
  for (const value of [0, 9, 10, 99, 100, 12345, 99999, 100000, 999999999, 1000000000, -2147483648, 2 ** 53 - 1]) {
    assert.is(textOf(out, printInteger(value, out, 0)), String(value));
  }
});

test('booleans are true and false in any case', () => {
  const into = new Uint8Array(1);
  const parseText = (text: string): number => {
    const bytes = bytesOf(text);
    return parseBoolean(bytes, 0, bytes.length, into, 0) === parsed ? (into[0] ?? 9) : -1;
  };
  assert.is(parseText('true'), 1);
  assert.is(parseText('FALSE'), 0);
  assert.is(parseText('True'), 1);
  for (const text of ['', 't', 'truE ', 'falsey', 'fals', '1']) assert.is(parseText(text), -1);
  const out = new Uint8Array(8);
  assert.is(textOf(out, printBoolean(1, out, 0)), 'true');
  assert.is(textOf(out, printBoolean(0, out, 0)), 'false');
});

test.run();
