// What aggregates become that are computed from others: of the array of all values, or of counts and sums.
//
// The binder (bind-aggregate.ts) writes these calls; the rows are in the table because a call is a row of it. BIT_AND, BIT_OR and
// BIT_XOR of integers work on their two's complement, of bytes byte by byte. Deviations are exact until the root is taken.
import { fromPublic, nestedPart, nestedText, Refusal } from '../../../runtime/batch/public-values.ts';
import { isNested, type SqlType } from '../../../runtime/batch/sql-type.ts';
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
    'items_in_order',
    'ITEMS_IN_ORDER(array, how)',
    'The last fields of ROWs, ordered by the others: + and - are up and down, f and l say where NULLs stand.',
    ["ITEMS_IN_ORDER(ARRAY[ROW(1, 'a'), ROW(2, 'b')], '-l')", "ARRAY['b', 'a']"],
    [row(['array', 'string'], arrayOfLast, itemsInOrder)],
  ),
  define(
    'mode_of_array',
    'MODE_OF_ARRAY(array)',
    'The most frequent element that is not NULL, of several the smallest; NULL when there is none.',
    ['MODE_OF_ARRAY(ARRAY[1, 2, 2])', '2'],
    [row(['array'], elementType, modeOfArray, { nullable: true })],
  ),
  define(
    'map_of_rows',
    'MAP_OF_ROWS(array)',
    'A map of keys and values: the fields of ROWs. Of a key that comes again the last value counts.',
    ["MAP_OF_ROWS(ARRAY[ROW('a', 1), ROW('a', 2)])", "MAP['a', 2]"],
    [row(['array'], mapType, mapOfRows)],
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
  define(
    'covariance_of_sums',
    'COVARIANCE_OF_SUMS(count, sum, sum, sum of products, how)',
    'Covariance (covar_pop, covar_samp) of pairs of which count and sums are known, or without division (regr_sxx, regr_syy).',
    ["COVARIANCE_OF_SUMS(2, 4e0, 6e0, 14e0, 'covar_pop')", '1'],
    [
      row(
        ['BIGINT', 'decimal', 'decimal', 'decimal', 'string'],
        ([, , , products]) => products ?? types.double,
        exactCovariance,
        {
          nullable: true,
        },
      ),
      row(['BIGINT', 'double', 'double', 'double', 'string'], types.double, floatCovariance, { nullable: true }),
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

// ── orders ──

function arrayOfLast(argumentTypes: readonly SqlType[]): SqlType {
  const item = elementType(argumentTypes);
  return { kind: 'ARRAY', element: (item.kind === 'ROW' ? item.fields.at(-1)?.type : undefined) ?? unknownType };
}

interface OrderedItem {
  /** One for each key; null: the key is NULL. */
  readonly keys: readonly (Buffer | null)[];
  readonly value: unknown;
}

function itemsInOrder({ argumentTypes, resultType, constants }: CallShape): Evaluator {
  const item = elementType(argumentTypes);
  const fields = item.kind === 'ROW' ? item.fields : [];
  const last = fields.at(-1)?.name ?? '';
  const how = String(constants[1]);
  const keys = fields.slice(0, -1);
  const compare = (a: OrderedItem, b: OrderedItem): number => {
    for (let k = 0; k < keys.length; k++) {
      const [left, right] = [a.keys[k] ?? null, b.keys[k] ?? null];
      if (left === null || right === null) {
        if (left === right) continue;
        return (left === null) === (how[2 * k + 1] === 'f') ? -1 : 1;
      }
      const order = Buffer.compare(left, right);
      if (order !== 0) return how[2 * k] === '-' ? -order : order;
    }
    return 0;
  };
  return (array) => {
    const items = elementsOf(array).map((element): OrderedItem => {
      const members = new Map(Object.entries(element ?? {}));
      return { keys: keys.map(({ name, type }) => keyOf(members.get(name), type)), value: members.get(last) ?? null };
    });
    const values = items.sort(compare).map(({ value }) => value);
    return isNested(resultType) ? (nestedText(values, resultType) ?? null) : null;
  };
}

/** Bytes in the order of the values. */
function keyOf(part: unknown, type: SqlType): Buffer | null {
  const cell = part === undefined ? null : fromPublic(part, type);
  return cell === null || cell instanceof Refusal ? null : Buffer.from(orderKey(cell, type));
}

function mapType(argumentTypes: readonly SqlType[]): SqlType {
  const item = elementType(argumentTypes);
  const [key, value] = item.kind === 'ROW' ? item.fields : [];
  return { kind: 'MAP', key: key?.type ?? unknownType, value: value?.type ?? unknownType };
}

function mapOfRows({ argumentTypes, resultType }: CallShape): Evaluator {
  const item = elementType(argumentTypes);
  const [key = '', value = ''] = item.kind === 'ROW' ? item.fields.map(({ name }) => name) : [];
  return (array) => {
    const entries = elementsOf(array).flatMap((element): [string, unknown][] => {
      const members = new Map(Object.entries(element ?? {}));
      const found = members.get(key) ?? null;
      return found === null ? [] : [[String(found), members.get(value) ?? null]];
    });
    return isNested(resultType) ? (nestedText(Object.fromEntries(entries), resultType) ?? null) : null;
  };
}

function modeOfArray({ argumentTypes }: CallShape): Evaluator {
  const type = elementType(argumentTypes);
  return (array) => {
    const counts = new Map<string, { readonly cell: ScalarValue; count: number }>();
    for (const cell of cellsOf(array, type)) {
      const key = orderKey(cell, type);
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { cell, count: 1 });
      else known.count++;
    }
    let best: { readonly key: string; readonly cell: ScalarValue; readonly count: number } | null = null;
    for (const [key, { cell, count }] of counts) {
      if (best === null || count > best.count || (count === best.count && key < best.key)) best = { key, cell, count };
    }
    return best?.cell ?? null;
  };
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
