// (a, b) IN (SELECT x, y …) as EXISTS, part by part, because rows have no = of their own.
//
// TRUE: there is a row whose parts are all equal. NULL: there is none, but one that is not unequal in any part, because of a NULL in
// it or in (a, b). Only in a condition that asks for TRUE alone the second question is left out.
import type { Expression, Query } from './ast.ts';
import { allOf, itemOf, nameExpression, queryOf, quotedName, selectOf } from './made-syntax.ts';
import type { Span } from './span.ts';

type InQuery = Extract<Expression, { kind: 'in query' }>;

/** What is asked instead; null when the operand is no row that is written down. */
export function rowInQuery(expression: InQuery, wanted: 'true' | 'value'): Expression | null {
  const { operand, query, negated, span } = expression;
  if (operand.kind !== 'call' || operand.name.name !== 'row' || operand.arguments.length < 2) return null;
  const pairs = operand.arguments.map((left, i) => ({ left, right: nameExpression(`in$${i}`, span) }));
  const found = exists(
    query,
    pairs.map(({ left, right }): Expression => ({ kind: 'binary', operator: '=', left, right, span })),
    span,
  );
  if (wanted === 'true' && !negated) return found;
  const possible = pairs.map(({ left, right }): Expression => {
    const equal: Expression = { kind: 'binary', operator: '=', left, right, span };
    return { kind: 'is', operand: equal, test: 'false', negated: true, span };
  });
  const anyNull = (parts: readonly Expression[]): Expression =>
    parts
      .map((part): Expression => ({ kind: 'is', operand: part, test: 'null', negated: false, span }))
      .reduce((left, right) => ({ kind: 'binary', operator: 'or', left, right, span }));
  // Two questions, each about few rows: those of the outer query, and those of the subquery, that have a NULL.
  const unknown = [pairs.map(({ left }) => left), pairs.map(({ right }) => right)].map((side) =>
    exists(query, [anyNull(side), ...possible], span),
  );
  const answer: Expression = {
    kind: 'case',
    operand: null,
    branches: [
      { when: found, result: { kind: 'boolean', value: true, span } },
      ...unknown.map((when) => ({ when, result: { kind: 'null', span } as const })),
    ],
    otherwise: { kind: 'boolean', value: false, span },
    span,
  };
  return negated ? { kind: 'not', operand: answer, span } : answer;

  function exists(inner: Query, conditions: readonly Expression[], place: Span): Expression {
    const columns = pairs.map((_, i) => quotedName(`in$${i}`, place));
    const body = selectOf({
      items: [itemOf({ kind: 'number', text: '1', span: place }, null)],
      from: {
        kind: 'subquery',
        query: inner,
        lateral: false,
        alias: { name: quotedName('the left side of IN', place), columns },
        span: place,
      },
      where: allOf(conditions),
      span: place,
    });
    return { kind: 'exists', query: queryOf(body), span: place };
  }
}

/** The conjuncts of a condition of which only TRUE counts, with rows in queries asked for that alone. */
export function rowsInConjuncts(condition: Expression): Expression {
  if (condition.kind === 'binary' && condition.operator === 'and') {
    return { ...condition, left: rowsInConjuncts(condition.left), right: rowsInConjuncts(condition.right) };
  }
  return (condition.kind === 'in query' ? rowInQuery(condition, 'true') : null) ?? condition;
}
