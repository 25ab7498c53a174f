// Binder of aggregates that are computed from counts and sums: deviations and variances, covariances and sums of squares of pairs.
//
// Integers and DECIMALs are summed exactly, as wide DECIMALs; what is divided is cut off in the type of the argument. DISTINCT
// ones are computed from the array of distinct values.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { type AggregateCallSite, wrongType } from './aggregate-call-site.ts';
import { bindBinary } from './bind-arithmetic.ts';
import { bindCast } from './bind-case.ts';
import { operator } from './bind-comparison.ts';
import type { Scalar } from './bound.ts';
import { gathered } from './gathered-aggregates.ts';
import { bindNamedFunction } from './named-function.ts';
import { commonNumericType, isApproximate, isNumeric } from './numeric-types.ts';
import { coerce, literal, varchar } from './type-coercion.ts';

const double: SqlType = { kind: 'DOUBLE' };

export function deviationOf(of: AggregateCallSite, operand: Scalar): Scalar {
  const { definition, distinct, source } = of;
  if (!isNumeric(operand.type)) throw wrongType(of, operand, 'a number');
  const { type } = operand;
  const how = literal(canonical[definition.name] ?? definition.name, varchar, source);
  if (distinct) {
    const deviation = bindNamedFunction('deviation_of_array', [gathered(of, operand, true), how], source);
    return bindCast(deviation, type, false, source);
  }
  const isExact = !isInexact(type);
  const sums = [countOf(of, operand), sumOf(of, wide(operand, isExact)), sumOfProduct(of, operand, operand, isExact)];
  return bindCast(bindNamedFunction('deviation_of_sums', [...sums, how], source), type, false, source);
}

/** COVAR_POP, COVAR_SAMP, REGR_COUNT, REGR_SXX, REGR_SYY of the pairs of which both are there. */
export function momentOfPair(of: AggregateCallSite, y: Scalar, x: Scalar): Scalar {
  const { definition, source, filter } = of;
  const wrong = [y, x].find((operand) => !isNumeric(operand.type));
  if (wrong !== undefined) throw wrongType(of, wrong, 'numbers');
  const present = [y, x].filter(({ nullable }) => nullable);
  const tests = present.map((operand) => operator('is not null', [operand], source, false));
  const conditions = filter === null ? tests : [filter, ...tests];
  const pairs = {
    ...of,
    filter: conditions.reduce<Scalar | null>(
      (both, next) => (both === null ? next : operator('and', [both, next], source)),
      null,
    ),
  };
  if (definition.name === 'regr_count') return countOf(pairs, null);
  const [a, b] = definition.name === 'regr_sxx' ? [x, x] : definition.name === 'regr_syy' ? [y, y] : [y, x];
  const isExact = !isInexact(y.type) && !isInexact(x.type);
  const sums = [countOf(pairs, null), ...[a, b].map((side) => sumOf(pairs, wide(side, isExact)))];
  const how = literal(definition.name, varchar, source);
  const operands = [...sums, sumOfProduct(pairs, a, b, isExact), how];
  const type = commonNumericType(a.type, b.type);
  return bindCast(bindNamedFunction('covariance_of_sums', operands, source), type, false, source);
}

/** The most digits of a DECIMAL whose square still has room to be summed. */
const squareDigitsMax = 15;

function isInexact(type: SqlType): boolean {
  const isLong = type.kind === 'DECIMAL' && type.unsigned === undefined && type.precision > squareDigitsMax;
  return isApproximate(type) || isLong;
}

function countOf({ sink, filter, source }: AggregateCallSite, operand: Scalar | null): Scalar {
  return sink.add({ function: 'count', operand, distinct: false, filter, type: { kind: 'BIGINT' }, source });
}

function sumOf({ sink, filter, source }: AggregateCallSite, operand: Scalar): Scalar {
  return sink.add({ function: 'sum', operand, distinct: false, filter, type: operand.type, source });
}

/** A number as what is summed: a DOUBLE, or a DECIMAL with all its digits. */
function wide(operand: Scalar, isExact: boolean): Scalar {
  return coerce(operand, isExact ? widest(operand.type) : double);
}

function sumOfProduct(of: AggregateCallSite, a: Scalar, b: Scalar, isExact: boolean): Scalar {
  if (!isExact) return sumOf(of, bindBinary('*', coerce(a, double), coerce(b, double), of.source));
  const product = bindBinary('*', asFactor(a), asFactor(b), of.source);
  return sumOf(of, coerce(product, widest(product.type)));
}

function widest(type: SqlType): SqlType {
  return { kind: 'DECIMAL', precision: 38, scale: type.kind === 'DECIMAL' ? type.scale : 0 };
}

/** A number whose square does not overflow: integers as DECIMALs of their digits. */
function asFactor(operand: Scalar): Scalar {
  const { type } = operand;
  if (type.kind === 'DECIMAL' && type.unsigned === undefined) return operand;
  const precision = { TINYINT: 3, SMALLINT: 5, INTEGER: 10 }[type.kind as string] ?? 19;
  return coerce(operand, {
    kind: 'DECIMAL',
    precision: type.kind === 'DECIMAL' ? Math.min(type.precision, 20) : precision,
    scale: 0,
  });
}

const canonical: Readonly<Record<string, string>> = { stddev: 'stddev_samp', variance: 'var_samp' };
