// ARRAY(SELECT …) and MAP(SELECT key, value …): the rows of a query as one value.
//
// An array has the order that the query asks for, several columns make it one of ROWs. In a map the largest value of a key counts.
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { OrderItem, Query } from './ast.ts';
import type { ExpressionSource, Rel, Scalar } from './bound.ts';
import { itemOf } from './made-syntax.ts';
import { bindNamedFunction } from './named-function.ts';
import { everyItem, findOutput, type OrderKey, orderKey } from './order-keys.ts';
import { columnOf } from './query-context.ts';
import { SqlTypeMismatch } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import { literal, varchar } from './type-coercion.ts';

/**
 * The query with what orders it as its first columns. `after`: of a set operation or VALUES, which can be ordered by columns of the result
 * only, the columns are copied when it is bound.
 */
export function withOrderKeys(query: Query): {
  readonly query: Query;
  readonly keys: readonly OrderKey[];
  readonly after: readonly OrderItem[];
} {
  const { body, orderBy } = query;
  if (body.kind !== 'select') return { query, keys: [], after: orderBy };
  if (orderBy.length === 0) return { query, keys: [], after: [] };
  const { items } = body;
  const added = orderBy.map(({ expression }) => {
    const item = expression.kind === 'number' ? items[Number(expression.text) - 1] : undefined;
    const named = expression.kind === 'name' && expression.path.length === 1 ? expression.path[0]?.name : undefined;
    const alias = items.find((each) => each.kind === 'item' && each.alias !== null && each.alias.name === named);
    const meant = item ?? alias;
    return itemOf(meant?.kind === 'item' ? meant.expression : expression, null);
  });
  const isLimited = query.limit !== null || query.offset !== null;
  const byNumber = orderBy.map((item, i) => ({
    ...item,
    expression: { kind: 'number' as const, text: String(i + 1), span: item.expression.span },
  }));
  return {
    query: { ...query, body: { ...body, items: [...added, ...items] }, orderBy: isLimited ? byNumber : [] },
    keys: orderBy.map((item, i) => orderKey(item, i)),
    after: [],
  };
}

/** The relation with the columns that order it in front. The names have been found when the query was bound. */
export function keysInFront(
  rel: Rel,
  orderBy: readonly OrderItem[],
  text: SqlText,
): { readonly rel: Rel; readonly keys: readonly OrderKey[] } {
  const { fields } = rel.schema;
  const names = fields.map((field) => field.name);
  const found = everyItem(orderBy, fields.length).flatMap(({ item, at }) => {
    const ordinal = at ?? findOutput(item.expression, names, text);
    const field = ordinal === null ? undefined : fields[ordinal];
    return ordinal === null || field === undefined ? [] : [{ item, field, ordinal }];
  });
  const keyFields = found.map(({ field }, i): Field => ({ ...field, name: `order$${i}` }));
  const columns = [...found.map(({ field, ordinal }) => columnOf(field, ordinal)), ...fields.map(columnOf)];
  return {
    rel: { kind: 'project', input: rel, columns, schema: makeSchema([...keyFields, ...fields]) },
    keys: found.map(({ item }, i) => orderKey(item, i)),
  };
}

/** One row of one column. @throws SqlTypeMismatch */
export function collectionOf(
  rel: Rel,
  keys: readonly OrderKey[],
  collection: 'array' | 'map',
  source: ExpressionSource,
): Rel {
  const columns = rel.schema.fields.map(columnOf);
  const values = columns.slice(keys.length);
  if (collection === 'map' && values.length !== 2) {
    const detail = `MAP takes a query of a key and a value, this one has ${values.length} columns`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  }
  const [first] = values;
  const value = values.length === 1 && first !== undefined ? first : bindNamedFunction('row', values, source);
  const isOrdered = collection === 'array' && keys.length > 0;
  const item = isOrdered ? bindNamedFunction('row', [...columns.slice(0, keys.length), value], source) : value;
  const type: SqlType = { kind: 'ARRAY', element: item.type };
  // Keys and values of a map come in their order, so that the last one of a key is the largest.
  const operand = bindNamedFunction('array_item', [item, ...values], source);
  const call = {
    function: 'array_agg',
    operand,
    distinct: false,
    filter: null,
    type,
    nullable: false,
    source,
  } as const;
  const gathered: Field = { name: 'items', type, nullable: false };
  const all: Rel = { kind: 'aggregate', input: rel, groups: [], aggregates: [call], schema: makeSchema([gathered]) };
  const array = columnOf(gathered, 0);
  const made =
    collection === 'map'
      ? bindNamedFunction('map_of_rows', [array], source)
      : isOrdered
        ? ordered(array, keys, source)
        : array;
  const schema = makeSchema([{ name: collection, type: made.type, nullable: made.nullable }]);
  return { kind: 'project', input: all, columns: [made], schema };
}

function ordered(array: Scalar, keys: readonly OrderKey[], source: ExpressionSource): Scalar {
  const how = keys.map(({ descending, nullsFirst }) => (descending ? '-' : '+') + (nullsFirst ? 'f' : 'l')).join('');
  return bindNamedFunction('items_in_order', [array, literal(how, varchar, source)], source);
}
