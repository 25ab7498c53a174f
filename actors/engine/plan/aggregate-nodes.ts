// GROUP BY and DISTINCT as nodes: groups, operands and filters become columns of a projection in front, each expression once.
//
// Aggregates that nobody wants are not computed. Not here: the operator (operators/aggregate.ts).
import { assert } from '../../../runtime/assert.ts';
import { makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import type { NodeSharding } from '../circuit/node-sharding.ts';
import { Aggregate } from '../operators/aggregate.ts';
import type { AggregateColumn } from '../operators/aggregate-cells.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import { columnReference } from './algebra.ts';
import { allColumns, type Built, type Rels } from './built-relation.ts';
import { scalarKey } from './expression-shape.ts';
import { reportOverflow } from './overflow-report.ts';
import type { QueryNodes } from './query-nodes.ts';

export function buildAggregate(nodes: QueryNodes, rel: Rels<'aggregate'>, wanted: readonly number[]): Built {
  const groupCount = rel.groups.length;
  const calls = rel.aggregates.filter((_, i) => wanted.includes(groupCount + i));
  // Groups, operands and filters become columns of a projection, each expression once.
  const scalars: Scalar[] = [];
  const positions = new Map<string, number>();
  const columnOf = (scalar: Scalar): number => {
    const key = scalarKey(scalar);
    let position = positions.get(key);
    if (position === undefined) {
      position = scalars.push(scalar) - 1;
      positions.set(key, position);
    }
    return position;
  };
  const groups = rel.groups.map(columnOf);
  const planned = calls.map((call) => ({
    call,
    operand: call.operand === null ? null : columnOf(call.operand),
    filter: call.filter === null ? null : columnOf(call.filter),
  }));
  const inputSchema = makeSchema(scalars.map(({ type, nullable, source }) => ({ name: source.text, type, nullable })));
  const project: Rel = { kind: 'project', input: rel.input, columns: scalars, schema: inputSchema };
  const input = nodes.build(project, allColumns(project));
  const place = (position: number | null): number | null => (position === null ? null : input.columns[position]!);
  const fields = [
    ...rel.schema.fields.slice(0, groupCount),
    ...rel.schema.fields.slice(groupCount).filter((_, i) => wanted.includes(groupCount + i)),
  ];
  const schema = makeSchema(fields);
  const { view } = nodes;
  const failures = nodes.failures;
  const aggregate = new Aggregate({
    input: input.schema,
    groups: groups.map((position) => input.columns[position]!),
    aggregates: planned.map(
      ({ call, operand, filter }): AggregateColumn => ({
        function: call.function,
        operand: place(operand),
        operandType: call.operand?.type ?? null,
        operandNullable: call.operand?.nullable ?? false,
        distinct: call.distinct,
        filter: place(filter),
        type: call.type,
      }),
    ),
    schema,
    appendOnly: input.appendOnly,
    pool: nodes.pool,
    fail: (position, group) => reportOverflow(failures, view, calls[position]!, group),
  });
  const node = nodes.add(
    aggregate,
    [input.node],
    groupSharding(
      schema,
      groups.map((position) => input.columns[position]!),
      input,
    ),
  );
  for (const [position, group] of rel.groups.entries()) {
    const below = nodes.settled?.(rel.input, group) ?? null;
    if (below === null) continue;
    nodes.forgetful.set(node, () => aggregate.forget({ position, below }));
    break;
  }
  let next = groupCount;
  const columns = allColumns(rel).map((c) => (c < groupCount ? c : wanted.includes(c) ? next++ : -1));
  return { node, schema, columns, appendOnly: false, key: groups.map((_, i) => i) };
}

export function buildDistinct(nodes: QueryNodes, rel: Rels<'distinct'>): Built {
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

export function distinctOf(nodes: QueryNodes, input: Built, schema: Schema): Built {
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

/** Rows of a group meet; the groups come first in the output. */
function groupSharding(schema: Schema, groups: readonly number[], input: Built): NodeSharding {
  const sources = [schema.fields.map((_, c) => groups[c] ?? -1)];
  const reads = [[...groups, ...input.columns.filter((c) => c >= 0)]];
  return { kind: 'keyed', schema, keys: [groups], sources, reads, outer: false };
}
