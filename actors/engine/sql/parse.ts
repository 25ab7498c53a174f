// Text to syntax: tokens, statements, and every syntax error with its place.
//
// The tokens are split at semicolons and each statement is parsed by itself, so that a bad statement hides none of the
// others. A statement that failed leaves the name that it would have declared (`lost`), so that what reads from it is
// not reported as well.

import type { MillraceError } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { Query } from './ast.ts';
import { type GroupReader, withReadGroups } from './deep-groups.ts';
import { foreignMark, foreignStatement, foreignSyntax, isTrailingComma, missingBefore } from './foreign-syntax.ts';
import type { InsertStatement } from './insert-statement.ts';
import { isStackFull, nestingMax, tooDeepAt } from './nesting-depth.ts';
import { SqlReservedWord, SqlSyntax, SqlTooDeep, SqlUnsupported } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import type { IRecognitionException } from './statement-grammar.ts';
import { SqlParser } from './statement-grammar.ts';
import type { Statement } from './statement-syntax.ts';
import { identifierOf, spanOf } from './token-text.ts';
import {
  Identifier,
  type IToken,
  isColumnName,
  isReserved,
  keyword,
  Name,
  sqlKeywords,
  symbol,
  tokenize,
} from './tokens.ts';
import { findRefusedSyntax, type RefusedSyntax } from './unsupported-syntax.ts';

export interface ParsedProgram {
  readonly statements: readonly Statement[];
  readonly problems: readonly MillraceError[];
  /** Names of relations whose statements could not be read. */
  readonly lost: ReadonlySet<string>;
}

export interface ParsedQuery {
  readonly query: Query | null;
  readonly problems: readonly MillraceError[];
}

// Making the parser takes some milliseconds, so one serves all programs of a thread. It is reset by every `read`.
let parser: SqlParser | undefined;

function theParser(): SqlParser {
  parser ??= new SqlParser();
  return parser;
}

export function parseProgram(source: SqlText): ParsedProgram {
  const { tokens, problems, unreadable } = lex(source);
  const statements: Statement[] = [];
  const lost = new Set<string>();
  for (const { tokens: part, end } of splitStatements(tokens, source)) {
    const before = problems.length;
    // Characters that make no token have been reported; what the parser would say is only their consequence.
    const readable = unreadable.every((offset) => offset < (part[0]?.startOffset ?? 0) || offset > end);
    const statement = readable ? parseStatement(source, part, end, problems) : null;
    if (statement !== null && problems.length === before) statements.push(statement);
    else for (const name of declaredNames(part)) lost.add(name);
  }
  return { statements, problems, lost };
}

/** One query, with or without a semicolon at its end. */
export function parseQuery(source: SqlText): ParsedQuery {
  const { parsed, problems } = parseOne(source, 'a query', (p) => p.query());
  return { query: parsed, problems };
}

/** One INSERT INTO, with or without a semicolon at its end. */
export function parseInsert(source: SqlText): {
  readonly insert: InsertStatement | null;
  readonly problems: readonly MillraceError[];
} {
  const { parsed, problems } = parseOne(source, 'INSERT INTO', (p) => p.insert());
  return { insert: parsed, problems };
}

function parseOne<T>(
  source: SqlText,
  expected: string,
  rule: (parser: SqlParser) => T,
): { readonly parsed: T | null; readonly problems: readonly MillraceError[] } {
  const { tokens, problems } = lex(source);
  const parts = splitStatements(tokens, source);
  const [part] = parts;
  const second = parts[1]?.tokens[0];
  if (second !== undefined) problems.push(syntaxError(source, second, '', second.startOffset));
  if (part === undefined) {
    problems.push(new SqlSyntax({ found: 'nothing', expected }, { place: source.place(0) }));
    return { parsed: null, problems };
  }
  const refused = problems.length > 0 || refuse(source, part.tokens, true, problems);
  const parsed = refused ? null : runRule(source, part.tokens, part.end, problems, rule);
  return { parsed: problems.length > 0 ? null : parsed, problems };
}

