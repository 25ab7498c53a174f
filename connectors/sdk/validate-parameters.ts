// A user's configuration against parameters as data: every problem at once, defaults filled in.
//
// `values` holds what was good, so that a caller may go on looking for further problems; it is complete only when there
// are none. Nothing is converted: a text that looks like a number is a text. `null` counts as left out for a parameter
// that is not required, as an empty YAML value does. Secrets are never put into an error.
// Not here: what parameters as data cannot say; `create` of a transport or format checks that.
import { unreachable } from '../../runtime/assert.ts';
import type { MillraceError } from '../../runtime/errors.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import {
  ConfigMissingKey,
  ConfigOutOfRange,
  ConfigUnknownKey,
  ConfigUnknownValue,
  ConfigWrongType,
} from './configuration-errors.ts';
import { parseDuration } from './duration.ts';
import type { Parameter, ParameterType, ParameterValues, PlaceOf } from './parameters.ts';

export interface ValidatedParameters {
  readonly values: ParameterValues;
  readonly problems: MillraceError[];
}

type Path = readonly (string | number)[];

/**
 * Checks `value`, the object that stands at `path` of the user's configuration.
 * `owner` names what the parameters belong to, such as `file_input`.
 */
export function validateParameters(
  parameters: readonly Parameter[],
  value: unknown,
  placeOf: PlaceOf,
  path: Path,
  owner: string = path.map(String).join('.'),
): ValidatedParameters {
  const problems: MillraceError[] = [];
  const values = checkObject({ placeOf, problems, owner, secret: false }, parameters, value ?? {}, path);
  return { values, problems };
}

interface Check {
  readonly placeOf: PlaceOf;
  readonly problems: MillraceError[];
  readonly owner: string;
  readonly secret: boolean;
}

function checkObject(check: Check, parameters: readonly Parameter[], value: unknown, path: Path): ParameterValues {
  if (!isObject(value)) {
    wrongType(check, path, 'an object', value);
    return {};
  }
  const values: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (parameters.some((parameter) => parameter.name === key)) continue;
    const place = check.placeOf([...path, key]);
    const suggestion = nearestName(
      key,
      parameters.map((parameter) => parameter.name),
    );
    check.problems.push(new ConfigUnknownKey({ key, owner: check.owner }, { place, suggestion }));
  }
  for (const parameter of parameters) {
    const given = Object.hasOwn(value, parameter.name) ? value[parameter.name] : undefined;
    const { name } = parameter;
    if (given === undefined || (given === null && !parameter.required && parameter.type.kind !== 'any')) {
      if (parameter.default !== undefined) values[name] = structuredClone(parameter.default);
      else if (parameter.required)
        check.problems.push(new ConfigMissingKey({ key: name, owner: check.owner }, { place: check.placeOf(path) }));
      continue;
    }
    const inner = parameter.secret === true ? { ...check, secret: true } : check;
    values[name] = checkValue(inner, parameter.type, given, [...path, name]);
  }
  return values;
}

function checkValue(check: Check, type: ParameterType, value: unknown, path: Path): unknown {
  switch (type.kind) {
    case 'string':
      if (typeof value !== 'string') wrongType(check, path, 'a text', value);
      return value;
    case 'boolean':
      if (typeof value !== 'boolean') wrongType(check, path, 'true or false', value);
      return value;
    case 'integer':
    case 'number':
      checkNumber(check, type, value, path);
      return value;
    case 'enum':
      checkEnum(check, type.values, value, path);
      return value;
    case 'character':
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a tab is a usual delimiter.
      if (typeof value !== 'string' || !/^[\x00-\x7f]$/.test(value)) {
        wrongType(check, path, 'one ASCII character', value);
      }
      return value;
    case 'duration':
      if (typeof value !== 'string' || parseDuration(value) === null) {
        wrongType(check, path, "a duration such as '1s', '2m30s' or '100ms'", value);
      }
      return value;
    case 'list':
      if (!Array.isArray(value)) return wrongType(check, path, 'a list', value);
      return value.map((item, i) => checkValue(check, type.item, item, [...path, i]));
    case 'map':
      if (!isObject(value)) return wrongType(check, path, 'an object', value);
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, checkValue(check, type.value, item, [...path, key])]),
      );
    case 'object':
      return checkObject({ ...check, owner: String(path.at(-1) ?? check.owner) }, type.parameters, value, path);
    case 'any':
      return value;
    default:
      return unreachable(type);
  }
}

function checkNumber(
  check: Check,
  type: { readonly kind: 'integer' | 'number'; readonly min?: number; readonly max?: number },
  value: unknown,
  path: Path,
): void {
  const expected = type.kind === 'integer' ? 'an integer' : 'a number';
  const fits = type.kind === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (typeof value !== 'number' || !fits) {
    wrongType(check, path, expected, value);
    return;
  }
  if ((type.min !== undefined && value < type.min) || (type.max !== undefined && value > type.max)) {
    const fields = { key: keyOf(path), expected: `${expected} ${rangeText(type)}`, got: show(check, value) };
    check.problems.push(new ConfigOutOfRange(fields, { place: check.placeOf(path) }));
  }
}

function checkEnum(check: Check, values: readonly string[], value: unknown, path: Path): void {
  if (typeof value !== 'string') {
    wrongType(check, path, `one of ${values.join(', ')}`, value);
  } else if (!values.includes(value)) {
    const context = { place: check.placeOf(path), suggestion: nearestName(value, values) };
    check.problems.push(new ConfigUnknownValue({ key: keyOf(path), got: show(check, value), values }, context));
  }
}

function wrongType(check: Check, path: Path, expected: string, value: unknown): undefined {
  const key = path.length === 0 && check.owner !== '' ? check.owner : keyOf(path);
  const fields = { key, expected, got: show(check, value) };
  check.problems.push(new ConfigWrongType(fields, { place: check.placeOf(path) }));
}

function rangeText(type: { readonly min?: number; readonly max?: number }): string {
  if (type.max === undefined) return `of at least ${type.min}`;
  if (type.min === undefined) return `of at most ${type.max}`;
  return `from ${type.min} to ${type.max}`;
}

/** The last name on the path, with the places in lists behind it: `fields[2]`. */
function keyOf(path: Path): string {
  let text = '';
  for (let i = path.length - 1; i >= 0; i--) {
    const part = path[i];
    if (typeof part === 'string') return part + text;
    text = `[${part}]${text}`;
  }
  return text === '' ? 'config' : text;
}

/** The value for an error message: its kind, and the value itself where it is short and no secret. */
function show(check: Check, value: unknown): string {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : isObject(value) ? 'an object' : undefined;
  if (kind !== undefined) return kind;
  if (check.secret) return `a ${typeof value === 'string' ? 'text' : typeof value} (secret)`;
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
