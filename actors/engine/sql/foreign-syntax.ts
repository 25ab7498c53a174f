// What users of other engines write and this dialect has not: recognised where the grammar goes no further, to say what it is called and
// what to write instead.
//
// Looked at only behind a syntax error, so that no row can refuse what the grammar reads. A row is found by the words before the token at which
// reading stopped (`behind`) and by those from it on (`at`), in upper case with blanks between them.
// Not here: what is refused by its first words although it might be read (unsupported-syntax.ts), functions (foreign-functions.ts).
import { endOf } from './token-text.ts';
import { type IToken, Name, QuotedIdentifier, StringLiteral } from './tokens.ts';
import type { RefusedSyntax } from './unsupported-syntax.ts';

interface Row {
  readonly behind?: RegExp;
  readonly at?: RegExp;
  readonly construct: string;
  readonly instead: string;
  /** How many tokens before the error it begins. */
  readonly back?: number;
  /** Only of tokens without anything between them. */
  readonly joined?: true;
}

const rows: readonly Row[] = [
  // Operators
  { behind: /=$/, at: /^=/, joined: true, back: 1, construct: '==', instead: 'write =' },
  { behind: /<$/, at: /^</, joined: true, back: 1, construct: '<<', instead: 'multiply by a power of 2' },
  { behind: />$/, at: /^>/, joined: true, back: 1, construct: '>>', instead: 'divide by a power of 2' },
  { behind: /\*$/, at: /^\*/, joined: true, back: 1, construct: '**', instead: 'use POWER(x, y)' },
  {
    behind: /\/$/,
    at: /^\//,
    joined: true,
    back: 1,
    construct: '//',
    instead: 'integers are divided by / without a fraction; a comment begins with --',
  },
  { at: /^\/ \//, construct: '//', instead: 'a comment begins with --' },
  { behind: / DIV$/, back: 1, construct: 'DIV', instead: 'integers are divided by / without a fraction' },
  { behind: / MOD$/, back: 1, construct: 'MOD between operands', instead: 'write a % b or MOD(a, b)' },
  { behind: / XOR$/, back: 1, construct: 'XOR', instead: 'write <> between conditions' },
  { behind: / REGEXP$/, back: 1, construct: 'REGEXP', instead: 'write RLIKE' },
  { behind: / GLOB$/, back: 1, construct: 'GLOB', instead: 'write LIKE with % and _, or RLIKE' },
  { at: /^(XOR|REGEXP|GLOB|DIV|MOD)\b/, construct: 'this operator', instead: 'write <>, RLIKE, LIKE, / or %' },
  { behind: / COLLATE$/, back: 1, construct: 'COLLATE', instead: 'texts are ordered by their characters; use LOWER' },
  { at: /^COLLATE\b/, construct: 'COLLATE', instead: 'leave it out: texts are ordered by their characters' },
  { at: /^ALL \(/, construct: 'ALL of a list', instead: 'compare with each value, or with ALL (SELECT …)' },
  {
    at: /^:/,
    construct: 'a parameter or a slice with :',
    instead: 'write the value; parameters of PREPARE are $1, $2',
  },
  { at: /^\$/, construct: 'a parameter', instead: 'write the value; only what PREPARE names has parameters' },
  { at: /^\{/, construct: '{…}', instead: "write MAP['key', value] or ROW(value)" },
  { behind: /\[.* \w+$/, at: /^FOR\b/, construct: 'a list comprehension', instead: 'use TRANSFORM(array, x -> …)' },
  {
    behind: /\bE$/,
    at: /^'/,
    back: 1,
    construct: "E'…'",
    instead: "write '…', with U&'\\000A' for characters by their codes",
  },
  { behind: /\bN$/, at: /^'/, back: 1, construct: "N'…'", instead: "write '…': every text is Unicode" },
  { behind: /\bB$/, at: /^'/, back: 1, construct: "B'…'", instead: "write bytes, x'…'" },
  // The list
  {
    at: /^UNNEST \(/,
    construct: 'UNNEST in an expression',
    instead: 'write it in FROM: FROM t, UNNEST(t.list) AS u (x)',
  },
  { behind: /\bSELECT TOP$/, at: /^\d/, back: 1, construct: 'SELECT TOP', instead: 'write LIMIT behind the query' },
  { behind: /\bSELECT$/, at: /^UNIQUE/, construct: 'SELECT UNIQUE', instead: 'write SELECT DISTINCT' },
  { at: /^INTO\b/, construct: 'SELECT INTO', instead: 'write CREATE VIEW name AS before the query' },
  { at: /^SEPARATOR\b/, construct: 'SEPARATOR', instead: "write STRING_AGG(x, ',')" },
  // FROM
  { at: /^LATERAL VIEW\b/, construct: 'LATERAL VIEW', instead: 'write CROSS JOIN UNNEST(list) AS u (x)' },
  { at: /^USING SAMPLE\b/, construct: 'USING SAMPLE', instead: 'filter on a column' },
  { at: /^FOR (UPDATE|SHARE)\b/, construct: 'FOR UPDATE', instead: 'leave it out: there are no locks' },
  { behind: /\b(FROM|JOIN) \w+$/, at: /^WITH \(/, construct: 'a hint', instead: 'leave it out' },
  { behind: /\bAS OF$/, construct: 'AS OF', instead: 'a view shows what is there now' },
  {
    behind: /\b(FROM|JOIN|,) \S+$/,
    at: /^\./,
    back: 1,
    construct: 'a name with a schema',
    instead: 'name the table alone',
  },
  {
    behind: /\b(FROM|JOIN|,) (TUMBLE|HOP|SESSION)$/,
    at: /^\(/,
    back: 1,
    construct: 'a window function as a table by itself',
    instead: 'write TABLE(TUMBLE(TABLE t, DESCRIPTOR(time), size))',
  },
  {
    behind: /\b(FROM|JOIN|,) \w+$/,
    at: /^\(/,
    back: 1,
    construct: 'a function as a table',
    instead: 'write UNNEST(array) AS t (x), such as UNNEST(SEQUENCE(1, 5)) AS t (x)',
  },
  { behind: / STRAIGHT_JOIN$/, back: 1, construct: 'STRAIGHT_JOIN', instead: 'write JOIN' },
  // Behind FROM
  { at: /^WITH TIES\b/, construct: 'WITH TIES', instead: 'keep ranks: QUALIFY RANK() OVER (ORDER BY x) <= n' },
  { behind: /\bLIMIT \S+$/, at: /^(PERCENT|%)/, construct: 'LIMIT in percent', instead: 'use PERCENT_RANK in QUALIFY' },
  { at: /^BY NAME\b/, construct: 'UNION BY NAME', instead: 'name the columns in the same order on both sides' },
  { behind: /^$/, at: /^FROM\b/, construct: 'FROM before SELECT', instead: 'begin with SELECT *' },
  {
    behind: /\bVIEW\b(?!.*\bSELECT\b).*\bAS$/,
    at: /^FROM\b/,
    construct: 'FROM before SELECT',
    instead: 'begin with SELECT *',
  },
  { at: /^SETTINGS\b/, construct: 'SETTINGS', instead: 'leave it out' },
  { at: /^WITH (NO )?DATA\b/, construct: 'WITH DATA', instead: 'leave it out: a view always has its rows' },
  {
    at: /^WITH (\w+ )?CHECK\b/,
    construct: 'WITH CHECK OPTION',
    instead: 'leave it out: rows are not inserted into views',
  },
  // Definitions
  {
    behind: /\bCREATE TABLE \S+$/,
    at: /^(AS|LIKE)\b/,
    construct: 'CREATE TABLE from a query',
    instead: 'write CREATE VIEW name AS SELECT …',
  },
  {
    at: /^(AUTO_INCREMENT|AUTOINCREMENT|IDENTITY)\b/,
    construct: 'a column that counts',
    instead: 'let the source number the rows',
  },
  { at: /^COMMENT\b/, construct: 'COMMENT', instead: 'write -- before it' },
  { at: /^CHARACTER SET\b/, construct: 'CHARACTER SET', instead: 'leave it out: every text is Unicode' },
  { behind: /\bKEY$/, at: /^\(/, construct: 'KEY', instead: 'write PRIMARY KEY (…), or leave it out' },
  {
    behind: /\bINDEX \w+ \( \w+$/,
    construct: 'INDEX in a table',
    instead: 'leave it out: indexes are made by themselves',
  },
  {
    at: /^(ENGINE|PARTITIONED|PARTITION|CLUSTER|CLUSTERED|STORED|TBLPROPERTIES|LOCATION|DISTRIBUTED|ORDER BY|USING|INHERITS|TABLESPACE)\b/,
    behind: /\)$/,
    construct: 'how a table is stored',
    instead: "leave it out, or write WITH ('materialized' = 'true')",
  },
  { behind: /\w$/, at: /^\[ \]/, construct: 'the type x[]', instead: 'write x ARRAY' },
  { behind: /\w$/, at: /^\[ \d+ \]/, construct: 'an array of a fixed size', instead: 'write x ARRAY' },
  { at: /^ARRAY </, construct: 'the type ARRAY<x>', instead: 'write x ARRAY' },
  { behind: /\bSTRUCT$/, at: /^</, back: 1, construct: 'the type STRUCT<…>', instead: 'write ROW(name type, …)' },
  { behind: /\bMAP \( \w+$/, at: /^,/, back: 2, construct: 'the type MAP(k, v)', instead: 'write MAP<k, v>' },
  { behind: /\bENUM \($/, back: 2, construct: 'the type ENUM', instead: 'write VARCHAR' },
  { at: /^RETURN\b/, construct: 'RETURN in a function', instead: 'write AS expression' },
  {
    at: /^LANGUAGE\b/,
    construct: 'LANGUAGE',
    instead: 'write AS expression; functions in TypeScript come from modules',
  },
  { at: /^REFRESH\b/, construct: 'REFRESH', instead: 'leave it out: a view is always up to date' },
];

/** Marks that begin no token here, longest first. */
const marks: readonly (readonly [mark: string, construct: string, instead: string])[] = [
  ['`', 'a name in backticks', 'write it in double quotes, "name"'],
  ['#>>', '#>>', "write v['field'] of a VARIANT"],
  ['#>', '#>', "write v['field'] of a VARIANT"],
  ['#', 'a comment that begins with #', 'begin it with --'],
  ['!~*', '!~*', "write NOT x RLIKE '(?i)pattern'"],
  ['!~', '!~', 'write NOT x RLIKE pattern'],
  ['~*', '~*', "write x RLIKE '(?i)pattern'"],
  ['~', '~', 'write x RLIKE pattern; of bits it is -1 - x'],
  ['!', '!', 'write NOT'],
  ['@>', '@>', 'use ARRAY_CONTAINS'],
  ['@', 'a variable', 'write the value'],
  ['?', 'a parameter ?', 'write the value; parameters of PREPARE are $1, $2'],
  ['$', 'a text in $$', "write it in single quotes, 'text'"],
  ['&&', '&&', 'write AND; of arrays use ARRAYS_OVERLAP'],
  ['&', '&', 'there are BIT_AND, BIT_OR and BIT_XOR of groups only'],
  ['|', '|', 'texts are joined by ||; there are BIT_AND, BIT_OR and BIT_XOR of groups only'],
  ['^', '^', 'use POWER(x, y)'],
  ['\\', 'a backslash', 'leave it out; a quote in a text is written twice'],
];

/** What a text is that begins no token; null: nothing that is known. */
export function foreignMark(text: string): { readonly construct: string; readonly instead: string } | null {
  const found = marks.find(([mark]) => text.startsWith(mark));
  return found === undefined ? null : { construct: found[1], instead: found[2] };
}

const wordsAround = 6;

/** What stands at the token where reading stopped, the end of the text being behind the last one; null: nothing that is known. */
export function foreignSyntax(tokens: readonly IToken[], position: number): RefusedSyntax | null {
  const interval = intervalOfOneText(tokens, position);
  if (interval !== null) return interval;
  const behind = wordsOf(tokens.slice(Math.max(0, position - wordsAround), position));
  const at = wordsOf(tokens.slice(position, position + wordsAround));
  const error = tokens[position];
  const before = tokens[position - 1];
  for (const row of rows) {
    if (row.behind?.test(behind) === false || row.at?.test(at) === false) continue;
    if (row.joined === true && (before === undefined || error === undefined || endOf(before) !== error.startOffset))
      continue;
    const token = tokens[position - (row.back ?? 0)];
    if (token !== undefined) return { token, construct: row.construct, instead: row.instead };
  }
  return null;
}

/** INTERVAL '1 day', with the unit inside of the text. */
function intervalOfOneText(tokens: readonly IToken[], position: number): RefusedSyntax | null {
  const [token, text] = [tokens[position - 2], tokens[position - 1]];
  if (token?.image.toUpperCase() !== 'INTERVAL' || text?.tokenType !== StringLiteral) return null;
  const [, count, unit] = /^'\s*(-?[\d.]+)\s*([a-z]+?)s?\s*'$/i.exec(text.image) ?? [];
  const written =
    count === undefined || unit === undefined ? "INTERVAL '1' DAY" : `INTERVAL '${count}' ${unit.toUpperCase()}`;
  return { token, construct: 'an INTERVAL with its unit inside of the text', instead: `write ${written}` };
}

function wordsOf(tokens: readonly IToken[]): string {
  return tokens.map(({ image, tokenType }) => (tokenType === QuotedIdentifier ? image : image.toUpperCase())).join(' ');
}

const clauses: ReadonlySet<string> = new Set(
  'SELECT FROM WHERE GROUP HAVING QUALIFY ORDER LIMIT ON USING WINDOW VALUES SET'.split(' '),
);

/** What may have been left out before a name at which reading stopped: a comma, in most lists. */
export function missingBefore(tokens: readonly IToken[], position: number): string | null {
  const token = tokens[position];
  if (token === undefined || token.tokenType.CATEGORIES?.includes(Name) !== true) return null;
  let depth = 0;
  for (let i = position - 1; i >= 0; i--) {
    const word = tokens[i]?.image.toUpperCase() ?? '';
    if (word === ')') depth++;
    else if (word === '(' && --depth < 0) return null;
    if (depth > 0 || !clauses.has(word)) continue;
    if (word === 'SELECT') return '"," or FROM';
    return word === 'FROM' ? '",", JOIN or WHERE' : null;
  }
  return null;
}

/** Whether reading stopped behind a comma at what cannot follow one. */
export function isTrailingComma(tokens: readonly IToken[], position: number): boolean {
  const next = tokens[position]?.image.toUpperCase();
  const ends = next === undefined || next === ')' || next === ']' || clauses.has(next) || next === 'UNION';
  return tokens[position - 1]?.image === ',' && ends;
}

// ── statements ──

const oneProgram = 'a program declares what there is: change its text';
const statements: Readonly<Record<string, string>> = {
  ALTER: oneProgram,
  TRUNCATE: 'deletions come in through connectors',
  MERGE: 'changes come in through connectors: a table with a PRIMARY KEY replaces rows',
  REPLACE: 'changes come in through connectors: a table with a PRIMARY KEY replaces rows',
  UPSERT: 'changes come in through connectors: a table with a PRIMARY KEY replaces rows',
  COPY: "give the table a connector: WITH ('connectors' = '[…]')",
  LOAD: "give the table a connector: WITH ('connectors' = '[…]')",
  IMPORT: "give the table a connector: WITH ('connectors' = '[…]')",
  EXPORT: "give the view a connector: WITH ('connectors' = '[…]')",
  UNLOAD: "give the view a connector: WITH ('connectors' = '[…]')",
  GRANT: 'access is granted by keys of the server',
  REVOKE: 'access is granted by keys of the server',
  BEGIN: 'a transaction is opened through the API',
  START: 'a transaction is opened through the API',
  COMMIT: 'a transaction is committed through the API',
  ROLLBACK: 'leave it out',
  SAVEPOINT: 'leave it out',
  USE: 'leave it out: a program has one schema',
  SHOW: 'leave it out: it may not stand in a program',
  DESCRIBE: 'leave it out: it may not stand in a program',
  DESC: 'leave it out: it may not stand in a program',
  EXPLAIN: 'ask it as an ad-hoc query',
  ANALYZE: 'leave it out: there are no statistics to gather',
  VACUUM: 'leave it out',
  OPTIMIZE: 'leave it out',
  PRAGMA: 'leave it out',
  CALL: 'there are no procedures',
  EXEC: 'there are no procedures',
  REFRESH: 'leave it out: a view is always up to date',
  CACHE: 'leave it out: a MATERIALIZED VIEW keeps its rows',
  COMMENT: 'write -- before it',
  PREPARE: 'ask it as an ad-hoc query',
  EXECUTE: 'ask it as an ad-hoc query',
  LOCK: 'leave it out: there are no locks',
  RENAME: oneProgram,
  ATTACH: 'give the table a connector',
};

const objects: Readonly<Record<string, string>> = {
  TEMP: 'use CREATE LOCAL VIEW',
  UNIQUE: 'write CREATE INDEX, or PRIMARY KEY in the table',
  SCHEMA: 'leave it out: a program has one schema',
  DATABASE: 'leave it out: a program has one schema',
  SEQUENCE: 'let the source number the rows',
  TRIGGER: 'write a view of what should follow',
  PROCEDURE: 'write a view or a function',
  EXTENSION: 'leave it out; functions in TypeScript come from modules',
  MACRO: 'write CREATE FUNCTION f(x INTEGER) RETURNS INTEGER AS x + 1',
  EXTERNAL: "write CREATE TABLE … WITH ('connectors' = '[…]')",
  FOREIGN: "write CREATE TABLE … WITH ('connectors' = '[…]')",
  UNLOGGED: 'write CREATE TABLE',
  STREAM: 'write CREATE TABLE',
  SOURCE: "write CREATE TABLE … WITH ('connectors' = '[…]')",
  SINK: "write CREATE VIEW … WITH ('connectors' = '[…]')",
  DOMAIN: 'write CREATE TYPE name AS type',
  ROLE: 'access is granted by keys of the server',
  USER: 'access is granted by keys of the server',
};

/** A statement that other engines have, by its first words; null: none that is known. */
export function foreignStatement(tokens: readonly IToken[]): RefusedSyntax | null {
  const [token, second] = tokens;
  if (token === undefined) return null;
  const word = token.image.toUpperCase();
  const object = word === 'CREATE' ? (second?.image.toUpperCase() ?? '') : '';
  const instead = word === 'CREATE' ? objects[object] : statements[word];
  if (instead === undefined || !/^\w+$/.test(word)) return null;
  return { token, construct: object === '' ? word : `CREATE ${object}`, instead };
}
