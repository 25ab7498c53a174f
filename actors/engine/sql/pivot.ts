// PIVOT and UNPIVOT as the queries that they stand for.
//
//   t PIVOT (SUM(x) AS s FOR c IN (1 AS a, 2 AS b))    SELECT the other columns, SUM(x) FILTER (WHERE c = 1) AS a_s, … GROUP BY them
//   t UNPIVOT (x FOR c IN (a, b))                      SELECT the other columns, 'a' AS c, a AS x … UNION ALL … of b, rows without NULL
// A column that PIVOT makes is called as its value, and behind an underscore as its aggregate, where that has a name.
import type { Expression, Identifier, Pivot, Query, QueryBody, Unpivot } from './ast.ts';
import { allOf, expressionsIn, itemOf, nameExpression, queryOf, quotedName, selectOf } from './made-syntax.ts';
import type { Scope } from './scope.ts';
import { SqlInvalidDefinition } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';

/** `scope`: the columns of the table. */
export function pivotQuery(source: SqlText, pivot: Pivot, scope: Scope): Query {
  const { axes, aggregates, values, span } = pivot;
  const used = new Set(axes.map(({ name }) => name));
  for (const { call } of aggregates) {
    for (const part of expressionsIn(call, () => true)) {
      const last = part.kind === 'name' ? part.path.at(-1) : undefined;
      if (last !== undefined) used.add(last.name);
    }
  }
  const others = otherColumns(scope, used, span);
  const cells = values.flatMap(({ parts, alias, span: place }) => {
    if (parts.length !== axes.length) {
      const detail = `a value of PIVOT has ${parts.length} parts, FOR names ${axes.length} columns`;
      throw new SqlInvalidDefinition({ detail }, { place: source.span(place) });
    }
    const isHere = axes.map((axis, i): Expression => {
      const right = parts[i] ?? { kind: 'null', span: place };
      return {
        kind: 'binary',
        operator: '=',
        left: { kind: 'name', path: [axis], span: axis.span },
        right,
        span: place,
      };
    });
    return aggregates.map((aggregate) => {
      const { call } = aggregate;
      if (call.kind !== 'call') {
        const detail = `PIVOT takes aggregates, not ${source.slice(call.span)}`;
        throw new SqlInvalidDefinition({ detail }, { place: source.span(call.span) });
      }
      const filter = allOf([...(call.filter === null ? [] : [call.filter]), ...isHere]);
      const name = [alias?.name ?? source.slice(place), ...(aggregate.alias === null ? [] : [aggregate.alias.name])];
      const quoted = alias === null || alias.quoted || aggregate.alias?.quoted === true;
      return itemOf({ ...call, filter }, { name: name.join('_'), quoted, span: place });
    });
  });
  return queryOf(
    selectOf({
      items: [...others.map(({ item }) => item), ...cells],
      from: pivot.table,
      groupBy: others.map(({ name }) => name),
      span,
    }),
  );
}

export function unpivotQuery(source: SqlText, unpivot: Unpivot, scope: Scope): Query {
  const { axes, measures, values, span } = unpivot;
  const used = new Set(values.flatMap(({ columns }) => columns.map(({ name }) => name)));
  const others = otherColumns(scope, used, span).map(({ item }) => item);
  const parts = values.map(({ columns, labels }): QueryBody => {
    const place = columns[0]?.span ?? span;
    if (columns.length !== measures.length || (labels !== null && labels.length !== axes.length)) {
      const detail = `UNPIVOT makes ${measures.length} columns of values and ${axes.length} of names; an item of IN has as many`;
      throw new SqlInvalidDefinition({ detail }, { place: source.span(place) });
    }
    const named: Expression = { kind: 'string', value: columns.map(({ name }) => name).join('_'), span: place };
    const cells = columns.map((column): Expression => ({ kind: 'name', path: [column], span: column.span }));
    const isThere = cells.map(
      (operand): Expression => ({ kind: 'is', operand, test: 'null', negated: true, span: place }),
    );
    const any = isThere.reduce((left, right) => ({ kind: 'binary', operator: 'or', left, right, span: place }));
    const items = [
      ...others,
      ...axes.map((axis, i) => itemOf(labels?.[i] ?? named, axis)),
      ...cells.map((cell, i) => itemOf(cell, measures[i] ?? null)),
    ];
    return selectOf({ items, from: unpivot.table, where: unpivot.keepsNulls ? null : any, span });
  });
  const whole = parts.reduce((left, right) => ({ kind: 'union', all: true, left, right, operatorSpan: span, span }));
  return queryOf(whole);
}

function otherColumns(
  scope: Scope,
  used: ReadonlySet<string>,
  span: Identifier['span'],
): { readonly name: Expression; readonly item: ReturnType<typeof itemOf> }[] {
  return scope
    .filter(({ name, hidden }) => !hidden && !used.has(name))
    .map(({ name, quoted }) => {
      const expression = nameExpression(name, span);
      return { name: expression, item: itemOf(expression, { ...quotedName(name, span), quoted }) };
    });
}
