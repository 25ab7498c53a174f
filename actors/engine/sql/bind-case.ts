// CASE and CAST.

import { formatSqlType, type SqlType, sameSqlType } from '../../../runtime/batch/sql-type.ts';
import { operator } from './bind-comparison.ts';
import type { CaseExpression, ExpressionSource, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { SqlTypeMismatch } from './sql-errors.ts';
import { coerce, describePair, isCastable, literal, mergedType } from './type-coercion.ts';

/** CASE with its results cast to one type. */
export function makeCase(
  branches: CaseExpression['branches'],
  otherwise: Scalar,
  source: ExpressionSource,
): CaseExpression {
  const results = [...branches.map(({ then }) => then), otherwise];
  const type = mergedType(results);
  if (!('kind' in type)) {
    const detail = `the results of ${source.text} have no common type: ${describePair(type[0], type[1])}`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  }
  return {
    kind: 'case',
    branches: branches.map(({ when, then }) => caseBranch(when, coerce(then, type))),
    otherwise: coerce(otherwise, type),
    type,
    nullable: results.some((result) => result.nullable),
    source,
  };
}

/** Of a row that is cast field by field it cannot be said which one is to be NULL. */
function isRowOfOthers(from: SqlType, to: SqlType): boolean {
  if (from.kind !== 'ROW' || to.kind !== 'ROW') return false;
  return from.fields.some((field, i) => !sameSqlType(field.type, to.fields[i]?.type ?? field.type));
}

/** What NULL of a type is in a VARIANT: of a ROW one whose fields are all null. */
function jsonOfNothing(type: SqlType): string {
  return type.kind === 'ROW' ? JSON.stringify(Object.fromEntries(type.fields.map(({ name }) => [name, null]))) : 'null';
}

export function bindCast(operand: Scalar, type: SqlType, safe: boolean, source: ExpressionSource): Scalar {
  if (!isCastable(operand.type, type) || (safe && isRowOfOthers(operand.type, type))) {
    const detail = `${formatSqlType(operand.type)} cannot be cast to ${formatSqlType(type)}`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  }
  if (operand.kind === 'literal' && operand.value === null) return literal(null, type, source);
  if (type.kind === 'VARIANT' && operand.type.kind !== 'VARIANT' && operand.nullable && !safe) {
    // A VARIANT can hold that there is nothing; it is not NULL then.
    const missing = operator('is null', [operand], source, false);
    const value: Scalar = {
      kind: 'cast',
      operand: { ...operand, nullable: false },
      safe,
      type,
      nullable: false,
      source,
    };
    const nothing = literal(jsonOfNothing(operand.type), type, source);
    return { ...makeCase([caseBranch(missing, nothing)], value, source), nullable: false };
  }
  const nullable = operand.nullable || safe || operand.type.kind === 'VARIANT';
  return { kind: 'cast', operand, safe, type, nullable, source };
}
