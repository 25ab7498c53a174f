// Binder of binary operators, along the left side of their tree: `a + b + c …` is as deep as it is long, and may be very long.
//
// A long run of one operator becomes flat: one call of +, - or * over all operands, which is computed from left to right as it is written; texts
// behind one another a tree of few levels. A short one stays a tree, of which a part may be what GROUP BY names. What is left as
// deep as it is long is limited (nesting-depth.ts).
import { assert } from '../../../runtime/assert.ts';
import { sameSqlType } from '../../../runtime/batch/sql-type.ts';
import type { BinaryOperator, Expression } from './ast.ts';
import { bindBinary } from './bind-arithmetic.ts';
import type { ExpressionSource, OperatorCall, Scalar } from './bound.ts';
import type { Span } from './span.ts';
import { isText } from './type-coercion.ts';

type Binary = Extract<Expression, { kind: 'binary' }>;

/** The longest run that stays a tree. */
const treeMax = 32;

export function bindChain(
  expression: Binary,
  bind: (operand: Expression) => Scalar,
  sourceOf: (span: Span) => ExpressionSource,
): Scalar {
  const links: Binary[] = [];
  let first: Expression = expression;
  for (; first.kind === 'binary'; first = first.left) links.push(first);
  links.reverse();
  let left = bind(first);
  for (let at = 0; at < links.length; ) {
    const run = runFrom(links, at);
    const { operator } = run[0] ?? expression;
    const steps = run.map((link): Step => ({ right: bind(link.right), source: sourceOf(link.span) }));
    left = run.length > treeMax ? flat(operator, left, steps) : leaning(operator, left, steps);
    at += run.length;
  }
  return left;
}

interface Step {
  readonly right: Scalar;
  /** Of all up to it. */
  readonly source: ExpressionSource;
}

function runFrom(links: readonly Binary[], from: number): readonly Binary[] {
  let to = from + 1;
  while (to < links.length && links[to]?.operator === links[from]?.operator) to++;
  return links.slice(from, to);
}

function leaning(operator: BinaryOperator, first: Scalar, steps: readonly Step[]): Scalar {
  return steps.reduce((left, { right, source }) => bindBinary(operator, left, right, source), first);
}

function flat(operator: BinaryOperator, first: Scalar, steps: readonly Step[]): Scalar {
  if (operator === '||' && [first, ...steps.map(({ right }) => right)].every(({ type }) => isText(type))) {
    return joined([{ right: first, source: first.source }, ...steps]);
  }
  if (operator !== '+' && operator !== '-' && operator !== '*') return leaning(operator, first, steps);
  let left = first;
  let operands: Scalar[] | null = null;
  for (const { right, source } of steps) {
    const made = bindBinary(operator, left, right, source);
    const more = isFurther(made, left) ? made.operands[1] : undefined;
    if (more === undefined || made.kind !== 'operator') {
      left = made;
      operands = null;
      continue;
    }
    // The array grows under all calls that hold it, of which only the last one is kept.
    operands ??= left.kind === 'operator' ? [...left.operands] : [];
    operands.push(more);
    left = { ...made, operands };
  }
  return left;
}

/** Whether a call takes the one before it as it is, and computes in the same type. */
function isFurther(made: Scalar, left: Scalar): made is OperatorCall {
  if (made.kind !== 'operator' || left.kind !== 'operator' || made.operator !== left.operator) return false;
  return made.operands[0] === left && sameSqlType(made.type, left.type);
}

/** Texts one behind the other: it is all one which of them are joined first. */
function joined(texts: readonly Step[]): Scalar {
  const middle = texts.length >> 1;
  const last = texts.at(-1);
  assert(last !== undefined, 'a chain has operands');
  if (middle === 0) return last.right;
  return bindBinary('||', joined(texts.slice(0, middle)), joined(texts.slice(middle)), last.source);
}
