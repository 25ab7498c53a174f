// What aggregates become that are computed from others: of the array of all values, or of counts and sums.
//
// The binder (bind-aggregate.ts) writes these calls; the rows are in the table because a call is a row of it. BIT_AND, BIT_OR and
// BIT_XOR of integers work on their two's complement, of bytes byte by byte. Deviations are exact until the root is taken.
import { fromPublic, nestedPart, Refusal } from '../../../runtime/batch/public-values.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { parseVariant } from '../../../runtime/batch/variant-json.ts';
import type { ScalarValue } from './bound.ts';
import type { CallShape, Evaluator, FunctionDefinition, FunctionOverload } from './function-definition.ts';
import { types } from './function-rows.ts';
import { orderKey } from './order-key.ts';

const unknownType: SqlType = { kind: 'NULL' };

export const gatheredFunctions: readonly FunctionDefinition[] = [
  define(
    'array_item',
    'ARRAY_ITEM(x, key, …)',
    'What ARRAY_AGG gathers: the keys that order the items, and the item as an array spells it.',
    ['CHAR_LENGTH(ARRAY_ITEM(1, TRUE))', '4'],
    [
      row(
        ['any'],
        types.text,
        ({ argumentTypes }) =>
          (...values) => {
            const keys = values.slice(1).map((value, i) => orderKey(value, argumentTypes[i + 1] ?? unknownType));
            return `${keys.join('')}\u0000${nestedPart(values[0] ?? null, argumentTypes[0] ?? unknownType)}`;
          },
        { strict: false, variadic: true },
      ),
    ],
  ),
  define(
    'bits_of_array',
    'BITS_OF_ARRAY(array, how)',
    'AND, OR or XOR of the bits of all elements that are not NULL; NULL when there is none.',
    ["BITS_OF_ARRAY(ARRAY[6, 3], 'and')", '2'],
    [row(['array', 'string'], elementType, bits, { nullable: true })],
  ),
  define(
    'text_of_array',
    'TEXT_OF_ARRAY(array, separator)',
    'The elements that are not NULL, one behind the other with a separator between them; NULL when there is none.',
    ["TEXT_OF_ARRAY(ARRAY['a', 'b'], '-')", "'a-b'"],
    [
      row(
        ['array', 'string'],
        types.text,
        () => (array, separator) => {
          const parts = elementsOf(array).filter((part) => (part ?? null) !== null);
          return parts.length === 0 ? null : parts.map(String).join(String(separator));
        },
        { nullable: true },
      ),
    ],
  ),
  define(
    'deviation_of_array',
    'DEVIATION_OF_ARRAY(array, how)',
    'Deviation or variance (samp or pop) of the elements that are not NULL.',
    ["DEVIATION_OF_ARRAY(ARRAY[1, 3], 'stddev_pop')", '1'],
    [
      row(['array', 'string'], ([array]) => deviationType(elementType([array ?? unknownType])), deviationOfArray, {
        nullable: true,
      }),
    ],
  ),
  define(
    'deviation_of_sums',
    'DEVIATION_OF_SUMS(count, sum, sum of squares, how)',
    'Deviation or variance (samp or pop) of values of which count, sum and sum of squares are known.',
    ["DEVIATION_OF_SUMS(2, 4e0, 10e0, 'stddev_pop')", '1'],
    [
      row(['BIGINT', 'decimal', 'decimal', 'string'], ([, sum]) => deviationType(sum), exactDeviation, {
        nullable: true,
      }),
      row(['BIGINT', 'double', 'double', 'string'], types.double, floatDeviation, { nullable: true }),
    ],
  ),
];

function define(
  name: string,
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overloads: readonly FunctionOverload[],
): FunctionDefinition {
  return { name, synopsis, category: 'array', summary, example, deterministic: true, overloads };
}

function row(
  parameters: FunctionOverload['parameters'],
  result: SqlType | ((argumentTypes: readonly SqlType[]) => SqlType),
  prepare: (shape: CallShape) => Evaluator,
  more: Partial<FunctionOverload> = {},
): FunctionOverload {
  const type = typeof result === 'function' ? result : () => result;
  return { parameters, result: type, strict: true, canFail: false, evaluate: () => null, prepare, ...more };
}

function elementType([array]: readonly SqlType[]): SqlType {
  return array?.kind === 'ARRAY' ? array.element : unknownType;
}

/** Exact numbers keep their scale, with all the digits there are. */
function deviationType(type: SqlType | undefined): SqlType {
  if (type?.kind === 'REAL' || type?.kind === 'DOUBLE') return types.double;
  return { kind: 'DECIMAL', precision: 38, scale: type?.kind === 'DECIMAL' ? type.scale : 0 };
}

function elementsOf(text: ScalarValue | undefined): unknown[] {
  const value = parseVariant(String(text));
  return Array.isArray(value) ? value : [];
}

/** The elements of an array as cells, without NULLs. */
function cellsOf(text: ScalarValue | undefined, type: SqlType): NonNullable<ScalarValue>[] {
  return elementsOf(text).flatMap((part) => {
    const cell = part === null ? null : fromPublic(part, type);
    return cell === null || cell instanceof Refusal ? [] : [cell];
  });
}

// ── bits ──

type BitOperator = (a: bigint, b: bigint) => bigint;

const bitOperators: Readonly<Record<string, BitOperator>> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
};

function bits({ argumentTypes, constants }: CallShape): Evaluator {
  const type = elementType(argumentTypes);
  const combine = bitOperators[String(constants[1])] ?? ((a) => a);
  return (array) => {
    const [first, ...rest] = cellsOf(array, type);
    if (first === undefined) return null;
    return rest.reduce((left, right) => combineCells(left, right, combine), first);
  };
}

function combineCells(
  a: NonNullable<ScalarValue>,
  b: NonNullable<ScalarValue>,
  combine: BitOperator,
): NonNullable<ScalarValue> {
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    const [long, short] = a.length >= b.length ? [a, b] : [b, a];
    return long.map((byte, i) => (i < short.length ? Number(combine(BigInt(byte), BigInt(short[i] ?? 0))) : byte));
  }
  if (typeof a === 'bigint' && typeof b === 'bigint') return combine(a, b);
  return Number(combine(BigInt(Number(a)), BigInt(Number(b))));
}

// ── deviations ──

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
