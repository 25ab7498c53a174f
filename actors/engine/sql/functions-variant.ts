// The parts of a VARIANT that holds a JSON object or array: its fields by their type, merging, and what VARIANT_MAP and
// VARIANT_FILTER stand on.
//
// A lambda over a VARIANT is one over the array of its items (bind-lambda.ts): VARIANT_ITEMS lists them, each as a ROW of a key and
// a value, VARIANT_REBUILT puts what the lambda gave for each of them back into the shape of the VARIANT. Both walk it in the
// same order: a container before its parts. A path is the keys with dots between them, as in JSON_KEYS, and [i] for elements.

import { nestedPart } from '../../../runtime/batch/public-values.ts';
import * as text from '../../../runtime/batch/scalar-text.ts';
import { isNested, type SqlType } from '../../../runtime/batch/sql-type.ts';
import { formatVariant, parseVariant } from '../../../runtime/batch/variant-json.ts';
import { nestedSpelling, variantSpelling } from '../../../runtime/batch/variant-spelling.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { firstType, strictRow, typed, types } from './function-rows.ts';
import type { LambdaFunction } from './lambda-names.ts';
import { isJsonObject, pathKey } from './variant-path.ts';

const variant: SqlType = { kind: 'VARIANT' };

export const variantFunctions: readonly FunctionDefinition[] = [
  eachOf('bigint', { kind: 'BIGINT' }, 'whole numbers that fit', '{"a": 1, "b": 2.5}', '{"a":1}', (value) =>
    typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
      ? asInt64(value)
      : undefined,
  ),
  eachOf('string', types.text, 'texts', '{"a": "x", "b": 2.5}', '{"a":"x"}', (value) =>
    typeof value === 'string' ? value : undefined,
  ),
  eachOf('boolean', types.boolean, 'truth values', '{"a": true, "b": 2.5}', '{"a":true}', (value) =>
    typeof value === 'boolean' ? value : undefined,
  ),
  eachOf(
    'date',
    { kind: 'DATE' },
    'texts that are dates',
    '{"a": "2020-01-02", "b": 2}',
    '{"a":"2020-01-02"}',
    (value) => (typeof value === 'string' ? text.parseDateText(value) : undefined),
  ),
  eachOf('time', { kind: 'TIME' }, 'texts that are times', '{"a": "01:02:03", "b": 2}', '{"a":"01:02:03"}', (value) =>
    typeof value === 'string' ? text.parseTimeText(value) : undefined,
  ),
  eachOf(
    'timestamp',
    { kind: 'TIMESTAMP' },
    'texts that are timestamps',
    '{"a": "2020-01-02 01:02:03", "b": 2}',
    '{"a":"2020-01-02 01:02:03"}',
    (value) => (typeof value === 'string' ? text.parseTimestampText(value) : undefined),
  ),
  {
    name: 'variant_merge',
    synopsis: 'VARIANT_MERGE(x, y)',
    category: 'json',
    summary: 'Two JSON objects as one, and so the objects in them; of anything else y counts, null too.',
    example: ['VARIANT_MERGE(PARSE_JSON(\'{"a": 1, "b": 2}\'), PARSE_JSON(\'{"b": 3}\'))', '{"a":1,"b":3}'],
    deterministic: true,
    overloads: [strictRow(['variant', 'variant'], variant, typed(merge))],
  },
  {
    name: 'variant_spelling',
    synopsis: 'VARIANT_SPELLING(x)',
    category: 'json',
    summary:
      'The VARIANT as it is compared and grouped: fields in the order of their names, numbers without needless zeros.',
    example: ['VARIANT_SPELLING(PARSE_JSON(\'{"b": 1.50, "a": 2}\'))', '{"a":2,"b":1.5}'],
    deterministic: true,
    overloads: [strictRow(['variant'], variant, typed(variantSpelling))],
  },
  {
    name: 'nested_spelling',
    synopsis: 'NESTED_SPELLING(x)',
    category: 'json',
    summary:
      'The ARRAY, MAP or ROW as it is compared and grouped: the VARIANTs inside of it as VARIANT_SPELLING gives them.',
    example: ['NESTED_SPELLING(ARRAY[PARSE_JSON(\'{"b": 1, "a": 2}\')])', '[{"a":2,"b":1}]'],
    deterministic: true,
    overloads: [
      strictRow(['any'], firstType, typed(String), {
        prepare:
          ({ resultType }) =>
          (text) =>
            typeof text === 'string' && isNested(resultType) ? nestedSpelling(text, resultType) : (text ?? null),
      }),
    ],
  },
  {
    name: 'variant_items',
    synopsis: 'VARIANT_ITEMS(x, how)',
    category: 'json',
    summary: 'The keys and values that the lambda of VARIANT_MAP, VARIANT_FILTER or one of their deep forms sees.',
    example: ["CARDINALITY(VARIANT_ITEMS(PARSE_JSON('{\"a\": [1]}'), 'variant_deep_filter'))", '2'],
    deterministic: true,
    overloads: [strictRow(['variant', 'string'], itemsType, typed(itemsText))],
  },
  {
    name: 'variant_rebuilt',
    synopsis: 'VARIANT_REBUILT(x, results, how)',
    category: 'json',
    summary: 'The VARIANT with what the lambda gave for each of its items.',
    example: ["VARIANT_REBUILT(PARSE_JSON('{\"a\": 1}'), ARRAY[PARSE_JSON('2')], 'variant_map')", '{"a":2}'],
    deterministic: true,
    overloads: [strictRow(['variant', 'array', 'string'], variant, typed(rebuilt), { nullable: true })],
  },
];

// ── fields of one type ──

