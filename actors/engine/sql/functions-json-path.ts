// JSON_GET and its like: what lies at a path in a JSON text or a VARIANT, as ad-hoc queries of Feldera ask for it.
//
// A path is keys of objects and indexes of arrays, which count from 0. What is not there, what is of another type, and what is
// not JSON at all, is NULL.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { formatVariant, parseVariant } from '../../../runtime/batch/variant-json.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';
import type { ScalarValue } from './scalar-value.ts';
import { isJsonObject } from './variant-path.ts';

type Reader = (value: unknown) => ScalarValue;

const example = '\'{"a": [8, 1.5, "x", true]}\', \'a\'';

export const jsonPathFunctions: readonly FunctionDefinition[] = [
  define('get', 'The JSON value at a path', `${example}, 0)`, '8', { kind: 'VARIANT' }, (value) => textOf(value)),
  define('get_str', 'The text at a path', `${example}, 2)`, "'x'", types.text, (value) =>
    typeof value === 'string' ? value : null,
  ),
  define('get_int', 'The whole number at a path', `${example}, 0)`, '8', types.bigint, wholeNumber),
  define('get_float', 'The number at a path', `${example}, 1)`, '1.5', types.double, (value) =>
    typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null,
  ),
  define('get_bool', 'The truth value at a path', `${example}, 3)`, 'true', types.boolean, (value) =>
    typeof value === 'boolean' ? value : null,
  ),
  define('get_json', 'The JSON text of what is at a path', `${example})`, '\'[8,1.5,"x",true]\'', types.text, (value) =>
    textOf(value),
  ),
  define(
    'get_array',
    'The elements of the array at a path, each as JSON text',
    `${example})[3]`,
    '\'"x"\'',
    { kind: 'ARRAY', element: types.text },
    (value) => (Array.isArray(value) ? JSON.stringify(value.map((part: unknown) => textOf(part))) : null),
  ),
  {
    ...define(
      'as_text',
      'What is at a path as text, a string without its quotes',
      `${example}, 2)`,
      "'x'",
      types.text,
      (value) => (value === null ? null : typeof value === 'string' ? value : textOf(value)),
    ),
    name: 'json_as_text',
  },
  define(
    'contains',
    'Whether there is something at a path',
    `${example}, 9)`,
    'false',
    types.boolean,
    (value) => value !== undefined,
  ),
  define(
    'length',
    'How many fields or elements the object or array at a path has',
    `${example})`,
    '4',
    types.bigint,
    (value) => (typeof value === 'object' && value !== null ? BigInt(Object.keys(value).length) : null),
  ),
];

function define(
  name: string,
  summary: string,
  call: string,
  result: string,
  type: SqlType,
  read: Reader,
): FunctionDefinition {
  const evaluate = typed((json: string, ...path: ScalarValue[]): ScalarValue => {
    const value = at(json, path);
    return value === undefined && name !== 'contains' ? null : read(value);
  });
  const more = { variadic: true, nullable: true, optional: 1 };
  return {
    name: `json_${name}`,
    synopsis: `JSON_${name.toUpperCase()}(json, key or index, …)`,
    category: 'json',
    summary: `${summary}; indexes count from 0.`,
    example: [`JSON_${name.toUpperCase()}(${call}`, result],
    deterministic: true,
    overloads: [strictRow(['variant', 'any'], type, evaluate, more), strictRow(['text', 'any'], type, evaluate, more)],
  };
}

/** What is at a path; undefined where there is nothing. */
function at(json: string, path: readonly ScalarValue[]): unknown {
  let value: unknown;
  try {
    value = parseVariant(json);
  } catch {
    return undefined;
  }
  for (const step of path) {
    if (typeof step === 'string') {
      if (!isJsonObject(value) || !Object.hasOwn(value, step)) return undefined;
      value = Reflect.get(value, step);
    } else {
      if (!Array.isArray(value) || (typeof step !== 'bigint' && typeof step !== 'number')) return undefined;
      value = value[Number(step)];
    }
  }
  return value;
}

function textOf(value: unknown): string | null {
  return formatVariant(value) ?? null;
}

function wholeNumber(value: unknown): bigint | null {
  if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isSafeInteger(value))) return null;
  const whole = BigInt(value);
  return BigInt.asIntN(64, whole) === whole ? whole : null;
}
