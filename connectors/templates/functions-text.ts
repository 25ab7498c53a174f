// sprig's functions of texts. Lengths and positions count bytes, as Go's do.
import { createHash, randomInt } from 'node:crypto';
import { format, quoteText } from './go-print.ts';
import { bytesOfText, compareText, type GoValue, isList, isNil, makeMap, textOfBytes } from './go-values.ts';
import { FunctionFailure } from './template-errors.ts';
import { type FunctionTable, fn, integerAt, many, sizeMax, textAt } from './template-function.ts';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');

export const textFunctions: FunctionTable = {
  abbrev: fn(2, (o) => abbreviate(textAt(o, 1), 0, integerAt(o, 0))),
  abbrevboth: fn(3, (o) => abbreviate(textAt(o, 2), integerAt(o, 0), integerAt(o, 1))),
  trunc: fn(2, (o) => truncate(textAt(o, 1), integerAt(o, 0))),
  trim: fn(1, (o) => textAt(o, 0).trim()),
  upper: fn(1, (o) => textAt(o, 0).toUpperCase()),
  lower: fn(1, (o) => textAt(o, 0).toLowerCase()),
  title: fn(1, (o) => eachWord(textAt(o, 0), (letter) => letter.toUpperCase())),
  untitle: fn(1, (o) => eachWord(textAt(o, 0), (letter) => letter.toLowerCase())),
  substr: fn(3, (o) => substring(integerAt(o, 0), integerAt(o, 1), textAt(o, 2))),
  repeat: fn(2, (o) => repeat(integerAt(o, 0), textAt(o, 1))),
  trimall: fn(2, (o) => trimAll(textAt(o, 0), textAt(o, 1))),
  trimAll: fn(2, (o) => trimAll(textAt(o, 0), textAt(o, 1))),
  trimSuffix: fn(2, (o) => {
    const [suffix, text] = [textAt(o, 0), textAt(o, 1)];
    return suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
  }),
  trimPrefix: fn(2, (o) => {
    const [prefix, text] = [textAt(o, 0), textAt(o, 1)];
    return text.startsWith(prefix) ? text.slice(prefix.length) : text;
  }),
  nospace: fn(1, (o) => textAt(o, 0).replaceAll(/\s/g, '')),
  initials: fn(1, (o) => (textAt(o, 0).match(/\S+/g) ?? []).map((word) => [...word][0]).join('')),
  swapcase: fn(1, (o) => swapCase(textAt(o, 0))),
  snakecase: fn(1, (o) => joinWords(textAt(o, 0), '_')),
  kebabcase: fn(1, (o) => joinWords(textAt(o, 0), '-')),
  camelcase: fn(1, (o) => pascalCase(textAt(o, 0))),
  wrap: fn(2, (o) => wrap(textAt(o, 1), integerAt(o, 0), '\n', false)),
  wrapWith: fn(3, (o) => wrap(textAt(o, 2), integerAt(o, 0), textAt(o, 1), true)),
  contains: fn(2, (o) => textAt(o, 1).includes(textAt(o, 0))),
  hasPrefix: fn(2, (o) => textAt(o, 1).startsWith(textAt(o, 0))),
  hasSuffix: fn(2, (o) => textAt(o, 1).endsWith(textAt(o, 0))),
  quote: fn(
    0,
    (o) =>
      present(o)
        .map((value) => quoteText(textOf(value)))
        .join(' '),
    many,
  ),
  squote: fn(
    0,
    (o) =>
      present(o)
        .map((value) => `'${format(value)}'`)
        .join(' '),
    many,
  ),
  cat: fn(
    0,
    (o) =>
      present(o)
        .map((value) => format(value))
        .join(' ')
        .trim(),
    many,
  ),
  indent: fn(2, (o) => indent(integerAt(o, 0), textAt(o, 1))),
  nindent: fn(2, (o) => `\n${indent(integerAt(o, 0), textAt(o, 1))}`),
  replace: fn(3, (o) => textAt(o, 2).replaceAll(textAt(o, 0), () => textAt(o, 1))),
  plural: fn(3, (o) => (integerAt(o, 2) === 1 ? textAt(o, 0) : textAt(o, 1))),
  sha1sum: fn(1, (o) => hash('sha1', textAt(o, 0))),
  sha256sum: fn(1, (o) => hash('sha256', textAt(o, 0))),
  sha512sum: fn(1, (o) => hash('sha512', textAt(o, 0))),
  adler32sum: fn(1, (o) => adler32(bytesOfText(textAt(o, 0)))),
  toString: fn(1, ([value]) => textOf(value)),
  toStrings: fn(1, ([value]) => textsOf(value)),
  split: fn(2, (o) => numbered(splitText(textAt(o, 1), textAt(o, 0)))),
  splitn: fn(3, (o) => numbered(splitText(textAt(o, 2), textAt(o, 0), integerAt(o, 1)))),
  splitList: fn(2, (o) => splitText(textAt(o, 1), textAt(o, 0))),
  join: fn(2, (o) => textsOf(o[1]).join(textAt(o, 0))),
  sortAlpha: fn(1, ([value]) => (isList(value) ? [...textsOf(value)].sort(compareText) : [textOf(value)])),
  randAlphaNum: fn(1, (o) => randomText(integerAt(o, 0), letters + digits)),
  randAlpha: fn(1, (o) => randomText(integerAt(o, 0), letters)),
  randNumeric: fn(1, (o) => randomText(integerAt(o, 0), digits)),
  randAscii: fn(1, (o) => randomText(integerAt(o, 0), ascii)),
  shuffle: fn(1, (o) => shuffle([...textAt(o, 0)]).join('')),
};

