// Periods: (start, end) or (start, length) compared by OVERLAPS, CONTAINS, EQUALS, PRECEDES and SUCCEEDS.
//
// The two ends may stand in either order, and a length may be negative. Ends belong to a period: two that touch overlap, and one
// precedes the other.
import type { Expression, PeriodOperator } from './ast.ts';
import { bindBinary } from './bind-arithmetic.ts';
import { bindComparison, operator } from './bind-comparison.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import { bindNamedFunction } from './named-function.ts';
import { SqlInvalidArguments } from './sql-errors.ts';
import { describePair, isDatetime, isInterval } from './type-coercion.ts';

type Period = Extract<Expression, { kind: 'period' }>;

interface Ends {
  readonly start: Scalar;
  readonly end: Scalar;
}

/** @throws SqlInvalidArguments, SqlTypeMismatch */
export function bindPeriod(expression: Period, source: ExpressionSource, bind: (part: Expression) => Scalar): Scalar {
  const left = endsOf(expression.left, expression.operator, source, bind);
  const right = endsOf(expression.right, expression.operator, source, bind);
  const [first, second] = [left.start.type, right.start.type];
  if (!isDatetime(first) || first.kind !== second.kind) {
    const detail = `compares periods of one type, not of ${describePair(first, second)}`;
    throw new SqlInvalidArguments({ function: expression.operator.toUpperCase(), detail }, { place: source.place });
  }
  const compare = (name: '=' | '<=' | '>=', a: Scalar, b: Scalar): Scalar => bindComparison(name, a, b, source);
  const both = (a: Scalar, b: Scalar): Scalar => operator('and', [a, b], source);
  switch (expression.operator) {
    case 'contains':
      return both(compare('<=', left.start, right.start), compare('>=', left.end, right.end));
    case 'equals':
      return both(compare('=', left.start, right.start), compare('=', left.end, right.end));
    case 'overlaps':
      return both(compare('>=', left.end, right.start), compare('>=', right.end, left.start));
    case 'precedes':
      return compare('<=', left.end, right.start);
    case 'succeeds':
      return compare('>=', left.start, right.end);
    case 'immediately precedes':
      return compare('=', left.end, right.start);
    case 'immediately succeeds':
      return compare('=', left.start, right.end);
  }
}

/** A point in time is a period whose ends are the same. */
function endsOf(
  part: Expression,
  name: PeriodOperator,
  source: ExpressionSource,
  bind: (part: Expression) => Scalar,
): Ends {
  if (part.kind !== 'call' || part.name.name !== 'row') {
    const point = bind(part);
    return { start: point, end: point };
  }
  const [first, second, ...rest] = part.arguments.map(bind);
  if (first === undefined || second === undefined || rest.length > 0) {
    const detail = 'a period is (start, end) or (start, length)';
    throw new SqlInvalidArguments({ function: name.toUpperCase(), detail }, { place: source.place });
  }
  const other = isInterval(second.type) ? bindBinary('+', first, second, source) : second;
  return {
    start: bindNamedFunction('least', [first, other], source),
    end: bindNamedFunction('greatest', [first, other], source),
  };
}
