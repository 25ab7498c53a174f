// Sines, cosines and tangents: known digits, large arguments, and agreement with the functions of JavaScript but for the last digit.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accurateCos, accurateSin, accurateTan } from '../../../../actors/engine/sql/trigonometry.ts';

const known: readonly (readonly [x: number, sin: number, cos: number, tan: number])[] = [
  [1e22, -0.8522008497671888, 0.523214785395139, -1.6287782256068988],
  [1146171806.0, -0.3532685381913101, -0.9355219612196043, 0.37761651017873205],
  [2 ** 62 + 1024, -0.5812735352064279, -0.8137082261281507, 0.7143513074364364],
  [54304.5, -0.8774931943719644, 0.4795890885235881, -1.8296771452272225],
  [Math.PI, 1.2246467991473532e-16, -1.0, -1.2246467991473532e-16],
  [1.0, 0.8414709848078965, 0.5403023058681398, 1.5574077246549023],
  [0.5, 0.479425538604203, 0.8775825618903728, 0.5463024898437905],
  [1e300, -0.8178819121159085, -0.5753861119575491, 1.4214488238747245],
  [355.0, -3.014435335948845e-5, -0.999999999545659, 3.0144353373184265e-5],
];

test('known values come out to the last digit, also of arguments that are many turns', () => {
  for (const [x, sin, cos, tan] of known) {
    assert.equal([accurateSin(x), accurateCos(x), accurateTan(x)], [sin, cos, tan], String(x));
    assert.equal([accurateSin(-x), accurateCos(-x), accurateTan(-x)], [-sin, cos, -tan], String(-x));
  }
});

test('every value is within a rounding of that of JavaScript', () => {
  const near = (a: number, b: number): boolean => a === b || Math.abs(a - b) <= Math.abs(b) * 2 ** -51;
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      assert.ok(
        near(accurateSin(x), Math.sin(x)) && near(accurateCos(x), Math.cos(x)) && near(accurateTan(x), Math.tan(x)),
      );
    }),
    { numRuns: 3000 },
  );
});

test('what is no angle has no sine', () => {
  for (const x of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    assert.equal([accurateSin(x), accurateCos(x), accurateTan(x)], [Number.NaN, Number.NaN, Number.NaN]);
  }
  assert.ok(Object.is(accurateSin(-0), -0) && accurateCos(0) === 1 && Object.is(accurateTan(-0), -0));
});

test.run();