function parseStatement(
  source: SqlText,
  tokens: readonly IToken[],
  end: number,
  problems: MillraceError[],
): Statement | null {
  if (refuse(source, tokens, false, problems)) return null;
  const reservedColumns = columnsWithReservedNames(tokens);
  for (const token of reservedColumns) problems.push(reservedWord(source, token));
  if (reservedColumns.length > 0) return null;
  const [first] = tokens;
  if (first?.tokenType === keyword('LATENESS')) {
    return runRule(source, tokens, end, problems, (p) => p.viewLateness());
  }
  if (first?.tokenType === keyword('SET')) {
    return runRule(source, tokens, end, problems, (p) => p.setOption());
  }
  if (first?.tokenType === keyword('DECLARE')) {
    return runRule(source, tokens, end, problems, (p) => p.declareRecursive());
  }
  const foreign = foreignStatement(tokens);
  if (foreign !== null) {
    problems.push(unsupported(source, foreign));
    return null;
  }
  if (first !== undefined && first.tokenType !== keyword('CREATE')) {
    const found = `"${first.image.slice(0, 40)}"`;
    const context = { place: source.span(spanOf(first)), suggestion: nearestName(first.image, ['CREATE']) };
    problems.push(new SqlSyntax({ found, expected: 'CREATE TABLE or CREATE VIEW' }, context));
    return null;
  }
  return runRule(source, tokens, end, problems, (p) => p.statement());
}

interface Lexed {
  readonly tokens: readonly IToken[];
  readonly problems: MillraceError[];
  /** Where characters make no token. */
  readonly unreadable: readonly number[];
}

function lex(source: SqlText): Lexed {
  const { tokens, problems } = tokenize(source.text);
  const known = new Set<string>();
  const errors = problems.flatMap(({ found, expected, offset }): MillraceError[] => {
    const place = source.place(offset);
    const mark = expected === '' ? foreignMark(source.text.slice(offset, offset + 3)) : null;
    if (mark === null) return [new SqlSyntax({ found, expected }, { place })];
    // A name in backticks has two of them, and is one mistake.
    if (known.has(mark.construct)) return [];
    known.add(mark.construct);
    return [new SqlUnsupported(mark, { place })];
  });
  return { tokens, problems: errors, unreadable: problems.map(({ offset }) => offset) };
}

function splitStatements(
  tokens: readonly IToken[],
  source: SqlText,
): { readonly tokens: readonly IToken[]; readonly end: number }[] {
  const parts: { tokens: IToken[]; end: number }[] = [];
  let part: IToken[] = [];
  for (const token of tokens) {
    if (token.tokenType !== symbol(';')) {
      part.push(token);
      continue;
    }
    if (part.length > 0) parts.push({ tokens: part, end: token.startOffset });
    part = [];
  }
  if (part.length > 0) {
    parts.push({ tokens: part, end: source.text.trimEnd().length });
  }
  return parts;
}

function refuse(source: SqlText, tokens: readonly IToken[], query: boolean, problems: MillraceError[]): boolean {
  const refused = findRefusedSyntax(tokens, query);
  problems.push(...refused.map((construct) => unsupported(source, construct)));
  return refused.length > 0;
}

function unsupported(source: SqlText, { token, construct, instead }: RefusedSyntax): MillraceError {
  return new SqlUnsupported({ construct, instead }, { place: source.span(spanOf(token)) });
}

function runRule<T>(
  source: SqlText,
  given: readonly IToken[],
  end: number,
  problems: MillraceError[],
  rule: (parser: SqlParser) => T,
): T | null {
  const parser = theParser();
  try {
    const tokens = withReadGroups(given, groupReader(parser, source.text));
    parser.read(source.text, tokens);
    const result = rule(parser);
    const [error] = parser.errors;
    if (error !== undefined) {
      problems.push(recognitionError(source, tokens, error, end));
      return null;
    }
    const deep = tooDeepAt(result);
    if (deep === null) return result;
    problems.push(new SqlTooDeep({ most: nestingMax }, { place: source.span(deep) }));
  } catch (thrown) {
    // What is nested thousands of levels deep and cannot be read in parts exhausts the stack of any recursive parser.
    if (!isStackFull(thrown)) throw thrown;
    problems.push(new SqlTooDeep({ most: nestingMax }, { place: source.place(given[0]?.startOffset ?? 0) }));
  }
  return null;
}

function groupReader(parser: SqlParser, text: string): GroupReader {
  const read = <T>(tokens: readonly IToken[], rule: () => T): T | null => {
    parser.read(text, tokens);
    const result = rule();
    return parser.errors.length === 0 ? result : null;
  };
  return {
    text,
    expression: (tokens) => read(tokens, () => parser.expression()),
    query: (tokens) => read(tokens, () => parser.query()),
  };
}

// ── errors ──

