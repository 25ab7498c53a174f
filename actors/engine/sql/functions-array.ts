// ARRAY, MAP and ROW: constructors, elements, and functions of whole arrays.
//
// A nested value is its JSON text in the one spelling of runtime/batch/public-values.ts; a function reads the parts that it
// needs as values of their types, so that numbers compare as numbers and dates as dates. Elements count from 1.
import { compareCells } from '../../../runtime/batch/nested-order.ts';
import { fromPublic, mapKeyOf, nestedPart, Refusal } from '../../../runtime/batch/public-values.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
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

type Prepare = (shape: CallShape) => Evaluator;

export const arrayFunctions: readonly FunctionDefinition[] = [
  define(
    'array',
    'ARRAY[x, …]',
    'The array of the values.',
    ['ARRAY[1, 2]', '[1,2]'],
    [
      row([], () => ({ kind: 'ARRAY', element: { kind: 'NULL' } }), construct, { strict: false }),
      row(['common'], (given) => ({ kind: 'ARRAY', element: firstType(given) }), construct, {
        strict: false,
        variadic: true,
      }),
    ],
  ),
  define(
    'map',
    'MAP[key, value, …]',
    'The map of the keys to the values; of equal keys the last one counts.',
    ["CAST(MAP['a', 1] AS VARCHAR)", '\'{"a":1}\''],
    [row(['any'], mapType, constructMap, { strict: false, variadic: true, canFail: true })],
  ),
  define(
    'row',
    'ROW(x, …)',
    'The row of the values, whose fields are named EXPR$0, EXPR$1 and so on.',
    ["CAST(ROW(1, 'a') AS VARCHAR)", '\'{"EXPR$0":1,"EXPR$1":"a"}\''],
    [row(['any'], rowType, constructRow, { strict: false, variadic: true })],
    ['struct'],
  ),
  define(
    'array_element',
    'array[index], map[key], row.field',
    'An element of an array (from 1), the value of a key, a field of a row; NULL when there is none.',
    ['ARRAY[5, 6][2]', '6'],
    [
      row(['array', 'BIGINT'], elementType, elementAt, { nullable: true }),
      row(['map', 'any'], ([map]) => (map?.kind === 'MAP' ? map.value : unknownType), valueAt, { nullable: true }),
    ],
  ),
  define(
    'element',
    'ELEMENT(array)',
    'The only element of an array, NULL when it is empty; several are an error.',
    ['ELEMENT(ARRAY[5])', '5'],
    [row(['array'], elementType, onlyElement, { nullable: true, canFail: true })],
  ),
  define(
    'cardinality',
    'CARDINALITY(array), CARDINALITY(map)',
    'The number of elements or keys.',
    ['CARDINALITY(ARRAY[5, 6])', '2'],
    [row(['array'], types.integer, size), row(['map'], types.integer, size)],
    ['array_length', 'array_size'],
  ),
  define(
    'sort_array',
    'SORT_ARRAY(array [, ascending])',
    'The array in order; NULLs are the smallest.',
    ['SORT_ARRAY(ARRAY[10, 9])', '[9,10]'],
    [row(['array', 'boolean'], firstType, sort, { optional: 1 })],
    ['array_sort'],
  ),
  define(
    'array_contains',
    'ARRAY_CONTAINS(array, x)',
    'Whether a value is an element of an array.',
    ['ARRAY_CONTAINS(ARRAY[5, 6], 6)', 'TRUE'],
    [row(['array', 'element'], types.boolean, contains, { strict: false, nullable: true })],
  ),
  define(
    'array_distinct',
    'ARRAY_DISTINCT(array)',
    'The array without repetitions, each element where it stands first.',
    ['ARRAY_DISTINCT(ARRAY[5, 6, 5])', '[5,6]'],
    [row(['array'], firstType, () => text1((parts) => `[${[...new Set(parts)].join(',')}]`))],
  ),
  define(
    'array_reverse',
    'ARRAY_REVERSE(array)',
    'The array from its end to its beginning.',
    ['ARRAY_REVERSE(ARRAY[5, 6])', '[6,5]'],
    [row(['array'], firstType, () => text1((parts) => `[${parts.reverse().join(',')}]`))],
  ),
  define(
    'compare_nested',
    'COMPARE_NESTED(x, y)',
    'Negative, 0 or positive as an array, a map or a row is smaller than, equal to or greater than another: what < and > ask.',
    ['COMPARE_NESTED(ARRAY[9], ARRAY[10])', '-1'],
    [row(['common', 'common'], types.integer, order)],
  ),
  define(
    'element_text',
    'ELEMENT_TEXT(x)',
    'How a value is spelled inside an array; NULL is the text null.',
    ["ELEMENT_TEXT('a')", '\'"a"\''],
    [
      row(
        ['any'],
        types.text,
        ({ argumentTypes: [type = unknownType] }) =>
          (value) =>
            nestedPart(value ?? null, type),
        { strict: false },
      ),
    ],
  ),
];

