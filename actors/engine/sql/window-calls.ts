// Window functions of one SELECT: gathered while its expressions are bound, computed over the rows after grouping.
//
// A window function becomes a column with an ordinal from `windowOrdinal` on. `attach` puts a node for each different
// PARTITION BY and ORDER BY over the relation; partition and order keys and arguments that are not columns are computed
// beside the rows first. Without ORDER BY all rows of a partition are of one rank; without a frame it ends with the current
// row and its equals.
// Not here: what a call becomes (bind-window-call.ts), how a frame is computed (operators/window.ts).
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { Identifier, WindowExpression, WindowSpecification } from './ast.ts';
import { bindExpression } from './bind-expression.ts';
import type { Attached } from './bind-subquery.ts';
import { bindWindowCall, type GatheredCall } from './bind-window-call.ts';
import type { AggregateCall, ColumnReference, ExpressionSource, Rel, Scalar, SortKey, WindowCall } from './bound.ts';
import type { ExpressionContext, WindowSink } from './expression-context.ts';
import { attachFramed, type FramedWindow } from './framed-aggregates.ts';
import { orderKey } from './order-keys.ts';
import { PartitionAggregates } from './partition-aggregates.ts';
import { columnOf } from './query-context.ts';
import { mapScalarColumns, outerOrdinal, windowOrdinal } from './scalar-columns.ts';
import { scalarKey } from './scalar-key.ts';
import { SqlInvalidDefinition } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import { byValue } from './variant-equality.ts';
import { bindFrame } from './window-frame.ts';
import type { FrameBound, WindowFrame } from './window-function.ts';

interface Sorting {
  readonly partition: readonly Scalar[];
  readonly order: readonly { readonly scalar: Scalar; readonly key: SortKey }[];
  readonly calls: { readonly call: GatheredCall; readonly ordinal: number }[];
}

export class WindowCalls implements WindowSink {
  readonly #named: ReadonlyMap<string, WindowSpecification>;
  readonly #sortings: Map<string, Sorting> = new Map();
  readonly #aggregates: PartitionAggregates = new PartitionAggregates();
  readonly #framed: Map<string, FramedWindow> = new Map();
  #next = windowOrdinal;

  constructor(named: readonly { readonly name: Identifier; readonly window: WindowSpecification }[]) {
    this.#named = new Map(named.map(({ name, window }) => [name.name, window]));
  }

  get isEmpty(): boolean {
    return this.#sortings.size === 0 && this.#aggregates.isEmpty;
  }

  add(context: ExpressionContext, expression: WindowExpression, source: ExpressionSource): Scalar {
    const inner: ExpressionContext = { ...context, windows: undefined, clause: 'a window function' };
    const window = this.#specification(context.source, expression);
    const partition = window.partitionBy.map((item) => byValue(bindExpression(inner, item)));
    const order = window.orderBy.map((item) => ({
      scalar: byValue(bindExpression(inner, item.expression)),
      key: orderKey(item, 0),
    }));
    const ordered = order.map(({ scalar, key }) => ({ type: scalar.type, descending: key.descending }));
    const frame = bindFrame(inner, window.frame, ordered);
    const sorts = order.map(({ scalar, key }) => `${scalarKey(scalar)} ${key.descending} ${key.nullsFirst}`);
    const key = `${partition.map(scalarKey).join(', ')} order ${sorts.join(', ')}`;
    const columnOfCall = ({ type, nullable, source: place }: GatheredCall | AggregateCall): ColumnReference => ({
      kind: 'column',
      ordinal: this.#next++,
      type,
      nullable,
      source: place,
    });
    const add = (call: GatheredCall): ColumnReference => {
      const sorting = this.#sortings.get(key) ?? { partition, order, calls: [] };
      this.#sortings.set(key, sorting);
      const column = columnOfCall(call);
      sorting.calls.push({ call, ordinal: column.ordinal });
      return column;
    };
    return bindWindowCall(inner, expression, frame, order.length > 0, source, {
      add,
      framed: (call, over) => {
        const framedKey = `${key} ${over.unit} ${boundKey(over.start)} ${boundKey(over.end)}`;
        const known = this.#framed.get(framedKey);
        const window = known ?? { keys: partition, frame: over, place: add(placeOf(over, source)), aggregates: [] };
        this.#framed.set(framedKey, window);
        const column = columnOfCall(call);
        window.aggregates.push({ call, ordinal: column.ordinal });
        return column;
      },
      aggregate: (call) => {
        const column = columnOfCall(call);
        this.#aggregates.add(partition, { call, ordinal: column.ordinal });
        return column;
      },
    });
  }

  /** The relation with a column for each call; `place` says what a bound expression is over it. */
  attach(rel: Rel, place: (scalar: Scalar) => Scalar): Attached {
    const columns = new Map<number, Scalar>();
    let input = this.#aggregates.attach(rel, place, columns);
    for (const sorting of this.#sortings.values()) input = attachSorting(input, sorting, place, columns);
    const rows = input;
    for (const window of this.#framed.values()) input = attachFramed(input, rows, window, place, columns);
    const placed = (scalar: Scalar): Scalar =>
      mapScalarColumns(place(scalar), (column) => {
        const found = columns.get(column.ordinal);
        return found === undefined ? column : { ...found, source: column.source };
      });
    return { rel: input, place: placed };
  }

  #specification(text: SqlText, expression: WindowExpression): WindowSpecification {
    const { over } = expression;
    return this.#whole(text, 'name' in over ? this.#find(text, over) : over, 0);
  }

  /** A window with what it takes over from the one that it names: its partition, and its order unless it has one of its own. */
  #whole(text: SqlText, window: WindowSpecification, depth: number): WindowSpecification {
    const { base, ...own } = window;
    if (base === undefined) return own;
    const refuse = (what: string): Error =>
      new SqlInvalidDefinition(
        { detail: `a window on top of "${base.name}" ${what}` },
        { place: text.span(window.span) },
      );
    if (depth > this.#named.size) throw refuse('is on top of itself');
    const below = this.#whole(text, this.#find(text, base), depth + 1);
    if (own.partitionBy.length > 0) throw refuse('has no PARTITION BY of its own');
    if (own.orderBy.length > 0 && below.orderBy.length > 0) throw refuse('has no ORDER BY of its own beside that one');
    if (below.frame !== null) throw refuse('cannot take over its frame');
    return { ...own, partitionBy: below.partitionBy, orderBy: [...below.orderBy, ...own.orderBy] };
  }

  #find(text: SqlText, name: Identifier): WindowSpecification {
    const named = this.#named.get(name.name);
    if (named !== undefined) return named;
    const suggestion = nearestName(name.name, [...this.#named.keys()]);
    const detail = `no WINDOW is named "${name.name}"`;
    throw new SqlInvalidDefinition({ detail }, { place: text.span(name.span), suggestion });
  }
}

/** The call that numbers the rows, or the groups of equal ones, that a frame counts. */
function placeOf(frame: WindowFrame, source: ExpressionSource): GatheredCall {
  return {
    function: frame.unit === 'rows' ? 'row_number' : 'dense_rank',
    type: { kind: 'BIGINT' },
    nullable: false,
    offset: 0,
    operand: null,
    filter: null,
    fallback: null,
    ignoreNulls: false,
    frame,
    source,
  };
}

function boundKey(bound: FrameBound): string {
  return bound.kind === 'offset' ? String(bound.by) : bound.kind;
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
    if (placed.kind === 'column' && placed.ordinal < outerOrdinal) return placed.ordinal;
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
