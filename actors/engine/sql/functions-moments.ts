// Deviations, variances and covariances, of arrays or of counts and sums: what bind-aggregate.ts makes of STDDEV_SAMP and its like. Exact until a
// root is taken.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { CallShape, Evaluator, FunctionDefinition } from './function-definition.ts';
import { types } from './function-rows.ts';
import { cellsOf, elementType, gatheredFunction, gatheredRow, unknownType } from './gathered-values.ts';
import type { ScalarValue } from './scalar-value.ts';

export const momentFunctions: readonly FunctionDefinition[] = [
  gatheredFunction(
    'deviation_of_array',
    'DEVIATION_OF_ARRAY(array, how)',
    'Deviation or variance (samp or pop) of the elements that are not NULL.',
    ["DEVIATION_OF_ARRAY(ARRAY[1, 3], 'stddev_pop')", '1'],
    [
      gatheredRow(
        ['array', 'string'],
        ([array]) => deviationType(elementType([array ?? unknownType])),
        deviationOfArray,
        {
          nullable: true,
        },
      ),
    ],
  ),
  gatheredFunction(
    'deviation_of_sums',
    'DEVIATION_OF_SUMS(count, sum, sum of squares, how)',
    'Deviation or variance (samp or pop) of values of which count, sum and sum of squares are known.',
    ["DEVIATION_OF_SUMS(2, 4e0, 10e0, 'stddev_pop')", '1'],
    [
      gatheredRow(['BIGINT', 'decimal', 'decimal', 'string'], ([, sum]) => deviationType(sum), exactDeviation, {
        nullable: true,
      }),
      gatheredRow(['BIGINT', 'double', 'double', 'string'], types.double, floatDeviation, { nullable: true }),
    ],
  ),
  gatheredFunction(
    'covariance_of_sums',
    'COVARIANCE_OF_SUMS(count, sum, sum, sum of products, how)',
    'Covariance (covar_pop, covar_samp) of pairs of which count and sums are known, or without division (regr_sxx, regr_syy).',
    ["COVARIANCE_OF_SUMS(2, 4e0, 6e0, 14e0, 'covar_pop')", '1'],
    [
      gatheredRow(
        ['BIGINT', 'decimal', 'decimal', 'decimal', 'string'],
        ([, , , products]) => products ?? types.double,
        exactCovariance,
        {
          nullable: true,
        },
      ),
      gatheredRow(['BIGINT', 'double', 'double', 'double', 'string'], types.double, floatCovariance, {
        nullable: true,
      }),
    ],
  ),
];

/** Exact numbers keep their scale, with all the digits there are. */
function deviationType(type: SqlType | undefined): SqlType {
  if (type?.kind === 'REAL' || type?.kind === 'DOUBLE') return types.double;
  return { kind: 'DECIMAL', precision: 38, scale: type?.kind === 'DECIMAL' ? type.scale : 0 };
}

interface Deviation {
  readonly isRoot: boolean;
  /** How many values are left out of the count. */
  readonly less: number;
}

function deviationOf(how: ScalarValue | undefined): Deviation {
  const name = String(how);
  return { isRoot: name.startsWith('stddev'), less: name.endsWith('samp') ? 1 : 0 };
}

function floatDeviation({ constants }: CallShape): Evaluator {
  const how = deviationOf(constants[3]);
  return (count, sum, squares) => fromMoments(Number(count), Number(sum), Number(squares), how);
}

function fromMoments(count: number, sum: number, squares: number, { isRoot, less }: Deviation): number | null {
  if (count <= less) return null;
  // Rounding may leave a little less than nothing.
  const variance = Math.max(0, (squares - (sum / count) * sum) / (count - less));
  return isRoot ? Math.sqrt(variance) : variance;
}

function exactDeviation({ argumentTypes: [, sumType, squareType], constants }: CallShape): Evaluator {
  const how = deviationOf(constants[3]);
  const [scale, squareScale] = [sumType, squareType].map((type) => BigInt(type?.kind === 'DECIMAL' ? type.scale : 0));
  return (count, sum, squares) => {
    const aligned = BigInt(squares as bigint) * 10n ** (2n * (scale ?? 0n) - (squareScale ?? 0n));
    return rounded(BigInt(count as bigint), BigInt(sum as bigint), aligned, scale ?? 0n, how);
  };
}

/** From count, sum · 10^scale and sum of squares · 10^(2 · scale) to a value · 10^scale, cut off. */
function rounded(
  count: bigint,
  sum: bigint,
  squares: bigint,
  scale: bigint,
  { isRoot, less }: Deviation,
): bigint | null {
  const divisor = count * (count - BigInt(less));
  if (count <= BigInt(less)) return null;
  if (scale === 0n) {
    // Each quotient is one of integers, as in the formula written with SUM and COUNT.
    const variance = (squares - (sum * sum) / count) / (count - BigInt(less));
    return isRoot ? root(variance) : variance;
  }
  const numerator = count * squares - sum * sum;
  if (numerator <= 0n) return 0n;
  return isRoot ? root(numerator / divisor) : numerator / divisor / 10n ** scale;
}

/** The integer part of a square root. */
function root(value: bigint): bigint {
  if (value < 2n) return value;
  let guess = BigInt(Math.floor(Math.sqrt(Number(value)))) + 1n;
  for (;;) {
    const next = (guess + value / guess) / 2n;
    if (next >= guess) break;
    guess = next;
  }
  while (guess * guess > value) guess--;
  return guess;
}

function floatCovariance({ constants }: CallShape): Evaluator {
  const how = String(constants[4]);
  const less = how.endsWith('samp') ? 1 : 0;
  return (count, left, right, products) => {
    const n = Number(count);
    if (n <= less) return null;
    const sum = Number(products) - (Number(left) / n) * Number(right);
    return how.startsWith('covar') ? sum / (n - less) : Math.max(0, sum);
  };
}

function exactCovariance({ argumentTypes, constants }: CallShape): Evaluator {
  const how = String(constants[4]);
  const less = how.endsWith('samp') ? 1n : 0n;
  const [, a, b, c] = argumentTypes.map((type) => BigInt(type.kind === 'DECIMAL' ? type.scale : 0));
  // Both sides of the difference are brought to one scale, the result back to that of the products.
  const more = (a ?? 0n) + (b ?? 0n) - (c ?? 0n);
  const [raise, shift] = more >= 0n ? [10n ** more, 1n] : [1n, 10n ** -more];
  return (count, left, right, products) => {
    const n = BigInt(count as bigint);
    if (n <= less) return null;
    const sum = n * BigInt(products as bigint) * raise - BigInt(left as bigint) * BigInt(right as bigint) * shift;
    return how.startsWith('covar') ? sum / (n * (n - less) * raise) : sum / (n * raise);
  };
}

function deviationOfArray({ argumentTypes, constants }: CallShape): Evaluator {
  const type = elementType(argumentTypes);
  const how = deviationOf(constants[1]);
  if (type.kind === 'REAL' || type.kind === 'DOUBLE') {
    return (array) => {
      const numbers = cellsOf(array, type).map(Number);
      const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
      const squares = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0);
      return fromMoments(numbers.length, 0, squares, how);
    };
  }
  const scale = BigInt(type.kind === 'DECIMAL' ? type.scale : 0);
  return (array) => {
    const numbers = cellsOf(array, type).map((cell) => (typeof cell === 'bigint' ? cell : BigInt(Number(cell))));
    const sum = numbers.reduce((left, right) => left + right, 0n);
    const squares = numbers.reduce((left, right) => left + right * right, 0n);
    return rounded(BigInt(numbers.length), sum, squares, scale, how);
  };
}
