// GROUP BY as a relation: one aggregate, or for GROUPING SETS, ROLLUP and CUBE one for each set, united.
//
//   γ[{a, b}, {a}, {}; f](R) = γ[a, b; f](R) ∪ π(γ[a; f](R) beside NULL) ∪ π(γ[; f](R) beside NULL, NULL)
// GROUPING(a, b) is a constant of each set: a bit for each group that the set leaves out, the first one highest; GROUP_ID() how many equal
// sets stand before it.
// Columns: the groups, the aggregates, the groupings.
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import type { AggregateCall, ExpressionSource, Rel, Scalar } from './bound.ts';
import type { Grouping } from './group-aggregation.ts';
import { columnOf } from './query-context.ts';
import { scalarKey } from './scalar-key.ts';
import { literal } from './type-coercion.ts';

interface Groups {
  readonly input: Rel;
  readonly groups: readonly Scalar[];
  readonly aggregates: readonly AggregateCall[];
}

const nowhere: ExpressionSource = { place: {}, text: '' };

export function groupedRel(
  grouping: Groups,
  sets: readonly (readonly number[])[] | null,
  bits: readonly Grouping[],
): Rel {
  const all = grouping.groups.map((_, i) => i);
  if (sets === null && bits.length === 0) return aggregateOf(grouping, all);
  // Equal groups are one, wherever they are written.
  const keys = grouping.groups.map(scalarKey);
  const first = keys.map((key) => keys.indexOf(key));
  const seen = new Map<string, number>();
  const inputs = (sets ?? [all]).map((given) => {
    const set = [...new Set(given.map((i) => first[i] ?? -1))].sort((a, b) => a - b);
    const before = seen.get(set.join()) ?? 0;
    seen.set(set.join(), before + 1);
    return ofSet(grouping, { set, bits, before }, sets !== null);
  });
  const [only] = inputs;
  if (only !== undefined && inputs.length === 1) return only;
  return { kind: 'union', inputs, schema: inputs[0]!.schema };
}

function aggregateOf({ input, groups, aggregates }: Groups, set: readonly number[]): Rel {
  const chosen = set.flatMap((i) => groups[i] ?? []);
  const schema = makeSchema([
    ...chosen.map(({ type, nullable }, i): Field => ({ name: `group$${i}`, type, nullable })),
    ...aggregates.map(({ type, nullable }, i): Field => ({ name: `aggregate$${i}`, type, nullable })),
  ]);
  return { kind: 'aggregate', input, groups: chosen, aggregates, schema };
}

interface GroupingSet {
  /** Ascending positions of groups. */
  readonly set: readonly number[];
  readonly bits: readonly Grouping[];
  /** How many equal sets there are before. */
  readonly before: number;
}

/** One set, with NULL for the groups that it has not. */
function ofSet(grouping: Groups, { set, bits, before }: GroupingSet, isOptional: boolean): Rel {
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
    ...bits.map((asked) => {
      const value = asked === 'group id' ? BigInt(before) : bitsOf(asked, set);
      return literal(value, { kind: 'BIGINT' }, nowhere);
    }),
  ];
  return { kind: 'project', input: rel, columns, schema: makeSchema([...groupFields, ...callFields, ...bitFields]) };
}

function bitsOf(positions: readonly number[], set: readonly number[]): bigint {
  return positions.reduce((bits, position) => (bits << 1n) | (set.includes(position) ? 0n : 1n), 0n);
}
