// Counts by keys and overlapping windows (HOP), as one operator that counts each row once, in its pane.
//
//   γ[keys, w; COUNT](ε[n](R))  =  hop counts over R          where row r lies in the windows that begin at last(r) - 0 … n - 1 slides
//
// The binder makes HOP of an `explode` and a projection that computes the start of the number-th window (sql/bind-window-table.ts);
// both are looked for here. Groups are keys, which do not read the window, or follow from its start alone; one of them has to tell
// windows apart. Groups without a key are few and stay with those that workers share (partial-aggregates.ts).
// Not here: aggregates other than COUNT, whose parts do not add up exactly; windows that are no whole number of slides.
import { makeSchema } from '../../../runtime/batch/schema.ts';
import { HopCounts, type PaneCount, panesMax } from '../operators/hop-counts.ts';
import type { AggregateCall, Scalar } from '../sql/bound.ts';
import { columnReference, mapColumns } from './algebra.ts';
import { allColumns, type Built, type Rels } from './built-relation.ts';
import { columnsOf } from './expression-shape.ts';
import type { NodeBuilder } from './node-builder.ts';

/** Spans above are not exact as doubles with times around them. */
const microsMax = 2n ** 50n;

/** The relation below the windows, and what is said of them there. */
interface Hop {
  /** Before each row is put in its windows. */
  readonly rows: Rels<'project'>;
  readonly slide: bigint;
  readonly origin: bigint;
  readonly panes: number;
  /** Where the start of a row's last window is in `rows`. */
  readonly last: number;
  /** A scalar of the aggregation's input in terms of `rows` and, for the start of the window, `startOrdinal`. */
  readonly below: (scalar: Scalar) => Scalar;
}

/** Stands for the start of the window in scalars over `Hop.rows`. */
const startOrdinal = -1;

/** The node, with the columns of the aggregation that are wanted; null where the aggregation is another one. */
export function buildHopCounts(nodes: NodeBuilder, rel: Rels<'aggregate'>, wanted: readonly number[]): Built | null {
  if (rel.aggregates.length === 0 || !rel.aggregates.every(isCount)) return null;
  const hop = hopOf(rel);
  if (hop === null) return null;
  const groups = rel.groups.map(hop.below);
  const readsStart = groups.map((group) => columnsOf(group).includes(startOrdinal));
  if (groups.some((group, i) => readsStart[i] && columnsOf(group).length > 1)) return null;
  const keys = groups.filter((_, i) => !readsStart[i]);
  if (keys.length === 0 || !groups.some(tellsWindows)) return null;
  const chosen = rel.aggregates.filter((_, i) => wanted.includes(groups.length + i));
  const columns: Scalar[] = [...keys, columnReference(hop.rows, hop.last)];
  const added = (scalar: Scalar | null): number | null => (scalar === null ? null : columns.push(scalar) - 1);
  const counts = chosen.map(({ operand, filter }): PaneCount => {
    const counted = operand === null || !operand.nullable ? null : hop.below(operand);
    return {
      operand: added(counted),
      filter: added(filter === null ? null : hop.below(filter)),
    };
  });
  if (columns.slice(keys.length).some((scalar) => columnsOf(scalar).includes(startOrdinal))) return null;
  const fields = columns.map(({ type, nullable, source }) => ({
    name: source.text,
    type,
    nullable,
  }));
  const schemaOfRows = makeSchema(fields);
  const input = nodes.build(
    { kind: 'project', input: hop.rows, columns, schema: schemaOfRows },
    columns.map((_, i) => i),
  );
  const place = (position: number): number => input.columns[position]!;
  const started = { ...fields[keys.length]!, name: 'start' };
  const counted = chosen.map(({ type }, i) => ({
    name: `count ${i}`,
    type,
    nullable: false,
  }));
  const schema = makeSchema([...fields.slice(0, keys.length), started, ...counted]);
  const operator = new HopCounts({
    input: input.schema,
    keys: keys.map((_, i) => place(i)),
    pane: place(keys.length),
    slide: Number(hop.slide),
    origin: Number(hop.origin),
    panes: hop.panes,
    counts: counts.map(({ operand, filter }) => ({
      operand: operand === null ? null : place(operand),
      filter: filter === null ? null : place(filter),
    })),
    schema,
    pool: nodes.pool,
  });
  const keyPlaces = keys.map((_, i) => place(i));
  const node = nodes.add(operator, [input.node], {
    kind: 'keyed',
    schema,
    keys: [keyPlaces],
    sources: [schema.fields.map((_, c) => keyPlaces[c] ?? -1)],
    reads: [columns.map((_, i) => place(i))],
    outer: false,
  });
  const start = groups.findIndex((group) => group.kind === 'column' && group.ordinal === startOrdinal);
  const below = start < 0 ? null : (nodes.settled?.(rel.input, rel.groups[start]!) ?? null);
  if (below !== null) nodes.forgetful.set(node, () => operator.forget({ below }));
  return grouped(nodes, rel, wanted, { node, schema }, groups, keys);
}

