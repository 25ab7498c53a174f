// Binder of one SELECT: FROM, WHERE, GROUP BY, HAVING, the list, DISTINCT, and the columns that ORDER BY asks for.
//
// Every clause is bound even when an earlier one failed, so that all its problems are reported. Aliases of the list may be
// used to the right of them, in GROUP BY, HAVING and ORDER BY; a column of FROM with the same name goes first.
import { assert } from '../../../runtime/assert.ts';
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import type { Expression, OrderItem, Select, SelectItem } from './ast.ts';
import { bindExpression } from './bind-expression.ts';
import { bindFrom } from './bind-from.ts';
import { type Attached, SubqueryJoins } from './bind-subquery.ts';
import { hopRows, intervalOf } from './bind-window-table.ts';
import type { Rel, Scalar } from './bound.ts';
import type { BindQuery, BoundTable } from './bound-table.ts';
import { earlyConditions } from './early-conditions.ts';
import { type ExpressionContext, type HopColumn, requireBoolean } from './expression-context.ts';
import { GroupAggregation } from './group-aggregation.ts';
import { groupedRel } from './grouping-sets.ts';
import { everyItem, findOutput, type OrderKey, orderKey, ordinalOf } from './order-keys.ts';
import { AlreadyReported } from './problem-list.ts';
import { bindAll, columnOf, type QueryContext } from './query-context.ts';
import { rowsInConjuncts } from './row-in-query.ts';
import { scalarKey } from './scalar-key.ts';
import { isExcluded, type Scope, unknownColumn, unknownTable } from './scope.ts';
import { completeSelect } from './select-rewrites.ts';
import { SqlInvalidArguments, SqlInvalidDefinition } from './sql-errors.ts';
import { literal } from './type-coercion.ts';
import { byValue, distinctRows } from './variant-equality.ts';
import { WindowCalls } from './window-calls.ts';

export interface BoundSelect {
  /** The columns of the list, then those that only ORDER BY needs. */
  readonly rel: Rel;
  readonly fields: readonly Field[];
  readonly keys: readonly OrderKey[];
}

type Star = Extract<SelectItem, { kind: 'star' }>;

interface Output {
  readonly name: string;
  readonly quoted: boolean;
  readonly scalar: Scalar;
}

/** @throws AlreadyReported when something failed; the problems are in the context. */
export function bindSelect(
  context: QueryContext,
  given: Select,
  orderBy: readonly OrderItem[],
  bindQuery: BindQuery,
): BoundSelect {
  const select = completeSelect(context.source, given, orderBy);
  const from = select.from === null ? noTable(context, select) : bindFrom(context, select.from, bindQuery);
  const hop = hopGroup(context, select, from);
  const rows = hop === null ? from : { rel: hop.rel, scope: from.scope };
  return new SelectClauses(context, select, rows, bindQuery, hop?.column).bind(orderBy);
}

/** SELECT without FROM is over one row, of which nobody can name the column. */
function noTable(context: QueryContext, select: Select): BoundTable {
  const source = context.source.source(select.span);
  const schema = makeSchema([{ name: '', type: { kind: 'INTEGER' }, nullable: false }]);
  return { rel: { kind: 'values', rows: [[literal(0, { kind: 'INTEGER' }, source)]], schema }, scope: [] };
}

/** GROUP BY HOP(timestamp, slide, size): a row for each window, with the start of the window behind its columns. */
function hopGroup(
  context: QueryContext,
  select: Select,
  { rel, scope }: BoundTable,
): { readonly rel: Rel; readonly column: HopColumn } | null {
  const call = select.groupBy?.find((item) => item.kind === 'call' && item.name.name === 'hop');
  if (call?.kind !== 'call') return null;
  const source = context.source.source(call.span);
  const [column, ...sizes] = call.arguments;
  if (column === undefined || sizes.length < 2 || sizes.length > 3) {
    const detail = 'takes a timestamp, a slide, a size and an offset';
    throw new SqlInvalidArguments({ function: 'HOP', detail }, { place: source.place });
  }
  const names = { source: context.source, scope, aggregates: null, clause: 'HOP', aliases: null };
  const at = bindExpression({ ...names, outer: context.outer }, column);
  const intervals = sizes.map((size) => intervalOf(context, 'HOP', size));
  const rows = hopRows(rel, at, intervals, source);
  const width = rel.schema.fields.length;
  const field = rows.schema.fields[width];
  const size = intervals[1];
  assert(field !== undefined && size !== undefined, 'HOP puts its column behind the others');
  return { rel: rows, column: { start: columnOf(field, width), size } };
}

class SelectClauses {
  readonly #context: QueryContext;
  readonly #select: Select;
  readonly #from: Rel;
  readonly #scope: Scope;
  /** Expressions of the list by alias, for the clauses that see all of it. */
  readonly #aliases: ReadonlyMap<string, Expression>;
  /** Subqueries over the rows of FROM, over the rows that are grouped, and over the rows of the result. */
  readonly #ofWhere: SubqueryJoins;
  readonly #ofGroups: SubqueryJoins;
  readonly #ofResult: SubqueryJoins;
  readonly #windows: WindowCalls;
  readonly #hop: HopColumn | undefined;

