// PREPARE name AS query; EXECUTE name (value, …): one request that names a query and runs it at once.
//
// Nothing is kept from one request to the next. The arguments are put in the places of $1, $2, … in parentheses, so that places
// in messages are those of the query that results. Both statements have to be there, and about the same name.
import { SqlInvalidArguments, SqlInvalidDefinition, SqlSyntax } from './sql-errors.ts';
import { SqlText } from './sql-text.ts';
import { type IToken, Parameter, symbol, tokenize } from './tokens.ts';

/** The query that is executed, with its arguments; null when the text does not begin with PREPARE. @throws SqlSyntax */
export function executedQuery(text: string): string | null {
  const { tokens } = tokenize(text);
  const [first, name] = tokens;
  if (first === undefined || name === undefined || !isWord(first, 'PREPARE')) return null;
  const source = new SqlText(text);
  const fail = (token: IToken | undefined, expected: string): never => {
    const found = token === undefined ? 'the end of the text' : `"${token.image}"`;
    throw new SqlSyntax({ found, expected }, { place: source.place(token?.startOffset ?? text.length) });
  };
  // PREPARE name (BIGINT, …) AS: the types to which the arguments are cast.
  const typesEnd = tokens[2]?.tokenType === symbol('(') ? closing(tokens, 2) : 1;
  const types = typesEnd === 1 ? [] : argumentsOf(tokens.slice(2, typesEnd + 1), text);
  const asAt = typesEnd + 1;
  const as = tokens[asAt];
  if (as === undefined || !isWord(as, 'AS')) return fail(as, 'PREPARE name AS and a query');
  const end = tokens.findIndex((token) => token.tokenType === symbol(';'));
  const rest = end < 0 ? [] : tokens.slice(end + 1).filter((token) => token.tokenType !== symbol(';'));
  const [execute, executed, ...given] = rest;
  if (execute === undefined || !isWord(execute, 'EXECUTE')) return fail(execute, 'EXECUTE behind the prepared query');
  if (executed?.image.toLowerCase() !== name.image.toLowerCase()) {
    const detail = `nothing is prepared under the name "${executed?.image ?? ''}"`;
    throw new SqlInvalidDefinition({ detail }, { place: source.place(execute.startOffset) });
  }
  const values = argumentsOf(given, text);
  let query = '';
  let at = tokens[asAt + 1]?.startOffset ?? text.length;
  for (const token of tokens.slice(asAt + 1, end)) {
    if (token.tokenType !== Parameter) continue;
    const value = values[Number(token.image.slice(1)) - 1];
    if (value === undefined) {
      const detail = `${values.length} arguments, the query has ${token.image}`;
      throw new SqlInvalidArguments({ function: 'EXECUTE', detail }, { place: source.place(token.startOffset) });
    }
    const type = types[Number(token.image.slice(1)) - 1];
    const given = type === undefined ? `(${value})` : `CAST(${value} AS ${type})`;
    query += text.slice(at, token.startOffset) + given;
    at = token.startOffset + token.image.length;
  }
  return query + text.slice(at, tokens[end]?.startOffset ?? text.length);
}

/** Where the parenthesis is closed that stands at `open`. */
function closing(tokens: readonly IToken[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]?.tokenType === symbol('(')) depth++;
    else if (tokens[i]?.tokenType === symbol(')') && --depth === 0) return i;
  }
  return tokens.length;
}

/** The texts between the commas of ( … ). */
function argumentsOf(tokens: readonly IToken[], text: string): readonly string[] {
  const values: string[] = [];
  let depth = 0;
  let start = 0;
  for (const token of tokens) {
    const isOpen = token.tokenType === symbol('(') || token.tokenType === symbol('[');
    const isClose = token.tokenType === symbol(')') || token.tokenType === symbol(']');
    if (isClose) depth--;
    const ends = (depth === 0 && isClose) || (depth === 1 && token.tokenType === symbol(','));
    if (ends) values.push(text.slice(start, token.startOffset).trim());
    if (ends || (isOpen && depth === 0)) start = token.startOffset + token.image.length;
    if (isOpen) depth++;
  }
  return values.filter((value) => value !== '');
}

function isWord(token: IToken, word: string): boolean {
  return token.image.toUpperCase() === word;
}
