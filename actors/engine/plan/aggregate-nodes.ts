// GROUP BY and DISTINCT as nodes: aggregates that nobody wants are not computed.
//
// Not here: how a node of groups is made (group-nodes.ts), groups that several workers compute together (partial-aggregates.ts).
import { assert } from '../../../runtime/assert.ts';
import { makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import { Aggregate } from '../operators/aggregate.ts';
import { columnReference } from './algebra.ts';
import { allColumns, type Built, type Rels } from './built-relation.ts';
import { buildGroups, groupSharding } from './group-nodes.ts';
import type { NodeBuilder } from './node-builder.ts';
import { buildInParts } from './partial-aggregates.ts';

export function buildAggregate(nodes: NodeBuilder, rel: Rels<'aggregate'>, wanted: readonly number[]): Built {
  const groupCount = rel.groups.length;
  const chosen = rel.aggregates.map((_, i) => i).filter((i) => wanted.includes(groupCount + i));
  const kept = [...rel.groups.map((_, i) => i), ...chosen.map((i) => groupCount + i)];
  const narrow: Rels<'aggregate'> = {
    ...rel,
    aggregates: chosen.map((i) => rel.aggregates[i]!),
    schema: makeSchema(kept.map((ordinal) => rel.schema.fields[ordinal]!)),
  };
  const built = buildInParts(nodes, narrow) ?? buildGroups(nodes, narrow, 'whole groups');
  const columns = allColumns(rel).map((ordinal) => {
    const place = kept.indexOf(ordinal);
    return place < 0 ? -1 : built.columns[place]!;
  });
  return { ...built, columns };
}

export function buildDistinct(nodes: NodeBuilder, rel: Rels<'distinct'>): Built {
  const input = nodes.build(rel.input, allColumns(rel));
  const built = distinctOf(nodes, input, rel.schema);
  const { operator } = nodes.nodes[built.node]!;
  for (const position of allColumns(rel)) {
    const below = nodes.settled?.(rel.input, columnReference(rel.input, position)) ?? null;
    if (below === null || !(operator instanceof Aggregate)) continue;
    nodes.forgetful.set(built.node, () => operator.forget({ position, below }));
    break;
  }
  return built;
}

export function distinctOf(nodes: NodeBuilder, input: Built, schema: Schema): Built {
  assert(schema.fields.length > 0, 'rows without columns are not made distinct');
  const columns = schema.fields.map((_, i) => i);
  const fail = (): never => {
    throw new TypeError('DISTINCT has no aggregate that could fail');
  };
  const distinct = new Aggregate({
    input: input.schema,
    groups: columns.map((c) => input.columns[c]!),
    aggregates: [],
    schema,
    appendOnly: input.appendOnly,
    pool: nodes.pool,
    fail,
  });
  const sharding = groupSharding(
    schema,
    columns.map((c) => input.columns[c]!),
    input,
  );
  const node = nodes.add(distinct, [input.node], sharding);
  return { node, schema, columns, appendOnly: input.appendOnly, key: columns };
}
