// Aggregates of whole partitions that are not computed row by row: groups, joined to the rows that they are of.
//
//   f(DISTINCT x) OVER (PARTITION BY k)   =   R ⋈[k] γ[k; f(DISTINCT x)](R)       so too ARRAY_AGG and what is made of it
//
// A change costs the rows of its partition only when the value of the partition changes. Keys that are NULL are equal here, as in GROUP BY.
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import { bindComparison, operator } from './bind-comparison.ts';
import type { AggregateCall, Rel, Scalar } from './bound.ts';
import { columnOf } from './query-context.ts';
import { scalarKey } from './scalar-key.ts';
import { literal } from './type-coercion.ts';
import { byValue } from './variant-equality.ts';

export interface PartitionAggregate {
  readonly call: AggregateCall;
  /** The column that stands for it until it has a place. */
  readonly ordinal: number;
}

interface Partition {
  readonly keys: readonly Scalar[];
  readonly aggregates: PartitionAggregate[];
}

export class PartitionAggregates {
  readonly #partitions: Map<string, Partition> = new Map();

  get isEmpty(): boolean {
    return this.#partitions.size === 0;
  }

  add(keys: readonly Scalar[], aggregate: PartitionAggregate): void {
    const key = keys.map(scalarKey).join(', ');
    const partition = this.#partitions.get(key) ?? { keys, aggregates: [] };
    this.#partitions.set(key, partition);
    partition.aggregates.push(aggregate);
  }

  /** The relation with a column for each aggregate, whose places are put into `columns`. */
  attach(rel: Rel, place: (scalar: Scalar) => Scalar, columns: Map<number, Scalar>): Rel {
    let input = rel;
    for (const partition of this.#partitions.values()) input = attached(input, rel, partition, place, columns);
    return input;
  }
}

/** `left` begins with the columns of `rel`, over whose rows the aggregates are computed. */
function attached(
  left: Rel,
  rel: Rel,
  { keys, aggregates }: Partition,
  place: (scalar: Scalar) => Scalar,
  columns: Map<number, Scalar>,
): Rel {
  const groups = keys.map((key) => byValue(place(key)));
  const width = left.schema.fields.length;
  const groupFields = groups.map(({ type, nullable }, i): Field => ({ name: `group$${width + i}`, type, nullable }));
  const results = aggregates.map(
    ({ call }, i): Field => ({ name: `window$${width + groups.length + i}`, type: call.type, nullable: call.nullable }),
  );
  const grouped: Rel = {
    kind: 'aggregate',
    input: rel,
    groups,
    aggregates: aggregates.map(({ call }) => ({
      ...call,
      operand: call.operand === null ? null : call.distinct ? byValue(place(call.operand)) : place(call.operand),
      filter: call.filter === null ? null : place(call.filter),
    })),
    schema: makeSchema([...groupFields, ...results]),
  };
  for (const [i, { ordinal }] of aggregates.entries()) {
    columns.set(ordinal, columnOf(results[i]!, width + groups.length + i));
  }
  const source = { place: {}, text: '' };
  const same = groups.map((group, i) =>
    bindComparison('is not distinct from', group, columnOf(groupFields[i]!, width + i), group.source),
  );
  const condition = same.reduce(
    (all, each) => operator('and', [all, each], source, false),
    literal(true, { kind: 'BOOLEAN' }, source),
  );
  const schema = makeSchema([...left.schema.fields, ...groupFields, ...results]);
  return { kind: 'join', type: 'inner', left, right: grouped, condition, schema };
}
