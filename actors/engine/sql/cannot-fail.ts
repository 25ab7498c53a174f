// Whether an expression gives a value on any row, so that a condition may be asked of more rows than the program shows it.
//
// Comparisons, logic, columns, literals and casts that widen cannot fail; arithmetic overflows, functions and CASE are not looked into.
// Not here: where a condition goes (bind-select.ts, plan/rewrite-push-filters.ts).
import type { Scalar } from './bound.ts';
import { readsNow } from './clock.ts';
import { readsColumn } from './scalar-columns.ts';

export function cannotFail(scalar: Scalar): boolean {
  switch (scalar.kind) {
    case 'column':
    case 'literal':
      return true;
    case 'operator':
      if (isOfTime(scalar)) return true;
      return !['+', '-', '*', '/', '%', 'negate'].includes(scalar.operator) && scalar.operands.every(cannotFail);
    case 'in list':
      return cannotFail(scalar.operand);
    case 'cast':
      return cannotFail(scalar.operand) && isWidening(scalar.operand, scalar);
    case 'function':
      return isOfTime(scalar);
    case 'case':
      return false;
  }
}

/** What reads the clock and no row fails on all rows or on none. */
function isOfTime(scalar: Scalar): boolean {
  return readsNow(scalar) && !readsColumn(scalar, () => true);
}

function isWidening(from: Scalar, to: Scalar): boolean {
  const integers = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'];
  const [a, b] = [integers.indexOf(from.type.kind), integers.indexOf(to.type.kind)];
  if (a >= 0) return b >= a || to.type.kind === 'DOUBLE';
  return (
    (from.type.kind === 'CHAR' || from.type.kind === 'VARCHAR') && to.type.kind === 'VARCHAR' && to.type.length === null
  );
}
