// Counts over windows that overlap (HOP): rows are counted where they stand before each is put in its many windows.
//
//   γ[g(x, n); COUNT](ε[k](R))   =   γ[g(x, n); SUM(c)](ε[k](γ[x; COUNT as c](R)))         ε[k]: each row k times, with n = 1 … k
//
// where the groups g read columns x of R and the number n, and what is counted does not depend on n. Rows of equal x, such as the
// bids on an item between two beginnings of windows, go through as one, so the windows cost as many rows as there are such x.
// Where no two rows have an equal x, the counts in front are one more group a row; so k has to be worth it.
// Not here: other aggregates, whose parts do not add up exactly or need all values.
import { makeSchema } from '../../../runtime/batch/schema.ts';
import type { AggregateCall, Rel, Scalar } from '../sql/bound.ts';
import { columnReference, mapColumns } from './algebra.ts';
import { columnsOf } from './expression-shape.ts';

type AggregateRel = Extract<Rel, { kind: 'aggregate' }>;

/** Fewer copies of a row than this are not worth the groups in front. */
const copiesMin = 4n;

/** The same groups and counts, computed in two steps; null where that is not possible or does not pay. */
export function countBeforeExploding(rel: AggregateRel): AggregateRel | null {
  if (rel.aggregates.length === 0 || !rel.aggregates.every(isCount)) return null;
  let base = rel.input;
  let substitute = (scalar: Scalar): Scalar => scalar;
  while (base.kind === 'project') {
    const { columns } = base;
    const outer = substitute;
    substitute = (scalar) => mapColumns(outer(scalar), ({ ordinal }) => columns[ordinal]!);
    base = base.input;
  }
  if (base.kind !== 'explode' || base.outer || base.input.kind !== 'project') return null;
  const held = base.input;
  const number = held.columns.length - 1;
  const copies = held.columns[number];
  if (copies?.kind !== 'literal' || typeof copies.value !== 'bigint' || copies.value < copiesMin) return null;
  const groups = rel.groups.map(substitute);
  const calls = rel.aggregates.map((call) => ({
    ...call,
    operand: call.operand === null ? null : substitute(call.operand),
    filter: call.filter === null ? null : substitute(call.filter),
  }));
  const counted = calls.flatMap(({ operand, filter }) => [operand, filter].filter((each) => each !== null));
  if (counted.some((scalar) => columnsOf(scalar).includes(number))) return null;
  const read = [...new Set(groups.flatMap(columnsOf))].filter((ordinal) => ordinal !== number).sort((a, b) => a - b);
  if (read.length === 0) return null;
  const parts: AggregateRel = {
    kind: 'aggregate',
    input: held,
    groups: read.map((ordinal) => columnReference(held, ordinal)),
    aggregates: calls,
    schema: makeSchema([
      ...read.map((ordinal) => held.schema.fields[ordinal]!),
      ...calls.map(({ type }, i) => ({ name: `part ${i}`, type, nullable: false })),
    ]),
  };
  const width = parts.schema.fields.length;
  const columns = parts.schema.fields.map((_, ordinal) => columnReference(parts, ordinal));
  const counts: Rel = {
    kind: 'project',
    input: parts,
    columns: [...columns, copies],
    schema: makeSchema([...parts.schema.fields, held.schema.fields[number]!]),
  };
  const schema = makeSchema([...parts.schema.fields, base.schema.fields[number]!]);
  const exploded: Rel = { kind: 'explode', input: counts, outer: false, schema };
  const place = (ordinal: number): number => (ordinal === number ? width : read.indexOf(ordinal));
  return {
    ...rel,
    input: exploded,
    groups: groups.map((group) => mapColumns(group, (column) => ({ ...column, ordinal: place(column.ordinal) }))),
    aggregates: rel.aggregates.map((call, i) => ({
      ...call,
      function: 'sum',
      operand: columnReference(exploded, read.length + i),
      filter: null,
    })),
  };
}

function isCount(call: AggregateCall): boolean {
  return call.function === 'count' && !call.distinct;
}
