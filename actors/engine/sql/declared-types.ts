// Types that are given as SQL text outside a program, and which names of functions are taken.
//
// The text is read by the grammar of CREATE FUNCTION, so that a type is spelled as in a program.

import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { findAggregate, refusedAggregates } from './aggregate-functions.ts';
import { findFunction } from './functions.ts';
import { parseProgram } from './parse.ts';
import { SqlSyntax } from './sql-errors.ts';
import { SqlText } from './sql-text.ts';
import { resolveTypeName } from './type-names.ts';

/** The types of a signature, or what is wrong with them. */
export function declaredTypes(
  parameters: readonly string[],
  result: string,
): { readonly parameters: readonly SqlType[]; readonly result: SqlType } | MillraceError {
  const list = parameters.map((type, i) => `p${i} ${type}`).join(', ');
  const source = new SqlText(`CREATE FUNCTION f(${list}) RETURNS ${result};`);
  const { statements, problems } = parseProgram(source);
  const [statement] = statements;
  if (problems[0] !== undefined) return problems[0];
  if (statement?.kind !== 'create function' || statement.parameters.length !== parameters.length) {
    return new SqlSyntax({ found: source.text, expected: 'types' });
  }
  try {
    return {
      parameters: statement.parameters.map(({ type }) => resolveTypeName(source, type)),
      result: resolveTypeName(source, statement.returns),
    };
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
}

/** Whether `name`, in lower case, is that of a function or aggregate that ships with Millrace. */
export function isTakenName(name: string): boolean {
  return findFunction(name) !== undefined || findAggregate(name) !== undefined || refusedAggregates[name] !== undefined;
}
