// Binder of calls of functions and aggregates that users have written, see user-function.ts.
//
// A function is a call like any other, of which only the thread that computes has the code. An aggregate is one over the array of
// all values of the group, so that a changed group is read as a whole. What is evaluated while a program is compiled cannot call
// them: DEFAULT, for one.
import type { ExpressionSource, FunctionCall, Scalar } from './bound.ts';
import type { ExpressionContext } from './expression-context.ts';
import { SqlInvalidArguments, SqlUnsupported } from './sql-errors.ts';
import { coerce, commonType } from './type-coercion.ts';
import type { UserFunction } from './user-function.ts';

/** @throws SqlInvalidArguments, SqlUnsupported */
export function bindUserCall(
  context: ExpressionContext,
  user: UserFunction,
  given: readonly Scalar[],
  source: ExpressionSource,
): FunctionCall {
  if (context.clause === 'DEFAULT') {
    const instead = 'compute the column in a view';
    throw new SqlUnsupported(
      { construct: `${user.name.toUpperCase()} in a DEFAULT`, instead },
      { place: source.place },
    );
  }
  return userCall(user, userOperands(user, given, source), source);
}

/** The arguments as the parameters want them. @throws SqlInvalidArguments */
export function userOperands(user: UserFunction, given: readonly Scalar[], source: ExpressionSource): Scalar[] {
  const { parameters } = user;
  const refuse = (detail: string): Error =>
    new SqlInvalidArguments({ function: user.name.toUpperCase(), detail }, { place: source.place });
  if (given.length !== parameters.length) {
    throw refuse(`takes ${parameters.length} argument${parameters.length === 1 ? '' : 's'}`);
  }
  return given.map((operand, i) => {
    const type = parameters[i] ?? operand.type;
    if (commonType(operand.type, type) === null) {
      throw refuse(`the type of ${operand.source.text} is not that of the parameter`);
    }
    return coerce(operand, type);
  });
}

export function userCall(user: UserFunction, operands: readonly Scalar[], source: ExpressionSource): FunctionCall {
  return { kind: 'function', name: user.name, overload: 0, operands, user, type: user.result, nullable: true, source };
}
