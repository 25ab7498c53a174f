// What is recognised only to be refused: constructs that betray themselves by their first words.
//
// The words of a statement are compared with the rows below before the parser runs, so that the grammar stays free of what
// it cannot build, and so that every refused construct of a statement is reported, not only the first.
// To support a construct: remove its row, add its grammar.
import { Identifier, type IToken, isReserved, QuotedIdentifier, StringLiteral } from './tokens.ts';

export interface RefusedSyntax {
  readonly token: IToken;
  readonly construct: string;
  readonly instead: string;
}

interface Row {
  /** Words and symbols that follow one another. */
  readonly words: string;
  readonly construct: string;
  readonly instead: string;
  /** The words must begin the statement. */
  readonly first?: true;
}

const rows: readonly Row[] = [
  { words: 'WITHIN DISTINCT', construct: 'WITHIN DISTINCT', instead: 'make the rows distinct in a subquery' },
  { words: 'AT TIME ZONE', construct: 'AT TIME ZONE', instead: 'use CONVERT_TIMEZONE' },
  { words: 'FOR SYSTEM_TIME', construct: 'FOR SYSTEM_TIME', instead: 'a view shows what is there now' },
  {
    words: 'EXCLUDE CURRENT',
    construct: 'EXCLUDE CURRENT ROW',
    instead: 'take the value of the row away from the result',
  },
  { words: 'EXCLUDE TIES', construct: 'EXCLUDE TIES', instead: 'leave it out' },
  { words: 'EXCLUDE GROUP', construct: 'EXCLUDE GROUP', instead: 'leave it out' },
  { words: ') KEEP (', construct: 'KEEP', instead: 'use ARG_MIN or ARG_MAX' },
  { words: 'GENERATED ALWAYS', construct: 'a generated column', instead: 'compute it in a view' },
  { words: 'TABLESAMPLE', construct: 'TABLESAMPLE', instead: 'filter on a column' },
  { words: 'MATCH_RECOGNIZE (', construct: 'MATCH_RECOGNIZE', instead: 'use a JOIN of the table with itself' },
  {
    words: 'CURRENT_DATE',
    construct: 'CURRENT_DATE',
    instead: 'use CAST(NOW() AS DATE)',
  },
  {
    words: 'CURRENT_TIME',
    construct: 'CURRENT_TIME',
    instead: 'use CAST(NOW() AS TIME)',
  },
  { words: 'CURRENT_TIMESTAMP', construct: 'CURRENT_TIMESTAMP', instead: 'use NOW()' },
  { words: 'LOCALTIME', construct: 'LOCALTIME', instead: 'use CAST(NOW() AS TIME)' },
  {
    words: 'LOCALTIMESTAMP',
    construct: 'LOCALTIMESTAMP',
    instead: 'use NOW()',
  },
  {
    words: 'CREATE AGGREGATE',
    construct: 'CREATE AGGREGATE',
    instead: 'combine COUNT, SUM, MIN, MAX and AVG',
    first: true,
  },
  {
    words: 'CREATE LINEAR',
    construct: 'CREATE AGGREGATE',
    instead: 'combine COUNT, SUM, MIN, MAX and AVG',
    first: true,
  },
  {
    words: 'CREATE RECURSIVE',
    construct: 'CREATE RECURSIVE VIEW',
    instead: 'write DECLARE RECURSIVE VIEW with its columns, then CREATE VIEW',
    first: true,
  },
  { words: 'CREATE OR', construct: 'CREATE OR REPLACE', instead: 'a program declares each name once', first: true },
  ...['TABLE', 'VIEW', 'MATERIALIZED VIEW', 'LOCAL VIEW'].map((what) => ({
    words: `CREATE ${what} IF NOT`,
    construct: 'IF NOT EXISTS',
    instead: 'leave it out: a program declares each name once',
    first: true as const,
  })),
  { words: 'REMOVE FROM', construct: 'REMOVE', instead: 'deletions come in through connectors', first: true },
  { words: 'CREATE TEMPORARY', construct: 'CREATE TEMPORARY', instead: 'use CREATE LOCAL VIEW', first: true },
  { words: 'INSERT', construct: 'INSERT', instead: 'rows come in through connectors', first: true },
  { words: 'UPDATE', construct: 'UPDATE', instead: 'changes come in through connectors', first: true },
  { words: 'DELETE', construct: 'DELETE', instead: 'deletions come in through connectors', first: true },
  { words: 'DROP', construct: 'DROP', instead: 'a program declares what there is', first: true },
  {
    words: 'SELECT',
    construct: 'a query outside of a view',
    instead: 'write CREATE VIEW name AS before it',
    first: true,
  },
  {
    words: 'VALUES',
    construct: 'a query outside of a view',
    instead: 'write CREATE VIEW name AS before it',
    first: true,
  },
  {
    words: 'WITH',
    construct: 'a query outside of a view',
    instead: 'write CREATE VIEW name AS before it',
    first: true,
  },
];

const rowsByFirstWord = new Map<string, { readonly row: Row; readonly words: readonly string[] }[]>();
for (const row of rows) {
  const words = row.words.split(' ');
  const first = words[0] ?? '';
  rowsByFirstWord.set(first, [...(rowsByFirstWord.get(first) ?? []), { row, words }]);
}

/** Every refused construct among the tokens of one statement. `query`: the text is a query of its own, not a statement. */
export function findRefusedSyntax(tokens: readonly IToken[], query: boolean): RefusedSyntax[] {
  const found: RefusedSyntax[] = [];
  for (const [position, token] of tokens.entries()) {
    const candidates = rowsByFirstWord.get(wordOf(token));
    if (candidates === undefined) continue;
    for (const { row, words } of candidates) {
      if (row.first === true && (query || position > 0)) continue;
      // A word that is not reserved may be the name of a column or a table, as in t.exists.
      if (!isReserved(token) && words.length === 1 && row.first !== true) continue;
      if (!words.every((word, i) => i === 0 || wordOf(tokens[position + i]) === word)) continue;
      found.push({ token, construct: row.construct, instead: row.instead });
      break;
    }
  }
  return found;
}

function wordOf(token: IToken | undefined): string {
  if (token === undefined || token.tokenType === QuotedIdentifier || token.tokenType === StringLiteral) return '';
  return token.tokenType === Identifier || token.image.length > 1 ? token.image.toUpperCase() : token.image;
}
