// Binder of ROWS, RANGE and GROUPS BETWEEN … AND …: a frame in the stored units of the order key.
//
// RANGE with an offset needs one order key, a number or a time; its offset is a constant number or interval that is not
// negative. Before and behind are those of the order: with DESC a preceding value is a greater one.
import { formatSqlType, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { FrameBoundary, FrameClause } from './ast.ts';
import { bindExpression } from './bind-expression.ts';
import type { Scalar } from './bound.ts';
import type { ExpressionContext } from './expression-context.ts';
import { isNumeric } from './numeric-types.ts';
import { SqlInvalidDefinition, SqlTypeMismatch } from './sql-errors.ts';
import { coerce, foldLiteral, isDatetime, isInterval, literal } from './type-coercion.ts';
import type { FrameBound, WindowFrame } from './window-function.ts';

interface OrderedBy {
  readonly type: SqlType;
  readonly descending: boolean;
}

const microsOfDay = 86_400_000_000n;

/** @throws SqlInvalidDefinition, SqlTypeMismatch */
export function bindFrame(
  context: ExpressionContext,
  frame: FrameClause | null,
  order: readonly OrderedBy[],
): WindowFrame {
  if (frame === null) {
    // Without an order every row is an equal of the current one.
    return { unit: 'range', start: { kind: 'unbounded' }, end: { kind: order.length === 0 ? 'unbounded' : 'current' } };
  }
  const place = context.source.span(frame.span);
  const last = frame.end ?? { kind: 'current row' as const, offset: null, span: frame.span };
  if (frame.start.kind === 'unbounded following' || last.kind === 'unbounded preceding') {
    throw new SqlInvalidDefinition({ detail: 'a frame begins before it ends' }, { place });
  }
  const bounds = [frame.start, last];
  if (rankOf(frame.start) > rankOf(last)) {
    const detail = `a frame from ${frame.start.kind.toUpperCase()} cannot end at ${last.kind.toUpperCase()}`;
    throw new SqlInvalidDefinition({ detail }, { place });
  }
  if (frame.unit !== 'rows' && order.length === 0 && bounds.some((bound) => bound.offset !== null)) {
    throw new SqlInvalidDefinition({ detail: `${frame.unit.toUpperCase()} with an offset needs ORDER BY` }, { place });
  }
  const [start, end] = bounds.map((bound) => bindBound(context, frame, bound, order));
  return { unit: frame.unit, start: start ?? { kind: 'unbounded' }, end: end ?? { kind: 'current' } };
}

/** A cast of a literal as the literal that it makes, where that is known here. */
function constantOf(scalar: Scalar): Scalar {
  if (scalar.kind !== 'cast' || scalar.operand.kind !== 'literal') return scalar;
  const value = foldLiteral(scalar.operand.value, scalar.operand.type, scalar.type, true);
  return value === undefined ? scalar : literal(value, scalar.type, scalar.source);
}

/** Which kinds of bounds lie before which others, whatever their offsets are. */
function rankOf({ kind }: FrameBoundary): number {
  return kind.endsWith('preceding') ? 0 : kind === 'current row' ? 1 : 2;
}

function bindBound(
  context: ExpressionContext,
  frame: FrameClause,
  bound: FrameBoundary,
  order: readonly OrderedBy[],
): FrameBound {
  if (bound.kind.startsWith('unbounded')) return { kind: 'unbounded' };
  if (bound.offset === null) return { kind: 'current' };
  const place = context.source.span(bound.span);
  const scalar = constantOf(bindExpression({ ...context, clause: 'a frame' }, bound.offset));
  const value = scalar.kind === 'literal' ? scalar.value : null;
  const shown = scalar.source.text;
  let amount: number | bigint | undefined;
  if (frame.unit === 'range') {
    const [key, second] = order;
    if (key === undefined || second !== undefined) {
      throw new SqlInvalidDefinition({ detail: 'RANGE with an offset needs one ORDER BY key' }, { place });
    }
    const { type } = key;
    if (isDatetime(type) && scalar.type.kind === 'INTERVAL_MICROS' && typeof value === 'bigint') {
      amount = type.kind === 'DATE' ? value / microsOfDay : type.kind === 'TIME' ? value * 1000n : value;
    } else if (isInterval(type) && scalar.type.kind === type.kind) {
      amount = typeof value === 'number' || typeof value === 'bigint' ? value : undefined;
    } else if (isNumeric(type) && isNumeric(scalar.type)) {
      const converted = coerce(scalar, type);
      const made = converted.kind === 'literal' ? converted.value : null;
      amount = typeof made === 'number' || typeof made === 'bigint' ? made : undefined;
    }
    if (amount === undefined) {
      const detail = `RANGE over ${formatSqlType(type)} takes a constant of its kind (an INTERVAL of days to seconds for times), not ${shown}`;
      throw new SqlTypeMismatch({ detail }, { place });
    }
  } else {
    // 2.00 is a whole number, too.
    const whole = scalar.kind === 'literal' ? foldLiteral(scalar.value, scalar.type, { kind: 'BIGINT' }, true) : null;
    const count = Number(whole ?? Number.NaN);
    amount = Number.isSafeInteger(count) ? count : undefined;
    if (amount === undefined) {
      const detail = `${frame.unit.toUpperCase()} takes a constant whole number, not ${shown}`;
      throw new SqlTypeMismatch({ detail }, { place });
    }
  }
  if (amount < 0) throw new SqlInvalidDefinition({ detail: 'a frame offset is not negative' }, { place });
  return { kind: 'offset', by: bound.kind === 'preceding' ? -amount : amount };
}
