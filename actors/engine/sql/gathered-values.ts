// Rows of the function table about the array of all values of a group, and the elements of such an array.
import { fromPublic, Refusal } from '../../../runtime/batch/public-values.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { parseVariant } from '../../../runtime/batch/variant-json.ts';
import type { CallShape, Evaluator, FunctionDefinition, FunctionOverload } from './function-definition.ts';
import type { ScalarValue } from './scalar-value.ts';

export const unknownType: SqlType = { kind: 'NULL' };

export function gatheredFunction(
  name: string,
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overloads: readonly FunctionOverload[],
): FunctionDefinition {
  return { name, synopsis, category: 'array', summary, example, deterministic: true, overloads };
}

export function gatheredRow(
  parameters: FunctionOverload['parameters'],
  result: SqlType | ((argumentTypes: readonly SqlType[]) => SqlType),
  prepare: (shape: CallShape) => Evaluator,
  more: Partial<FunctionOverload> = {},
): FunctionOverload {
  const type = typeof result === 'function' ? result : () => result;
  return { parameters, result: type, strict: true, canFail: false, evaluate: () => null, prepare, ...more };
}

export function elementType([array]: readonly SqlType[]): SqlType {
  return array?.kind === 'ARRAY' ? array.element : unknownType;
}

export function elementsOf(text: ScalarValue | undefined): unknown[] {
  const value = parseVariant(String(text));
  return Array.isArray(value) ? value : [];
}

/** The elements of an array as cells, without NULLs. */
export function cellsOf(text: ScalarValue | undefined, type: SqlType): NonNullable<ScalarValue>[] {
  return elementsOf(text).flatMap((part) => {
    const cell = part === null ? null : fromPublic(part, type);
    return cell === null || cell instanceof Refusal ? [] : [cell];
  });
}
