// Computes bound expressions without columns: enough to test function rows against their expectations.
import type { Scalar } from '../../../../actors/engine/sql/bound.ts';
import { compileQuery } from '../../../../actors/engine/sql/compile-program.ts';
import { resolveFunction } from '../../../../actors/engine/sql/functions.ts';
import type { ScalarValue } from '../../../../actors/engine/sql/scalar-value.ts';
import { formatSqlType, type SqlType } from '../../../../runtime/batch/sql-type.ts';

export interface Evaluated {
  readonly value: ScalarValue;
  readonly type: string;
  readonly nullable: boolean;
}

/** The value of `SELECT expression`. */
export function evaluate(expression: string): Evaluated {
  const { query } = compileQuery(`SELECT ${expression} AS e`, []);
  const scalar = query.kind === 'values' ? query.rows[0]?.[0] : undefined;
  if (scalar === undefined) throw new Error(`${expression} is not one value`);
  return { value: evaluateScalar(scalar), type: formatSqlType(scalar.type), nullable: scalar.nullable };
}

function evaluateScalar(scalar: Scalar): ScalarValue {
  switch (scalar.kind) {
    case 'literal':
      return scalar.value;
    case 'cast':
      return convert(evaluateScalar(scalar.operand), scalar.type);
    case 'function': {
      const { evaluate: compute, strict } = resolveFunction(scalar);
      const values = scalar.operands.map(evaluateScalar);
      return strict && values.includes(null) ? null : compute(...values);
    }
    case 'operator':
      if (scalar.operator === 'not') return evaluateScalar(operandOf(scalar)) !== true;
      if (scalar.operator === 'negate') return negate(evaluateScalar(operandOf(scalar)));
      throw new Error(`the test computes no ${scalar.operator}`);
    default:
      throw new Error(`the test computes no ${scalar.kind}`);
  }
}

function operandOf(scalar: { readonly operands: readonly Scalar[] }): Scalar {
  const [operand] = scalar.operands;
  if (operand === undefined) throw new Error('an operator without operands');
  return operand;
}

function negate(value: ScalarValue): ScalarValue {
  return typeof value === 'bigint' || typeof value === 'number' ? -value : null;
}

/** The few casts that the expectations need. */
function convert(value: ScalarValue, type: SqlType): ScalarValue {
  if (value === null) return null;
  if (type.kind === 'VARCHAR') return String(value);
  if (type.kind === 'INTERVAL_MONTHS' || type.kind === 'INTERVAL_MICROS') return value;
  if (type.kind === 'DOUBLE') return Number(value);
  if (type.kind === 'REAL') return Math.fround(Number(value));
  if (type.kind === 'BIGINT' && typeof value !== 'object') return BigInt(value);
  if (type.kind === 'TINYINT' || type.kind === 'SMALLINT' || type.kind === 'INTEGER') return Number(value);
  if (type.kind === 'TIMESTAMP' && typeof value === 'number') return BigInt(value) * 86_400_000_000n;
  throw new Error(`the test casts nothing to ${type.kind}`);
}
