// Tokens of SQL: the lexer, the keywords and which of them are reserved.
//
// The lexer knows one pattern for words; a word that is a keyword gets the keyword's token type afterwards from a table,
// which is much faster than a lexer with 150 keyword patterns. Keywords that are not reserved may be names: their
// token type is of the category `Name`, as identifiers are.
// chevrotain-grammar.ts brings the library.
import { createToken, type IToken, Lexer, type TokenType } from './chevrotain-grammar.ts';
import { hasWrongEscape } from './unicode-escapes.ts';

/** Anything that can be a name: identifiers, quoted identifiers, keywords that are not reserved. */
export const Name: TokenType = createToken({ name: 'Name', pattern: Lexer.NA, label: 'a name' });

// ── words ──

/** Reserved: a name spelled so must be quoted. Apache Calcite reserves these too, and more. */
const reservedWords =
  'ALL AND ARRAY AS ASYMMETRIC BETWEEN BOTH BY CASE CAST CHECK CONSTRAINT CREATE CROSS CUBE CURRENT_DATE CURRENT_TIME ' +
  'CURRENT_TIMESTAMP DATE DEFAULT DELETE DISTINCT ELSE END ESCAPE EXCEPT EXISTS EXTRACT FALSE FETCH FILTER FOR FOREIGN FROM FULL ' +
  'GROUP GROUPING HAVING ILIKE IN INNER INSERT INTERSECT INTERVAL INTO IS JOIN LATERAL LEADING LEFT LIKE LIMIT LOCALTIME ' +
  'LOCALTIMESTAMP MINUS NATURAL NOT NULL OFFSET ON OR ORDER OUTER OVER OVERLAY PARTITION POSITION PRIMARY QUALIFY ' +
  'REFERENCES RIGHT RLIKE ROLLUP SAFE_CAST SELECT SIMILAR SUBSTRING SYMMETRIC TABLE TABLESAMPLE THEN TIME TIMESTAMP TO TRAILING ' +
  'TRIM TRUE TRY_CAST UNION UNIQUE UNKNOWN UNNEST UPDATE USING VALUES WHEN WHERE WINDOW WITH WITHIN';

const freeWords =
  'AGGREGATE ANTI APPLY ASC ASOF CURRENT DECLARE DESC DESCRIPTOR DROP EXCLUDE EXCLUDING FIRST FOLLOWING FUNCTION GROUPS IF IGNORE INCLUDING INDEX INTERNED KEY LAST LATENESS LINEAR LOCAL ' +
  'MAP MATCH_CONDITION MATCH_RECOGNIZE MATERIALIZED NEXT NULLS ONLY ORDINALITY PIVOT PLACING PRECEDING PRECISION RANGE RECURSIVE REPLACE RESPECT RETURNS ROW ROWS SEMI SET SETS TEMPORARY TYPE ' +
  'UNBOUNDED UNPIVOT UNSIGNED VARYING VIEW WATERMARK WITHOUT ZONE';

/** Reserved words that may be a name behind AS: none of them goes on with a query. */
export const Label: TokenType = createToken({ name: 'Label', pattern: Lexer.NA, label: 'a name' });
/** Reserved words that begin no expression but with a parenthesis behind them, and so may be names of columns. */
export const ColumnWord: TokenType = createToken({ name: 'ColumnWord', pattern: Lexer.NA, label: 'a name' });
const columnWords: ReadonlySet<string> = new Set(
  (
    'ASYMMETRIC BOTH END ESCAPE EXTRACT FILTER LEADING OVERLAY POSITION REFERENCES SIMILAR SUBSTRING SYMMETRIC TO TRAILING TRIM ' +
    'UNKNOWN WITHIN'
  ).split(' '),
);
const labelWords: ReadonlySet<string> = new Set(
  (
    'ALL AND ARRAY ASYMMETRIC BETWEEN BOTH CAST CHECK CONSTRAINT CUBE CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP ELSE END ESCAPE ' +
    'EXISTS EXTRACT FALSE FILTER ILIKE IS LEADING LIKE LOCALTIME LOCALTIMESTAMP NOT OR OVERLAY POSITION REFERENCES RLIKE SIMILAR ' +
    'SUBSTRING SYMMETRIC TO TRAILING TRIM TRUE UNIQUE UNKNOWN WITHIN'
  ).split(' '),
);