  constructor(
    context: QueryContext,
    select: Select,
    from: BoundTable,
    bindQuery: BindQuery,
    hop: HopColumn | undefined,
  ) {
    this.#hop = hop;
    this.#context = context;
    this.#select = select;
    this.#from = from.rel;
    this.#scope = from.scope;
    this.#aliases = new Map(select.items.flatMap(aliasOf));
    this.#ofWhere = new SubqueryJoins(context, bindQuery, 0);
    this.#ofGroups = new SubqueryJoins(context, bindQuery, 1);
    this.#ofResult = new SubqueryJoins(context, bindQuery, 2);
    this.#windows = new WindowCalls(select.windows);
  }

  bind(orderBy: readonly OrderItem[]): BoundSelect {
    const select = this.#select;
    const { problems } = this.#context;
    const before = problems.count;
    const where = select.where === null ? null : problems.attempt(() => this.#where(select.where));
    const groups = problems.attempt(() =>
      bindAll(
        problems,
        (select.groupBy ?? []).map((item) => () => this.#group(item)),
      ),
    );
    // Without its groups nothing of an aggregate query can be checked.
    if (groups === null) throw new AlreadyReported();
    const aggregation = new GroupAggregation(groups, select.groupingSets !== null);
    const list = problems.attempt(() => this.#list(aggregation));
    const having = problems.attempt(() => this.#condition(select.having, 'HAVING', aggregation));
    const qualify = problems.attempt(() => this.#condition(select.qualify, 'QUALIFY', aggregation));
    const order = list === null ? null : problems.attempt(() => this.#order(orderBy, list, aggregation));
    if (list === null || order === null || problems.count > before) throw new AlreadyReported();
    const isAggregate = select.groupBy !== null || select.having !== null || aggregation.calls.length > 0;
    const filtered = this.#filteredEarly(this.#ofWhere, this.#from, asItIs, where).rel;
    const grouped = isAggregate ? this.#aggregate(filtered, aggregation) : filtered;
    const place = isAggregate ? (scalar: Scalar): Scalar => aggregation.overGroups(scalar) : asItIs;
    const withSubqueries = bindAll(problems, [() => this.#filteredEarly(this.#ofResult, grouped, place, having)])[0];
    if (withSubqueries === undefined) throw new AlreadyReported();
    const kept = withSubqueries.rel;
    const withWindows = bindAll(problems, [() => this.#windows.attach(kept, withSubqueries.place)])[0];
    if (withWindows === undefined) throw new AlreadyReported();
    const qualified = bindAll(problems, [() => this.#filtered(withWindows, qualify)])[0] ?? kept;
    return this.#project(qualified, list, order, withWindows.place);
  }

  /** Subqueries are computed for the rows that the conditions beside them leave. */
  #filteredEarly(
    subqueries: SubqueryJoins,
    rel: Rel,
    place: (scalar: Scalar) => Scalar,
    predicate: Scalar | null,
  ): Attached {
    const [early, late] = earlyConditions(predicate);
    const attached = subqueries.attach(this.#filtered({ rel, place }, early), place);
    return { rel: this.#filtered(attached, late), place: attached.place };
  }

  #filtered({ rel, place }: Attached, predicate: Scalar | null): Rel {
    if (predicate === null) return rel;
    return { kind: 'filter', input: rel, predicate: place(predicate), schema: rel.schema };
  }

  #expressionContext(clause: string, aggregates: GroupAggregation | null): ExpressionContext {
    const { source, outer } = this.#context;
    const [subqueries, innerSubqueries] = [this.#ofResult, this.#ofGroups];
    const hop = this.#hop;
    return {
      source,
      scope: this.#scope,
      aggregates,
      clause,
      aliases: this.#aliases,
      subqueries,
      innerSubqueries,
      outer,
      hop,
    };
  }

  #where(where: Expression | null): Scalar | null {
    if (where === null) return null;
    const context = { ...this.#expressionContext('WHERE', null), aliases: null, subqueries: this.#ofWhere };
    return requireBoolean(bindExpression(context, rowsInConjuncts(where)), 'WHERE');
  }

  #group(item: Expression): Scalar {
    const context = { ...this.#expressionContext('GROUP BY', null), subqueries: this.#ofGroups };
    const ordinal = ordinalOf(item, this.#select.items.length, 'GROUP BY', this.#context.source);
    if (ordinal === null) return bindExpression(context, item);
    const selected = this.#select.items[ordinal];
    if (selected?.kind === 'item') return bindExpression(context, selected.expression);
    const detail = `GROUP BY ${ordinal + 1} means *, name the columns instead`;
    throw new SqlInvalidDefinition({ detail }, { place: this.#context.source.span(item.span) });
  }

  #condition(condition: Expression | null, clause: string, aggregation: GroupAggregation): Scalar | null {
    if (condition === null) return null;
    const context = this.#expressionContext(clause, aggregation);
    const windows = clause === 'QUALIFY' ? this.#windows : undefined;
    return requireBoolean(bindExpression({ ...context, windows }, condition), clause);
  }

  #list(aggregation: GroupAggregation): readonly Output[] {
    // An item sees the aliases to its left.
    const aliases = new Map<string, Expression>();
    const base = { ...this.#expressionContext('SELECT', aggregation), aliases, windows: this.#windows };
    const parts = this.#select.items.map((item, i) => (): readonly Output[] => {
      if (item.kind === 'star') return this.#star(item, base);
      const scalar = bindExpression({ ...base, aliases: new Map(aliases) }, item.expression);
      for (const [name, expression] of aliasOf(item)) aliases.set(name, expression);
      const output = { ...this.#outputName(item, i), scalar };
      return [isField(item) ? { ...output, name: freeName(output.name, taken) } : output];
    });
    const taken = new Set<string>();
    const remembered = parts.map((part) => (): readonly Output[] => {
      const outputs = part();
      for (const { name } of outputs) taken.add(name);
      return outputs;
    });
    return bindAll(this.#context.problems, remembered).flat();
  }

  #star(item: Star, context: ExpressionContext): readonly Output[] {
    const { table } = item;
    const source = this.#context.source.source(item.span);
    const columns = this.#scope.filter((column) => (table === null ? !column.hidden : column.table === table.name));
    if (columns.length === 0 && table !== null) throw unknownTable(this.#scope, table.name, source.place);
    if (columns.length === 0) {
      throw new SqlInvalidDefinition({ detail: '* needs a FROM' }, { place: source.place });
    }
    const replaced = new Map(item.replace?.map(({ name, expression }) => [name.name, expression]));
    const excluded = item.exclude ?? [];
    for (const changed of [...excluded, ...(item.replace ?? []).map(({ name }) => ({ ...name, table: null }))]) {
      const place = this.#context.source.span(changed.span);
      if (!columns.some((column) => isExcluded(column, [changed]))) return unknownColumn(columns, changed.name, place);
    }
    return columns
      .filter((column) => !isExcluded(column, excluded))
      .map(({ name, quoted, ordinal, type, nullable }) => {
        const other = replaced.get(name);
        if (other !== undefined) return { name, quoted, scalar: bindExpression(context, other) };
        const text = { place: source.place, text: name };
        return { name, quoted, scalar: { kind: 'column', ordinal, type, nullable, source: text } };
      });
  }

  /** The alias, the name of the column, or EXPR$ and the position, as in Calcite. */
  #outputName(item: Extract<SelectItem, { kind: 'item' }>, position: number): { name: string; quoted: boolean } {
    if (item.alias !== null) return { name: item.alias.name, quoted: item.alias.quoted };
    const last = item.expression.kind === 'name' ? item.expression.path.at(-1) : undefined;
    return last === undefined ? { name: `EXPR$${position}`, quoted: true } : { name: last.name, quoted: last.quoted };
  }

  #order(orderBy: readonly OrderItem[], list: readonly Output[], aggregation: GroupAggregation): readonly SortedBy[] {
    const names = list.map((output) => output.name);
    const context = { ...this.#expressionContext('ORDER BY', aggregation), windows: this.#windows };
    const parts = everyItem(orderBy, list.length).map(({ item, at }) => (): SortedBy => {
      if (at !== null) return { item, output: at, scalar: null };
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

  #aggregate(input: Rel, aggregation: GroupAggregation): Rel {
    const { rel, place } = this.#ofGroups.attach(input, asItIs);
    const optional = (scalar: Scalar | null): Scalar | null => (scalar === null ? null : place(scalar));
    const shape = {
      input: rel,
      groups: aggregation.groups.map((group) => byValue(place(group))),
      aggregates: aggregation.calls.map((call) => ({
        ...call,
        operand: call.distinct && call.operand !== null ? byValue(place(call.operand)) : optional(call.operand),
        filter: optional(call.filter),
      })),
    };
    return groupedRel(shape, this.#select.groupingSets, aggregation.groupings);
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
    return { rel: this.#select.distinct ? distinctRows(rel) : rel, fields, keys };
  }
}

function asItIs(scalar: Scalar): Scalar {
  return scalar;
}

/** table.column.field, whose last name may well be that of another column's field. */
function isField(item: Extract<SelectItem, { kind: 'item' }>): boolean {
  return item.alias === null && item.expression.kind === 'name' && item.expression.path.length > 2;
}

/** The name, or the name and the first number that makes it another one than those before it. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  let number = 0;
  while (taken.has(`${name}${number}`)) number++;
  return `${name}${number}`;
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