function eachOf(
  name: string,
  type: SqlType,
  what: string,
  sample: string,
  result: string,
  read: (value: unknown) => string | number | bigint | boolean | undefined,
): FunctionDefinition {
  const each = (json: string): string => {
    const object = parseVariant(json);
    const members = Object.entries(isJsonObject(object) ? object : {}).flatMap(([key, part]) => {
      const value = read(part);
      return value === undefined ? [] : [`${JSON.stringify(key)}:${nestedPart(value, type)}`];
    });
    return `{${members.sort().join(',')}}`;
  };
  return {
    name: `json_each_${name}`,
    synopsis: `JSON_EACH_${name.toUpperCase()}(x)`,
    category: 'json',
    summary: `The fields of a JSON object that are ${what}, as a MAP; none of anything else.`,
    example: [`CAST(JSON_EACH_${name.toUpperCase()}(PARSE_JSON('${sample}')) AS VARCHAR)`, `'${result}'`],
    deterministic: true,
    overloads: [strictRow(['variant'], { kind: 'MAP', key: types.text, value: type }, typed(each))],
  };
}

function asInt64(value: number | bigint): bigint | undefined {
  const whole = BigInt(value);
  return BigInt.asIntN(64, whole) === whole ? whole : undefined;
}

// ── merging ──

function merge(left: string, right: string): string {
  return formatVariant(merged(parseVariant(left), parseVariant(right))) ?? 'null';
}

function merged(left: unknown, right: unknown): unknown {
  if (!isJsonObject(left) || !isJsonObject(right)) return right;
  const fields = new Map<string, unknown>(Object.entries(left));
  for (const [key, value] of Object.entries(right)) {
    fields.set(key, fields.has(key) ? merged(fields.get(key), value) : value);
  }
  return Object.fromEntries(fields);
}

// ── items ──

interface Item {
  readonly key: string | null;
  readonly value: unknown;
}

function itemsType(): SqlType {
  const fields = [
    { name: 'key', type: types.text },
    { name: 'value', type: { kind: 'VARIANT', keepsNull: true } as const },
  ];
  return { kind: 'ARRAY', element: { kind: 'ROW', fields } };
}

function itemsText(json: string, how: LambdaFunction): string {
  const items = itemsOf(parseVariant(json), how);
  const rows = items.map(
    ({ key, value }) => `{"key":${JSON.stringify(key)},"value":${formatVariant(value) ?? 'null'}}`,
  );
  return `[${rows.join(',')}]`;
}

function itemsOf(value: unknown, how: LambdaFunction): readonly Item[] {
  if (how === 'variant_deep_filter' || how === 'variant_deep_map') {
    const items: Item[] = [];
    visit(value, '', how === 'variant_deep_map', items);
    return items;
  }
  if (!isJsonObject(value)) return [{ key: null, value }];
  return Object.entries(value).map(([key, part]) => ({ key, value: part }));
}

/** Everything in a value, itself where it has no parts. `leaves`: only what has none. */
function visit(value: unknown, path: string, leaves: boolean, into: Item[]): void {
  const parts = partsOf(value, path);
  const isTop = path === '';
  if (parts === null ? true : !leaves && !isTop) into.push({ key: isTop ? null : path, value });
  for (const part of parts ?? []) visit(part.value, part.path, leaves, into);
}

interface Part {
  readonly key: string;
  readonly path: string;
  readonly value: unknown;
}

/** null of what has no parts. */
function partsOf(value: unknown, path: string): readonly Part[] | null {
  if (Array.isArray(value)) {
    return value.map((part: unknown, i) => ({ key: String(i), path: `${path}[${i + 1}]`, value: part }));
  }
  if (!isJsonObject(value)) return null;
  const before = path === '' ? '' : `${path}.`;
  return Object.entries(value).map(([key, part]) => ({ key, path: before + pathKey(key), value: part }));
}

function rebuilt(json: string, resultsText: string, how: LambdaFunction): string | null {
  const value = parseVariant(json);
  const given: unknown = parseVariant(resultsText);
  const results: readonly unknown[] = Array.isArray(given) ? given : [];
  const made = rebuild(value, how, results);
  return made === undefined ? null : (formatVariant(made) ?? null);
}

/** undefined: nothing is kept. */
function rebuild(value: unknown, how: LambdaFunction, results: readonly unknown[]): unknown {
  let at = 0;
  const next = (): unknown => results[at++] ?? null;
  const isFilter = how === 'variant_filter' || how === 'variant_deep_filter';
  const deep = (part: unknown, path: string): unknown => {
    const parts = partsOf(part, path);
    if (parts === null || (isFilter && path !== '')) {
      const result = next();
      if (!isFilter) return result;
      if (parts === null) return result === true ? part : undefined;
      const inner = shaped(part, parts, deep);
      return result === true ? inner : undefined;
    }
    return shaped(part, parts, deep);
  };
  if (how === 'variant_deep_map' || how === 'variant_deep_filter') return deep(value, '');
  const shallow = (part: unknown): unknown => {
    const result = next();
    return isFilter ? (result === true ? part : undefined) : result;
  };
  return isJsonObject(value) ? shaped(value, partsOf(value, '') ?? [], shallow) : shallow(value);
}

/** A container of what is made of its parts. */
function shaped(container: unknown, parts: readonly Part[], make: (value: unknown, path: string) => unknown): unknown {
  const made = parts.map(({ key, path, value }) => ({ key, value: make(value, path) }));
  const kept = made.filter(({ value }) => value !== undefined);
  if (Array.isArray(container)) return kept.map(({ value }) => value);
  return Object.fromEntries(kept.map(({ key, value }) => [key, value]));
}