function keywordTokens(words: string, reserved: boolean): Map<string, TokenType> {
  const tokens = new Map<string, TokenType>();
  for (const word of words.split(' ')) {
    const labels = [...(labelWords.has(word) ? [Label] : []), ...(columnWords.has(word) ? [ColumnWord] : [])];
    const categories = reserved ? labels : [Name];
    tokens.set(word, createToken({ name: word, pattern: Lexer.NA, label: word, categories }));
  }
  return tokens;
}

const reserved = keywordTokens(reservedWords, true);
const keywords: ReadonlyMap<string, TokenType> = new Map([...reserved, ...keywordTokens(freeWords, false)]);

/** The token type of a keyword, for the grammar. */
export function keyword(word: string): TokenType {
  const token = keywords.get(word);
  if (token === undefined) throw new Error(`${word} is not a keyword`);
  return token;
}

/** Every keyword in upper case; true when it is reserved. For docs, editors and completion. */
export const sqlKeywords: ReadonlyMap<string, boolean> = new Map(
  [...keywords.keys()].sort().map((word) => [word, reserved.has(word)]),
);

// ── everything else ──

const WhiteSpace = createToken({ name: 'WhiteSpace', pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true });
const LineComment = createToken({ name: 'LineComment', pattern: /--[^\n]*/, group: Lexer.SKIPPED });
const BlockComment = createToken({
  name: 'BlockComment',
  pattern: /\/\*[\s\S]*?\*\//,
  group: Lexer.SKIPPED,
  line_breaks: true,
});
/** First characters of a word: one of each bucket that the lexer sorts the characters beyond Latin-1 into. */
const wordStarts = [
  ...Array.from({ length: 26 }, (_, i) => 65 + i),
  95,
  ...Array.from({ length: 26 }, (_, i) => 97 + i),
  ...Array.from({ length: 95 }, (_, i) => 161 + i),
  ...Array.from({ length: 257 }, (_, i) => Math.min(256 + i * 255, 65535)),
];
export const Identifier: TokenType = createToken({
  name: 'Identifier',
  // Every character beyond ASCII counts as a letter, but for spaces and typographic punctuation.
  pattern:
    /[A-Za-z_\u00a1-\u1fff\u2070-\u2fff\u3001-\ufefe\uff00-\uffff][\w$\u00a1-\u1fff\u2070-\u2fff\u3001-\ufefe\uff00-\uffff]*/,
  start_chars_hint: wordStarts,
  categories: [Name],
  label: 'a name',
});
export const QuotedIdentifier: TokenType = createToken({
  name: 'QuotedIdentifier',
  pattern: /"(?:[^"]|"")*"/,
  categories: [Name],
  label: 'a name',
  line_breaks: true,
});
export const StringLiteral: TokenType = createToken({
  name: 'StringLiteral',
  pattern: /'(?:[^']|'')*'/,
  label: 'a string',
  line_breaks: true,
});
/** What is opened and never closed swallows the rest of the text, so that there is one error and not a hundred. */
const Unclosed: TokenType = createToken({ name: 'Unclosed', pattern: /(?:'|"|\/\*)[\s\S]*/, line_breaks: true });
export const BinaryLiteral: TokenType = createToken({
  name: 'BinaryLiteral',
  pattern: /[xX]'[0-9a-fA-F]*'/,
  label: 'a binary literal',
});
/** Characters by their code points: U&'\0041', with another escape character behind UESCAPE. */
export const UnicodeLiteral: TokenType = createToken({
  name: 'UnicodeLiteral',
  pattern: /[uU]&'(?:[^']|'')*'(?:\s+[uU][eE][sS][cC][aA][pP][eE]\s+'[^']')?/,
  label: 'a string',
  line_breaks: true,
});
export const UnicodeIdentifier: TokenType = createToken({
  name: 'UnicodeIdentifier',
  pattern: /[uU]&"(?:[^"]|"")*"(?:\s+[uU][eE][sS][cC][aA][pP][eE]\s+'[^']')?/,
  categories: [Name],
  label: 'a name',
  line_breaks: true,
});
export const NumberLiteral: TokenType = createToken({
  name: 'NumberLiteral',
  pattern: /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/,
  label: 'a number',
});

/** $1, $2, …: a parameter of PREPARE. */
export const Parameter: TokenType = createToken({ name: 'Parameter', pattern: /\$\d+/, label: 'a parameter' });

/** What has been read already, as one token that carries it: see deep-groups.ts. Texts have none. */
export const ReadExpression: TokenType = createToken({
  name: 'ReadExpression',
  pattern: Lexer.NA,
  label: 'an expression',
});
export const ReadQuery: TokenType = createToken({ name: 'ReadQuery', pattern: Lexer.NA, label: 'a query' });

