// Binder of one SELECT: FROM, WHERE, GROUP BY, HAVING, the list, DISTINCT, and the columns that ORDER BY asks for.
//
// Every clause is bound even when an earlier one failed, so that all its problems are reported. Aliases of the list may be
// used to the right of them, in GROUP BY, HAVING and ORDER BY; a column of FROM with the same name goes first.
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import type { Expression, OrderItem, Query, Select, SelectItem } from './ast.ts';
import { bindExpression } from './bind-expression.ts';
import { type BoundTable, bindFrom } from './bind-from.ts';
import { SubqueryJoins } from './bind-subquery.ts';
import type { Rel, Scalar } from './bound.ts';
import { type ExpressionContext, requireBoolean } from './expression-context.ts';
import { GroupAggregation } from './group-aggregation.ts';
import { findOutput, type OrderKey, orderKey, ordinalOf } from './order-keys.ts';
import { AlreadyReported } from './problem-list.ts';
import { bindAll, type QueryContext } from './query-context.ts';
import { scalarKey } from './scalar-key.ts';
import { type Scope, unknownTable } from './scope.ts';
import { SqlInvalidDefinition } from './sql-errors.ts';
import { literal } from './type-coercion.ts';

export interface BoundSelect {
  /** The columns of the list, then those that only ORDER BY needs. */
  readonly rel: Rel;
  readonly fields: readonly Field[];
  readonly keys: readonly OrderKey[];
}

interface Output {
  readonly name: string;
  readonly quoted: boolean;
  readonly scalar: Scalar;
}

/** @throws AlreadyReported when something failed; the problems are in the context. */
export function bindSelect(
  context: QueryContext,
  select: Select,
  orderBy: readonly OrderItem[],
  bindQuery: (context: QueryContext, query: Query) => Rel,
): BoundSelect {
  const from = select.from === null ? noTable(context, select) : bindFrom(context, select.from, bindQuery);
  const clauses = new SelectClauses(context, select, from.scope);
  return clauses.bind(new SubqueryJoins(context, from.rel, bindQuery), orderBy);
}

/** SELECT without FROM is over one row, of which nobody can name the column. */
function noTable(context: QueryContext, select: Select): BoundTable {
  const source = context.source.source(select.span);
  const schema = makeSchema([{ name: '', type: { kind: 'INTEGER' }, nullable: false }]);
  return { rel: { kind: 'values', rows: [[literal(0, { kind: 'INTEGER' }, source)]], schema }, scope: [] };
}

class SelectClauses {
  readonly #context: QueryContext;
  readonly #select: Select;
  readonly #scope: Scope;
  /** Expressions of the list by alias, for the clauses that see all of it. */
  readonly #aliases: ReadonlyMap<string, Expression>;

  constructor(context: QueryContext, select: Select, scope: Scope) {
    this.#context = context;
    this.#select = select;
    this.#scope = scope;
    this.#aliases = new Map(select.items.flatMap(aliasOf));
  }