/** The parser's message is what it expected, see `expectations` in statement-grammar.ts. */
function recognitionError(
  source: SqlText,
  tokens: readonly IToken[],
  error: IRecognitionException,
  end: number,
): MillraceError {
  const { token, message } = error;
  const found = tokens.indexOf(token);
  const position = found < 0 ? tokens.length : found;
  const before = tokens[position - 1];
  const foreign = foreignSyntax(tokens, position);
  if (foreign !== null) return unsupported(source, foreign);
  if (before !== undefined && isTemporalWord(before) && message === 'a string') return reservedWord(source, before);
  if (isReserved(token) && (message === 'a name' || message === 'the name of a column')) {
    return reservedWord(source, token);
  }
  if (isTrailingComma(tokens, position)) {
    const next = found < 0 ? 'the end of the statement' : `"${token.image}"`;
    const place = before === undefined ? source.place(end) : source.span(spanOf(before));
    const expected = message === '' ? 'an expression' : message;
    return new SqlSyntax({ found: `${next} behind a comma: leave the comma out`, expected }, { place });
  }
  const expected = message === '' && nearestKeyword(token) === undefined ? missingBefore(tokens, position) : null;
  return syntaxError(source, token, expected ?? message, end, message === '' ? before : undefined);
}

function syntaxError(source: SqlText, token: IToken, expected: string, end: number, before?: IToken): MillraceError {
  const atEnd = Number.isNaN(token.startOffset);
  const found = atEnd ? 'the end of the statement' : `"${token.image.slice(0, 40)}"`;
  const place = atEnd ? source.place(end) : source.span(spanOf(token));
  // Where the statement could have ended, the word before may be a keyword gone wrong: FROM t WHRE x.
  const earlier = before === undefined ? undefined : nearestKeyword(before);
  const suggestion = nearestKeyword(token) ?? earlier;
  return new SqlSyntax({ found, expected }, { place, suggestion });
}

function reservedWord(source: SqlText, token: IToken): MillraceError {
  return new SqlReservedWord({ word: token.image }, { place: source.span(spanOf(token)) });
}

/** Of words that are equally near, the one that is meant more often. */
const likelyWords =
  'SELECT FROM WHERE AND OR NOT NULL JOIN ON AS GROUP ORDER BY HAVING LIMIT UNION DISTINCT WHEN THEN ELSE END'.split(
    ' ',
  );

/** A word that is nearly a keyword: WHRE. */
function nearestKeyword(token: IToken): string | undefined {
  return token.tokenType === Identifier && token.image.length > 2
    ? nearestName(token.image, [...likelyWords, ...sqlKeywords.keys()])
    : undefined;
}

function isTemporalWord(token: IToken): boolean {
  return [keyword('DATE'), keyword('TIME'), keyword('TIMESTAMP')].includes(token.tokenType);
}

const constraintWords = ['PRIMARY', 'FOREIGN', 'CONSTRAINT', 'CHECK', 'UNIQUE'].map(keyword);

/** The columns of CREATE TABLE whose names are reserved words: all of them, where the parser would stop at the first. */
function columnsWithReservedNames(tokens: readonly IToken[]): IToken[] {
  if (tokens[1]?.tokenType !== keyword('TABLE')) return [];
  const found: IToken[] = [];
  let depth = 0;
  for (const [position, token] of tokens.entries()) {
    if (token.tokenType === symbol('(')) depth++;
    else if (token.tokenType === symbol(')') && --depth === 0) break;
    const before = tokens[position - 1]?.tokenType;
    const isElement = depth === 1 && (before === symbol('(') || before === symbol(','));
    if (!isElement || !isReserved(token) || isColumnName(token) || constraintWords.includes(token.tokenType)) continue;
    const next = tokens[position + 1];
    // Only before what can be the name of a type; else the parser knows better.
    if (next?.tokenType === Identifier || (next !== undefined && isTemporalWord(next))) found.push(token);
  }
  return found;
}

/** The names that a statement would have declared: what follows TABLE or VIEW at its beginning. */
function declaredNames(tokens: readonly IToken[]): string[] {
  for (let i = 1; i < Math.min(tokens.length - 1, 5); i++) {
    const [token, next] = [tokens[i], tokens[i + 1]];
    if (token === undefined || next === undefined) break;
    const declares = token.tokenType === keyword('TABLE') || token.tokenType === keyword('VIEW');
    if (!declares) continue;
    const isName = next.tokenType === Name || next.tokenType.CATEGORIES?.includes(Name) === true;
    return isName ? [identifierOf(next).name] : [];
  }
  return [];
}
