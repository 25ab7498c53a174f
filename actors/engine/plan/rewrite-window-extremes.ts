// Rows joined with the extreme of their window by an interval of time: by the window itself instead, which needs no join of all rows.
//
//   R ⋈[v = m ∧ t BETWEEN g AND g + s] γ[g; MAX(v) as m](R)      g = TUMBLE_START(t, s)
//     =  R ⋈[g = g ∧ v = m] γ[g; MAX(v) as m](R)  ∪  σ[t = g](R) ⋈[v = m ∧ t = g + s] γ[g; MAX(v) as m](R)
//
// A row lies between the beginning and the end of its own window and, where it is at the beginning of that, at the end of the one before
// (with `t < g + s` it does not: there is no second part). The first part is what extreme-join.ts looks for, and the rows that it gives
// tell the second one the extreme of each window. MIN alike.
// Not here: bounds that are not those of the window, other conditions beside them.
import { type Field, makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import { columnReference, conjunction, conjuncts, mapColumns, moveColumns, relKey } from './algebra.ts';
import { allColumns, type Rels } from './built-relation.ts';
import { columnsOf } from './expression-shape.ts';

/** Among the columns of such an aggregation. */
const startOrdinal = 0;
const extremeOrdinal = 1;

interface WindowJoin {
  readonly extremes: Rels<'aggregate'>;
  /** The columns of the right side, as expressions over `extremes`. */
  readonly right: readonly Scalar[];
  /** Of the left side. */
  readonly value: number;
  readonly time: number;
  /** `v = m`, and the upper bound as an equality; null: the end of a window is not in it. */
  readonly isExtreme: Scalar;
  readonly isAtEnd: Scalar | null;
}

/** The same rows, computed as above; null for any other join. */
export function windowExtremes(rel: Rels<'join'>): Rel | null {
  const found = windowJoin(rel);
  if (found === null) return null;
  const { extremes, right, value, time, isExtreme, isAtEnd } = found;
  const { left } = rel;
  const start = extremes.groups[0]!;
  const columns = allColumns(left).map((ordinal) => columnReference(left, ordinal));
  const place = columns.length;
  const window: Field = { name: 'window', type: start.type, nullable: start.nullable };
  const rows = projected(left, [...columns, start], makeSchema([...left.schema.fields, window]));
  const extremesOf = (input: Rel): Rel => ({
    ...extremes,
    input,
    groups: [columnReference(input, place)],
    aggregates: extremes.aggregates.map((call) => ({ ...call, operand: columnReference(input, value) })),
  });
  const best = extremesOf(rows);
  const pair: Rel = {
    kind: 'join',
    type: 'inner',
    left: rows,
    right: best,
    condition: rel.condition,
    schema: makeSchema([...rows.schema.fields, ...best.schema.fields]),
  };
  const side = place + 1;
  const [isOwn, isBest] = [
    equality(rel, columnReference(pair, place), columnReference(pair, side + startOrdinal)),
    equality(rel, columnReference(pair, value), columnReference(pair, side + extremeOrdinal)),
  ];
  const own: Rel = { ...pair, condition: conjunction([isOwn, isBest]) ?? rel.condition };
  const moved = right.map((scalar) => moveColumns(scalar, (ordinal) => side + ordinal));
  const inWindow = projected(own, [...columns, ...moved], rel.schema);
  if (isAtEnd === null) return inWindow;
  const held = projected(own, [...columns, columnReference(rows, place)], rows.schema);
  const predicate = equality(rel, columnReference(rows, time), columnReference(rows, place));
  const begun: Rel = { kind: 'filter', input: rows, predicate, schema: rows.schema };
  const atEnd: Rel = {
    ...rel,
    left: projected(begun, columns, left.schema),
    right: projected(extremesOf(held), right, rel.right.schema),
    condition: conjunction([isExtreme, isAtEnd]) ?? rel.condition,
  };
  return { kind: 'union', inputs: [inWindow, atEnd], schema: rel.schema };
}

function windowJoin(rel: Rels<'join'>): WindowJoin | null {
  if (rel.type !== 'inner') return null;
  const width = rel.left.schema.fields.length;
  let below = rel.right;
  let right: readonly Scalar[] = allColumns(below).map((ordinal) => columnReference(below, ordinal));
  while (below.kind === 'project') {
    const { columns, input } = below;
    right = right.map((scalar) => mapColumns(scalar, ({ ordinal }) => columns[ordinal]!));
    below = input;
  }
  if (below.kind !== 'aggregate' || below.groups.length !== 1 || below.aggregates.length !== 1) return null;
  const window = windowOf(below.groups[0]);
  const call = below.aggregates[0]!;
  const isExtremeCall = (call.function === 'max' || call.function === 'min') && !call.distinct && call.filter === null;
  if (window === null || !isExtremeCall || call.operand?.kind !== 'column') return null;
  const value = call.operand.ordinal;
  const found: { isExtreme: Scalar | null; isAfter: boolean; upper: Scalar | null; isAtEnd: Scalar | null } = {
    isExtreme: null,
    isAfter: false,
    upper: null,
    isAtEnd: null,
  };
  for (const predicate of conjuncts(rel.condition)) {
    const compared = comparison(predicate, width);
    if (compared === null) return null;
    const { column, operator, other } = compared;
    const over = mapColumns(other, ({ ordinal }) => right[ordinal - width]!);
    if (operator === '=') {
      if (found.isExtreme !== null || column !== value) return null;
      if (over.kind !== 'column' || over.ordinal !== extremeOrdinal) return null;
      found.isExtreme = predicate;
      continue;
    }
    if (column !== window.time) return null;
    const shift = shiftOf(over);
    if (operator === '>=' && shift === 0n && !found.isAfter) found.isAfter = true;
    else if ((operator === '<=' || operator === '<') && shift === window.size && found.upper === null) {
      found.upper = predicate;
      if (operator === '<=') found.isAtEnd = equality(rel, columnReference(rel, column), other);
    } else return null;
  }
  const { isExtreme, isAfter, upper, isAtEnd } = found;
  if (isExtreme === null || !isAfter || upper === null || relKey(rel.left) !== relKey(below.input)) return null;
  return { extremes: below, right, value, time: window.time, isExtreme, isAtEnd };
}

/** A comparison of a column of the left side with an expression of the right one, in this order. */
function comparison(
  predicate: Scalar,
  width: number,
): { readonly column: number; readonly operator: string; readonly other: Scalar } | null {
  if (predicate.kind !== 'operator') return null;
  const flipped = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' }[predicate.operator as string];
  const [a, b] = predicate.operands;
  if (flipped === undefined || a === undefined || b === undefined) return null;
  const isRight = (scalar: Scalar): boolean => {
    const ordinals = columnsOf(scalar);
    return ordinals.length > 0 && ordinals.every((ordinal) => ordinal >= width);
  };
  if (a.kind === 'column' && a.ordinal < width && isRight(b))
    return { column: a.ordinal, operator: predicate.operator, other: b };
  if (b.kind === 'column' && b.ordinal < width && isRight(a)) return { column: b.ordinal, operator: flipped, other: a };
  return null;
}

/** The column and the microseconds of TUMBLE_START. */
function windowOf(group: Scalar | undefined): { readonly time: number; readonly size: bigint } | null {
  if (group?.kind !== 'function' || group.name !== 'tumble_start') return null;
  const [time, size, offset] = group.operands;
  if (time?.kind !== 'column' || (offset !== undefined && offset.kind !== 'literal')) return null;
  const micros = microsOf(size);
  return micros === null ? null : { time: time.ordinal, size: micros };
}

/** How many microseconds an expression lies behind the beginning of the window; null: it is another one. */
function shiftOf(scalar: Scalar): bigint | null {
  if (scalar.kind === 'column') return scalar.ordinal === startOrdinal ? 0n : null;
  if (scalar.kind !== 'function' || (scalar.name !== '+' && scalar.name !== '-')) return null;
  const [base, by] = scalar.operands;
  const micros = microsOf(by);
  const shift = base === undefined ? null : shiftOf(base);
  if (micros === null || shift === null) return null;
  return scalar.name === '+' ? shift + micros : shift - micros;
}

function microsOf(scalar: Scalar | undefined): bigint | null {
  const isInterval = scalar?.kind === 'literal' && scalar.type.kind === 'INTERVAL_MICROS';
  return isInterval && typeof scalar.value === 'bigint' ? scalar.value : null;
}

function equality({ condition }: Rels<'join'>, a: Scalar, b: Scalar): Scalar {
  const nullable = a.nullable || b.nullable;
  const { source } = condition;
  return { kind: 'operator', operator: '=', operands: [a, b], type: { kind: 'BOOLEAN' }, nullable, source };
}

function projected(input: Rel, columns: readonly Scalar[], schema: Schema): Rel {
  return { kind: 'project', input, columns, schema };
}
