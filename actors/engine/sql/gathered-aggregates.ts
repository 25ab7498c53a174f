// Binder of aggregates that are computed from the array of all values of a group: texts in a row, bits, the most frequent value, and
// arrays in an order that the call asks for. A changed group is read as a whole.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { type AggregateCallSite, refusal, wrongType } from './aggregate-call-site.ts';
import { bindCast } from './bind-case.ts';
import type { Scalar } from './bound.ts';
import { bindNamedFunction } from './named-function.ts';
import { isWhole } from './numeric-types.ts';
import { scalarKey } from './scalar-key.ts';
import { coerce, isBinary, isText, literal, varchar } from './type-coercion.ts';

type Gathering = Pick<AggregateCallSite, 'sink' | 'filter' | 'source'>;

/** One item of ORDER BY inside of a call. */
export interface ItemOrder {
  readonly scalar: Scalar;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** All values as an array: distinct ones in their order, others in that of the rows (group-aggregation.ts adds their keys). */
export function gathered({ sink, filter, source }: Gathering, operand: Scalar, distinct: boolean): Scalar {
  const type: SqlType = { kind: 'ARRAY', element: operand.type };
  const item = bindNamedFunction('array_item', distinct ? [operand, operand] : [operand], operand.source);
  return sink.add({ function: 'array_agg', operand: item, distinct, filter, type, source });
}

/** All values as an array in the order that is asked for: gathered with what orders them, which is then taken away. */
export function inOrder(of: AggregateCallSite, operand: Scalar, order: readonly ItemOrder[]): Scalar {
  const other = of.distinct && order.find(({ scalar }) => scalarKey(scalar) !== scalarKey(operand));
  if (other) throw refusal(of, `with DISTINCT is ordered by its value, not by ${other.scalar.source.text}`);
  const row = bindNamedFunction('row', [...order.map(({ scalar }) => scalar), operand], operand.source);
  const how = order.map((item) => (item.descending ? '-' : '+') + (item.nullsFirst ? 'f' : 'l')).join('');
  return bindNamedFunction(
    'items_in_order',
    [gathered(of, row, of.distinct), literal(how, varchar, of.source)],
    of.source,
  );
}

export function joined(
  of: AggregateCallSite & { readonly order: readonly ItemOrder[] },
  operand: Scalar,
  separator: Scalar,
): Scalar {
  const cast = isText(operand.type) ? operand : bindCast(operand, varchar, false, operand.source);
  const text = coerce(cast, varchar);
  const order = of.order.map((item) =>
    scalarKey(item.scalar) === scalarKey(operand) ? { ...item, scalar: text } : item,
  );
  const array = order.length === 0 ? gathered(of, text, of.distinct) : inOrder(of, text, order);
  return bindNamedFunction('text_of_array', [array, separator], of.source);
}

export function bitsOf(of: AggregateCallSite, operand: Scalar): Scalar {
  const { definition, distinct, source } = of;
  if (!isWhole(operand.type) && !isBinary(operand.type)) throw wrongType(of, operand, 'an integer or bytes');
  const how = definition.name.slice('bit_'.length);
  // A value that comes again changes neither AND nor OR.
  const array = gathered(of, operand, distinct || how !== 'xor');
  return bindNamedFunction('bits_of_array', [array, literal(how, varchar, source)], source);
}

export function modeOf(of: AggregateCallSite, operand: Scalar): Scalar {
  return bindNamedFunction('mode_of_array', [gathered(of, operand, false)], of.source);
}
