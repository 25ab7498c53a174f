// sprig's functions of JSON, base64, regular expressions, paths and types, and uuidv4.
// Go's regular expressions (RE2) have no look-around and no back-references: a pattern with one is refused, so that a template means
// the same wherever it runs.
import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { parseJson, printJson } from '../sdk/exact-json.ts';
import type { StructuredValue } from '../sdk/record.ts';
import { formatTime, rfc3339Nano } from './go-time.ts';
import {
  bytesOf,
  bytesOfText,
  GoDuration,
  GoOperation,
  GoTime,
  type GoValue,
  isDeepEqual,
  isList,
  isMap,
  isNil,
  kindName,
  Struct,
  textOfBytes,
  typeName,
} from './go-values.ts';
import { FunctionFailure } from './template-errors.ts';
import { type FunctionTable, fn, integerAt, textAt } from './template-function.ts';

const base32Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export const encodingFunctions: FunctionTable = {
  toJson: fn(1, ([value]) => attempt(() => json(value), '')),
  mustToJson: fn(1, ([value]) => json(value)),
  toPrettyJson: fn(1, ([value]) => attempt(() => json(value, '  '), '')),
  mustToPrettyJson: fn(1, ([value]) => json(value, '  ')),
  toRawJson: fn(1, ([value]) => json(value, '', false)),
  mustToRawJson: fn(1, ([value]) => json(value, '', false)),
  fromJson: fn(1, (o) => attempt<GoValue>(() => valueOfJson(textAt(o, 0)), null)),
  mustFromJson: fn(1, (o) => valueOfJson(textAt(o, 0))),
  b64enc: fn(1, (o) => Buffer.from(bytesOfText(textAt(o, 0))).toString('base64')),
  b64dec: fn(1, (o) => decodeBase64(textAt(o, 0))),
  b32enc: fn(1, (o) => encodeBase32(bytesOfText(textAt(o, 0)))),
  b32dec: fn(1, (o) => decodeBase32(textAt(o, 0))),
  uuidv4: fn(0, () => randomUUID()),

  ...both('regexMatch', 2, (o) => regex(textAt(o, 0)).test(textAt(o, 1))),
  ...both('regexFind', 2, (o) => regex(textAt(o, 0)).exec(textAt(o, 1))?.[0] ?? ''),
  ...both('regexFindAll', 3, (o) => {
    const found = [...textAt(o, 1).matchAll(regex(textAt(o, 0), 'g'))].map(([match]) => match);
    return integerAt(o, 2) < 0 ? found : found.slice(0, integerAt(o, 2));
  }),
  ...both('regexReplaceAll', 3, (o) => {
    const pattern = regex(textAt(o, 0), 'g');
    const text = textAt(o, 1);
    return text.replaceAll(pattern, (...match) => expand(textAt(o, 2), match));
  }),
  ...both('regexReplaceAllLiteral', 3, (o) => textAt(o, 1).replaceAll(regex(textAt(o, 0), 'g'), () => textAt(o, 2))),
  ...both('regexSplit', 3, (o) => {
    const parts = textAt(o, 1).split(regex(textAt(o, 0)));
    const most = integerAt(o, 2);
    if (most < 0 || parts.length <= most) return parts;
    return splitFirst(regex(textAt(o, 0), 'g'), textAt(o, 1), most);
  }),
  regexQuoteMeta: fn(1, (o) => textAt(o, 0).replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&')),

  base: fn(1, (o) => posix.basename(textAt(o, 0)) || (textAt(o, 0) === '' ? '.' : '/')),
  dir: fn(1, (o) => posix.dirname(textAt(o, 0))),
  clean: fn(1, (o) => posix.normalize(textAt(o, 0)).replace(/(.)\/$/, '$1')),
  ext: fn(1, (o) => posix.basename(textAt(o, 0)).match(/\.[^.]*$/)?.[0] ?? ''),
  isAbs: fn(1, (o) => posix.isAbsolute(textAt(o, 0))),
  osBase: fn(1, (o) => posix.basename(textAt(o, 0))),
  osDir: fn(1, (o) => posix.dirname(textAt(o, 0))),
  osClean: fn(1, (o) => posix.normalize(textAt(o, 0))),
  osExt: fn(1, (o) => posix.extname(textAt(o, 0))),
  osIsAbs: fn(1, (o) => posix.isAbsolute(textAt(o, 0))),

  typeOf: fn(1, ([value]) => typeName(value)),
  typeIs: fn(2, (o) => typeName(o[1]) === textAt(o, 0)),
  typeIsLike: fn(2, (o) => typeName(o[1]) === textAt(o, 0) || `*${typeName(o[1])}` === textAt(o, 0)),
  kindOf: fn(1, ([value]) => kindName(value)),
  kindIs: fn(2, (o) => kindName(o[1]) === textAt(o, 0)),
  deepEqual: fn(2, ([a, b]) => isDeepEqual(a, b)),
};

/** Under its own name and with `must`: both fail, since patterns are written by whoever writes the template. */
function both(name: string, operands: number, call: (o: readonly GoValue[]) => GoValue): FunctionTable {
  return { [name]: fn(operands, call), [`must${name[0]?.toUpperCase()}${name.slice(1)}`]: fn(operands, call) };
}

function attempt<T>(call: () => T, otherwise: T): T {
  try {
    return call();
  } catch {
    return otherwise;
  }
}

/** The text of a value in the spelling of Go's encoding/json. @throws FunctionFailure */
export function json(value: GoValue, indent = '', escapeHtml = true): string {
  if (value instanceof Struct) {
    const [line, colon, end] = indent === '' ? ['', ':', ''] : [`\n${indent}`, ': ', '\n'];
    const members = value.fieldNames.map((name) => {
      const member = json(value.field(name), indent, escapeHtml).replaceAll('\n', `\n${indent}`);
      return `${line}"${name.toLowerCase()}"${colon}${member}`;
    });
    return `{${members.join(',')}${end}}`;
  }
  try {
    return printJson(jsonValue(value), { indent, escapeHtml, standard: true });
  } catch (thrown) {
    throw new FunctionFailure(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function jsonValue(value: GoValue): StructuredValue {
  if (isNil(value)) return null;
  const bytes = bytesOf(value);
  if (bytes !== null) return bytes;
  if (value instanceof GoTime) return formatTime(value, rfc3339Nano);
  if (value instanceof GoDuration) return value.nanoseconds;
  if (value instanceof GoOperation) return value.name;
  if (isList(value)) return value.map(jsonValue);
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, jsonValue(item)]));
  return typeof value === 'object' ? null : value;
}

function valueOfJson(text: string): GoValue {
  try {
    return parseJson(text);
  } catch (thrown) {
    throw new FunctionFailure(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function decodeBase64(text: string): string {
  if (!/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    return 'illegal base64 data at input byte 0';
  }
  return textOfBytes(Buffer.from(text, 'base64'));
}

function encodeBase32(bytes: Uint8Array): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  const groups = bits.match(/.{1,5}/g) ?? [];
  const text = groups.map((group) => base32Letters[Number.parseInt(group.padEnd(5, '0'), 2)]).join('');
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=');
}

function decodeBase32(text: string): string {
  const bits = [...text.replace(/=+$/, '')]
    .map((letter) => {
      const value = base32Letters.indexOf(letter);
      if (value < 0) throw new FunctionFailure('illegal base32 data');
      return value.toString(2).padStart(5, '0');
    })
    .join('');
  return textOfBytes(Uint8Array.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))));
}

