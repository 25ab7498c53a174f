// Window functions of one SELECT: gathered while its expressions are bound, computed over the rows after grouping.
//
// A window function becomes a column with an ordinal from `windowOrdinal` on. `attach` puts a node for each different
// PARTITION BY and ORDER BY over the relation; partition and order keys and arguments that are not columns are computed
// beside the rows first. Without ORDER BY all rows of a partition are of one rank; without a frame it ends with the current
// row and its equals.
// Not here: how a frame is computed (operators/window.ts).
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import { formatSqlType, type SqlType } from '../../../runtime/batch/sql-type.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { aggregateType, findAggregate } from './aggregate-functions.ts';
import type { Expression, Identifier, WindowExpression, WindowSpecification } from './ast.ts';
import { makeCase } from './bind-case.ts';
import { operator } from './bind-comparison.ts';
import { bindExpression } from './bind-expression.ts';
import type { Attached } from './bind-subquery.ts';
import type { ExpressionSource, Rel, Scalar, SortKey, WindowCall, WindowFrame, WindowFunction } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { type ExpressionContext, requireBoolean, type WindowSink } from './expression-context.ts';
import { orderKey } from './order-keys.ts';
import { columnOf } from './query-context.ts';
import { mapScalarColumns, windowOrdinal } from './scalar-columns.ts';
import { scalarKey } from './scalar-key.ts';
import {
  SqlInvalidArguments,
  SqlInvalidDefinition,
  SqlTypeMismatch,
  SqlUnknownFunction,
  SqlUnsupported,
} from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import { coerce, commonType, literal } from './type-coercion.ts';
import { bindFrame } from './window-frame.ts';

const bigint: SqlType = { kind: 'BIGINT' };
const ranks: readonly string[] = ['row_number', 'rank', 'dense_rank'];
const others: readonly string[] = ['lag', 'lead', 'first_value', 'last_value'];

type Call = WindowExpression['call'];

/** A call before its arguments have places. */
interface Gathered extends Omit<WindowCall, 'operand' | 'filter' | 'fallback'> {
  readonly operand: Scalar | null;
  readonly filter: Scalar | null;
  readonly fallback: Scalar | null;
}

interface Sorting {
  readonly partition: readonly Scalar[];
  readonly order: readonly { readonly scalar: Scalar; readonly key: SortKey }[];
  readonly calls: { readonly call: Gathered; readonly ordinal: number }[];
}

export class WindowCalls implements WindowSink {
  readonly #named: ReadonlyMap<string, WindowSpecification>;
  readonly #sortings: Map<string, Sorting> = new Map();
  #next = windowOrdinal;

  constructor(named: readonly { readonly name: Identifier; readonly window: WindowSpecification }[]) {
    this.#named = new Map(named.map(({ name, window }) => [name.name, window]));
  }

  get isEmpty(): boolean {
    return this.#sortings.size === 0;
  }

  add(context: ExpressionContext, expression: WindowExpression, source: ExpressionSource): Scalar {
    const inner: ExpressionContext = { ...context, windows: undefined, clause: 'a window function' };
    const window = this.#specification(context.source, expression);
    const partition = window.partitionBy.map((item) => bindExpression(inner, item));
    const order = window.orderBy.map((item) => ({
      scalar: bindExpression(inner, item.expression),
      key: orderKey(item, 0),
    }));
    const ordered = order.map(({ scalar, key }) => ({ type: scalar.type, descending: key.descending }));
    const frame = bindFrame(inner, window.frame, ordered);
    const call = bindWindowCall(inner, expression, frame, order.length > 0, source);
    const sorts = order.map(({ scalar, key }) => `${scalarKey(scalar)} ${key.descending} ${key.nullsFirst}`);
    const key = `${partition.map(scalarKey).join(', ')} order ${sorts.join(', ')}`;
    const sorting = this.#sortings.get(key) ?? { partition, order, calls: [] };
    this.#sortings.set(key, sorting);
    const ordinal = this.#next++;
    sorting.calls.push({ call, ordinal });
    return { kind: 'column', ordinal, type: call.type, nullable: call.nullable, source };
  }

