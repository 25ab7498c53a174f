// Arrays made of arrays, and what is looked up in them: ARRAY_APPEND, ARRAY_UNION, ARRAY_JOIN, MAP_KEYS and the like.
//
// Positions count from 1. A value and the elements of the array beside it are cast to the type that both have in common. NULL is
// an element like any other, equal to NULL. Sets of elements (EXCEPT, INTERSECT, UNION) come in the order of the values, NULL
// first, each once.
import { compareCells } from '../../../runtime/batch/nested-order.ts';
import { fromPublic, mapKeyOf, nestedPart, Refusal } from '../../../runtime/batch/public-values.ts';
import { isNested, type SqlType } from '../../../runtime/batch/sql-type.ts';
import { formatVariant, parseVariant } from '../../../runtime/batch/variant-json.ts';
import { InvalidArgument } from './evaluation-errors.ts';
import type {
  CallShape,
  Evaluator,
  FunctionDefinition,
  FunctionOverload,
  ParameterClass,
} from './function-definition.ts';
import { firstType, types } from './function-rows.ts';
import type { ScalarValue } from './scalar-value.ts';

const unknownType: SqlType = { kind: 'NULL' };

export const arrayEditingFunctions: readonly FunctionDefinition[] = [
  define(
    'array_append',
    'ARRAY_APPEND(array, x)',
    'The array and x behind it.',
    ['ARRAY_APPEND(ARRAY[1], 2)', '[1,2]'],
    [
      row(
        ['array', 'element'],
        firstType,
        withItem((parts, item) => [...parts, item]),
        { strict: false, nullable: true },
      ),
    ],
  ),
  define(
    'array_prepend',
    'ARRAY_PREPEND(array, x)',
    'x and the array behind it.',
    ['ARRAY_PREPEND(ARRAY[2], 1)', '[1,2]'],
    [
      row(
        ['array', 'element'],
        firstType,
        withItem((parts, item) => [item, ...parts]),
        { strict: false, nullable: true },
      ),
    ],
  ),
  define(
    'array_remove',
    'ARRAY_REMOVE(array, x)',
    'The array without the elements that equal x.',
    ['ARRAY_REMOVE(ARRAY[1, 2, 1], 1)', '[2]'],
    [
      row(
        ['array', 'element'],
        firstType,
        withItem((parts, item) => parts.filter((part) => part !== item)),
        { strict: false, nullable: true },
      ),
    ],
  ),
  define(
    'array_insert',
    'ARRAY_INSERT(array, position, x)',
    'The array with x at a position, counted from the end when it is negative; NULLs fill a gap.',
    ['ARRAY_INSERT(ARRAY[1, 3], 2, 2)', '[1,2,3]'],
    [row(['array', 'INT', 'element'], firstType, insert, { strict: false, nullable: true, canFail: true })],
  ),
  define(
    'array_compact',
    'ARRAY_COMPACT(array)',
    'The array without NULLs.',
    ['ARRAY_COMPACT(ARRAY[1, NULL])', '[1]'],
    [row(['array'], firstType, () => (array) => textOf(partsOf(array).filter((part) => part !== 'null')))],
  ),
  define(
    'array_concat',
    'ARRAY_CONCAT(array, …)',
    'The arrays one behind the other.',
    ['ARRAY_CONCAT(ARRAY[1], ARRAY[2])', '[1,2]'],
    [
      row(
        ['arrays'],
        firstType,
        () =>
          (...arrays) =>
            textOf(arrays.flatMap(partsOf)),
        { variadic: true },
      ),
    ],
  ),
  define(
    'array_except',
    'ARRAY_EXCEPT(x, y)',
    'The elements of x that are not in y.',
    ['ARRAY_EXCEPT(ARRAY[2, 1, 3], ARRAY[3])', '[1,2]'],
    [
      row(
        ['arrays', 'arrays'],
        firstType,
        set((x, y) => x.filter((part) => !y.includes(part))),
      ),
    ],
  ),
  define(
    'array_intersect',
    'ARRAY_INTERSECT(x, y)',
    'The elements that are in both.',
    ['ARRAY_INTERSECT(ARRAY[2, 1], ARRAY[3, 2])', '[2]'],
    [
      row(
        ['arrays', 'arrays'],
        firstType,
        set((x, y) => x.filter((part) => y.includes(part))),
      ),
    ],
  ),
  define(
    'array_union',
    'ARRAY_UNION(x, y)',
    'The elements that are in one of them.',
    ['ARRAY_UNION(ARRAY[2, 1], ARRAY[3, 2])', '[1,2,3]'],
    [
      row(
        ['arrays', 'arrays'],
        firstType,
        set((x, y) => [...x, ...y]),
      ),
    ],
  ),
  define(
    'arrays_overlap',
    'ARRAYS_OVERLAP(x, y)',
    'Whether an element is in both.',
    ['ARRAYS_OVERLAP(ARRAY[1, 2], ARRAY[2])', 'TRUE'],
    [
      row(['arrays', 'arrays'], types.boolean, () => (x, y) => {
        const others = new Set(partsOf(y));
        return partsOf(x).some((part) => others.has(part));
      }),
    ],
  ),
  define(
    'array_max',
    'ARRAY_MAX(array)',
    'The greatest element that is not NULL.',
    ['ARRAY_MAX(ARRAY[1, 3, 2])', '3'],
    [row(['array'], elementType, extreme(1), { nullable: true })],
  ),
  define(
    'array_min',
    'ARRAY_MIN(array)',
    'The smallest element that is not NULL.',
    ['ARRAY_MIN(ARRAY[2, 1, 3])', '1'],
    [row(['array'], elementType, extreme(-1), { nullable: true })],
  ),
  define(
    'array_position',
    'ARRAY_POSITION(array, x)',
    'The position of the first element that equals x, 0 when there is none.',
    ['ARRAY_POSITION(ARRAY[5, 6], 6)', '2'],
    [
      row(
        ['array', 'element'],
        types.bigint,
        ({ argumentTypes }) => {
          const type = elementType(argumentTypes);
          return (array, item) =>
            (array ?? null) === null ? null : BigInt(partsOf(array).indexOf(nestedPart(item ?? null, type)) + 1);
        },
        { strict: false, nullable: true },
      ),
    ],
  ),
  define(
    'array_repeat',
    'ARRAY_REPEAT(x, count)',
    'An array of `count` times x.',
    ["ARRAY_REPEAT('a', 2)", '["a","a"]'],
    [
      row(['any', 'INT'], ([type]) => ({ kind: 'ARRAY', element: type ?? unknownType }), repeat, {
        strict: false,
        nullable: true,
        canFail: true,
      }),
    ],
  ),
  define(
    'array_join',
    'ARRAY_JOIN(array, separator [, null])',
    'The elements as one text; NULLs are left out, or written as the third argument.',
    ["ARRAY_JOIN(ARRAY['a', 'b'], '-')", "'a-b'"],
    [row(['texts', 'string', 'string'], types.text, () => join, { optional: 1 })],
    ['array_to_string'],
  ),
  define(
    'sequence',
    'SEQUENCE(first, last)',
    'The array of the integers from the first to the last.',
    ['SEQUENCE(2, 4)', '[2,3,4]'],
    [
      row(
        ['INT', 'INT'],
        () => ({ kind: 'ARRAY', element: types.integer }),
        () => sequence,
        { canFail: true },
      ),
      row(
        ['characters', 'INT'],
        () => ({ kind: 'ARRAY', element: types.integer }),
        () => (first, last) => sequence(readInteger(first), last),
        { canFail: true },
      ),
    ],
  ),
  define(
    'split',
    'SPLIT(x [, delimiter])',
    'The parts of x between delimiters (a comma).',
    ["SPLIT('a,b')", '["a","b"]'],
    [
      row(
        ['string', 'string'],
        () => ({ kind: 'ARRAY', element: types.text }),
        () => split,
        { optional: 1 },
      ),
    ],
  ),
  define(
    'split_element',
    'SPLIT(x, delimiter)[n]',
    'One part, from 1, of which no array is made; NULL when there is none.',
    ["SPLIT('a,b', ',')[2]", "'b'"],
    [
      row(
        ['string', 'string', 'BIGINT'],
        () => types.text,
        () => splitElement,
        { nullable: true },
      ),
    ],
  ),
  define(
    'map_keys',
    'MAP_KEYS(map)',
    'The keys of a map, in order.',
    ["MAP_KEYS(MAP['b', 1, 'a', 2])", '["a","b"]'],
    [row(['map'], ([map]) => ({ kind: 'ARRAY', element: map?.kind === 'MAP' ? map.key : unknownType }), keys)],
  ),
  define(
    'map_values',
    'MAP_VALUES(map)',
    'The values of a map, in the order of its keys.',
    ["MAP_VALUES(MAP['b', 1, 'a', 2])", '[2,1]'],
    [
      row(
        ['map'],
        ([map]) => ({ kind: 'ARRAY', element: map?.kind === 'MAP' ? map.value : unknownType }),
        () => (map) => textOf(Object.values(membersOf(map)).map((part) => formatVariant(part) ?? 'null')),
      ),
    ],
  ),
  define(
    'map_contains_key',
    'MAP_CONTAINS_KEY(map, key)',
    'Whether a map has a key.',
    ["MAP_CONTAINS_KEY(MAP['a', 1], 'a')", 'TRUE'],
    [
      row(['map', 'element'], types.boolean, ({ argumentTypes: [map] }) => {
        const type = map?.kind === 'MAP' ? map.key : unknownType;
        return (text, key) =>
          (text ?? null) === null || (key ?? null) === null
            ? null
            : Object.hasOwn(membersOf(text), mapKeyOf(key ?? null, type));
      }),
    ],
  ),
];

