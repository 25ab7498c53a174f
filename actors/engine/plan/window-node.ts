// Window functions as a node: only the calls that are wanted, over only the columns that somebody reads.
//
// Not here: the operator (operators/window.ts), limits on ranks (rank-limit.ts).
import { makeSchema } from '../../../runtime/batch/schema.ts';
import { inPlace } from '../circuit/node-sharding.ts';
import { Window } from '../operators/window.ts';
import { allColumns, type Built, type Rels } from './built-relation.ts';
import { reportOverflow } from './overflow-report.ts';
import type { QueryNodes } from './query-nodes.ts';

export function buildWindow(nodes: QueryNodes, rel: Rels<'window'>, wanted: readonly number[]): Built {
  const { calls, limit } = rel;
  const width = rel.input.schema.fields.length;
  const kept = calls.map((_, i) => i).filter((i) => wanted.includes(width + i) || limit?.call === i);
  const keptCalls = kept.map((i) => calls[i]!);
  const read = keptCalls.flatMap(({ operand, filter, fallback }) => [operand, filter, fallback]);
  const sorts = rel.order.map(({ ordinal }) => ordinal);
  const needed = [...wanted.filter((c) => c < width), ...rel.partition, ...sorts, ...read.filter((c) => c !== null)];
  const input = nodes.narrow(rel.input, needed.length === 0 ? [0] : needed);
  const place = (ordinal: number): number => input.columns[ordinal]!;
  const optional = (ordinal: number | null): number | null => (ordinal === null ? null : place(ordinal));
  const fields = kept.map((i) => rel.schema.fields[width + i]!);
  const schema = makeSchema([...input.schema.fields, ...fields]);
  const { view } = nodes;
  const failures = nodes.failures;
  const window = new Window({
    input: input.schema,
    partition: rel.partition.map(place),
    order: rel.order.map((key) => ({ ...key, ordinal: place(key.ordinal) })),
    calls: keptCalls.map((call) => ({
      ...call,
      operand: optional(call.operand),
      filter: optional(call.filter),
      fallback: optional(call.fallback),
    })),
    limit: limit === null ? null : { ...limit, call: kept.indexOf(limit.call) },
    appendOnly: input.appendOnly,
    schema,
    pool: nodes.pool,
    fail: (position, row) => reportOverflow(failures, view, keptCalls[position]!, row),
  });
  const first = input.schema.fields.length;
  const columns = allColumns(rel).map((ordinal) => {
    if (ordinal < width) return place(ordinal);
    const call = kept.indexOf(ordinal - width);
    return call < 0 ? -1 : first + call;
  });
  const node = nodes.add(window, [input.node], {
    kind: 'keyed',
    schema,
    keys: [rel.partition.map(place)],
    sources: [inPlace(first, schema.fields.length)],
    outer: false,
  });
  return { node, schema, columns, appendOnly: false, key: input.key };
}
