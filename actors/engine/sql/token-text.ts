// What the grammars read from single tokens: names, spans, the text of strings.
import type { Identifier } from './ast.ts';
import type { Span } from './span.ts';
import { type IToken, QuotedIdentifier, UnicodeIdentifier } from './tokens.ts';
import { unescaped } from './unicode-escapes.ts';

export function identifierOf(token: IToken): Identifier {
  if (token.tokenType === UnicodeIdentifier) return { name: unescaped(token.image), quoted: true, span: spanOf(token) };
  const quoted = token.tokenType === QuotedIdentifier;
  const name = quoted ? token.image.slice(1, -1).replaceAll('""', '"') : token.image.toLowerCase();
  return { name, quoted, span: spanOf(token) };
}

export function unquote(image: string): string {
  return image.slice(1, -1).replaceAll("''", "'");
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