const symbols = [
  '<=>',
  '<>',
  '!=',
  '<=',
  '>=',
  '::',
  '||',
  '=>',
  '->>',
  '->',
  '=',
  '<',
  '>',
  '+',
  '-',
  '*',
  '/',
  '%',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ':',
  ',',
  '.',
  ';',
];
const symbolTokens: ReadonlyMap<string, TokenType> = new Map(
  symbols.map((text) => [text, createToken({ name: text, pattern: text, label: `"${text}"` })]),
);

/** The token type of an operator or a punctuation mark. */
export function symbol(text: string): TokenType {
  const token = symbolTokens.get(text);
  if (token === undefined) throw new Error(`${text} is not a symbol`);
  return token;
}

const lexed: TokenType[] = [
  WhiteSpace,
  LineComment,
  BlockComment,
  BinaryLiteral,
  UnicodeLiteral,
  UnicodeIdentifier,
  Identifier,
  QuotedIdentifier,
  StringLiteral,
  Unclosed,
  NumberLiteral,
  Parameter,
  ...symbolTokens.values(),
];

/** What the parser is made of. */
export const vocabulary: TokenType[] = [
  Name,
  Label,
  ColumnWord,
  ReadExpression,
  ReadQuery,
  ...lexed,
  ...keywords.values(),
];

const lexer = new Lexer(lexed, { positionTracking: 'onlyOffset', skipValidations: true, ensureOptimizations: false });

/** Characters that make no token, and why. */
export interface LexicalProblem {
  readonly offset: number;
  readonly found: string;
  readonly expected: string;
}

export interface TokenizedText {
  readonly tokens: readonly IToken[];
  readonly problems: readonly LexicalProblem[];
}

/** Never throws. */
export function tokenize(text: string): TokenizedText {
  const result = lexer.tokenize(text);
  const problems: LexicalProblem[] = result.errors.map((error) => ({
    offset: error.offset,
    found: `"${text.slice(error.offset, error.offset + error.length)}"`,
    expected: '',
  }));
  const tokens: IToken[] = [];
  for (const token of result.tokens) {
    const before = tokens.at(-1);
    if (before?.tokenType === NumberLiteral && isWordBehind(before, token)) {
      const found = `"${before.image}${token.image}"`;
      problems.push({ offset: before.startOffset, found, expected: 'a number of digits, and a blank behind it' });
    }
    if (token.tokenType === Identifier) {
      const type = keywords.get(token.image.toUpperCase());
      if (type !== undefined) {
        token.tokenType = type;
        // SAFETY: chevrotain numbers every token type when it is created.
        token.tokenTypeIdx = type.tokenTypeIdx as number;
      }
    } else if (token.tokenType === Unclosed) {
      problems.push({ offset: token.startOffset, found: 'the end of the program', expected: closing(token.image) });
      continue;
    } else if (isOfUnicode(token) && hasWrongEscape(token.image)) {
      const expected = 'four hexadecimal digits, or + and six, behind each escape character';
      problems.push({ offset: token.startOffset, found: token.image, expected });
    } else if (token.image === '""') {
      problems.push({ offset: token.startOffset, found: '""', expected: 'a name between the quotes' });
    }
    tokens.push(token);
  }
  return { tokens, problems };
}

function isOfUnicode({ tokenType }: IToken): boolean {
  return tokenType === UnicodeLiteral || tokenType === UnicodeIdentifier;
}

/** 1_000, 0x1F: read as a number and a name behind it, it would be the number 1 that is named _000. */
function isWordBehind({ startOffset, image }: IToken, next: IToken): boolean {
  return next.tokenType === Identifier && next.startOffset === startOffset + image.length;
}

function closing(image: string): string {
  if (image.startsWith('/*')) return '*/ to close the comment that begins here';
  return image.startsWith("'") ? "' to close the string that begins here" : '" to close the name that begins here';
}

/** Whether a token may be the name of a column. */
export function isColumnName({ tokenType: type }: IToken): boolean {
  return type === Name || type.CATEGORIES?.some((category) => category === Name || category === ColumnWord) === true;
}

/** Whether a token is a keyword that may not be a name. */
export function isReserved(token: IToken): boolean {
  return reserved.get(token.image.toUpperCase()) === token.tokenType;
}

export type { IToken, TokenType };
