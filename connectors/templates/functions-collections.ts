// sprig's functions of lists and dictionaries, defaults and choices. Lists are never changed in place; `set` and `unset` change the
// dictionary that they are given, as sprig's do.

import { textOf } from './functions-text.ts';
import {
  type GoList,
  type GoMap,
  type GoValue,
  isDeepEqual,
  isList,
  isMap,
  isNil,
  isTrue,
  makeMap,
  setEntry,
} from './go-values.ts';
import { FunctionFailure } from './template-errors.ts';
import { type FunctionTable, fn, integerAt, listAt, many, mapAt, textAt } from './template-function.ts';

const listFunctions: FunctionTable = {
  list: fn(0, (values) => [...values], many),
  tuple: fn(0, (values) => [...values], many),
  append: fn(2, (o) => [...listAt(o, 0), o[1]]),
  prepend: fn(2, (o) => [o[1], ...listAt(o, 0)]),
  concat: fn(0, (o) => o.flatMap((_, i) => [...listAt(o, i)]), many),
  first: fn(1, (o) => listAt(o, 0)[0]),
  last: fn(1, (o) => listAt(o, 0).at(-1)),
  rest: fn(1, (o) => listAt(o, 0).slice(1)),
  initial: fn(1, (o) => listAt(o, 0).slice(0, -1)),
  reverse: fn(1, (o) => [...listAt(o, 0)].reverse()),
  uniq: fn(1, (o) => unique(listAt(o, 0))),
  compact: fn(1, (o) => listAt(o, 0).filter(isTrue)),
  without: fn(1, ([, ...dropped]) => dropped, many),
  has: fn(2, (o) => !isNil(o[1]) && listAt(o, 1).some((item) => isDeepEqual(item, o[0]))),
  slice: fn(1, (o) => slice(o), 3),
  chunk: fn(2, (o) => chunk(integerAt(o, 0), listAt(o, 1))),
};

export const collectionFunctions: FunctionTable = {
  ...listFunctions,
  without: fn(1, (o) => listAt(o, 0).filter((item) => !o.slice(1).some((other) => isDeepEqual(item, other))), many),
  ...Object.fromEntries(
    [
      'append',
      'prepend',
      'first',
      'last',
      'rest',
      'initial',
      'reverse',
      'uniq',
      'compact',
      'has',
      'slice',
      'chunk',
    ].flatMap((name) => {
      const found = listFunctions[name];
      return found === undefined ? [] : [[`must${name[0]?.toUpperCase()}${name.slice(1)}`, found]];
    }),
  ),
  push: fn(2, (o) => [...listAt(o, 0), o[1]]),
  mustPush: fn(2, (o) => [...listAt(o, 0), o[1]]),
  mustWithout: fn(1, (o) => listAt(o, 0).filter((item) => !o.slice(1).some((other) => isDeepEqual(item, other))), many),

  dict: fn(0, (o) => makeMap(pairs(o)), many),
  get: fn(2, (o) => own(mapAt(o, 0), textAt(o, 1)) ?? ''),
  set: fn(3, (o) => {
    const map = mapAt(o, 0);
    // SAFETY: a dictionary of a template is an ordinary object; readonly keeps the rest of the program from changing it.
    setEntry(map as Record<string, GoValue>, textAt(o, 1), o[2]);
    return map;
  }),
  unset: fn(2, (o) => {
    const map = mapAt(o, 0);
    // SAFETY: as above.
    delete (map as Record<string, GoValue>)[textAt(o, 1)];
    return map;
  }),
  hasKey: fn(2, (o) => Object.hasOwn(mapAt(o, 0), textAt(o, 1))),
  pluck: fn(
    1,
    (o) =>
      o.slice(1).flatMap((_, i) => {
        const map = mapAt(o, i + 1);
        return Object.hasOwn(map, textAt(o, 0)) ? [own(map, textAt(o, 0))] : [];
      }),
    many,
  ),
  keys: fn(0, (o) => o.flatMap((_, i) => Object.keys(mapAt(o, i))), many),
  values: fn(1, (o) => Object.values(mapAt(o, 0))),
  pick: fn(1, (o) => chosen(mapAt(o, 0), (name) => o.includes(name, 1)), many),
  omit: fn(1, (o) => chosen(mapAt(o, 0), (name) => !o.includes(name, 1)), many),
  merge: fn(
    1,
    (o) => o.slice(1).reduce<GoMap>((into, _, i) => mergeInto(into, mapAt(o, i + 1), false), mapAt(o, 0)),
    many,
  ),
  mergeOverwrite: fn(
    1,
    (o) => o.slice(1).reduce<GoMap>((into, _, i) => mergeInto(into, mapAt(o, i + 1), true), mapAt(o, 0)),
    many,
  ),
  mustMerge: fn(
    1,
    (o) => o.slice(1).reduce<GoMap>((into, _, i) => mergeInto(into, mapAt(o, i + 1), false), mapAt(o, 0)),
    many,
  ),
  mustMergeOverwrite: fn(
    1,
    (o) => o.slice(1).reduce<GoMap>((into, _, i) => mergeInto(into, mapAt(o, i + 1), true), mapAt(o, 0)),
    many,
  ),
  dig: fn(3, dig, many),
  deepCopy: fn(1, ([value]) => deepCopy(value)),
  mustDeepCopy: fn(1, ([value]) => deepCopy(value)),

  default: fn(1, ([otherwise, given]) => (isTrue(given) ? given : otherwise), 2),
  empty: fn(1, ([value]) => !isTrue(value)),
  coalesce: fn(0, (values) => values.find(isTrue), many),
  all: fn(0, (values) => values.every(isTrue), many),
  any: fn(0, (values) => values.some(isTrue), many),
  ternary: fn(3, ([yes, no, choice]) => {
    if (typeof choice !== 'boolean') throw new FunctionFailure('ternary needs true or false');
    return choice ? yes : no;
  }),
  fail: fn(1, (o) => {
    throw new FunctionFailure(textAt(o, 0));
  }),
};

