// Groups within groups, read from the inside: parentheses, brackets and CASE … END that are nested deeper than the parser's own recursion should go.
//
// The parser takes some kilobytes of the stack for each level. A group of many levels is read by itself first, and stands for one token then
// that carries what it was read as, an expression or a query; so no text makes the parser go deeper than a few times `levelsMax`. What
// cannot be read by itself (a list, the types of a column) stays as it is. Not here: how deep what has been read may be (nesting-depth.ts).
import type { Expression, Query } from './ast.ts';
import { endOf } from './token-text.ts';
import { type IToken, keyword, ReadExpression, ReadQuery, symbol, type TokenType } from './tokens.ts';

/** A group of so many levels is read by itself. */
const levelsMax = 24;

export interface GroupReader {
  readonly text: string;
  /** null: the tokens are no such thing. */
  readonly expression: (tokens: readonly IToken[]) => Expression | null;
  readonly query: (tokens: readonly IToken[]) => Query | null;
}

interface OpenGroup {
  /** Where its first token lies. */
  readonly at: number;
  readonly closedBy: TokenType;
  levels: number;
}

const closers: ReadonlyMap<TokenType, TokenType> = new Map([
  [symbol('('), symbol(')')],
  [symbol('['), symbol(']')],
  [keyword('CASE'), keyword('END')],
]);

/** The tokens, with one in the place of each group that is deep. */
export function withReadGroups(tokens: readonly IToken[], reader: GroupReader): readonly IToken[] {
  if (levelsOf(tokens) <= levelsMax) return tokens;
  const kept: IToken[] = [];
  const open: OpenGroup[] = [];
  for (const token of tokens) {
    kept.push(token);
    const closedBy = closers.get(token.tokenType);
    if (closedBy !== undefined) open.push({ at: kept.length - 1, closedBy, levels: 0 });
    if (open.at(-1)?.closedBy !== token.tokenType) continue;
    const group = open.pop();
    if (group === undefined) continue;
    const levels = group.levels + 1;
    const read = levels >= levelsMax ? readGroup(kept, group, reader) : false;
    // What could not be read by itself is tried again a few levels further out, of which every second may be of another kind.
    const left = read ? 1 : levels >= levelsMax ? levelsMax - 3 : levels;
    const around = open.at(-1);
    if (around !== undefined) around.levels = Math.max(around.levels, left);
  }
  return kept;
}

function levelsOf(tokens: readonly IToken[]): number {
  let most = 0;
  let levels = 0;
  for (const { tokenType } of tokens) {
    if (closers.has(tokenType)) most = Math.max(most, ++levels);
    else if (tokenType === symbol(')') || tokenType === symbol(']') || tokenType === keyword('END')) levels--;
  }
  return most;
}

/** Puts one token in the place of what the group at the end of `kept` holds; false: it cannot be read by itself. */
function readGroup(kept: IToken[], { at, closedBy }: OpenGroup, reader: GroupReader): boolean {
  const isCase = closedBy === keyword('END');
  const from = isCase ? at : at + 1;
  const to = isCase ? kept.length : kept.length - 1;
  const parts = kept.slice(from, to);
  const [first] = parts;
  const last = parts.at(-1);
  if (first === undefined || last === undefined) return false;
  const isQuery = [keyword('SELECT'), keyword('WITH'), keyword('VALUES')].includes(first.tokenType);
  // A query in parentheses of its own may be one table of several, or a value.
  if (!isQuery && first.tokenType === symbol('(') && startsQuery(parts)) return false;
  const payload = isQuery ? reader.query(parts) : reader.expression(parts);
  if (payload === null) return false;
  const tokenType = isQuery ? ReadQuery : ReadExpression;
  const token: IToken = {
    image: reader.text.slice(first.startOffset, endOf(last)),
    startOffset: first.startOffset,
    tokenType,
    tokenTypeIdx: tokenType.tokenTypeIdx ?? 0,
    payload,
  };
  kept.splice(from, to - from, token);
  return true;
}

function startsQuery(tokens: readonly IToken[]): boolean {
  const first = tokens.find(({ tokenType }) => tokenType !== symbol('('));
  return (
    first !== undefined && [keyword('SELECT'), keyword('WITH'), keyword('VALUES'), ReadQuery].includes(first.tokenType)
  );
}
