// Binder of aggregates: COUNT, SUM, MIN, MAX, AVG and ARRAY_AGG are computed as such, all others from those.
//
//   COUNTIF(c)            COUNT(*) FILTER (WHERE c)
//   COUNT(a, b)           COUNT(*) of the rows in which none is NULL; COUNT(DISTINCT a, b) of their ROWs
//   ARG_MIN(x, y)         the x of MIN(ROW(y is NULL, y, x)); ARG_MAX the same with MAX, so that NULL is the last choice of both
//   STDDEV, VARIANCE      of COUNT(x), SUM(x) and SUM(x · x); DISTINCT ones of ARRAY_AGG(DISTINCT x)
//   BIT_AND BIT_OR BIT_XOR, STRING_AGG   of ARRAY_AGG(x): a changed group is read as a whole
import { formatSqlType, type SqlType } from '../../../runtime/batch/sql-type.ts';
import { type AggregateDefinition, aggregateType } from './aggregate-functions.ts';
import type { Expression } from './ast.ts';
import { bindBinary } from './bind-arithmetic.ts';
import { bindCast, makeCase } from './bind-case.ts';
import { operator } from './bind-comparison.ts';
import { fieldOf } from './bind-nested.ts';
import { userCall, userOperands } from './bind-user-function.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import {
  type AggregateSink,
  type Bind,
  type ExpressionContext,
  insideAggregate,
  requireBoolean,
} from './expression-context.ts';
import { bindNamedFunction } from './named-function.ts';
import { isApproximate, isNumeric, isWhole } from './numeric-types.ts';
import { SqlInvalidArguments, SqlMisplacedAggregate } from './sql-errors.ts';
import { coerce, isBinary, isText, literal, varchar } from './type-coercion.ts';
import type { UserFunction } from './user-function.ts';

type Call = Extract<Expression, { kind: 'call' }>;

/** One call on its way: where it stands, and what it applies to. */
interface Surroundings {
  readonly definition: AggregateDefinition;
  readonly sink: AggregateSink;
  readonly distinct: boolean;
  readonly filter: Scalar | null;
  readonly source: ExpressionSource;
}

type Gathering = Pick<Surroundings, 'sink' | 'filter' | 'source'>;

export function bindAggregate(
  context: ExpressionContext,
  call: Call,
  definition: AggregateDefinition,
  source: ExpressionSource,
  bind: Bind,
): Scalar {
  if (context.aggregates === null) {
    throw new SqlMisplacedAggregate({ expression: source.text, clause: context.clause }, { place: source.place });
  }
  const inner = insideAggregate(context);
  const filter = call.filter === null ? null : requireBoolean(bind(inner, call.filter), 'FILTER');
  const of: Surroundings = { definition, sink: context.aggregates, distinct: call.distinct, filter, source };
  const refuse = (detail: string): Error => refusal(of, detail);
  if (call.star) {
    if (definition.name !== 'count') throw refuse('only COUNT takes *');
    return add(of, null, false);
  }
  const operands = call.arguments.map((argument) => bind(inner, argument));
  const [operand, second, ...rest] = operands;
  if (operand === undefined) throw refuse('takes an argument');
  if (definition.takes === 'value and order') {
    if (second === undefined || rest.length > 0) throw refuse('takes a value and what orders it');
    return extremeOf(of, operand, second);
  }
  if (definition.takes === 'text') {
    if (rest.length > 0) throw refuse('takes texts and what stands between them');
    return joined(of, operand, second ?? literal(',', varchar, source));
  }
  if (definition.name === 'count' && second !== undefined) return countOfSeveral(of, operands);
  if (second !== undefined) throw refuse('takes one argument');
  switch (definition.takes) {
    case 'condition': {
      const condition = requireBoolean(operand, definition.name.toUpperCase());
      const both = filter === null ? condition : operator('and', [condition, filter], source);
      return add({ ...of, filter: both }, null, false);
    }
    case 'bits':
      return bitsOf(of, operand);
    case 'deviation':
      return deviationOf(of, operand);
    default: {
      const isThere = call.ignoreNulls === true ? operator('is not null', [operand], source, false) : null;
      const both =
        isThere === null || filter === null ? (isThere ?? filter) : operator('and', [isThere, filter], source);
      return plain({ ...of, filter: both }, operand);
    }
  }
}

/** An aggregate of the user's, over the array of all values. */
export function bindUserAggregate(
  context: ExpressionContext,
  call: Call,
  user: UserFunction,
  source: ExpressionSource,
  bind: Bind,
): Scalar {
  if (context.aggregates === null) {
    throw new SqlMisplacedAggregate({ expression: source.text, clause: context.clause }, { place: source.place });
  }
  const sink = context.aggregates;
  const inner = insideAggregate(context);
  const filter = call.filter === null ? null : requireBoolean(bind(inner, call.filter), 'FILTER');
  const given = call.star ? [] : call.arguments.map((argument) => bind(inner, argument));
  const operands = userOperands(user, given, source);
  const arrays = operands.map((operand) => gathered({ sink, filter, source }, operand, call.distinct));
  return userCall(user, arrays, source);
}

function plain(of: Surroundings, operand: Scalar): Scalar {
  const { definition, distinct } = of;
  if (aggregateType(definition, operand.type) === null)
    throw wrongType(of, operand, definition.takes === 'boolean' ? 'a BOOLEAN' : 'a number');
  if (definition.function === 'array_agg') return gathered(of, operand, distinct);
  // The smallest of distinct values is the smallest of all values.
  const isDistinct = distinct && definition.function !== 'min' && definition.function !== 'max';
  const counted = definition.function === 'count' && !isDistinct && !operand.nullable ? null : operand;
  return add(of, counted, isDistinct);
}

