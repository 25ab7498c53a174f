// The cube root: the nearest DOUBLE, as integers beyond every DOUBLE tell.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accurateCubeRoot } from '../../../../actors/engine/sql/cube-root.ts';

/** Three times as many bits behind the point as a root of at least 1 has, for the cube of what lies between two DOUBLEs. */
const bits = 53n;

/** A DOUBLE from 1 on as an integer, times 2^53. */
function scaled(x: number): bigint {
  const exponent = Math.max(0, Math.floor(Math.log2(x)) - 52);
  return BigInt((x / 2 ** exponent) * 2 ** 53) << BigInt(exponent);
}

function next(x: number, step: 1 | -1): number {
  const cell = new Float64Array([x]);
  new BigInt64Array(cell.buffer)[0]! += BigInt(step);
  return cell[0]!;
}

test('the root is the DOUBLE that is nearest to the true one', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 2n ** 53n }), (n) => {
      const root = accurateCubeRoot(Number(n));
      // The cube of the middle between the root and its neighbour is not on the wrong side: (2 · middle)³ against 8 · n.
      const above = (scaled(root) + scaled(next(root, 1))) ** 3n;
      const below = (scaled(root) + scaled(next(root, -1))) ** 3n;
      const wanted = (8n * n) << (3n * bits);
      assert.ok(below <= wanted && wanted <= above, String(n));
    }),
    { numRuns: 20_000, examples: [[1146171806n]] },
  );
});

test('what has no root of its own stays what it is', () => {
  for (const x of [0, -0, Number.NaN, Infinity, -Infinity]) assert.ok(Object.is(accurateCubeRoot(x), x));
  assert.is(accurateCubeRoot(-27), -3);
  assert.is(accurateCubeRoot(5e-324), Math.cbrt(5e-324));
  assert.is(accurateCubeRoot(1e300), 1e100);
});

test.run();
