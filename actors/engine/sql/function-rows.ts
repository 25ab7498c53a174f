// Shorthand for rows of the function table.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Evaluator, FunctionOverload, ParameterClass } from './function-definition.ts';
import type { ScalarValue } from './scalar-value.ts';

type ResultType = SqlType | ((argumentTypes: readonly SqlType[]) => SqlType);

/** A NULL argument gives NULL; everything else gives a value or an error. */
export function strictRow(
  parameters: readonly ParameterClass[],
  result: ResultType,
  evaluate: Evaluator,
  more: Partial<FunctionOverload> = {},
): FunctionOverload {
  const type = typeof result === 'function' ? result : () => result;
  return { parameters, result: type, strict: true, canFail: false, evaluate, ...more };
}

/**
 * An evaluator whose parameters have types.
 * A leave-out parameter is `undefined` there.
 */
export function typed<Values extends readonly (ScalarValue | undefined)[]>(
  evaluate: (...values: Values) => ScalarValue,
): Evaluator {
  // SAFETY: the binder has cast the arguments to the parameters of the row, and a strict row is never given NULL.
  return evaluate as unknown as Evaluator;
}

/** The type of the first argument. */
export function firstType(argumentTypes: readonly SqlType[]): SqlType {
  return argumentTypes[0] ?? { kind: 'NULL' };
}

export const types: Readonly<Record<'boolean' | 'integer' | 'bigint' | 'double' | 'text' | 'bytes', SqlType>> = {
  boolean: { kind: 'BOOLEAN' },
  integer: { kind: 'INTEGER' },
  bigint: { kind: 'BIGINT' },
  double: { kind: 'DOUBLE' },
  text: { kind: 'VARCHAR', length: null },
  bytes: { kind: 'VARBINARY', length: null },
};
