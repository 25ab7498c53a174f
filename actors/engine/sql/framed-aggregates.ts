// Aggregates over frames that no window operator computes: those with DISTINCT, and those of all values (ARRAY_AGG and what is made of it).
//
//   p    ROW_NUMBER of a row in its partition where the frame counts rows, DENSE_RANK where it counts groups of equals (RANGE up to an
//        equal does, too)
//   D    the places (k, p) that there are
//   f OVER (PARTITION BY k …)   =   R ⋈[k, p] γ[k, p; f](D ⋈[k, start <= p' - p <= end] R)
//
// A frame that may have no row keeps its place by an outer join, and counts only what was found. A change costs the rows of its partition
// times those of a frame. Keys that are NULL are equal here. Not here: whole partitions (partition-aggregates.ts), distances of RANGE.
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import { bindBinary } from './bind-arithmetic.ts';
import { bindComparison, operator } from './bind-comparison.ts';
import type { AggregateCall, ColumnReference, Rel, Scalar } from './bound.ts';
import { columnOf } from './query-context.ts';
import { moveScalarColumns } from './scalar-columns.ts';
import { literal } from './type-coercion.ts';
import { byValue, distinctRows } from './variant-equality.ts';
import type { FrameBound, WindowFrame } from './window-function.ts';

export interface FramedAggregate {
  readonly call: AggregateCall;
  /** The column that stands for it until it has a place. */
  readonly ordinal: number;
}

/** Aggregates over one frame of one window. */
export interface FramedWindow {
  readonly keys: readonly Scalar[];
  readonly frame: WindowFrame;
  /** The column that stands for p until it has a place. */
  readonly place: ColumnReference;
  readonly aggregates: FramedAggregate[];
}

const nowhere = { place: {}, text: '' };
const bigint = { kind: 'BIGINT' } as const;

/**
 * `left`, which begins with the columns of `rel`, with a column for each aggregate over the rows of `rel`, whose places are put into
 * `columns`. p is a column of `rel`.
 */
export function attachFramed(
  left: Rel,
  rel: Rel,
  { keys, frame, place: placeColumn, aggregates }: FramedWindow,
  place: (scalar: Scalar) => Scalar,
  columns: Map<number, Scalar>,
): Rel {
  const position = columns.get(placeColumn.ordinal) ?? placeColumn;
  const own = [...keys.map((key) => byValue(place(key))), position];
  const width = own.length;
  const placeFields = own.map(({ type, nullable }, i): Field => ({ name: `place$${i}`, type, nullable }));
  const places = distinctRows({ kind: 'project', input: rel, columns: own, schema: makeSchema(placeFields) });
  // Whether a row was found is told by its p, which is never NULL.
  const mayBeEmpty = startsBehind(frame.start) || endsBefore(frame.end);
  const found = rel.schema.fields.map((field) => ({ ...field, nullable: field.nullable || mayBeEmpty }));
  const other = (scalar: Scalar): Scalar => moveScalarColumns(scalar, (ordinal) => ordinal + width);
  const otherPosition = other(position);
  const pairs: Rel = {
    kind: 'join',
    type: mayBeEmpty ? 'left' : 'inner',
    left: places,
    right: rel,
    condition: all([
      ...own.slice(0, -1).map((key, i) => same(columnOf(placeFields[i]!, i), other(key))),
      ...within(columnOf(placeFields[width - 1]!, width - 1), otherPosition, frame),
    ]),
    schema: makeSchema([...placeFields, ...found]),
  };
  const isFound = operator('is not null', [{ ...otherPosition, nullable: true }], nowhere, false);
  const filterOf = (given: Scalar | null): Scalar | null => {
    const filter = given === null ? null : other(place(given));
    if (!mayBeEmpty) return filter;
    return filter === null ? isFound : operator('and', [isFound, filter], filter.source);
  };
  const results = aggregates.map(
    ({ call }, i): Field => ({ name: `framed$${i}`, type: call.type, nullable: call.nullable }),
  );
  const grouped: Rel = {
    kind: 'aggregate',
    input: pairs,
    groups: placeFields.map(columnOf),
    aggregates: aggregates.map(({ call }) => ({
      ...call,
      operand: call.operand === null ? null : inOrderOf(call, other(operandOf(call, place)), otherPosition),
      filter: filterOf(call.filter),
    })),
    schema: makeSchema([...placeFields, ...results]),
  };
  const before = left.schema.fields.length;
  for (const [i, { ordinal }] of aggregates.entries()) {
    columns.set(ordinal, columnOf(results[i]!, before + width + i));
  }
  const condition = all(own.map((scalar, i) => same(scalar, columnOf(placeFields[i]!, before + i))));
  const schema = makeSchema([...left.schema.fields, ...placeFields, ...results]);
  return { kind: 'join', type: 'inner', left, right: grouped, condition, schema };
}

function operandOf(call: AggregateCall, place: (scalar: Scalar) => Scalar): Scalar {
  const operand = place(call.operand ?? literal(null, bigint, nowhere));
  return call.distinct ? byValue(operand) : operand;
}

/** What is gathered stands in the order of the window. */
function inOrderOf(call: AggregateCall, operand: Scalar, position: Scalar): Scalar {
  if (call.function !== 'array_agg' || call.distinct || operand.kind !== 'function') return operand;
  const [item, ...rest] = operand.operands;
  return item === undefined ? operand : { ...operand, operands: [item, position, ...rest, item] };
}

/** start <= p' - p <= end */
function within(own: Scalar, other: Scalar, { start, end }: WindowFrame): readonly Scalar[] {
  const bound = (name: '>=' | '<=', at: FrameBound): readonly Scalar[] => {
    if (at.kind === 'unbounded') return [];
    const limit = at.kind === 'current' ? own : bindBinary('+', own, literal(BigInt(at.by), bigint, nowhere), nowhere);
    return [bindComparison(name, other, limit, nowhere)];
  };
  return [...bound('>=', start), ...bound('<=', end)];
}

function startsBehind(bound: FrameBound): boolean {
  return bound.kind === 'offset' && bound.by > 0;
}

function endsBefore(bound: FrameBound): boolean {
  return bound.kind === 'offset' && bound.by < 0;
}

function same(left: Scalar, right: Scalar): Scalar {
  return bindComparison('is not distinct from', left, right, nowhere);
}

function all(conditions: readonly Scalar[]): Scalar {
  return conditions.reduce(
    (left, right) => operator('and', [left, right], nowhere, false),
    literal(true, { kind: 'BOOLEAN' }, nowhere),
  );
}
