// What the grammars read from single tokens: names, spans, the text of strings.
import type { Identifier } from './ast.ts';
import type { Span } from './span.ts';
import { type IToken, QuotedIdentifier } from './tokens.ts';

export function identifierOf(token: IToken): Identifier {
  const quoted = token.tokenType === QuotedIdentifier;
  const name = quoted ? token.image.slice(1, -1).replaceAll('""', '"') : token.image.toLowerCase();
  return { name, quoted, span: spanOf(token) };
}

export function unquote(image: string): string {
  return image.slice(1, -1).replaceAll("''", "'");
}

/** The text of U&'…' [UESCAPE 'c']: behind the escape character four digits, or + and six, or the character itself. */
export function unicodeText(image: string): string {
  const [, body = '', escapeBy = '\\'] = /^..('(?:[^']|'')*')(?:\s+\w+\s+'(.)')?$/su.exec(image) ?? [];
  const quoted = escapeBy.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
  const expression = new RegExp(`${quoted}(?:([0-9a-fA-F]{4})|\\+([0-9a-fA-F]{6})|${quoted})`, 'gu');
  return unquote(body).replace(expression, (_, four?: string, six?: string) => {
    const digits = four ?? six;
    const point = digits === undefined ? undefined : Number.parseInt(digits, 16);
    if (point === undefined) return escapeBy;
    return point > 0x10ffff ? '\ufffd' : String.fromCodePoint(point);
  });
}

export function spanOf(token: IToken): Span {
  return { start: token.startOffset, end: endOf(token) };
}

export function cover(first: Span, last: Span): Span {
  return { start: first.start, end: last.end };
}

export function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}

export function wordIdentifier(word: IToken): Identifier {
  return { name: word.image.toLowerCase(), quoted: false, span: spanOf(word) };
}
