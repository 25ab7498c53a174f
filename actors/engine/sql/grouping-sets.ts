// GROUP BY as a relation: one aggregate, or for GROUPING SETS, ROLLUP and CUBE one for each set, united.
//
//   γ[{a, b}, {a}, {}; f](R) = γ[a, b; f](R) ∪ π(γ[a; f](R) beside NULL) ∪ π(γ[; f](R) beside NULL, NULL)
// GROUPING(a, b) is a constant of each set: a bit for each group that the set leaves out, the first one highest.
// Columns: the groups, the aggregates, the groupings.
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import type { AggregateCall, ExpressionSource, Rel, Scalar } from './bound.ts';
import { columnOf } from './query-context.ts';
import { scalarKey } from './scalar-key.ts';
import { literal } from './type-coercion.ts';

interface Grouping {
  readonly input: Rel;
  readonly groups: readonly Scalar[];
  readonly aggregates: readonly AggregateCall[];
}

const nowhere: ExpressionSource = { place: {}, text: '' };

export function groupedRel(
  grouping: Grouping,
  sets: readonly (readonly number[])[] | null,
  bits: readonly (readonly number[])[],
): Rel {
  const all = grouping.groups.map((_, i) => i);
  if (sets === null && bits.length === 0) return aggregateOf(grouping, all);
  const inputs = (sets ?? [all]).map((set) => ofSet(grouping, set, bits, sets !== null));
  const [only] = inputs;
  if (only !== undefined && inputs.length === 1) return only;
  return { kind: 'union', inputs, schema: inputs[0]!.schema };
}

function aggregateOf({ input, groups, aggregates }: Grouping, set: readonly number[]): Rel {
  const chosen = set.flatMap((i) => groups[i] ?? []);
  const schema = makeSchema([
    ...chosen.map(({ type, nullable }, i): Field => ({ name: `group$${i}`, type, nullable })),
    ...aggregates.map(({ type, nullable }, i): Field => ({ name: `aggregate$${i}`, type, nullable })),
  ]);
  return { kind: 'aggregate', input, groups: chosen, aggregates, schema };
}

/** One set, with NULL for the groups that it has not. */
function ofSet(
  grouping: Grouping,
  given: readonly number[],
  bits: readonly (readonly number[])[],
  isOptional: boolean,
): Rel {
  // Equal groups are one, wherever they are written.
  const keys = grouping.groups.map(scalarKey);
  const set = [...new Set(given.map((i) => keys.indexOf(keys[i] ?? '')))].sort((a, b) => a - b);
  const rel = aggregateOf(grouping, set);
  const { groups, aggregates } = grouping;
  const groupFields = groups.map(
    ({ type, nullable }, i): Field => ({ name: `group$${i}`, type, nullable: nullable || isOptional }),
  );
  const callFields = rel.schema.fields.slice(set.length);
  const bitFields = bits.map((_, i): Field => ({ name: `grouping$${i}`, type: { kind: 'BIGINT' }, nullable: false }));
  const columns = [
    ...groupFields.map((field, i) => {
      const at = set.indexOf(i);
      return at < 0 ? literal(null, field.type, nowhere) : columnOf(rel.schema.fields[at] ?? field, at);
    }),
    ...aggregates.map((_, i) => columnOf(callFields[i]!, set.length + i)),
    ...bits.map((positions) => literal(bitsOf(positions, set), { kind: 'BIGINT' }, nowhere)),
  ];
  return { kind: 'project', input: rel, columns, schema: makeSchema([...groupFields, ...callFields, ...bitFields]) };
}

function bitsOf(positions: readonly number[], set: readonly number[]): bigint {
  return positions.reduce((bits, position) => (bits << 1n) | (set.includes(position) ? 0n : 1n), 0n);
}
