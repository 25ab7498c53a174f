// Decimals as text, against arithmetic on BigInt.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDecimal, printDecimal, printDecimalWide } from '../../../runtime/batch/text-decimal.ts';
import { inexact, malformed, outOfRange, parsed } from '../../../runtime/batch/text-outcome.ts';
import { wordsOf } from '../../../runtime/batch/text-words.ts';

function parse(text: string, precision: number, scale: number): { outcome: number; value: bigint } {
  const bytes = new TextEncoder().encode(text);
  const wide = precision > 18;
  const values = new BigInt64Array(wide ? 6 : 3).fill(-77n);
  const outcome = parseDecimal(bytes, 0, bytes.length, precision, scale, wordsOf(values), 1);
  const at = (i: number): bigint => values[i] ?? 0n;
  for (const i of wide ? [0, 1, 4, 5] : [0, 2]) assert.is(at(i), -77n);
  return { outcome, value: wide ? (at(3) << 64n) | BigInt.asUintN(64, at(2)) : at(1) };
}

function print(value: bigint, precision: number, scale: number): string {
  const out = new Uint8Array(64);
  const narrow = wordsOf(BigInt64Array.of(5n, BigInt.asIntN(64, value)));
  const wide = wordsOf(BigInt64Array.of(5n, 5n, BigInt.asIntN(64, value), BigInt.asIntN(64, value >> 64n)));
  const end = precision > 18 ? printDecimalWide(wide, 1, scale, out, 0) : printDecimal(narrow, 1, scale, out, 0);
  return new TextDecoder().decode(out.subarray(0, end));
}

function formatDecimal(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${value < 0n ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : `.${digits.slice(point)}`}`;
}

const decimal = fc
  .tuple(
    fc.integer({ min: 1, max: 38 }),
    fc.nat(),
    fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
    fc.nat(38),
  )
  .map(([precision, scale, wide, drop]) => {
    const bound = 10n ** BigInt(precision);
    return { precision, scale: scale % (precision + 1), value: (wide / 10n ** BigInt(drop)) % bound };
  });

test('every decimal survives printing and parsing, with or without an exponent', () => {
  fc.assert(
    fc.property(decimal, fc.integer({ min: -30, max: 30 }), ({ precision, scale, value }, shift) => {
      const text = formatDecimal(value, scale);
      assert.is(print(value, precision, scale), text);
      assert.equal(parse(text, precision, scale), { outcome: parsed, value });
      assert.equal(parse(`${value}e-${scale}`, precision, scale), { outcome: parsed, value });
      assert.equal(parse(`${text}${scale === 0 ? '.' : ''}000E+0`, precision, scale), { outcome: parsed, value });
      const shifted =
        shift >= 0
          ? `${value}${'0'.repeat(shift)}e-${scale + shift}`
          : `${formatDecimal(value, -shift)}e${-scale - shift}`;
      assert.equal(parse(shifted, precision, scale), { outcome: parsed, value });
    }),
    { numRuns: 3000 },
  );
});

test('excess fraction digits round half away from zero and are reported', () => {
  fc.assert(
    fc.property(decimal, fc.bigInt({ min: 1n, max: 999n }), ({ precision, scale, value }, excess) => {
      const text = `${formatDecimal(value, scale)}${scale === 0 ? '.' : ''}${excess.toString().padStart(3, '0')}`;
      const away = excess >= 500n ? (text.startsWith('-') ? -1n : 1n) : 0n;
      const rounded = value + away;
      const fits = rounded < 10n ** BigInt(precision) && rounded > -(10n ** BigInt(precision));
      const got = parse(text, precision, scale);
      assert.is(got.outcome, fits ? inexact : outOfRange);
      if (fits) assert.is(got.value, rounded);
    }),
    { numRuns: 3000 },
  );
  assert.equal(parse('0.05', 3, 1), { outcome: inexact, value: 1n });
  assert.equal(parse('0.005', 3, 1), { outcome: inexact, value: 0n });
  assert.equal(parse('1e-400', 38, 38), { outcome: inexact, value: 0n });
});

test('a decimal beyond its precision is out of range', () => {
  assert.is(parse('100', 4, 2).outcome, outOfRange);
  assert.is(parse('99.995', 4, 2).outcome, outOfRange);
  assert.is(parse('1e38', 38, 0).outcome, outOfRange);
  assert.is(parse('1e999999999999', 38, 0).outcome, outOfRange);
  assert.equal(parse('0e999999999999', 38, 0), { outcome: parsed, value: 0n });
  assert.equal(parse(`-${'9'.repeat(38)}`, 38, 0), { outcome: parsed, value: -(10n ** 38n) + 1n });
});

test('what is no decimal is malformed', () => {
  for (const text of ['', '-', '.', '1..2', '1.2.3', 'e3', '1e', '1e+', '1ee3', ' 1', '1 ', 'abc', '1,5', 'NaN']) {
    assert.is(parse(text, 10, 2).outcome, malformed, text);
  }
  assert.equal(parse('.5', 10, 2), { outcome: parsed, value: 50n });
  assert.equal(parse('5.', 10, 2), { outcome: parsed, value: 500n });
  assert.equal(parse('+5', 20, 2), { outcome: parsed, value: 500n });
});

test.run();
