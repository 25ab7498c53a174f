// What aggregates become that are computed from the array of all values.
//
// The binder (bind-aggregate.ts) writes these calls; the rows are in the table because a call is a row of it. BIT_AND, BIT_OR and
// BIT_XOR of integers work on their two's complement, of bytes byte by byte.
import { fromPublic, nestedPart, nestedText, Refusal } from '../../../runtime/batch/public-values.ts';
import { isNested, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { CallShape, Evaluator, FunctionDefinition } from './function-definition.ts';
import { types } from './function-rows.ts';
import { cellsOf, elementsOf, elementType, gatheredFunction, gatheredRow, unknownType } from './gathered-values.ts';
import { orderKey } from './order-key.ts';
import type { ScalarValue } from './scalar-value.ts';

export const gatheredFunctions: readonly FunctionDefinition[] = [
  gatheredFunction(
    'array_item',
    'ARRAY_ITEM(x, key, …)',
    'What ARRAY_AGG gathers: the keys that order the items, and the item as an array spells it.',
    ['CHAR_LENGTH(ARRAY_ITEM(1, TRUE))', '4'],
    [
      gatheredRow(
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
  gatheredFunction(
    'bits_of_array',
    'BITS_OF_ARRAY(array, how)',
    'AND, OR or XOR of the bits of all elements that are not NULL; NULL when there is none.',
    ["BITS_OF_ARRAY(ARRAY[6, 3], 'and')", '2'],
    [gatheredRow(['array', 'string'], elementType, bits, { nullable: true })],
  ),
  gatheredFunction(
    'text_of_array',
    'TEXT_OF_ARRAY(array, separator)',
    'The elements that are not NULL, one behind the other with a separator between them; NULL when there is none.',
    ["TEXT_OF_ARRAY(ARRAY['a', 'b'], '-')", "'a-b'"],
    [
      gatheredRow(
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
  gatheredFunction(
    'items_in_order',
    'ITEMS_IN_ORDER(array, how)',
    'The last fields of ROWs, ordered by the others: + and - are up and down, f and l say where NULLs stand.',
    ["ITEMS_IN_ORDER(ARRAY[ROW(1, 'a'), ROW(2, 'b')], '-l')", "ARRAY['b', 'a']"],
    [gatheredRow(['array', 'string'], arrayOfLast, itemsInOrder)],
  ),
  gatheredFunction(
    'mode_of_array',
    'MODE_OF_ARRAY(array)',
    'The most frequent element that is not NULL, of several the smallest; NULL when there is none.',
    ['MODE_OF_ARRAY(ARRAY[1, 2, 2])', '2'],
    [gatheredRow(['array'], elementType, modeOfArray, { nullable: true })],
  ),
  gatheredFunction(
    'map_of_rows',
    'MAP_OF_ROWS(array)',
    'A map of keys and values: the fields of ROWs. Of a key that comes again the last value counts.',
    ["MAP_OF_ROWS(ARRAY[ROW('a', 1), ROW('a', 2)])", "MAP['a', 2]"],
    [gatheredRow(['array'], mapType, mapOfRows)],
  ),
];

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
