// The text of a query request as its statements: split at semicolons, told apart by their first word.
//
// Semicolons in strings, quoted names and comments do not count. Each statement keeps its place: what stands before it is
// blanked, so that errors carry line and column of the whole text. Not here: syntax (the engine's parser).
import { queryProblem } from './query-errors.ts';

export interface RequestStatements {
  /** Earlier statements, all of them INSERT. */
  readonly inserts: readonly string[];
  /** The last one. */
  readonly last: { readonly kind: 'query' | 'insert'; readonly sql: string };
}

interface Statement {
  readonly sql: string;
  readonly word: string;
  readonly line: number;
  readonly column: number;
}

const lexemes =
  /'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|;|[A-Za-z_][\w$]*|\s+|[\s\S]/g;
const queryWords: ReadonlySet<string> = new Set(['SELECT', 'WITH', 'VALUES', 'EXPLAIN', '(']);
const definitions: ReadonlySet<string> = new Set(['CREATE', 'DROP', 'ALTER', 'TRUNCATE', 'COPY', 'SET']);

/** @throws HttpProblem 400 for an empty text, statements that are refused, rows in the middle */
export function readStatements(text: string): RequestStatements {
  const statements = withPrepared(split(text));
  const last = statements.at(-1);
  if (last === undefined) throw queryProblem('no SQL statements are in the query', { error_code: 'sql.syntax' });
  for (const statement of statements) {
    const { word } = statement;
    if (word === 'INSERT') continue;
    if (!queryWords.has(word)) throw refused(statement);
    if (statement !== last) {
      const found = 'only the last statement may return rows; the ones before it have to be INSERT';
      throw queryProblem(`${at(statement)}: ${found}`, place(statement));
    }
  }
  return {
    inserts: statements.slice(0, -1).map(({ sql }) => sql),
    last: { kind: last.word === 'INSERT' ? 'insert' : 'query', sql: last.sql },
  };
}

/** PREPARE … and the EXECUTE behind it are one query, which the engine puts together. */
function withPrepared(statements: readonly Statement[]): readonly Statement[] {
  const [prepare, execute] = statements.slice(-2);
  if (prepare?.word !== 'PREPARE' || execute?.word !== 'EXECUTE') return statements;
  const whole = { ...prepare, sql: `${prepare.sql}; ${execute.sql.trimStart()}`, word: 'SELECT' };
  return [...statements.slice(0, -2), whole];
}

function split(text: string): Statement[] {
  const statements: Statement[] = [];
  let start = 0;
  let word: string | null = null;
  let wordAt = 0;
  const end = (offset: number): void => {
    if (word !== null) {
      const before = text.slice(0, start).replaceAll(/[^\n]/g, ' ');
      const lines = text.slice(0, wordAt).split('\n');
      const column = (lines.at(-1)?.length ?? 0) + 1;
      statements.push({ sql: before + text.slice(start, offset), word, line: lines.length, column });
    }
    word = null;
  };
  for (const { 0: lexeme, index } of text.matchAll(lexemes)) {
    if (lexeme === ';') {
      end(index);
      start = index + 1;
    } else if (word === null && !/^(?:\s|--|\/\*)/.test(lexeme)) {
      word = lexeme.toUpperCase();
      wordAt = index;
    }
  }
  end(text.length);
  return statements;
}

function refused(statement: Statement): Error {
  const { word } = statement;
  const why = definitions.has(word)
    ? 'tables and views are changed by editing the program of the pipeline'
    : 'an ad-hoc query is a SELECT, or an INSERT INTO a table';
  return queryProblem(`${at(statement)}: ${word} is not supported here; ${why}`, place(statement));
}

function at({ line, column }: Statement): string {
  return `${line}:${column}`;
}

function place({ line, column }: Statement): object {
  return { error_code: 'sql.unsupported', line, column };
}
