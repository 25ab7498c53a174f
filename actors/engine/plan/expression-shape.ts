// What can be said of a scalar without computing it: its columns, its identity, how its value will be at hand.
//
// Pure functions of immutable nodes; results are kept per node, because the emitter asks at every level of a tree.

import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import type { Scalar } from '../sql/bound.ts';
import { shortKey } from '../sql/short-key.ts';
import { isIdentityCast } from './expression-cast.ts';
import { isBinary, isText } from './expression-code.ts';

const keys = new WeakMap<Scalar, string>();
const columns = new WeakMap<Scalar, readonly number[]>();

/** Equal keys: the same computation on the same columns. */
export function scalarKey(scalar: Scalar): string {
  const known = keys.get(scalar);
  if (known !== undefined) return known;
  const key = shortKey(`${describe(scalar)}:${formatSqlType(scalar.type)}`);
  keys.set(scalar, key);
  return key;
}

function describe(scalar: Scalar): string {
  switch (scalar.kind) {
    case 'column':
      return `#${scalar.ordinal}`;
    case 'literal':
      return valueKey(scalar.value);
    case 'operator':
      return `(${scalar.operator} ${scalar.operands.map(scalarKey).join(' ')})`;
    case 'function':
      return `(${JSON.stringify(scalar.name)}/${scalar.overload} ${scalar.operands.map(scalarKey).join(' ')}${scalar.lambda === undefined ? '' : ` -> ${scalarKey(scalar.lambda)}`})`;
    case 'case': {
      const branches = scalar.branches.map(({ when, then }) => `${scalarKey(when)} ${scalarKey(then)}`);
      return `(case ${branches.join(' ')} ${scalarKey(scalar.otherwise)})`;
    }
    case 'cast':
      return `(${scalar.safe ? 'safe ' : ''}cast ${scalarKey(scalar.operand)})`;
    case 'in list':
      return `(in ${scalarKey(scalar.operand)} ${scalar.values.map(valueKey).join(' ')})`;
  }
}

function valueKey(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  return Object.is(value, -0) ? '-0' : typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** The ordinals that a scalar reads, each once. */
export function columnsOf(scalar: Scalar): readonly number[] {
  if (scalar.kind === 'column') return [scalar.ordinal];
  if (scalar.kind === 'literal') return [];
  const known = columns.get(scalar);
  if (known !== undefined) return known;
  const found = [...new Set(childrenOf(scalar).flatMap(columnsOf))];
  columns.set(scalar, found);
  return found;
}

export function childrenOf(scalar: Scalar): readonly Scalar[] {
  switch (scalar.kind) {
    case 'column':
    case 'literal':
      return [];
    case 'operator':
    case 'function':
      return scalar.operands;
    case 'case':
      return [...scalar.branches.flatMap(({ when, then }) => [when, then]), scalar.otherwise];
    case 'cast':
    case 'in list':
      return [scalar.operand];
  }
}

/** Whether the value comes as bytes or words straight from columns and literals, so that no string has to be made. */
export function isRaw(scalar: Scalar): boolean {
  if (!isText(scalar.type) && !isBinary(scalar.type) && scalar.type.kind !== 'UUID') return false;
  switch (scalar.kind) {
    case 'column':
    case 'literal':
      return true;
    case 'cast':
      return isIdentityCast(scalar) && isRaw(scalar.operand);
    case 'case':
      return [...scalar.branches.map((branch) => branch.then), scalar.otherwise].every(isRaw);
    default:
      return false;
  }
}
