// What a SELECT leaves to be filled in: GROUP BY ALL, and the first row of each group with DISTINCT ON.
//
//   GROUP BY ALL            by every item of the list in which no aggregate is called
//   DISTINCT ON (x) …       QUALIFY ROW_NUMBER() OVER (PARTITION BY x ORDER BY the ORDER BY of the query) = 1
import { findAggregate } from './aggregate-functions.ts';
import type { Expression, OrderItem, Select } from './ast.ts';
import { allOf, callExpression, expressionsIn } from './made-syntax.ts';
import { SqlInvalidDefinition } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';

export function completeSelect(source: SqlText, select: Select, orderBy: readonly OrderItem[]): Select {
  return firstRows(grouped(source, select), orderBy);
}

function grouped(source: SqlText, select: Select): Select {
  if (select.groupAll !== true) return select;
  const groupBy = select.items.flatMap((item): Expression[] => {
    if (item.kind === 'item') return callsAggregate(source, item.expression) ? [] : [item.expression];
    const detail = 'GROUP BY ALL needs the columns of SELECT by their names, not *';
    throw new SqlInvalidDefinition({ detail }, { place: source.span(item.span) });
  });
  return { ...select, groupBy };
}

function callsAggregate(source: SqlText, expression: Expression): boolean {
  // What is computed over windows is computed after the groups.
  for (const part of expressionsIn(expression, ({ kind }) => kind !== 'window')) {
    if (part.kind !== 'call') continue;
    const { name } = part.name;
    if (findAggregate(name) !== undefined || source.userFunctions.get(name)?.kind === 'aggregate') return true;
  }
  return false;
}

function firstRows(select: Select, orderBy: readonly OrderItem[]): Select {
  const { distinctOn, ...rest } = select;
  if (distinctOn === undefined) return select;
  const [first = null] = distinctOn;
  const span = first?.span ?? select.span;
  const order = orderBy.filter(({ expression }) => expression.kind !== 'every column');
  const window: Expression = {
    kind: 'window',
    call: callExpression('row_number', [], span),
    ignoreNulls: false,
    over: {
      partitionBy: distinctOn.map((expression) => itemExpression(select, expression)),
      orderBy: order.map((item) => ({ ...item, expression: itemExpression(select, item.expression) })),
      frame: null,
      span,
    },
    span,
  };
  const isFirst: Expression = {
    kind: 'binary',
    operator: '=',
    left: window,
    right: { kind: 'number', text: '1', span },
    span,
  };
  return { ...rest, qualify: allOf([...(select.qualify === null ? [] : [select.qualify]), isFirst]) };
}

/** ORDER BY 2 and DISTINCT ON (2) mean the second item of the list. */
function itemExpression(select: Select, expression: Expression): Expression {
  if (expression.kind !== 'number') return expression;
  const item = select.items[Number(expression.text) - 1];
  return item?.kind === 'item' ? item.expression : expression;
}
