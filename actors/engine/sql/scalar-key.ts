// Whether two bound expressions compute the same: a text without places, for GROUP BY and ORDER BY.
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import type { AggregateCall, Scalar } from './bound.ts';
import type { ScalarValue } from './scalar-value.ts';
import { shortKey } from './short-key.ts';

const keys = new WeakMap<Scalar, string>();

/** Equal texts: the same value for every row. */
export function scalarKey(scalar: Scalar): string {
  const known = keys.get(scalar);
  if (known !== undefined) return known;
  const key = shortKey(`${body(scalar)}:${formatSqlType(scalar.type)}`);
  keys.set(scalar, key);
  return key;
}

export function aggregateKey(call: AggregateCall): string {
  const operand = call.operand === null ? '*' : scalarKey(call.operand);
  const filter = call.filter === null ? '' : ` filter ${scalarKey(call.filter)}`;
  return `${call.function}${call.distinct ? ' distinct' : ''} ${operand}${filter}`;
}

function body(scalar: Scalar): string {
  switch (scalar.kind) {
    case 'column':
      return `#${scalar.ordinal}`;
    case 'literal':
      return valueKey(scalar.value);
    case 'operator':
      return `(${scalar.operator} ${scalar.operands.map(scalarKey).join(' ')})`;
    case 'function':
      return `(${scalar.name}/${scalar.overload} ${scalar.operands.map(scalarKey).join(' ')}${scalar.lambda === undefined ? '' : ` -> ${scalarKey(scalar.lambda)}`})`;
    case 'case': {
      const branches = scalar.branches.map(({ when, then }) => `${scalarKey(when)} ${scalarKey(then)}`);
      return `(case ${branches.join(' ')} else ${scalarKey(scalar.otherwise)})`;
    }
    case 'cast':
      return `(${scalar.safe ? 'safe ' : ''}cast ${scalarKey(scalar.operand)})`;
    case 'in list':
      return `(${scalarKey(scalar.operand)} in ${scalar.values.map(valueKey).join(' ')})`;
  }
}

export function valueKey(value: ScalarValue): string {
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  return typeof value === 'string' ? JSON.stringify(value) : `${typeof value} ${value}`;
}