  /** The relation with a column for each call; `place` says what a bound expression is over it. */
  attach(rel: Rel, place: (scalar: Scalar) => Scalar): Attached {
    const columns = new Map<number, Scalar>();
    let input = rel;
    for (const sorting of this.#sortings.values()) input = attachSorting(input, sorting, place, columns);
    const placed = (scalar: Scalar): Scalar =>
      mapScalarColumns(place(scalar), (column) => {
        const found = columns.get(column.ordinal);
        return found === undefined ? column : { ...found, source: column.source };
      });
    return { rel: input, place: placed };
  }

  #specification(text: SqlText, expression: WindowExpression): WindowSpecification {
    const { over } = expression;
    if (!('name' in over)) return over;
    const named = this.#named.get(over.name);
    if (named !== undefined) return named;
    const suggestion = nearestName(over.name, [...this.#named.keys()]);
    const detail = `no WINDOW is named "${over.name}"`;
    throw new SqlInvalidDefinition({ detail }, { place: text.span(over.span), suggestion });
  }
}

function attachSorting(
  rel: Rel,
  { partition, order, calls }: Sorting,
  place: (scalar: Scalar) => Scalar,
  columns: Map<number, Scalar>,
): Rel {
  const fields = [...rel.schema.fields];
  const computed: Scalar[] = [];
  const known = new Map<string, number>();
  const ordinalOf = (scalar: Scalar): number => {
    const placed = place(scalar);
    if (placed.kind === 'column') return placed.ordinal;
    const key = scalarKey(placed);
    const before = known.get(key);
    if (before !== undefined) return before;
    const ordinal = fields.push({ name: `window$${fields.length}`, type: placed.type, nullable: placed.nullable }) - 1;
    computed.push(placed);
    known.set(key, ordinal);
    return ordinal;
  };
  const optional = (scalar: Scalar | null): number | null => (scalar === null ? null : ordinalOf(scalar));
  const keys = partition.map(ordinalOf);
  const sorts = order.map(({ scalar, key }): SortKey => ({ ...key, ordinal: ordinalOf(scalar) }));
  const placedCalls = calls.map(
    ({ call }): WindowCall => ({
      ...call,
      operand: optional(call.operand),
      filter: optional(call.filter),
      fallback: optional(call.fallback),
    }),
  );
  const before = rel.schema.fields.map(columnOf);
  const input: Rel =
    computed.length === 0
      ? rel
      : { kind: 'project', input: rel, columns: [...before, ...computed], schema: makeSchema(fields) };
  const results = calls.map(
    ({ call }, i): Field => ({ name: `window$${fields.length + i}`, type: call.type, nullable: call.nullable }),
  );
  for (const [i, { ordinal }] of calls.entries()) columns.set(ordinal, columnOf(results[i]!, fields.length + i));
  const schema = makeSchema([...fields, ...results]);
  return { kind: 'window', input, partition: keys, order: sorts, calls: placedCalls, limit: null, schema };
}

// ── calls ──

function bindWindowCall(
  context: ExpressionContext,
  expression: WindowExpression,
  frame: WindowFrame,
  isOrdered: boolean,
  source: ExpressionSource,
): Gathered {
  const { call, ignoreNulls } = expression;
  const { name } = call.name;
  const refuse = (detail: string): Error =>
    new SqlInvalidArguments({ function: name.toUpperCase(), detail }, { place: source.place });
  const base = { offset: 0, operand: null, filter: null, fallback: null, ignoreNulls, frame, source };
  if (call.distinct) {
    const construct = `DISTINCT in ${name.toUpperCase()} OVER`;
    throw new SqlUnsupported({ construct, instead: 'make the rows distinct in a subquery' }, { place: source.place });
  }
  const isAggregate = findAggregate(name) !== undefined;
  if (ignoreNulls && !others.includes(name)) throw refuse('takes no IGNORE NULLS');
  if (ranks.includes(name)) {
    if (call.arguments.length > 0 || call.star) throw refuse('takes no arguments');
    if (call.filter !== null) throw refuse('takes no FILTER');
    if (!isOrdered && name !== 'row_number') throw refuse('needs an ORDER BY in OVER');
    // SAFETY: the list of ranks has three of the window functions.
    return { ...base, function: name as WindowFunction, type: bigint, nullable: false };
  }
  if (name === 'lag' || name === 'lead') return bindShift(context, call, { ...base, function: name }, refuse, source);
  if (name === 'first_value' || name === 'last_value') {
    const [argument, second] = call.arguments;
    if (argument === undefined || second !== undefined) throw refuse('takes one argument');
    const operand = bindExpression(context, argument);
    return { ...base, function: name, operand, type: operand.type, nullable: true };
  }
  if (isAggregate) return bindAggregateOver(context, call, base, refuse, source);
  const known = [...ranks, ...others, 'count', 'sum', 'avg', 'min', 'max'];
  throw new SqlUnknownFunction({ name }, { place: source.place, suggestion: nearestName(name, known) });
}

type Base = Omit<Gathered, 'function' | 'type' | 'nullable'>;

function bindShift(
  context: ExpressionContext,
  call: Call,
  base: Base & { readonly function: 'lag' | 'lead' },
  refuse: (detail: string) => Error,
  source: ExpressionSource,
): Gathered {
  const [argument, distance, otherwise, more] = call.arguments;
  if (argument === undefined || more !== undefined || call.star) {
    throw refuse('takes an expression, how many rows away, and what stands in where there is none');
  }
  const operand = bindExpression(context, argument);
  const offset = distance === undefined ? 1 : constantCount(context, distance);
  if (offset === null) throw refuse('takes a constant number of rows');
  const given = otherwise === undefined ? null : bindExpression(context, otherwise);
  const type = given === null ? operand.type : commonType(operand.type, given.type);
  if (type === null) {
    const shown = `${formatSqlType(operand.type)} and ${formatSqlType(given?.type ?? operand.type)}`;
    throw new SqlTypeMismatch({ detail: `${source.text}: ${shown} have no common type` }, { place: source.place });
  }
  const fallback = given === null ? null : coerce(given, type);
  const nullable = operand.nullable || fallback === null || fallback.nullable;
  return { ...base, operand: coerce(operand, type), offset, fallback, type, nullable };
}

function constantCount(context: ExpressionContext, expression: Expression): number | null {
  const scalar = bindExpression(context, expression);
  if (scalar.kind !== 'literal') return null;
  const count = Number(scalar.value);
  return scalar.value !== null && Number.isSafeInteger(count) && count >= 0 ? count : null;
}

function bindAggregateOver(
  context: ExpressionContext,
  call: Call,
  base: Base,
  refuse: (detail: string) => Error,
  source: ExpressionSource,
): Gathered {
  const definition = findAggregate(call.name.name);
  const supported: readonly string[] = ['count', 'sum', 'avg', 'min', 'max'];
  if (definition === undefined || definition.takes === 'value and order' || !supported.includes(definition.function)) {
    const construct = `${call.name.name.toUpperCase()} OVER`;
    const instead = 'aggregate with GROUP BY and join the result';
    throw new SqlUnsupported({ construct, instead }, { place: source.place });
  }
  // SAFETY: the five that are supported are window functions too.
  const name = definition.function as WindowFunction;
  const given = call.filter === null ? null : requireBoolean(bindExpression(context, call.filter), 'FILTER');
  if (call.star) {
    if (definition.name !== 'count') throw refuse('only COUNT takes *');
    return { ...base, function: 'count', filter: given, type: bigint, nullable: false };
  }
  const [argument, second] = call.arguments;
  if (argument === undefined || second !== undefined) throw refuse('takes one argument');
  const operand = bindExpression(context, argument);
  if (definition.takes === 'condition') {
    const condition = requireBoolean(operand, 'COUNTIF');
    return { ...base, function: 'count', operand: orNull(condition, given, source), type: bigint, nullable: false };
  }
  const type = aggregateType(definition, operand.type);
  if (type === null) throw refuse(`cannot take ${operand.source.text}, which is ${formatSqlType(operand.type)}`);
  return { ...base, function: name, operand, filter: given, type, nullable: name !== 'count' };
}

/** NULL where a condition does not hold, so that COUNT counts the others. */
function orNull(condition: Scalar, filter: Scalar | null, source: ExpressionSource): Scalar {
  const when = filter === null ? condition : operator('and', [condition, filter], source);
  const yes = literal(true, condition.type, source);
  return makeCase([caseBranch(when, yes)], literal(null, condition.type, source), source);
}