function regex(pattern: string, flags = ''): RegExp {
  const head = /^\(\?([imsU]+)\)/.exec(pattern);
  const body = (head === null ? pattern : pattern.slice(head[0].length)).replaceAll('(?P<', '(?<');
  if (/\(\?(?:[=!]|<[=!])|\\[1-9]/.test(body)) {
    throw new FunctionFailure(`the pattern ${pattern} uses look-around or a back-reference`);
  }
  const own = (head?.[1] ?? '').replace('U', '');
  try {
    return new RegExp(
      body
        .replaceAll('\\z', '$')
        .replaceAll('\\A', '^')
        .replaceAll(/\[\[:(\w+):\]\]/g, posixClass),
      `${flags}${own}u`,
    );
  } catch (thrown) {
    throw new FunctionFailure(`error parsing regexp ${pattern}: ${thrown instanceof Error ? thrown.message : ''}`);
  }
}

function posixClass(_: string, name: string): string {
  const classes: Readonly<Record<string, string>> = {
    alpha: '[A-Za-z]',
    digit: '[0-9]',
    alnum: '[A-Za-z0-9]',
    upper: '[A-Z]',
    lower: '[a-z]',
    space: '\\s',
    word: '\\w',
    xdigit: '[0-9A-Fa-f]',
    punct: '[!-\\/:-@\\[-`{-~]',
  };
  return classes[name] ?? `[[:${name}:]]`;
}

/** $1, ${1} and ${name} of a replacement. */
function expand(replacement: string, match: readonly unknown[]): string {
  const last = match.at(-1);
  const groups = typeof last === 'object' && last !== null ? new Map(Object.entries(last)) : new Map<string, unknown>();
  return replacement.replaceAll(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    const name = braced ?? bare;
    if (name === undefined) return whole === '$$' ? '$' : whole;
    const found = /^\d+$/.test(name) ? match[Number(name)] : groups.get(name);
    return typeof found === 'string' ? found : '';
  });
}

function splitFirst(pattern: RegExp, text: string, most: number): string[] {
  const parts: string[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    if (parts.length >= most - 1) break;
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
  }
  return most === 0 ? [] : [...parts, text.slice(from)];
}
