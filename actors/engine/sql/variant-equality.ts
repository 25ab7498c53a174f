// VARIANTs are equal by value, whatever their texts: 1.0 is 1, and the fields of an object have no order.
//
// What is compared, grouped, made distinct or divided into partitions goes by one spelling of each value (variant-spelling.ts), which is
// computed for those columns alone, VARIANTs inside of ARRAY, MAP and ROW too.
import { holdsVariant } from '../../../runtime/batch/variant-spelling.ts';
import type { Rel, Scalar } from './bound.ts';
import { bindNamedFunction } from './named-function.ts';
import { columnOf } from './query-context.ts';

/** What a scalar is compared by. */
export function byValue(scalar: Scalar): Scalar {
  if (!holdsVariant(scalar.type) || (scalar.kind === 'literal' && scalar.value === null)) return scalar;
  const name = scalar.type.kind === 'VARIANT' ? 'variant_spelling' : 'nested_spelling';
  if (scalar.kind === 'function' && scalar.name === name) return scalar;
  return { ...bindNamedFunction(name, [scalar], scalar.source), type: scalar.type };
}

/** The rows with their VARIANTs as they are compared. */
export function rowsByValue(rel: Rel): Rel {
  const { fields } = rel.schema;
  if (!fields.some(({ type }) => holdsVariant(type))) return rel;
  return { kind: 'project', input: rel, columns: fields.map(columnOf).map(byValue), schema: rel.schema };
}

/** Each row once. */
export function distinctRows(rel: Rel): Rel {
  return { kind: 'distinct', input: rowsByValue(rel), schema: rel.schema };
}
