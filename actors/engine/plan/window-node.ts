// Window functions as a node: only the calls that are wanted, over only the columns that somebody reads.
//
// The first rows of each partition, of input that only grows, have an operator of their own. Not here: the operators
// (operators/window.ts, ranked-rows.ts), limits on ranks (rank-limit.ts).
import { makeSchema } from '../../../runtime/batch/schema.ts';
import { inPlace } from '../circuit/node-sharding.ts';
import { RankedRows } from '../operators/ranked-rows.ts';
import { Window } from '../operators/window.ts';
import { allColumns, type Built, type Rels } from './built-relation.ts';
import type { NodeBuilder } from './node-builder.ts';
import { reportOverflow } from './overflow-report.ts';

export function buildWindow(nodes: NodeBuilder, rel: Rels<'window'>, wanted: readonly number[]): Built {
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
  const [only] = keptCalls;
  if (
    input.appendOnly &&
    limit !== null &&
    kept.length === 1 &&
    only?.function === 'row_number' &&
    isShort(limit.most)
  ) {
    const numbered = wanted.includes(width + limit.call);
    const ranked = new RankedRows({
      input: input.schema,
      partition: rel.partition.map(place),
      order: rel.order.map((key) => ({ ...key, ordinal: place(key.ordinal) })),
      most: limit.most,
      numbered,
      schema: numbered ? schema : input.schema,
      pool: nodes.pool,
    });
    const places = allColumns(rel).map((ordinal) => {
      if (ordinal < width) return place(ordinal);
      return numbered && ordinal === width + limit.call ? input.schema.fields.length : -1;
    });
    const made = numbered ? schema : input.schema;
    const node = nodes.add(ranked, [input.node], {
      kind: 'keyed',
      schema: made,
      keys: [rel.partition.map(place)],
      sources: [inPlace(input.schema.fields.length, made.fields.length)],
      outer: false,
    });
    return { node, schema: made, columns: places, appendOnly: false, key: input.key };
  }
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

/** Whether so many rows of a partition are worth a list that is moved row by row. */
function isShort(most: number): boolean {
  return most >= 1 && most <= 1024;
}
