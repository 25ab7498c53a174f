// Binder of aggregates: COUNT, SUM, MIN, MAX, AVG and ARRAY_AGG are computed as such, all others from those.
//
//   COUNTIF(c)            COUNT(*) FILTER (WHERE c), and so is COUNTIF(DISTINCT c): it counts rows, of which none is like another
//   COUNT(a, b)           COUNT(*) of the rows in which none is NULL; COUNT(DISTINCT a, b) of their ROWs
//   ARG_MIN(x, y)         the x of MIN(ROW(y is NULL, y, x)); ARG_MAX the same with MAX, so that NULL is the last choice of both
//   STDDEV, VARIANCE, COVAR_…, REGR_…     of counts and sums, see moment-aggregates.ts
//   BIT_AND BIT_OR BIT_XOR, STRING_AGG, MODE   of ARRAY_AGG(x), see gathered-aggregates.ts: a changed group is read as a whole
import { type AggregateCallSite, refusal, wrongType } from './aggregate-call-site.ts';
import { type AggregateDefinition, aggregateType } from './aggregate-functions.ts';
import type { Expression } from './ast.ts';
import { makeCase } from './bind-case.ts';
import { operator } from './bind-comparison.ts';
import { fieldOf } from './bind-nested.ts';
import { userCall, userOperands } from './bind-user-function.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { type Bind, type ExpressionContext, insideAggregate, requireBoolean } from './expression-context.ts';
import { bitsOf, gathered, type ItemOrder, inOrder, joined, modeOf } from './gathered-aggregates.ts';
import { deviationOf, momentOfPair } from './moment-aggregates.ts';
import { bindNamedFunction } from './named-function.ts';
import { orderKey } from './order-keys.ts';
import { SqlMisplacedAggregate } from './sql-errors.ts';
import { literal, varchar } from './type-coercion.ts';
import type { UserFunction } from './user-function.ts';

type Call = Extract<Expression, { kind: 'call' }>;

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
  const of: AggregateCallSite = { definition, sink: context.aggregates, distinct: call.distinct, filter, source };
  const refuse = (detail: string): Error => refusal(of, detail);
  const order = orderOf(call, (expression) => bind(inner, expression));
  if (order.length > 0 && !isOrdered(definition)) throw refuse('gives the same in every order: leave ORDER BY out');
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
    return joined({ ...of, order }, operand, second ?? literal(',', varchar, source));
  }
  if (definition.takes === 'pair') {
    if (second === undefined || rest.length > 0 || call.distinct) throw refuse('takes a pair of numbers');
    return momentOfPair(of, operand, second);
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
    case 'mode':
      if (call.distinct) throw refuse('counts how often a value comes: leave DISTINCT out');
      return modeOf(of, operand);
    case 'deviation':
      return deviationOf(of, operand);
    default: {
      const isThere = call.ignoreNulls === true ? operator('is not null', [operand], source, false) : null;
      const both =
        isThere === null || filter === null ? (isThere ?? filter) : operator('and', [isThere, filter], source);
      return plain({ ...of, filter: both, order }, operand);
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

function plain(of: AggregateCallSite & { readonly order: readonly ItemOrder[] }, operand: Scalar): Scalar {
  const { definition, distinct } = of;
  if (aggregateType(definition, operand.type) === null)
    throw wrongType(of, operand, definition.takes === 'boolean' ? 'a BOOLEAN' : 'a number');
  if (definition.function === 'array_agg') {
    return of.order.length === 0 ? gathered(of, operand, distinct) : inOrder(of, operand, of.order);
  }
  // The smallest of distinct values is the smallest of all values.
  const isDistinct = distinct && definition.function !== 'min' && definition.function !== 'max';
  const counted = definition.function === 'count' && !isDistinct && !operand.nullable ? null : operand;
  return add(of, counted, isDistinct);
}

/** ORDER BY inside of the call, or behind it in WITHIN GROUP. */
function orderOf(call: Call, bind: (expression: Expression) => Scalar): readonly ItemOrder[] {
  return (call.orderBy ?? []).map((item) => {
    const { descending, nullsFirst } = orderKey(item, 0);
    return { scalar: bind(item.expression), descending, nullsFirst };
  });
}

function isOrdered({ name, takes }: AggregateDefinition): boolean {
  return name === 'array_agg' || takes === 'text';
}

function add(
  { definition, sink, filter, source }: AggregateCallSite,
  operand: Scalar | null,
  distinct: boolean,
): Scalar {
  const type = aggregateType(definition, operand?.type ?? { kind: 'NULL' }) ?? { kind: 'BIGINT' };
  return sink.add({ function: definition.function, operand, distinct, filter, type, source });
}

function extremeOf(of: AggregateCallSite, value: Scalar, order: Scalar): Scalar {
  const { definition, source } = of;
  const isLast = definition.function === 'min' ? ('is null' as const) : ('is not null' as const);
  const missing = operator(isLast, [order], source, false);
  const row = bindNamedFunction('row', order.nullable ? [missing, order, value] : [order, value], source);
  return fieldOf(add(of, row, false), order.nullable ? 2 : 1, source);
}

function countOfSeveral(of: AggregateCallSite, operands: readonly Scalar[]): Scalar {
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