function define(
  name: string,
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overloads: FunctionDefinition['overloads'],
  aliases: readonly string[] = [],
): FunctionDefinition {
  return { name, aliases, synopsis, category: 'array', summary, example, deterministic: true, overloads };
}

function row(
  parameters: readonly ParameterClass[],
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

// ── parts ── An element as it is spelled: equal elements are spelled alike.

function partsOf(array: ScalarValue | undefined): string[] {
  const value = parseVariant(String(array));
  return Array.isArray(value) ? value.map((part) => formatVariant(part) ?? 'null') : [];
}

function textOf(parts: readonly string[]): string {
  return `[${parts.join(',')}]`;
}

function cellOf(part: string, type: SqlType): ScalarValue {
  const cell = fromPublic(parseVariant(part), type);
  return cell instanceof Refusal ? null : cell;
}

function inOrder(parts: readonly string[], type: SqlType): string[] {
  return [...new Set(parts)].sort((a, b) => compareCells(cellOf(a, type), cellOf(b, type), type));
}

function membersOf(map: ScalarValue | undefined): object {
  return Object(parseVariant(String(map)));
}

function keysOf(map: ScalarValue | undefined, type: SqlType): string[] {
  return Object.keys(membersOf(map)).map((key) => {
    const cell = fromPublic(type.kind === 'BOOLEAN' ? key === 'true' : isNested(type) ? parseVariant(key) : key, type);
    return nestedPart(cell instanceof Refusal ? null : cell, type);
  });
}

// ── arrays ──

function withItem(make: (parts: string[], item: string) => string[]): (shape: CallShape) => Evaluator {
  return ({ argumentTypes }) => {
    const type = elementType(argumentTypes);
    return (array, item) =>
      (array ?? null) === null ? null : textOf(make(partsOf(array), nestedPart(item ?? null, type)));
  };
}

function insert({ argumentTypes }: CallShape): Evaluator {
  const type = elementType(argumentTypes);
  return (array, position, item) => {
    if ((array ?? null) === null || (position ?? null) === null) return null;
    const parts = partsOf(array);
    const at = Number(position);
    if (at === 0 || Math.abs(at) > elementsMax) {
      throw new InvalidArgument({ function: 'ARRAY_INSERT', detail: `${at} is no position` });
    }
    const part = nestedPart(item ?? null, type);
    if (at > 0) {
      while (parts.length < at - 1) parts.push('null');
      parts.splice(at - 1, 0, part);
    } else {
      while (parts.length < -at - 1) parts.unshift('null');
      parts.splice(parts.length + at + 1, 0, part);
    }
    return textOf(parts);
  };
}

function set(make: (x: string[], y: string[]) => string[]): (shape: CallShape) => Evaluator {
  return ({ argumentTypes }) => {
    const type = elementType(argumentTypes);
    return (x, y) => textOf(inOrder(make(partsOf(x), partsOf(y)), type));
  };
}

function extreme(direction: 1 | -1): (shape: CallShape) => Evaluator {
  return ({ resultType }) =>
    (array) => {
      const cells = partsOf(array)
        .map((part) => cellOf(part, resultType))
        .filter((cell) => cell !== null);
      return cells.sort((a, b) => direction * compareCells(b, a, resultType))[0] ?? null;
    };
}

/** What an array that is computed from numbers may have. */
const elementsMax = 1_000_000;

function repeat({ argumentTypes: [type = unknownType] }: CallShape): Evaluator {
  return (item, count) => {
    if ((count ?? null) === null) return null;
    const times = Math.max(0, Number(count));
    if (times > elementsMax) throw tooLong('ARRAY_REPEAT');
    return textOf(new Array<string>(times).fill(nestedPart(item ?? null, type)));
  };
}

function sequence(first: ScalarValue | undefined, last: ScalarValue | undefined): ScalarValue {
  const length = Math.max(0, Number(last) - Number(first) + 1);
  if (length > elementsMax) throw tooLong('SEQUENCE');
  return textOf(Array.from({ length }, (_, i) => String(Number(first) + i)));
}

function readInteger(text: ScalarValue | undefined): number {
  const value = Number(String(text).trim());
  if (Number.isInteger(value)) return value;
  throw new InvalidArgument({ function: 'SEQUENCE', detail: `'${String(text).slice(0, 100)}' is no integer` });
}

function tooLong(name: string): Error {
  return new InvalidArgument({ function: name, detail: `the array would have more than ${elementsMax} elements` });
}

function join(array: ScalarValue, separator?: ScalarValue, missing?: ScalarValue): ScalarValue {
  const value = parseVariant(String(array));
  const parts: unknown[] = Array.isArray(value) ? value : [];
  const shown = parts.flatMap((part) =>
    (part ?? null) !== null ? [String(part)] : missing === undefined ? [] : [String(missing)],
  );
  return shown.join(String(separator));
}

function split(x: ScalarValue, delimiter: ScalarValue = ','): ScalarValue {
  const parts = delimiter === '' ? [String(x)] : String(x).split(String(delimiter));
  return textOf(parts.map((part) => JSON.stringify(part)));
}

function splitElement(x: ScalarValue, delimiter: ScalarValue, n: ScalarValue): ScalarValue {
  const text = String(x);
  const between = String(delimiter);
  let number = Number(n);
  if (number < 1) return null;
  if (between === '') return number === 1 ? text : null;
  let start = 0;
  for (; number > 1; number--) {
    const end = text.indexOf(between, start);
    if (end < 0) return null;
    start = end + between.length;
  }
  const end = text.indexOf(between, start);
  return text.slice(start, end < 0 ? text.length : end);
}

function keys({ argumentTypes: [map] }: CallShape): Evaluator {
  const type = map?.kind === 'MAP' ? map.key : unknownType;
  return (text) => textOf(keysOf(text, type));
}
