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
  const [first, name, as] = tokens;
  if (first === undefined || name === undefined || !isWord(first, 'PREPARE')) return null;
  const source = new SqlText(text);
  const fail = (token: IToken | undefined, expected: string): never => {
    const found = token === undefined ? 'the end of the text' : `"${token.image}"`;
    throw new SqlSyntax({ found, expected }, { place: source.place(token?.startOffset ?? text.length) });
  };
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
  let at = tokens[3]?.startOffset ?? text.length;
  for (const token of tokens.slice(3, end)) {
    if (token.tokenType !== Parameter) continue;
    const value = values[Number(token.image.slice(1)) - 1];
    if (value === undefined) {
      const detail = `${values.length} arguments, the query has ${token.image}`;
      throw new SqlInvalidArguments({ function: 'EXECUTE', detail }, { place: source.place(token.startOffset) });
    }
    query += `${text.slice(at, token.startOffset)}(${value})`;
    at = token.startOffset + token.image.length;
  }
  return query + text.slice(at, tokens[end]?.startOffset ?? text.length);
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
