// The cube root, rounded correctly: what the runtime gives may be the neighbour of the nearest DOUBLE.
//
// One step of Newton's method from there, with the cube of the root in twice the precision, so that what is left of the argument
// is known to its last digit. Pure; called by the function rows alone.

/** Where squares of the root are not exact any more, because they would be smaller than what a DOUBLE can hold. */
const smallest = 1e-250;
/** 2^27 + 1 cuts a DOUBLE into two halves whose products are exact (Veltkamp). */
const splitter = 134217729;

export function accurateCubeRoot(x: number): number {
  const root = Math.cbrt(x);
  if (!Number.isFinite(x) || Math.abs(x) < smallest) return root;
  const square = root * root;
  const squareRest = restOfProduct(root, root, square);
  const cube = square * root;
  const cubeRest = restOfProduct(square, root, cube);
  const left = x - cube - cubeRest - squareRest * root;
  return root + left / (3 * square);
}

/** What the product of two numbers loses when it is rounded (Dekker). */
function restOfProduct(a: number, b: number, product: number): number {
  const aHigh = splitter * a - (splitter * a - a);
  const aLow = a - aHigh;
  const bHigh = splitter * b - (splitter * b - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}
