// SQL text to a bound program: the entry to this folder.
//
// A program is compiled whole: every problem of every statement is reported, and only a program without any is given.
// Bad SQL never throws here; an ad-hoc query throws its first problem.

import { makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import type { MillraceError } from '../../../runtime/errors.ts';
import { type BoundInsert, bindInsert } from './bind-insert.ts';
import { bindProgram } from './bind-program.ts';
import { bindQuery } from './bind-query.ts';
import type { BoundProgram, BoundQuery, TableDefinition } from './bound.ts';
import { explainRequest } from './explain-request.ts';
import { isStackFull, nestingMax } from './nesting-depth.ts';
import { type ParsedProgram, parseInsert, parseProgram, parseQuery } from './parse.ts';
import { executedQuery } from './prepared-query.ts';
import { ProblemList } from './problem-list.ts';
import { SqlSyntax, SqlTooDeep } from './sql-errors.ts';
import { SqlText, type SqlTextOptions } from './sql-text.ts';
import type { UserFunction } from './user-function.ts';

export interface CompiledProgram {
  /** null when there is any problem. */
  readonly program: BoundProgram | null;
  /** In the order of the text. */
  readonly problems: MillraceError[];
}

/** Compiles CREATE TABLE and CREATE VIEW statements. Never throws because of the text. */
export function compileProgram(text: string, options: SqlTextOptions = {}): CompiledProgram {
  const source = new SqlText(text, options);
  const parsed = parseProgram(source);
  const list = new ProblemList();
  const program = guardDepth(list, source, () => bindProgram(source, parsed, list));
  const problems = [...parsed.problems, ...list.list()].sort(byPlace);
  const { functions = [] } = options;
  if (program === null || problems.length > 0) return { program: null, problems };
  const declarations = declarationsOf(source, parsed);
  return {
    program: {
      ...program,
      ...(functions.length === 0 ? {} : { functions }),
      ...(declarations === '' ? {} : { declarations }),
    },
    problems,
  };
}

/** The text of what declares types and functions, in its order. */
function declarationsOf(source: SqlText, { statements }: ParsedProgram): string {
  const declaring = statements.filter(({ kind }) => kind === 'create type' || kind === 'create function');
  return declaring.map(({ span }) => `${source.slice(span)};`).join('\n');
}

/** The text of a statement of its own, which may name what the program declares. */
function adHocText(text: string, functions: readonly UserFunction[], declarations: string): SqlText {
  const source = new SqlText(text, { functions });
  if (declarations === '') return source;
  const program = new SqlText(declarations, { functions });
  bindProgram(program, parseProgram(program), new ProblemList());
  for (const [name, type] of program.types) source.types.set(name, type);
  for (const [name, declared] of program.functions) source.functions.set(name, declared);
  return source;
}

/** Compiles an ad-hoc SELECT over relations that there are, or one that PREPARE names and EXECUTE runs. @throws MillraceError: the first problem of the text. */
export function compileQuery(
  text: string,
  relations: readonly Relation[],
  functions: readonly UserFunction[] = [],
  declarations: string = '',
): BoundQuery {
  const explain = explainRequest(text);
  if (explain !== null && explain.query === null) {
    return { query: { kind: 'values', rows: [], schema: makeSchema([]) }, displayOrder: [], explains: 'program' };
  }
  const asked = explain?.query ?? text;
  const source = adHocText(executedQuery(asked) ?? asked, functions, declarations);
  const { query, problems } = parseQuery(source);
  const list = new ProblemList();
  const byName = new Map(relations.map((relation) => [relation.name, relation]));
  const context = { source, problems: list, relations: byName, lost: new Set<string>(), common: new Map() };
  const bound =
    query === null ? null : guardDepth(list, source, () => list.attempt(() => bindQuery(context, query, 'whole')));
  const [first] = [...problems, ...list.list()].sort(byPlace);
  if (first !== undefined) throw first;
  if (bound === null) throw new SqlSyntax({ found: 'nothing', expected: 'a query' }, { place: source.place(0) });
  const whole: BoundQuery = { query: bound.rel, displayOrder: bound.displayOrder };
  const known: BoundQuery = functions.length === 0 ? whole : { ...whole, functions };
  return explain === null ? known : { ...known, explains: 'query' };
}

/** Compiles INSERT INTO a table of a program. @throws MillraceError: the first problem of the text. */
export function compileInsert(
  text: string,
  tables: readonly TableDefinition[],
  relations: readonly Relation[],
  declarations: string = '',
): BoundInsert {
  const source = adHocText(text, [], declarations);
  const { insert, problems } = parseInsert(source);
  const list = new ProblemList();
  const byName = new Map(relations.map((relation) => [relation.name, relation]));
  const context = { source, problems: list, relations: byName, lost: new Set<string>(), common: new Map() };
  const bind = (): BoundInsert | null =>
    insert === null ? null : list.attempt(() => bindInsert(context, insert, tables));
  const bound = guardDepth(list, source, bind);
  const [first] = [...problems, ...list.list()].sort(byPlace);
  if (first !== undefined) throw first;
  if (bound === null) throw new SqlSyntax({ found: 'nothing', expected: 'INSERT INTO' }, { place: source.place(0) });
  return bound;
}

/** An expression of thousands of levels exhausts the stack; that is the text's fault, not a defect. */
function guardDepth<T>(problems: ProblemList, source: SqlText, bind: () => T): T | null {
  try {
    return bind();
  } catch (thrown) {
    if (!isStackFull(thrown)) throw thrown;
    problems.keep(new SqlTooDeep({ most: nestingMax }, { place: source.place(0) }));
    return null;
  }
}

function byPlace(a: MillraceError, b: MillraceError): number {
  return (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0);
}
