// Functions on DOUBLE: powers, logarithms, trigonometry. Every number is cast to DOUBLE, the result is DOUBLE.
import { accurateCubeRoot } from './cube-root.ts';
import { InvalidArgument } from './evaluation-errors.ts';
import type { Evaluator, FunctionDefinition, FunctionOverload } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';
import { accurateCos, accurateSin, accurateTan } from './trigonometry.ts';

const { double, boolean } = types;

/** 1 and -1 stay of size 1 whatever is infinite in the exponent (IEEE 754), where JavaScript says NaN. */
function power(x: number, y: number): number {
  return Math.abs(x) === 1 && Math.abs(y) === Number.POSITIVE_INFINITY ? 1 : x ** y;
}

const finiteOrNull: Evaluator = (x) => (Number.isFinite(x) ? x : null);

export const mathFunctions: readonly FunctionDefinition[] = [
  define(
    'power',
    ['pow'],
    'POWER(x, y)',
    'x to the power of y.',
    ['POWER(2, 10)', '1024'],
    [strictRow(['double', 'double'], double, typed(power))],
  ),
  unary('sqrt', 'Square root; NaN of a negative number.', ['SQRT(9)', '3'], Math.sqrt),
  unary('cbrt', 'Cube root.', ['CBRT(27)', '3'], accurateCubeRoot),
  unary('exp', 'e to the power of x.', ['EXP(0)', '1'], Math.exp),
  define(
    'ln',
    [],
    'LN(x)',
    'Natural logarithm; an error of a negative number.',
    ['LN(1)', '0'],
    [logarithm('LN', Math.log)],
  ),
  define('log10', [], 'LOG10(x)', 'Logarithm to the base 10.', ['LOG10(1000)', '3'], [logarithm('LOG10', Math.log10)]),
  define('log2', [], 'LOG2(x)', 'Logarithm to the base 2.', ['LOG2(8)', '3'], [logarithm('LOG2', Math.log2)]),
  define(
    'log',
    [],
    'LOG(x [, base])',
    'Logarithm to a base (e).',
    ['LOG(8, 2)', '3'],
    [strictRow(['double', 'double'], double, typed(logarithmTo), { optional: 1, canFail: true })],
  ),
  unary('sin', 'Sine of radians.', ['SIN(0)', '0'], accurateSin),
  unary('cos', 'Cosine of radians.', ['COS(0)', '1'], accurateCos),
  unary('tan', 'Tangent of radians.', ['TAN(0)', '0'], accurateTan),
  unary('cot', 'Cotangent of radians.', ['COT(0)', 'Infinity'], (x) => 1 / accurateTan(x)),
  unary('sec', 'Secant of radians.', ['SEC(0)', '1'], (x) => 1 / accurateCos(x)),
  unary('csc', 'Cosecant of radians.', ['CSC(0)', 'Infinity'], (x) => 1 / accurateSin(x)),
  unary('asin', 'Arc sine in radians; NaN outside of [-1, 1].', ['ASIN(0)', '0'], Math.asin),
  unary('acos', 'Arc cosine in radians; NaN outside of [-1, 1].', ['ACOS(1)', '0'], Math.acos),
  unary('atan', 'Arc tangent in radians.', ['ATAN(0)', '0'], Math.atan),
  define(
    'atan2',
    [],
    'ATAN2(y, x)',
    'Arc tangent of y / x in radians.',
    ['ATAN2(0, 1)', '0'],
    [
      strictRow(
        ['double', 'double'],
        double,
        typed((y: number, x: number) => Math.atan2(y, x)),
      ),
    ],
  ),
  unary('sinh', 'Hyperbolic sine.', ['SINH(0)', '0'], Math.sinh),
  unary('cosh', 'Hyperbolic cosine.', ['COSH(0)', '1'], Math.cosh),
  unary('tanh', 'Hyperbolic tangent.', ['TANH(0)', '0'], Math.tanh),
  unary('coth', 'Hyperbolic cotangent.', ['COTH(0)', 'Infinity'], (x) => 1 / Math.tanh(x)),
  unary('sech', 'Hyperbolic secant.', ['SECH(0)', '1'], (x) => 1 / Math.cosh(x)),
  unary('csch', 'Hyperbolic cosecant.', ['CSCH(0)', 'Infinity'], (x) => 1 / Math.sinh(x)),
  unary('asinh', 'Inverse hyperbolic sine.', ['ASINH(0)', '0'], Math.asinh),
  unary('acosh', 'Inverse hyperbolic cosine.', ['ACOSH(1)', '0'], acosh),
  unary('atanh', 'Inverse hyperbolic tangent.', ['ATANH(0)', '0'], Math.atanh),
  unary('radians', 'Degrees as radians.', ['RADIANS(0)', '0'], (x) => (x * Math.PI) / 180),
  unary('degrees', 'Radians as degrees.', ['DEGREES(0)', '0'], (x) => (x * 180) / Math.PI),
  define('pi', [], 'PI', 'The number π.', ['PI', '3.141592653589793'], [strictRow([], double, () => Math.PI)]),
  define(
    'is_nan',
    [],
    'IS_NAN(x)',
    'Whether x is not a number.',
    ["IS_NAN(CAST('NaN' AS DOUBLE))", 'TRUE'],
    [
      strictRow(
        ['double'],
        boolean,
        typed((x: number) => Number.isNaN(x)),
      ),
    ],
  ),
  define(
    'finite_or_null',
    [],
    'FINITE_OR_NULL(x)',
    'x, or NULL when it is infinite or no number.',
    ["FINITE_OR_NULL(CAST('Infinity' AS DOUBLE))", 'null'],
    [
      strictRow(['real'], (argumentTypes) => argumentTypes[0] ?? double, finiteOrNull, { nullable: true }),
      strictRow(['double'], double, finiteOrNull, { nullable: true }),
    ],
  ),
  define(
    'is_inf',
    [],
    'IS_INF(x)',
    'Whether x is infinite.',
    ['IS_INF(1e0)', 'FALSE'],
    [
      strictRow(
        ['double'],
        boolean,
        typed((x: number) => Math.abs(x) === Number.POSITIVE_INFINITY),
      ),
    ],
  ),
];

function define(
  name: string,
  aliases: readonly string[],
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overloads: readonly FunctionOverload[],
): FunctionDefinition {
  return { name, aliases, synopsis, category: 'numeric', summary, example, deterministic: true, overloads };
}

function unary(
  name: string,
  summary: string,
  example: FunctionDefinition['example'],
  compute: (x: number) => number,
): FunctionDefinition {
  return define(name, [], `${name.toUpperCase()}(x)`, summary, example, [
    strictRow(['double'], double, typed(compute)),
  ]);
}

/** In the form that loses no digits near 1. */
function acosh(x: number): number {
  return Math.log(x + Math.sqrt(x - 1) * Math.sqrt(x + 1));
}

function logarithm(name: string, compute: (x: number) => number): FunctionOverload {
  return strictRow(
    ['double'],
    double,
    typed((x: number) => compute(notNegative(name, x))),
    { canFail: true },
  );
}

function logarithmTo(x: number, base?: number): number {
  const top = notNegative('LOG', x);
  if (base === undefined) return Math.log(top);
  if (base === 2) return Math.log2(top);
  return base === 10 ? Math.log10(top) : Math.log(top) / Math.log(notNegative('LOG', base));
}

function notNegative(name: string, x: number): number {
  if (x < 0) throw new InvalidArgument({ function: name, detail: `${x} is negative` });
  return x;
}