const unknownType: SqlType = { kind: 'NULL' };

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

/** All rows know the types of their arguments, so only `prepare` makes evaluators. */
function row(
  parameters: readonly ParameterClass[],
  result: SqlType | ((argumentTypes: readonly SqlType[]) => SqlType),
  prepare: Prepare,
  more: Partial<FunctionOverload> = {},
): FunctionOverload {
  const evaluate = (): never => {
    throw new TypeError('functions of arrays are prepared with the types of their arguments');
  };
  const type = typeof result === 'function' ? result : () => result;
  return { parameters, result: type, strict: true, canFail: false, evaluate, prepare, ...more };
}

// ── types ──

function elementType([array]: readonly SqlType[]): SqlType {
  return array?.kind === 'ARRAY' ? array.element : unknownType;
}

function mapType(given: readonly SqlType[]): SqlType {
  return { kind: 'MAP', key: given[0] ?? unknownType, value: given[1] ?? unknownType };
}

function rowType(given: readonly SqlType[]): SqlType {
  return { kind: 'ROW', fields: given.map((type, i) => ({ name: `EXPR$${i}`, type })) };
}

// ── parts ──

function partsOf(text: ScalarValue | undefined): unknown[] {
  const value = parseVariant(String(text));
  return Array.isArray(value) ? value : [];
}

/** The elements of an array as they are spelled, and what is made of them. */
function text1(make: (parts: string[]) => string): Evaluator {
  return (array) => make(partsOf(array).map((part) => formatVariant(part) ?? 'null'));
}

function cellOf(part: unknown, type: SqlType): ScalarValue {
  const cell = part === undefined ? null : fromPublic(part, type);
  return cell instanceof Refusal ? null : cell;
}

// ── constructors ──

function construct({ argumentTypes }: CallShape): Evaluator {
  return (...values) => `[${values.map((value, i) => nestedPart(value, argumentTypes[i] ?? unknownType)).join(',')}]`;
}

function constructMap({ argumentTypes: [key = unknownType, value = unknownType] }: CallShape): Evaluator {
  return (...values) => {
    const members = new Map<string, string>();
    for (let i = 0; i + 1 < values.length; i += 2) {
      const given = values[i] ?? null;
      if (given === null) throw new InvalidArgument({ function: 'MAP', detail: 'a key is NULL' });
      members.set(JSON.stringify(mapKeyOf(given, key)), nestedPart(values[i + 1] ?? null, value));
    }
    const sorted = [...members].map(([name, part]) => `${name}:${part}`).sort();
    return `{${sorted.join(',')}}`;
  };
}

function constructRow({ argumentTypes }: CallShape): Evaluator {
  return (...values) => {
    const members = values.map((value, i) => `"EXPR$${i}":${nestedPart(value, argumentTypes[i] ?? unknownType)}`);
    return `{${members.join(',')}}`;
  };
}

// ── elements ──

function elementAt({ resultType }: CallShape): Evaluator {
  return (array, index) => cellOf(partsOf(array)[Number(index) - 1], resultType);
}

function valueAt({ argumentTypes: [map], resultType }: CallShape): Evaluator {
  // The fields of a row have names.
  const key = map?.kind === 'MAP' ? map.key : types.text;
  return (text, given) => {
    const members = parseVariant(String(text));
    const name = mapKeyOf(given ?? null, key);
    if (typeof members !== 'object' || members === null || !Object.hasOwn(members, name)) return null;
    return cellOf(Reflect.get(members, name), resultType);
  };
}

function onlyElement({ resultType }: CallShape): Evaluator {
  return (array) => {
    const parts = partsOf(array);
    if (parts.length > 1) {
      throw new InvalidArgument({ function: 'ELEMENT', detail: `the array has ${parts.length} elements, not one` });
    }
    return cellOf(parts[0], resultType);
  };
}

// ── whole arrays ──

function order({ argumentTypes: [type = unknownType] }: CallShape): Evaluator {
  return (a, b) => Math.sign(compareCells(a ?? null, b ?? null, type));
}

function size(): Evaluator {
  return (text) => Object.keys(parseVariant(String(text)) ?? {}).length;
}

function sort({ argumentTypes }: CallShape): Evaluator {
  const type = elementType(argumentTypes);
  return (array, ascending) => {
    const sign = ascending === false ? -1 : 1;
    const cells = partsOf(array).map((part) => cellOf(part, type));
    cells.sort((a, b) => sign * compareCells(a, b, type));
    return `[${cells.map((cell) => nestedPart(cell, type)).join(',')}]`;
  };
}

function contains({ argumentTypes }: CallShape): Evaluator {
  const type = elementType(argumentTypes);
  const given = argumentTypes[1] ?? type;
  return (array, value) => {
    if ((array ?? null) === null) return null;
    const wanted = nestedPart(value ?? null, given);
    return partsOf(array).some((part) => nestedPart(cellOf(part, type), type) === wanted);
  };
}
