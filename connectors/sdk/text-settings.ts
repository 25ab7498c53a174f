// Settings as connectors and processors of the record kind are given them, all text under dotted names, as typed values.
//
// A name is a parameter's own, or lies below a parameter that is a map: `headers.Accept` is the entry `Accept` of `headers`, and
// `collections.users.format.type` is `format.type` of the entry `users` of `collections`. Names and values are trimmed, empty values
// count as left out, lists are separated by commas, booleans are spelled as Go's ParseBool takes them.
// What cannot be converted stays a text, so that validateParameters says what is wrong with it, beside everything else.
import type { Parameter, ParameterType } from './parameters.ts';

/** To be validated with validateParameters. */
export function typedSettings(
  parameters: readonly Parameter[],
  settings: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(settings)) {
    const value = text.trim();
    if (value !== '') putSetting(values, parameters, name.trim(), value);
  }
  return values;
}

function putSetting(
  values: Record<string, unknown>,
  parameters: readonly Parameter[],
  name: string,
  text: string,
): void {
  const exact = parameters.find((parameter) => parameter.name === name);
  if (exact !== undefined) {
    setOwn(values, name, typedText(exact.type, text));
    return;
  }
  const map = parameters
    .filter((parameter) => parameter.type.kind === 'map' && name.startsWith(`${parameter.name}.`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (map === undefined || map.type.kind !== 'map') {
    setOwn(values, name, text);
    return;
  }
  const entries = ownObject(values, map.name);
  const rest = name.slice(map.name.length + 1);
  const inner = map.type.value;
  if (inner.kind !== 'object') {
    setOwn(entries, rest, typedText(inner, text));
    return;
  }
  const dot = rest.indexOf('.');
  if (dot < 0) setOwn(entries, rest, text);
  else putSetting(ownObject(entries, rest.slice(0, dot)), inner.parameters, rest.slice(dot + 1), text);
}

function typedText(type: ParameterType, text: string): unknown {
  switch (type.kind) {
    case 'boolean':
      if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
      return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : text;
    case 'integer':
      return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
    case 'number':
      return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
    case 'list':
      return text.split(',').map((item) => typedText(type.item, item.trim()));
    default:
      return text;
  }
}

function ownObject(values: Record<string, unknown>, name: string): Record<string, unknown> {
  const found = Object.hasOwn(values, name) ? values[name] : undefined;
  // SAFETY: only this function puts objects into these values.
  if (typeof found === 'object' && found !== null) return found as Record<string, unknown>;
  const made: Record<string, unknown> = {};
  setOwn(values, name, made);
  return made;
}

/** A name such as __proto__ is a name like any other. */
function setOwn(values: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(values, name, { value, enumerable: true, configurable: true, writable: true });
}
