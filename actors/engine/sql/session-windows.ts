// TABLE(SESSION(TABLE t, DESCRIPTOR(time) [, DESCRIPTOR(key, …)], gap)) as the query that it stands for.
//
// A row begins a session when the one before it, of the same key, lies at least a gap back; the number of such rows up to a row is that
// of its session. window_start is the first time of a session, window_end the gap behind its last. A row without a time is in
// none. A new row may join two sessions to one: then the rows of both change.
import type { Expression, Identifier, OrderItem, Query, SelectItem, TableExpression } from './ast.ts';
import { intervalOf, timeColumn } from './bind-window-table.ts';
import type { BoundTable } from './bound-table.ts';
import { callExpression, itemOf, nameExpression, queryOf, quotedName, selectOf } from './made-syntax.ts';
import type { QueryContext } from './query-context.ts';
import { findColumn, unknownColumn } from './scope.ts';
import { SqlInvalidArguments } from './sql-errors.ts';

type WindowTable = Extract<TableExpression, { kind: 'window table' }>;

export function sessionQuery(context: QueryContext, window: WindowTable, table: BoundTable): Query {
  const { span, keys, sizes, column } = window;
  timeColumn(context, table, window);
  const [gap, more] = sizes;
  if (gap === undefined || more !== undefined) {
    const detail = 'takes the gap that ends a session';
    throw new SqlInvalidArguments({ function: 'SESSION', detail }, { place: context.source.span(span) });
  }
  intervalOf(context, 'SESSION', gap);
  for (const key of keys) {
    const place = context.source.span(key.span);
    if (findColumn(table.scope, key.name, place) === undefined) unknownColumn(table.scope, key.name, place);
  }
  const name = (identifier: Identifier): Expression => ({ kind: 'name', path: [identifier], span });
  const time = column === null ? nameExpression('', span) : name(column);
  const own = keys.map(name);
  const over = (call: Expression, partitionBy: readonly Expression[], orderBy: readonly OrderItem[]): Expression =>
    call.kind === 'call'
      ? { kind: 'window', call, ignoreNulls: false, over: { partitionBy, orderBy, frame: null, span }, span }
      : call;
  const plus = (left: Expression): Expression => ({ kind: 'binary', operator: '+', left, right: gap, span });
  const inOrder: readonly OrderItem[] = [{ expression: time, descending: false, nullsFirst: null }];
  const star: SelectItem = { kind: 'star', table: null, span };
  const before = over(callExpression('lag', [time], span), own, inOrder);
  const goesOn: Expression = { kind: 'binary', operator: '<', left: time, right: plus(before), span };
  const begins: Expression = {
    kind: 'case',
    operand: null,
    branches: [{ when: goesOn, result: { kind: 'number', text: '0', span } }],
    otherwise: { kind: 'number', text: '1', span },
    span,
  };
  const marked = selectOf({
    items: [star, itemOf(begins, quotedName('begins$', span))],
    from: window.table,
    where: { kind: 'is', operand: time, test: 'null', negated: true, span },
    span,
  });
  const number = over(callExpression('sum', [nameExpression('begins$', span)], span), own, inOrder);
  const numbered = selectOf({
    items: [star, itemOf(number, quotedName('session$', span))],
    from: subquery(queryOf(marked)),
    span,
  });
  const session = [...own, nameExpression('session$', span)];
  const first = over(callExpression('min', [time], span), session, []);
  const last = plus(over(callExpression('max', [time], span), session, []));
  const columns = table.scope
    .filter(({ hidden }) => !hidden)
    .map(({ name: given, quoted }) => itemOf(nameExpression(given, span), { ...quotedName(given, span), quoted }));
  const named = (text: string): Identifier => ({ name: text, quoted: false, span });
  const items = [...columns, itemOf(first, named('window_start')), itemOf(last, named('window_end'))];
  return queryOf(selectOf({ items, from: subquery(queryOf(numbered)), span }));

  function subquery(query: Query): TableExpression {
    return { kind: 'subquery', query, lateral: false, alias: null, span };
  }
}