function own(map: GoMap, name: string): GoValue {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

function pairs(values: readonly GoValue[]): [string, GoValue][] {
  const entries: [string, GoValue][] = [];
  for (let i = 0; i < values.length; i += 2) {
    entries.push([textOf(values[i]), i + 1 < values.length ? values[i + 1] : '']);
  }
  return entries;
}

function chosen(map: GoMap, wanted: (name: string) => boolean): GoMap {
  return makeMap(Object.entries(map).filter(([name]) => wanted(name)));
}

function unique(list: GoList): GoValue[] {
  const kept: GoValue[] = [];
  for (const item of list) if (!kept.some((other) => isDeepEqual(item, other))) kept.push(item);
  return kept;
}

function slice(operands: readonly GoValue[]): GoValue {
  const list = listAt(operands, 0);
  const start = operands[1] === undefined ? 0 : integerAt(operands, 1);
  const end = operands[2] === undefined ? list.length : integerAt(operands, 2);
  if (start < 0 || end > list.length || start > end)
    throw new FunctionFailure(`slice bounds out of range [${start}:${end}]`);
  return list.slice(start, end);
}

function chunk(size: number, list: GoList): GoValue {
  if (size < 1) throw new FunctionFailure('chunk needs a size of at least 1');
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** Fills what is empty in `into`, or writes over it. */
function mergeInto(into: GoMap, from: GoMap, overwrite: boolean): GoMap {
  for (const [name, value] of Object.entries(from)) {
    const present = own(into, name);
    if (isMap(present) && isMap(value)) mergeInto(present, value, overwrite);
    else if (overwrite ? isTrue(value) || present === undefined : !isTrue(present)) {
      // SAFETY: a dictionary of a template is an ordinary object.
      setEntry(into as Record<string, GoValue>, name, value);
    }
  }
  return into;
}

/** dig "a" "b" default map */
function dig(operands: readonly GoValue[]): GoValue {
  const otherwise = operands.at(-2);
  let value: GoValue = operands.at(-1);
  for (let i = 0; i < operands.length - 2; i++) {
    if (!isMap(value)) throw new FunctionFailure(`dig: ${String(operands[i - 1])} is no dictionary`);
    value = own(value, textAt(operands, i));
    if (value === undefined) return otherwise;
  }
  return value;
}

function deepCopy(value: GoValue): GoValue {
  if (isList(value)) return value.map(deepCopy);
  if (isMap(value)) return makeMap(Object.entries(value).map(([name, item]) => [name, deepCopy(item)]));
  return value;
}
