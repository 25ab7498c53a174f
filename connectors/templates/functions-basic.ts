// The functions that Go's text/template has by itself: comparison, logic, index, len, printing, escaping.
// `and` and `or` evaluate no more operands than they need; the executor sees to that.
import { format, printAll, printFormat } from './go-print.ts';
import {
  bytesOf,
  bytesOfText,
  entryOf,
  type GoValue,
  isEqual,
  isLess,
  isList,
  isMap,
  isNil,
  isTextMap,
  isTrue,
  typeName,
} from './go-values.ts';
import { FunctionFailure } from './template-errors.ts';
import { type FunctionTable, fn, many } from './template-function.ts';

const htmlEscapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\ufffd',
};

export const basicFunctions: FunctionTable = {
  hello: fn(0, () => 'Hello!'),
  and: fn(1, (values) => values.find((value) => !isTrue(value)) ?? values.at(-1), many),
  or: fn(1, (values) => values.find(isTrue) ?? values.at(-1), many),
  not: fn(1, ([value]) => !isTrue(value)),
  eq: fn(2, ([value, ...others]) => others.some((other) => isEqual(value, other)), many),
  ne: fn(2, ([a, b]) => !isEqual(a, b)),
  lt: fn(2, ([a, b]) => isLess(a, b)),
  le: fn(2, ([a, b]) => isLess(a, b) || isEqual(a, b)),
  gt: fn(2, ([a, b]) => !isLess(a, b) && !isEqual(a, b)),
  ge: fn(2, ([a, b]) => !isLess(a, b)),
  len: fn(1, ([value]) => BigInt(lengthOf(value))),
  index: fn(1, ([value, ...keys]) => keys.reduce(indexOf, value), many),
  print: fn(0, printAll, many),
  printf: fn(
    1,
    ([text, ...values]) => {
      if (typeof text !== 'string') throw new FunctionFailure(`expected string; got ${typeName(text)}`);
      return printFormat(text, values);
    },
    many,
  ),
  println: fn(0, (values) => `${values.map((value) => format(value)).join(' ')}\n`, many),
  html: fn(0, (values) => printAll(values).replaceAll(/[&<>"'\0]/g, (letter) => htmlEscapes[letter] ?? letter), many),
  js: fn(0, (values) => escapeJavaScript(printAll(values)), many),
  urlquery: fn(0, (values) => encodeQuery(printAll(values)), many),
};

export function lengthOf(value: GoValue): number {
  if (typeof value === 'string') return bytesOfText(value).length;
  const bytes = bytesOf(value);
  if (bytes !== null) return bytes.length;
  if (isList(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  throw new FunctionFailure(isNil(value) ? 'len of nil pointer' : `len of type ${typeName(value)}`);
}

function indexOf(value: GoValue, key: GoValue): GoValue {
  if (isNil(value)) throw new FunctionFailure('index of untyped nil');
  if (isMap(value)) {
    if (typeof key !== 'string') throw new FunctionFailure(`value has type ${typeName(key)}; should be string`);
    return entryOf(value, key) ?? (isTextMap(value) ? '' : undefined);
  }
  const items = typeof value === 'string' ? bytesOfText(value) : (bytesOf(value) ?? value);
  if (!(items instanceof Uint8Array) && !isList(items)) {
    throw new FunctionFailure(`can't index item of type ${typeName(value)}`);
  }
  if (typeof key !== 'bigint') {
    throw new FunctionFailure(
      isNil(key) ? 'cannot index slice/array with nil' : `cannot index slice/array with type ${typeName(key)}`,
    );
  }
  if (key < 0n || key >= BigInt(items.length)) throw new FunctionFailure(`index out of range: ${key}`);
  const item = items[Number(key)];
  return typeof item === 'number' && items instanceof Uint8Array ? BigInt(item) : item;
}

function escapeJavaScript(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    '\\': '\\\\',
    "'": "\\'",
    '"': '\\"',
    '<': '\\u003C',
    '>': '\\u003E',
    '&': '\\u0026',
    '=': '\\u003D',
  };
  return text.replaceAll(/[\\'"<>&=]|[^\P{C}]/gu, (letter) => {
    const known = escapes[letter];
    return known ?? `\\u${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** url.QueryEscape */
export function encodeQuery(text: string): string {
  return [...bytesOfText(text)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      if (/[A-Za-z0-9\-_.~]/.test(letter)) return letter;
      return letter === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
