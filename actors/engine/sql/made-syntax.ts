// Syntax that rewrites make of other syntax: names, calls, queries. Spans are those of what is rewritten, so that messages point there.
import type { Expression, Identifier, Query, QueryBody, Select, SelectItem, TableExpression } from './ast.ts';
import type { Span } from './span.ts';

export function quotedName(name: string, span: Span): Identifier {
  return { name, quoted: true, span };
}

export function nameExpression(name: string, span: Span): Expression {
  return { kind: 'name', path: [quotedName(name, span)], span };
}

export function callExpression(
  name: string,
  operands: readonly Expression[],
  span: Span,
): Extract<Expression, { kind: 'call' }> {
  const identifier = { name, quoted: false, span };
  return {
    kind: 'call',
    name: identifier,
    arguments: operands,
    star: false,
    distinct: false,
    unit: null,
    filter: null,
    span,
  };
}

/** The conjunction of conditions; null of none. */
export function allOf(conditions: readonly Expression[]): Expression | null {
  return conditions.reduce<Expression | null>(
    (left, right) => (left === null ? right : { kind: 'binary', operator: 'and', left, right, span: right.span }),
    null,
  );
}

export function itemOf(expression: Expression, alias: Identifier | null): SelectItem {
  return { kind: 'item', expression, alias, span: expression.span };
}

export function selectOf(
  parts: Pick<Select, 'items' | 'span'> & { readonly from: TableExpression } & Partial<
      Pick<Select, 'where' | 'groupBy'>
    >,
): Select {
  return {
    kind: 'select',
    distinct: false,
    where: null,
    groupBy: null,
    groupingSets: null,
    having: null,
    qualify: null,
    windows: [],
    ...parts,
  };
}

export function queryOf(body: QueryBody): Query {
  return { kind: 'query', with: [], body, orderBy: [], limit: null, offset: null, span: body.span };
}

/** Every expression in a piece of syntax, outer ones first; what `enter` refuses is not looked into. */
export function* expressionsIn(node: unknown, enter: (expression: Expression) => boolean): Generator<Expression> {
  if (typeof node !== 'object' || node === null) return;
  if (Array.isArray(node)) {
    for (const each of node) yield* expressionsIn(each, enter);
    return;
  }
  if ('kind' in node && node.kind !== 'query') {
    // SAFETY: whatever has a kind in an expression is an expression, but for queries, which are left out.
    const expression = node as Expression;
    yield expression;
    if (!enter(expression)) return;
  } else if ('kind' in node) return;
  for (const part of Object.values(node)) yield* expressionsIn(part, enter);
}