  bind(from: SubqueryJoins, orderBy: readonly OrderItem[]): BoundSelect {
    const select = this.#select;
    const { problems } = this.#context;
    const before = problems.count;
    const where = select.where === null ? null : problems.attempt(() => this.#where(select.where, from));
    const groups = problems.attempt(() =>
      bindAll(
        problems,
        (select.groupBy ?? []).map((item) => () => this.#group(item)),
      ),
    );
    // Without its groups nothing of an aggregate query can be checked.
    if (groups === null) throw new AlreadyReported();
    const aggregation = new GroupAggregation(groups);
    const list = problems.attempt(() => this.#list(aggregation));
    const having = select.having === null ? null : problems.attempt(() => this.#having(select.having, aggregation));
    const order = list === null ? null : problems.attempt(() => this.#order(orderBy, list, aggregation));
    if (list === null || order === null || problems.count > before) throw new AlreadyReported();
    const isAggregate = select.groupBy !== null || select.having !== null || aggregation.calls.length > 0;
    const filtered: Rel =
      where === null ? from.rel : { kind: 'filter', input: from.rel, predicate: where, schema: from.rel.schema };
    if (!isAggregate) return this.#project(filtered, list, order, (scalar) => scalar);
    const grouped = bindAll(problems, [() => this.#aggregate(filtered, aggregation, having)])[0] ?? filtered;
    return this.#project(grouped, list, order, (scalar) => aggregation.overGroups(scalar));
  }

  #expressionContext(clause: string, aggregates: GroupAggregation | null): ExpressionContext {
    return { source: this.#context.source, scope: this.#scope, aggregates, clause, aliases: this.#aliases };
  }

  #where(where: Expression | null, subqueries: SubqueryJoins): Scalar | null {
    if (where === null) return null;
    const context = { ...this.#expressionContext('WHERE', null), aliases: null, subqueries };
    return requireBoolean(bindExpression(context, where), 'WHERE');
  }

  #group(item: Expression): Scalar {
    const context = this.#expressionContext('GROUP BY', null);
    const ordinal = ordinalOf(item, this.#select.items.length, 'GROUP BY', this.#context.source);
    if (ordinal === null) return bindExpression(context, item);
    const selected = this.#select.items[ordinal];
    if (selected?.kind === 'item') return bindExpression(context, selected.expression);
    const detail = `GROUP BY ${ordinal + 1} means *, name the columns instead`;
    throw new SqlInvalidDefinition({ detail }, { place: this.#context.source.span(item.span) });
  }

  #having(having: Expression | null, aggregation: GroupAggregation): Scalar | null {
    if (having === null) return null;
    return requireBoolean(bindExpression(this.#expressionContext('HAVING', aggregation), having), 'HAVING');
  }

  #list(aggregation: GroupAggregation): readonly Output[] {
    // An item sees the aliases to its left.
    const aliases = new Map<string, Expression>();
    const base = { ...this.#expressionContext('SELECT', aggregation), aliases };
    const parts = this.#select.items.map((item, i) => (): readonly Output[] => {
      if (item.kind === 'star') return this.#star(item);
      const scalar = bindExpression({ ...base, aliases: new Map(aliases) }, item.expression);
      for (const [name, expression] of aliasOf(item)) aliases.set(name, expression);
      return [{ ...this.#outputName(item, i), scalar }];
    });
    return bindAll(this.#context.problems, parts).flat();
  }

  #star(item: Extract<SelectItem, { kind: 'star' }>): readonly Output[] {
    const { table } = item;
    const source = this.#context.source.source(item.span);
    const columns = this.#scope.filter((column) => (table === null ? !column.hidden : column.table === table.name));
    if (columns.length === 0 && table !== null) throw unknownTable(this.#scope, table.name, source.place);
    if (columns.length === 0) {
      throw new SqlInvalidDefinition({ detail: '* needs a FROM' }, { place: source.place });
    }
    return columns.map(({ name, quoted, ordinal, type, nullable }) => ({
      name,
      quoted,
      scalar: { kind: 'column', ordinal, type, nullable, source: { place: source.place, text: name } },
    }));
  }

  /** The alias, the name of the column, or EXPR$ and the position, as in Calcite. */
  #outputName(item: Extract<SelectItem, { kind: 'item' }>, position: number): { name: string; quoted: boolean } {
    if (item.alias !== null) return { name: item.alias.name, quoted: item.alias.quoted };
    const last = item.expression.kind === 'name' ? item.expression.path.at(-1) : undefined;
    return last === undefined ? { name: `EXPR$${position}`, quoted: true } : { name: last.name, quoted: last.quoted };
  }

  #order(orderBy: readonly OrderItem[], list: readonly Output[], aggregation: GroupAggregation): readonly SortedBy[] {
    const names = list.map((output) => output.name);
    const context = this.#expressionContext('ORDER BY', aggregation);
    const parts = orderBy.map((item) => (): SortedBy => {
      const output = findOutput(item.expression, names, this.#context.source);
      if (output !== null) return { item, output, scalar: null };
      const scalar = bindExpression(context, item.expression);
      const key = scalarKey(scalar);
      const same = list.findIndex((each) => scalarKey(each.scalar) === key);
      if (same >= 0) return { item, output: same, scalar: null };
      if (this.#select.distinct) {
        const detail = `with DISTINCT, ORDER BY takes only what SELECT lists, ${scalar.source.text} is not there`;
        throw new SqlInvalidDefinition({ detail }, { place: scalar.source.place });
      }
      return { item, output: null, scalar };
    });
    return bindAll(this.#context.problems, parts);
  }

  #aggregate(input: Rel, aggregation: GroupAggregation, having: Scalar | null): Rel {
    const { groups, calls } = aggregation;
    const schema = makeSchema([
      ...groups.map(({ type, nullable }, i) => ({ name: `group$${i}`, type, nullable })),
      ...calls.map(({ type, nullable }, i) => ({ name: `aggregate$${i}`, type, nullable })),
    ]);
    const rel: Rel = { kind: 'aggregate', input, groups, aggregates: calls, schema };
    return having === null ? rel : { kind: 'filter', input: rel, predicate: aggregation.overGroups(having), schema };
  }

  #project(
    input: Rel,
    list: readonly Output[],
    order: readonly SortedBy[],
    place: (scalar: Scalar) => Scalar,
  ): BoundSelect {
    const { problems } = this.#context;
    const columns = [
      ...bindAll(
        problems,
        list.map(
          ({ scalar }) =>
            () =>
              place(scalar),
        ),
      ),
    ];
    const fields = list.map(({ name, quoted }, i): Field => fieldOf(name, quoted, columns[i]));
    const own = order.flatMap(({ scalar }) => (scalar === null ? [] : [scalar]));
    const extra = bindAll(
      problems,
      own.map((scalar) => () => place(scalar)),
    );
    let next = columns.length;
    const keys = order.map(({ item, output }) => orderKey(item, output ?? next++));
    const all = [...columns, ...extra];
    const schema = makeSchema([...fields, ...extra.map((scalar, i) => fieldOf(`order$${i}`, false, scalar))]);
    const rel = projection(input, all, schema, this.#select.from === null);
    return { rel: this.#select.distinct ? { kind: 'distinct', input: rel, schema } : rel, fields, keys };
  }
}

/** An ORDER BY item: an output column, or an expression of its own. */
interface SortedBy {
  readonly item: OrderItem;
  readonly output: number | null;
  readonly scalar: Scalar | null;
}

function aliasOf(item: SelectItem): [string, Expression][] {
  return item.kind === 'item' && item.alias !== null ? [[item.alias.name, item.expression]] : [];
}

function fieldOf(name: string, quoted: boolean, scalar: Scalar | undefined): Field {
  const type = scalar?.type ?? { kind: 'NULL' };
  const nullable = scalar?.nullable ?? true;
  return quoted ? { name, type, nullable, quoted } : { name, type, nullable };
}

function projection(input: Rel, columns: readonly Scalar[], schema: Rel['schema'], constant: boolean): Rel {
  // SELECT 1 is a table of one row.
  if (constant && input.kind === 'values') return { kind: 'values', rows: [columns], schema };
  const identical =
    columns.length === input.schema.fields.length &&
    columns.every((column, i) => column.kind === 'column' && column.ordinal === i) &&
    schema.fields.every((field, i) => field.name === input.schema.fields[i]?.name);
  return identical ? input : { kind: 'project', input, columns, schema };
}
