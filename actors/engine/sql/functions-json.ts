// VARIANT: JSON from and to text, and its elements.
//
// A VARIANT is its JSON text. Elements of arrays count from 1. JSON null is a value of its own, not NULL.

import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { formatVariant, parseVariant } from '../../../runtime/batch/variant-json.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';
import type { ScalarValue } from './scalar-value.ts';
import { isJsonObject, pathKey } from './variant-path.ts';

const variant: SqlType = { kind: 'VARIANT' };
const texts: SqlType = { kind: 'ARRAY', element: types.text };

export const jsonFunctions: readonly FunctionDefinition[] = [
  define(
    'parse_json',
    'PARSE_JSON(x)',
    'The JSON value that a text holds, NULL when it is not JSON.',
    ["PARSE_JSON('[1, 2]')", '[1,2]'],
    [strictRow(['text'], variant, typed(parseJson), { nullable: true })],
  ),
  define(
    'to_json',
    'TO_JSON(x)',
    'The JSON text of a VARIANT.',
    ["TO_JSON(PARSE_JSON('[1, 2]'))", "'[1,2]'"],
    [
      strictRow(
        ['variant'],
        types.text,
        typed((x: string) => x),
      ),
    ],
  ),
  define(
    'variant_element',
    'x[index], x[key], x.key',
    'An element of a JSON array (from 1) or object, NULL when there is none.',
    ["PARSE_JSON('[1, 2]')[2]", '2'],
    [strictRow(['variant', 'any'], variant, typed(element), { nullable: true })],
  ),
  define(
    'variantnull',
    'VARIANTNULL()',
    'The JSON value null.',
    ['VARIANTNULL()', 'null'],
    [strictRow([], variant, () => 'null')],
  ),
  define(
    'json_object_keys',
    'JSON_OBJECT_KEYS(x)',
    'The keys of a JSON object, in order; none of anything else.',
    ['JSON_OBJECT_KEYS(PARSE_JSON(\'{"b": 1, "a": {"c": 2}}\'))', '["a","b"]'],
    [strictRow(['variant'], texts, typed(objectKeys))],
  ),
  define(
    'json_keys',
    'JSON_KEYS(x)',
    'The keys of a JSON object and of the objects in it, as paths with dots, in order; arrays are not looked into.',
    ['JSON_KEYS(PARSE_JSON(\'{"b": 1, "a": {"c": 2}}\'))', '["a","a.c","b"]'],
    [strictRow(['variant'], texts, typed(keyPaths))],
  ),
  define(
    'typeof',
    'TYPEOF(x)',
    'The kind of a JSON value: BOOLEAN, BIGINT (UNSIGNED where it is not negative), DOUBLE, VARCHAR, ARRAY or MAP; VARIANT of the JSON null, NULL of NULL.',
    ["TYPEOF(PARSE_JSON('[]'))", "'ARRAY'"],
    [{ ...strictRow(['variant'], types.text, typed(kindOf)), strict: false }],
  ),
];

function define(
  name: string,
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overloads: FunctionDefinition['overloads'],
): FunctionDefinition {
  return { name, synopsis, category: 'json', summary, example, deterministic: true, overloads };
}

function objectKeys(text: string): string {
  const value = parseVariant(text);
  return JSON.stringify(isJsonObject(value) ? Object.keys(value).sort() : []);
}

function keyPaths(text: string): string {
  const paths = new Set<string>();
  const visit = (value: unknown, before: string): void => {
    if (!isJsonObject(value)) return;
    for (const [key, part] of Object.entries(value)) {
      const path = before + pathKey(key);
      paths.add(path);
      visit(part, `${path}.`);
    }
  };
  visit(parseVariant(text), '');
  return JSON.stringify([...paths].sort());
}

function parseJson(text: string): string | null {
  try {
    return formatVariant(parseVariant(text)) ?? null;
  } catch {
    return null;
  }
}

function element(text: string, index: ScalarValue): string | null {
  const value = parseVariant(text);
  if (Array.isArray(value)) {
    const at = typeof index === 'bigint' || typeof index === 'number' ? Number(index) - 1 : -1;
    return at < 0 || at >= value.length ? null : (formatVariant(value[at]) ?? null);
  }
  if (typeof value !== 'object' || value === null || typeof index !== 'string' || !Object.hasOwn(value, index))
    return null;
  return formatVariant(Reflect.get(value, index)) ?? null;
}

function kindOf(text: string | null): string {
  if (text === null) return 'NULL';
  const value = parseVariant(text);
  if (value === null) return 'VARIANT';
  if (Array.isArray(value)) return 'ARRAY';
  if (typeof value === 'object') return 'MAP';
  if (typeof value === 'string') return 'VARCHAR';
  if (typeof value === 'boolean') return 'BOOLEAN';
  if (typeof value !== 'bigint' && !Number.isInteger(value)) return 'DOUBLE';
  return Number(value) < 0 ? 'BIGINT' : 'BIGINT UNSIGNED';
}