/** sprig's strval. */
export function textOf(value: GoValue): string {
  return value instanceof Uint8Array ? textOfBytes(value) : format(value);
}

function textsOf(value: GoValue): string[] {
  if (isNil(value)) return [];
  return isList(value) ? present(value).map(textOf) : [textOf(value)];
}

function present(values: readonly GoValue[]): GoValue[] {
  return values.filter((value) => !isNil(value));
}

function numbered(parts: readonly string[]): GoValue {
  return makeMap(parts.map((part, i) => [`_${i}`, part]));
}

/** strings.SplitN; `limit` negative: all. */
function splitText(text: string, separator: string, limit = -1): string[] {
  if (limit === 0) return [];
  const parts = separator === '' ? [...text] : text.split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

function abbreviate(text: string, left: number, width: number): string {
  if (width < 4 || (left > 0 && width < 7)) return text;
  if (text.length <= width) return text;
  let offset = Math.min(left, text.length);
  if (text.length - offset < width - 3) offset = text.length - (width - 3);
  if (offset <= 4) return `${text.slice(0, width - 3)}...`;
  if (width < 7) return '';
  if (offset + width - 3 < text.length) return `...${abbreviate(text.slice(offset), 0, width - 3)}`;
  return `...${text.slice(text.length - (width - 3))}`;
}

function truncate(text: string, count: number): string {
  const bytes = bytesOfText(text);
  if (count < 0 && bytes.length + count > 0) return textOfBytes(bytes.subarray(bytes.length + count));
  return count >= 0 && bytes.length > count ? textOfBytes(bytes.subarray(0, count)) : text;
}

function substring(start: number, end: number, text: string): string {
  const bytes = bytesOfText(text);
  const from = Math.max(start, 0);
  const to = start < 0 ? end : end < 0 || end > bytes.length ? bytes.length : end;
  if (from > to || to > bytes.length || to < 0) throw new FunctionFailure(`slice bounds out of range [${from}:${to}]`);
  return textOfBytes(bytes.subarray(from, to));
}

function repeat(count: number, text: string): string {
  if (count < 0) throw new FunctionFailure('negative count of repeat');
  if (count * text.length > sizeMax) throw new FunctionFailure('repeat makes too long a text');
  return text.repeat(count);
}

function trimAll(cut: string, text: string): string {
  const chars = [...text];
  const set = new Set(cut);
  let start = 0;
  let end = chars.length;
  while (start < end && set.has(chars[start] ?? '')) start++;
  while (end > start && set.has(chars[end - 1] ?? '')) end--;
  return chars.slice(start, end).join('');
}

function eachWord(text: string, change: (letter: string) => string): string {
  return text.replaceAll(/(?<![\p{L}\p{Nd}_'])\p{L}/gu, change);
}

function swapCase(text: string): string {
  return text.replaceAll(/\p{L}/gu, (letter, offset: number) => {
    const lower = letter.toLowerCase();
    if (letter !== lower) return lower;
    return offset === 0 || /\s/.test(text[offset - 1] ?? '') ? letter.toUpperCase() : letter.toUpperCase();
  });
}

function wordsOf(text: string): string[] {
  return text
    .replaceAll(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1 $2')
    .replaceAll(/([\p{Ll}])(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{L})(\p{Nd}+\p{Ll})/gu, '$1 $2')
    .replaceAll(/(\p{Nd})(\p{Lu})/gu, '$1 $2')
    .split(/[\s_\-.]+/)
    .filter((word) => word !== '');
}

function joinWords(text: string, sign: string): string {
  return wordsOf(text)
    .map((word) => word.toLowerCase())
    .join(sign);
}

function pascalCase(text: string): string {
  return text.replaceAll(/(^|[\s_\-.]+)(.)/gu, (_, separators: string, letter: string) =>
    separators !== '' && letter === '' ? '' : letter.toUpperCase(),
  );
}

function wrap(text: string, width: number, separator: string, breaksWords: boolean): string {
  const most = Math.max(1, width);
  let rest = text;
  const lines: string[] = [];
  while (rest.length > most) {
    if (rest.startsWith(' ')) {
      rest = rest.slice(1);
      continue;
    }
    const space = rest.lastIndexOf(' ', most);
    if (space > 0) {
      lines.push(rest.slice(0, space));
      rest = rest.slice(space + 1);
    } else if (breaksWords) {
      lines.push(rest.slice(0, most));
      rest = rest.slice(most);
    } else {
      const next = rest.indexOf(' ', most);
      if (next < 0) break;
      lines.push(rest.slice(0, next));
      rest = rest.slice(next + 1);
    }
  }
  return [...lines, rest].join(separator);
}

function indent(spaces: number, text: string): string {
  const pad = repeat(spaces, ' ');
  return pad + text.replaceAll('\n', `\n${pad}`);
}

function hash(name: string, text: string): string {
  return createHash(name).update(bytesOfText(text)).digest('hex');
}

function adler32(bytes: Uint8Array): string {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return String(((b << 16) | a) >>> 0);
}

function randomText(count: number, alphabet: string): string {
  if (count < 0 || count > sizeMax) throw new FunctionFailure(`no text has ${count} characters`);
  return Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join('');
}

function shuffle(list: string[]): string[] {
  for (let i = list.length - 1; i > 0; i--) {
    const other = randomInt(i + 1);
    [list[i], list[other]] = [list[other] ?? '', list[i] ?? ''];
  }
  return list;
}
