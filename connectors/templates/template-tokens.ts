// The words of a template: text outside {{ }}, and inside it names, fields, variables, constants and signs.
// `{{-` and `-}}` trim white space of the text beside them; {{/* comments */}} vanish here.
import { nearestName } from '../../runtime/nearest-name.ts';
import { placeIn, TemplateMalformed } from './template-errors.ts';

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'field'
  | 'variable'
  | 'name'
  | 'keyword'
  | 'dot'
  | 'number'
  | 'string'
  | 'sign'
  | 'space'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a string the value. */
  readonly text: string;
  readonly offset: number;
}

export const keywords: readonly string[] = [
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
];

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** @throws TemplateMalformed */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  while (at < text.length) {
    const open = text.indexOf('{{', at);
    const stop = open < 0 ? text.length : open;
    const trimsBefore = open >= 0 && text[open + 2] === '-' && isSpace(text[open + 3]);
    let plain = text.slice(at, stop);
    if (trimNext) plain = plain.replace(/^[ \t\r\n]+/, '');
    if (trimsBefore) plain = plain.replace(/[ \t\r\n]+$/, '');
    if (plain !== '') tokens.push({ kind: 'text', text: plain, offset: at });
    if (open < 0) break;
    at = open + (trimsBefore ? 3 : 2);
    const comment = /^\s*\/\*/.exec(text.slice(at));
    if (comment !== null) {
      const end = text.indexOf('*/', at + comment[0].length);
      if (end < 0) throw malformed(text, open, 'a comment is not closed');
      const close = /^(\s+-)?\}\}/.exec(text.slice(end + 2));
      if (close === null) throw malformed(text, end, 'a comment must end at the closing }}');
      trimNext = close[1] !== undefined;
      at = end + 2 + close[0].length;
      continue;
    }
    tokens.push({ kind: 'open', text: '{{', offset: open });
    [at, trimNext] = tokenizeAction(text, at, open, tokens);
  }
  tokens.push({ kind: 'end', text: '', offset: text.length });
  return tokens;
}

/** The words up to the closing }}; answers with the position behind it and whether white space is trimmed there. */
function tokenizeAction(text: string, start: number, open: number, tokens: Token[]): [number, boolean] {
  let at = start;
  for (;;) {
    if (at >= text.length) throw malformed(text, open, '{{ is not closed');
    if (text.startsWith('}}', at)) {
      tokens.push({ kind: 'close', text: '}}', offset: at });
      return [at + 2, false];
    }
    const space = /^[ \t\r\n]+/.exec(text.slice(at, at + 4096));
    if (space !== null) {
      const behind = at + space[0].length;
      if (text.startsWith('-}}', behind)) {
        tokens.push({ kind: 'close', text: '-}}', offset: behind });
        return [behind + 3, true];
      }
      tokens.push({ kind: 'space', text: ' ', offset: at });
      at = behind;
      continue;
    }
    const token = readToken(text, at);
    tokens.push(token.token);
    at = token.behind;
  }
}

function readToken(text: string, at: number): { readonly token: Token; readonly behind: number } {
  const rest = text.slice(at, at + 4096);
  const made = (kind: TokenKind, length: number, value = rest.slice(0, length)): ReturnType<typeof readToken> => ({
    token: { kind, text: value, offset: at },
    behind: at + length,
  });
  const field = /^\.[\p{L}_][\p{L}\p{Nd}_]*/u.exec(rest);
  if (field !== null) return made('field', field[0].length, field[0].slice(1));
  const number = /^[+-]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d+)?)/.exec(rest);
  if (number !== null && (/^[0-9]/.test(rest) || /^[+-]?\.?\d/.test(rest))) {
    if (/^[\p{L}_]/u.test(rest.slice(number[0].length))) throw malformed(text, at, `${rest.slice(0, 10)} is no number`);
    return made('number', number[0].length);
  }
  if (rest[0] === '.') return made('dot', 1);
  const variable = /^\$[\p{L}\p{Nd}_]*/u.exec(rest);
  if (variable !== null) return made('variable', variable[0].length);
  const name = /^[\p{L}_][\p{L}\p{Nd}_]*/u.exec(rest);
  if (name !== null) return made(keywords.includes(name[0]) ? 'keyword' : 'name', name[0].length);
  if (rest[0] === '"') return readQuoted(text, at);
  if (rest[0] === '`') {
    const end = text.indexOf('`', at + 1);
    if (end < 0) throw malformed(text, at, 'a text between ` is not closed');
    return made('string', end + 1 - at, text.slice(at + 1, end).replaceAll('\r', ''));
  }
  if (rest[0] === "'") {
    const quoted = readQuoted(text, at);
    const [letter, ...more] = [...quoted.token.text];
    if (letter === undefined || more.length > 0)
      throw malformed(text, at, 'one character stands between single quotes');
    return { token: { kind: 'number', text: String(letter.codePointAt(0)), offset: at }, behind: quoted.behind };
  }
  const sign = /^(:=|[|()=,])/.exec(rest);
  if (sign !== null) return made('sign', sign[0].length);
  throw malformed(text, at, `unexpected "${[...rest][0]}"`);
}

/** A text in the quotes at `at`, with Go's escapes. */
function readQuoted(text: string, at: number): { readonly token: Token; readonly behind: number } {
  const quote = text[at];
  let value = '';
  let i = at + 1;
  for (; text[i] !== quote; i++) {
    const letter = text[i];
    if (letter === undefined || letter === '\n') throw malformed(text, at, 'a quoted text is not closed');
    if (letter !== '\\') {
      value += letter;
      continue;
    }
    const next = text[++i] ?? '';
    const simple = escapes[next];
    const code = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/.exec(text.slice(i, i + 9));
    if (simple !== undefined) value += simple;
    else if (code !== null) {
      const point =
        code[4] === undefined ? Number.parseInt(code[1] ?? code[2] ?? code[3] ?? '', 16) : Number.parseInt(code[4], 8);
      value += String.fromCodePoint(Math.min(point, 0x10ffff));
      i += code[0].length - 1;
    } else throw malformed(text, i, `\\${next} is no escape`);
  }
  return { token: { kind: 'string', text: value, offset: at }, behind: i + 1 };
}

function isSpace(letter: string | undefined): boolean {
  return letter === ' ' || letter === '\t' || letter === '\r' || letter === '\n';
}

export function malformed(
  text: string,
  offset: number,
  detail: string,
  name?: string,
  known?: readonly string[],
): Error {
  const suggestion = name === undefined || known === undefined ? undefined : nearestName(name, known);
  return new TemplateMalformed({ detail }, { place: placeIn(text, offset), suggestion });
}