/** The groups in their order, those that follow from the start of the window computed from it; then the counts. */
function grouped(
  nodes: NodeBuilder,
  rel: Rels<'aggregate'>,
  wanted: readonly number[],
  { node, schema }: Pick<Built, 'node' | 'schema'>,
  groups: readonly Scalar[],
  keys: readonly Scalar[],
): Built {
  const column = (ordinal: number): Scalar => {
    const { name, type, nullable } = schema.fields[ordinal]!;
    return {
      kind: 'column',
      ordinal,
      type,
      nullable,
      source: { place: {}, text: name },
    };
  };
  const started = groups.map((group) => {
    const key = keys.indexOf(group);
    return key >= 0 ? column(key) : mapColumns(group, () => column(keys.length));
  });
  // What is computed from the start of the window is computed for whoever wants it, or where nothing else tells windows apart.
  const isStart = (scalar: Scalar): boolean => scalar.kind === 'column' && scalar.ordinal === keys.length;
  const hasStart = started.some(isStart);
  const kept = allColumns(rel).filter((ordinal) => {
    const group = started[ordinal];
    return wanted.includes(ordinal) || (group !== undefined && (group.kind === 'column' || !hasStart));
  });
  const chosen = kept.filter((ordinal) => ordinal >= groups.length);
  const outputs = kept.map((ordinal) => started[ordinal] ?? column(keys.length + 1 + chosen.indexOf(ordinal)));
  const own: Built = {
    node,
    schema,
    columns: allColumns({ ...rel, schema }),
    appendOnly: false,
    key: null,
  };
  const built = outputs.every((output) => output.kind === 'column')
    ? {
        ...own,
        columns: outputs.map((output) => (output.kind === 'column' ? output.ordinal : -1)),
      }
    : nodes.mapped(own, null, outputs, makeSchema(kept.map((ordinal) => rel.schema.fields[ordinal]!)));
  const columns = allColumns(rel).map((ordinal) => {
    const at = kept.indexOf(ordinal);
    return at < 0 ? -1 : built.columns[at]!;
  });
  return {
    ...built,
    columns,
    appendOnly: false,
    key: columns.slice(0, groups.length).filter((place) => place >= 0),
  };
}

function hopOf(rel: Rels<'aggregate'>): Hop | null {
  let base = rel.input;
  let below = (scalar: Scalar): Scalar => scalar;
  while (base.kind === 'project' && base.input.kind !== 'explode') {
    const { columns } = base;
    const outer = below;
    below = (scalar) => mapColumns(outer(scalar), ({ ordinal }) => columns[ordinal]!);
    base = base.input;
  }
  if (base.kind !== 'project' || base.input.kind !== 'explode' || base.input.outer) return null;
  const { columns: numbered, input: exploded } = base;
  const rows = exploded.input;
  if (rows.kind !== 'project') return null;
  const number = rows.columns.length - 1;
  const copies = rows.columns[number];
  const start = numbered.findIndex((scalar) => scalar.kind !== 'column');
  const window = windowStart(numbered[start], number);
  if (copies?.kind !== 'literal' || typeof copies.value !== 'bigint' || window === null) return null;
  // Nothing else may read the number of the window.
  if (numbered.some((scalar, i) => i !== start && (scalar.kind !== 'column' || scalar.ordinal === number))) return null;
  const { slide, last } = window;
  const begun = rows.columns[last];
  if (begun?.kind !== 'function' || begun.name !== 'tumble_start' || begun.nullable) return null;
  const [, size, offset] = begun.operands;
  const shift = offset === undefined ? 0n : microsOf(offset);
  if (size === undefined || microsOf(size) !== slide || shift === null) return null;
  if (copies.value < 2n || copies.value > panesMax || slide * copies.value > microsMax) return null;
  const outer = below;
  return {
    rows,
    slide,
    origin: ((shift % slide) + slide) % slide,
    panes: Number(copies.value),
    last,
    below: (scalar) =>
      mapColumns(outer(scalar), (column) => {
        const from = numbered[column.ordinal]!;
        return column.ordinal === start ? { ...column, ordinal: startOrdinal } : from;
      }),
  };
}

/** Of `last - slide * (number - 1)`, what HOP computes, the column and the slide. */
function windowStart(scalar: Scalar | undefined, number: number): { slide: bigint; last: number } | null {
  if (scalar?.kind !== 'function' || scalar.name !== '-') return null;
  const [last, back] = scalar.operands;
  if (last?.kind !== 'column' || back?.kind !== 'function' || back.name !== '*') return null;
  const [slide, steps] = back.operands;
  if (slide === undefined || steps?.kind !== 'operator' || steps.operator !== '-') return null;
  const [counted, one] = steps.operands;
  if (counted?.kind !== 'column' || counted.ordinal !== number || one?.kind !== 'literal' || one.value !== 1n)
    return null;
  const micros = microsOf(slide);
  return micros === null || micros <= 0n ? null : { slide: micros, last: last.ordinal };
}

function microsOf(scalar: Scalar): bigint | null {
  return scalar.kind === 'literal' && typeof scalar.value === 'bigint' ? scalar.value : null;
}

/** Whether a group differs from window to window: the start, or a time at a constant distance from it. */
function tellsWindows(group: Scalar): boolean {
  if (group.kind === 'column') return group.ordinal === startOrdinal;
  const isShift = group.kind === 'function' && group.name === '+';
  return (
    isShift && tellsWindows(group.operands[0]!) && group.operands.slice(1).every((each) => each.kind === 'literal')
  );
}

function isCount(call: AggregateCall): boolean {
  return call.function === 'count' && !call.distinct;
}