function add({ definition, sink, filter, source }: Surroundings, operand: Scalar | null, distinct: boolean): Scalar {
  const type = aggregateType(definition, operand?.type ?? { kind: 'NULL' }) ?? { kind: 'BIGINT' };
  return sink.add({ function: definition.function, operand, distinct, filter, type, source });
}

/** All values as an array: distinct ones in their order, others in that of the rows (group-aggregation.ts adds their keys). */
function gathered({ sink, filter, source }: Gathering, operand: Scalar, distinct: boolean): Scalar {
  const type: SqlType = { kind: 'ARRAY', element: operand.type };
  const item = bindNamedFunction('array_item', distinct ? [operand, operand] : [operand], operand.source);
  return sink.add({ function: 'array_agg', operand: item, distinct, filter, type, source });
}

function extremeOf(of: Surroundings, value: Scalar, order: Scalar): Scalar {
  const { definition, source } = of;
  const isLast = definition.function === 'min' ? ('is null' as const) : ('is not null' as const);
  const missing = operator(isLast, [order], source, false);
  const row = bindNamedFunction('row', order.nullable ? [missing, order, value] : [order, value], source);
  return fieldOf(add(of, row, false), order.nullable ? 2 : 1, source);
}

function countOfSeveral(of: Surroundings, operands: readonly Scalar[]): Scalar {
  const { source, distinct } = of;
  const conditions = operands
    .filter((operand) => operand.nullable)
    .map((operand) => operator('is not null', [operand], source, false));
  const present = conditions.reduce<Scalar | null>(
    (left, right) => (left === null ? right : operator('and', [left, right], source, false)),
    null,
  );
  const row = distinct ? bindNamedFunction('row', operands, source) : literal(true, { kind: 'BOOLEAN' }, source);
  if (present === null) return add(of, distinct ? row : null, distinct);
  return add(of, makeCase([caseBranch(present, row)], literal(null, row.type, source), source), distinct);
}

function joined(of: Surroundings, operand: Scalar, separator: Scalar): Scalar {
  const text = isText(operand.type) ? operand : bindCast(operand, varchar, false, operand.source);
  return bindNamedFunction('text_of_array', [gathered(of, coerce(text, varchar), of.distinct), separator], of.source);
}

function bitsOf(of: Surroundings, operand: Scalar): Scalar {
  const { definition, distinct, source } = of;
  if (!isWhole(operand.type) && !isBinary(operand.type)) throw wrongType(of, operand, 'an integer or bytes');
  const how = definition.name.slice('bit_'.length);
  // A value that comes again changes neither AND nor OR.
  const array = gathered(of, operand, distinct || how !== 'xor');
  return bindNamedFunction('bits_of_array', [array, literal(how, varchar, source)], source);
}

/** The most digits of a DECIMAL whose square still has room to be summed. */
const squareDigitsMax = 15;

function deviationOf(of: Surroundings, operand: Scalar): Scalar {
  const { definition, distinct, source } = of;
  if (!isNumeric(operand.type)) throw wrongType(of, operand, 'a number');
  const how = literal(canonical[definition.name] ?? definition.name, varchar, source);
  if (distinct) {
    return bindCast(
      bindNamedFunction('deviation_of_array', [gathered(of, operand, true), how], source),
      operand.type,
      false,
      source,
    );
  }
  const { type } = operand;
  const wide: SqlType =
    isApproximate(type) || (type.kind === 'DECIMAL' && type.unsigned === undefined && type.precision > squareDigitsMax)
      ? { kind: 'DOUBLE' }
      : { kind: 'DECIMAL', precision: 38, scale: type.kind === 'DECIMAL' ? type.scale : 0 };
  const sum = (value: Scalar): Scalar =>
    of.sink.add({ function: 'sum', operand: value, distinct: false, filter: of.filter, type: value.type, source });
  const count = of.sink.add({
    function: 'count',
    operand,
    distinct: false,
    filter: of.filter,
    type: { kind: 'BIGINT' },
    source,
  });
  const x = coerce(operand, wide);
  const square = bindBinary(
    '*',
    wide.kind === 'DOUBLE' ? x : operandForSquare(operand),
    wide.kind === 'DOUBLE' ? x : operandForSquare(operand),
    source,
  );
  const squares = sum(
    wide.kind === 'DOUBLE'
      ? square
      : coerce(square, {
          kind: 'DECIMAL',
          precision: 38,
          scale: square.type.kind === 'DECIMAL' ? square.type.scale : 0,
        }),
  );
  return bindCast(bindNamedFunction('deviation_of_sums', [count, sum(x), squares, how], source), type, false, source);
}

/** A number whose square does not overflow: integers as DECIMALs of their digits. */
function operandForSquare(operand: Scalar): Scalar {
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

function wrongType(of: Surroundings, operand: Scalar, wanted: string): Error {
  return refusal(of, `takes ${wanted}, ${operand.source.text} is ${formatSqlType(operand.type)}`);
}

function refusal({ definition, source }: Surroundings, detail: string): Error {
  return new SqlInvalidArguments({ function: definition.name.toUpperCase(), detail }, { place: source.place });
}
