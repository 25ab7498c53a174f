// Floating point as text, against Number and String.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDouble, printDouble, printReal } from '../../../runtime/batch/text-double.ts';
import { malformed, outOfRange, parsed } from '../../../runtime/batch/text-outcome.ts';

function parse(text: string): number | string {
  const bytes = new TextEncoder().encode(text);
  const into = new Float64Array(1);
  const outcome = parseDouble(bytes, 0, bytes.length, into, 0);
  return outcome === parsed ? (into[0] ?? 0) : outcome === malformed ? 'malformed' : 'out of range';
}

const out = new Uint8Array(64);
const textOf = (end: number): string => new TextDecoder().decode(out.subarray(0, end));

test('every double is printed as JavaScript prints it and parses back', () => {
  const check = (value: number): void => {
    const text = textOf(printDouble(value, out, 0));
    assert.is(text, String(value));
    assert.is(parse(text), value === 0 ? 0 : value);
  };
  for (const value of [0, -0, 1e21, 1e-7, 0.1, 0.30000000000000004, 1.5, -2.25, 123456.789, 1e15, 2 ** 53, -(2 ** 60)])
    check(value);
  for (const value of [99999999.999999, 0.001, 0.0009999, 5e-324, 1.7976931348623157e308, 100.01, 4.35, 1.005])
    check(value);
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), check), { numRuns: 3000 });
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.nat(8), (n, scale) => check(n / 10 ** scale)),
    { numRuns: 3000 },
  );
});

test('parsing rounds as Number does', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.bigInt({ min: 0n, max: 10n ** 25n }),
      fc.option(fc.integer({ min: -330, max: 310 })),
      (a, b, e) => {
        const text = `${a}.${b}${e === null ? '' : `e${e}`}`;
        const value = Number(text);
        assert.is(parse(text), Number.isFinite(value) ? value : 'out of range');
        assert.is(parse(`-${b}`), -Number(b));
      },
    ),
    { numRuns: 3000 },
  );
});

test('names of special values parse in any case, other text is malformed', () => {
  assert.ok(Number.isNaN(parse('NaN')));
  assert.is(parse('-Infinity'), -Infinity);
  assert.is(parse('+inf'), Infinity);
  assert.is(parse('-.5'), -0.5);
  assert.is(parse('5.'), 5);
  for (const text of ['', '-', '.', '1e', '1e+', '1.2.3', ' 1', '1 ', '0x10', 'infinite', '1_000']) {
    assert.is(parse(text), 'malformed', text);
  }
});

test('a real is printed with the fewest digits that give the same 32-bit float', () => {
  assert.is(textOf(printReal(Math.fround(0.1), out, 0)), '0.1');
  assert.is(textOf(printReal(Math.fround(16777217), out, 0)), '16777216');
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = textOf(printReal(value, out, 0));
      assert.is(Math.fround(Number(text)), value === 0 ? 0 : value);
      assert.ok(
        text
          .replace(/^-|e.*$|\./g, '')
          .replace(/^0+/, '')
          .replace(/0+$/, '').length <= 9,
        text,
      );
    }),
    { numRuns: 2000 },
  );
  const bytes = new TextEncoder().encode('1e39');
  assert.is(parseDouble(bytes, 0, bytes.length, new Float32Array(1), 0), outOfRange);
});

test.run();
