// Groups as one node: groups, operands and filters become columns of a projection in front, each expression once.
//
// Says how the rows of a group have to meet where several workers compute them. Not here: the operator (operators/aggregate.ts), which
// aggregates are wanted (aggregate-nodes.ts), groups in parts (partial-aggregates.ts).
import { makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import type { NodeSharding, WorkerPart } from '../circuit/node-sharding.ts';
import { Aggregate } from '../operators/aggregate.ts';
import type { AggregateColumn } from '../operators/aggregate-cells.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import { allColumns, type Built, type Rels } from './built-relation.ts';
import { scalarKey } from './expression-shape.ts';
import type { NodeBuilder } from './node-builder.ts';
import { reportOverflow } from './overflow-report.ts';

/**
 * One operator for all aggregates of a relation, its output columns in order. `whole groups`: rows of a group meet on one worker. A
 * scalar: rows of a group in which it is equal do, on the workers that `among` names. `rows`: an insertion and a deletion of the same row do.
 */
export function buildGroups(
  nodes: NodeBuilder,
  rel: Rels<'aggregate'>,
  meet: 'whole groups' | 'rows' | Scalar,
  among: WorkerPart | null = null,
): Built {
  const { aggregates: calls, schema } = rel;
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
  const met = typeof meet === 'string' ? null : columnOf(meet);
  const inputSchema = makeSchema(scalars.map(({ type, nullable, source }) => ({ name: source.text, type, nullable })));
  const project: Rel = { kind: 'project', input: rel.input, columns: scalars, schema: inputSchema };
  const input = nodes.build(project, allColumns(project));
  const place = (position: number | null): number | null => (position === null ? null : input.columns[position]!);
  const { view } = nodes;
  const failures = nodes.failures;
  const groupColumns = groups.map((position) => input.columns[position]!);
  const aggregate = new Aggregate({
    input: input.schema,
    groups: groupColumns,
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
  const whole = groupSharding(schema, groupColumns, input);
  const sharding: NodeSharding =
    meet === 'whole groups'
      ? whole
      : meet === 'rows'
        ? { kind: 'rows', schema, sources: whole.sources }
        : { ...whole, keys: [[place(met)!, ...groupColumns]], ...(among === null ? {} : { among }) };
  const node = nodes.add(aggregate, [input.node], sharding);
  forgetGroups(nodes, rel, node, aggregate);
  return { node, schema, columns: allColumns(rel), appendOnly: false, key: groups.map((_, i) => i) };
}

/** Groups behind a watermark may go. */
export function forgetGroups(
  nodes: NodeBuilder,
  { input, groups }: Rels<'aggregate'>,
  node: number,
  aggregate: Aggregate,
): void {
  for (const [position, group] of groups.entries()) {
    const below = nodes.settled?.(input, group) ?? null;
    if (below === null) continue;
    nodes.forgetful.set(node, () => aggregate.forget({ position, below }));
    break;
  }
}

/** Rows of a group meet; the groups come first in the output. */
export function groupSharding(
  schema: Schema,
  groups: readonly number[],
  input: Built,
): Extract<NodeSharding, { kind: 'keyed' }> {
  const sources = [schema.fields.map((_, c) => groups[c] ?? -1)];
  const reads = [[...groups, ...input.columns.filter((c) => c >= 0)]];
  return { kind: 'keyed', schema, keys: [groups], sources, reads, outer: false };
}
