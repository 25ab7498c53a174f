// Joins as nodes: which columns are keys, and what becomes of the rest of a condition.
//
// Keys are the equalities between the sides; what is left of a condition is a filter behind an inner join, and for
//   L ⟕[k ∧ p] R   =   σp(L ⋈[k] R)  ∪  (L where no row of σp(L ⋈[k] R) has the same left columns, right side NULL)
// Not here: the operators (operators/join.ts, asof-join.ts), what is an equality (join-keys.ts).
import { type Field, makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import { inPlace, type NodeSharding } from '../circuit/node-sharding.ts';
import { AsofJoin } from '../operators/asof-join.ts';
import { Join } from '../operators/join.ts';
import { UnionAll } from '../operators/union-all.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import { distinctOf } from './aggregate-nodes.ts';
import { columnReference, conjunction, moveColumns } from './algebra.ts';
import { allColumns, type Built, type Rels } from './built-relation.ts';
import { columnsOf } from './expression-shape.ts';
import { joinBounds } from './join-bounds.ts';
import { splitCondition } from './join-keys.ts';
import type { NodeBuilder } from './node-builder.ts';

export function buildJoin(nodes: NodeBuilder, rel: Rels<'join'>, wanted: readonly number[]): Built {
  const leftColumns = rel.left.schema.fields.length;
  const { pairs, residual, nullsMatch, known } = splitCondition(rel, leftColumns);
  // Which left rows had a match is told by all that a match depends on.
  const asked = rel.type === 'left' && residual.length > 0 ? pairs.flatMap(([key]) => columnsOf(key)) : [];
  const outputs = [...new Set([...wanted, ...residual.flatMap(columnsOf), ...asked])].sort((a, b) => a - b);
  const toRight = (scalar: Scalar): Scalar => moveColumns(scalar, (ordinal) => ordinal - leftColumns);
  const left = joinInput(
    nodes,
    rel.left,
    outputs.filter((c) => c < leftColumns),
    pairs.map(([key]) => key),
  );
  const right = joinInput(
    nodes,
    known,
    outputs.filter((c) => c >= leftColumns).map((c) => c - leftColumns),
    pairs.map(([, key]) => toRight(key)),
  );
  const type = residual.length > 0 ? 'inner' : rel.type;
  const sources = outputs.map((c) =>
    c < leftColumns
      ? { side: 'left' as const, ordinal: left.built.columns[c]! }
      : { side: 'right' as const, ordinal: right.built.columns[c - leftColumns]! },
  );
  const fields = outputs.map((c) => rel.schema.fields[c]!);
  const schema = makeSchema(fields);
  const join = new Join({
    type,
    left: { schema: left.built.schema, keys: left.keys, appendOnly: left.built.appendOnly },
    right: { schema: right.built.schema, keys: right.keys, appendOnly: right.built.appendOnly },
    nullsMatch,
    schema,
    outputs: sources,
    pool: nodes.pool,
  });
  const sharding = joinSharding(schema, [left.keys, right.keys], sources, type === 'left');
  const node = nodes.add(join, [left.built.node, right.built.node], sharding);
  if (type === 'inner') {
    const sides = [left.built, right.built] as const;
    const bounds = joinBounds(nodes, rel, residual, [left.built.appendOnly, right.built.appendOnly]);
    const forgetRows = (): void => {
      for (const { port, ordinal, below } of bounds) join.forgetRows(port, sides[port].columns[ordinal]!, below);
    };
    if (bounds.length > 0) nodes.forgetful.set(node, forgetRows);
  }
  for (const [position, [own, other]] of pairs.entries()) {
    const bounds = [nodes.settled?.(rel.left, own), nodes.settled?.(rel.right, toRight(other))];
    const [one, two] = bounds.filter((bound) => bound != null);
    if (one === undefined || two === undefined) continue;
    const below = (): number | bigint | null => {
      const [a, b] = [one(), two()];
      if (a === null || b === null) return null;
      // biome-ignore lint/complexity/useMathMinMax: they are bigints, which Math.min does not take.
      return a < b ? a : b;
    };
    nodes.forgetful.set(node, () => join.forget({ position, below }));
    break;
  }
  const columns = allColumns(rel).map((c) => outputs.indexOf(c));
  const appendOnly = type === 'inner' && left.built.appendOnly && right.built.appendOnly;
  const joined: Built = { node, schema, columns, appendOnly, key: null };
  const predicate = conjunction(residual);
  if (predicate === null) return joined;
  const references = outputs.map((c) => columnReference(rel, c));
  const filtered = { ...nodes.mapped(joined, predicate, references, schema), columns };
  return rel.type === 'inner' ? filtered : withUnmatched(nodes, rel, filtered, outputs, left.built);
}

export function buildAsof(nodes: NodeBuilder, rel: Rels<'asof'>, wanted: readonly number[]): Built {
  const width = rel.left.schema.fields.length;
  const leftNeeded = [...wanted.filter((c) => c < width), ...rel.keys.map(([key]) => key), rel.leftOrder];
  const rightNeeded = [
    ...wanted.filter((c) => c >= width).map((c) => c - width),
    ...rel.keys.map(([, key]) => key),
    rel.rightOrder,
  ];
  const left = nodes.narrow(rel.left, leftNeeded);
  const right = nodes.narrow(rel.right, rightNeeded);
  const optional = right.schema.fields.map((field) => ({ ...field, nullable: true }));
  const schema = makeSchema([...left.schema.fields, ...optional]);
  const asof = new AsofJoin({
    left: {
      schema: left.schema,
      keys: rel.keys.map(([key]) => left.columns[key]!),
      order: left.columns[rel.leftOrder]!,
      appendOnly: left.appendOnly,
    },
    right: {
      schema: right.schema,
      keys: rel.keys.map(([, key]) => right.columns[key]!),
      order: right.columns[rel.rightOrder]!,
      appendOnly: right.appendOnly,
    },
    schema,
    pool: nodes.pool,
  });
  const moved = left.schema.fields.length;
  const node = nodes.add(asof, [left.node, right.node], {
    kind: 'keyed',
    schema,
    keys: [rel.keys.map(([key]) => left.columns[key]!), rel.keys.map(([, key]) => right.columns[key]!)],
    sources: [inPlace(moved, schema.fields.length), schema.fields.map((_, c) => (c < moved ? -1 : c - moved))],
    outer: true,
  });
  const columns = [...left.columns, ...right.columns.map((place) => (place < 0 ? -1 : place + moved))];
  return { node, schema, columns, appendOnly: false, key: null };
}

/** Adds the left rows that the filtered matches do not cover. */
function withUnmatched(
  nodes: NodeBuilder,
  rel: Rels<'join'>,
  matched: Built,
  outputs: readonly number[],
  left: Built,
): Built {
  const leftColumns = rel.left.schema.fields.length;
  const shared = outputs.filter((c) => c < leftColumns);
  const marker: Field = { name: 'matched', type: { kind: 'BOOLEAN' }, nullable: false };
  const yes: Scalar = {
    kind: 'literal',
    value: true,
    type: marker.type,
    nullable: false,
    source: rel.condition.source,
  };
  const leftFields = shared.map((c) => rel.left.schema.fields[c]!);
  const coveredSchema = makeSchema([...leftFields, marker]);
  const references = [...shared.map((c) => columnReference(rel, c)), yes];
  const covered = distinctOf(nodes, nodes.mapped(matched, null, references, coveredSchema), coveredSchema);
  const schema = makeSchema([...leftFields, { ...marker, nullable: true }]);
  const keys = [shared.map((c) => left.columns[c]!), shared.map((_, i) => i)] as const;
  const sources = [
    ...shared.map((c) => ({ side: 'left' as const, ordinal: left.columns[c]! })),
    { side: 'right' as const, ordinal: shared.length },
  ];
  const probe = new Join({
    type: 'left',
    left: { schema: left.schema, keys: keys[0], appendOnly: left.appendOnly },
    right: { schema: covered.schema, keys: keys[1], appendOnly: false },
    nullsMatch: true,
    schema,
    outputs: sources,
    pool: nodes.pool,
  });
  const columns = allColumns(rel).map((c) => shared.indexOf(c));
  const probed: Built = {
    node: nodes.add(probe, [left.node, covered.node], joinSharding(schema, keys, sources, true)),
    schema,
    columns,
    appendOnly: false,
    key: null,
  };
  const { source } = rel.condition;
  const flag: Scalar = {
    kind: 'column',
    ordinal: rel.schema.fields.length,
    type: marker.type,
    nullable: true,
    source,
  };
  const isNull: Scalar = {
    kind: 'operator',
    operator: 'is null',
    operands: [flag],
    type: marker.type,
    nullable: false,
    source,
  };
  const padded = outputs.map(
    (c): Scalar =>
      c < leftColumns
        ? columnReference(rel, c)
        : { kind: 'literal', value: null, type: rel.schema.fields[c]!.type, nullable: true, source },
  );
  const withFlag = { ...probed, columns: [...columns, shared.length] };
  const unmatched = nodes.mapped(withFlag, isNull, padded, matched.schema);
  const inOrder = inPlace(matched.schema.fields.length);
  const node = nodes.add(new UnionAll(matched.schema), [matched.node, unmatched.node], {
    kind: 'local',
    schema: matched.schema,
    sources: [inOrder, inOrder],
  });
  return { ...matched, node, appendOnly: false, key: null };
}

function joinSharding(
  schema: Schema,
  keys: readonly [readonly number[], readonly number[]],
  outputs: readonly { readonly side: 'left' | 'right'; readonly ordinal: number }[],
  outer: boolean,
): NodeSharding {
  const of = (name: 'left' | 'right'): number[] => outputs.map(({ side, ordinal }) => (side === name ? ordinal : -1));
  const sources = [of('left'), of('right')];
  const reads = sources.map((side, port) => [...keys[port]!, ...side.filter((ordinal) => ordinal >= 0)]);
  return { kind: 'keyed', schema, keys, sources, reads, outer };
}

/** One side of a join: the wanted columns and the keys, computed where they are not columns. */
function joinInput(
  nodes: NodeBuilder,
  rel: Rel,
  wanted: readonly number[],
  keys: readonly Scalar[],
): { built: Built; keys: readonly number[] } {
  if (keys.every((key) => key.kind === 'column')) {
    const ordinals = keys.map((key) => (key.kind === 'column' ? key.ordinal : -1));
    const built = nodes.build(rel, [...wanted, ...ordinals]);
    return { built, keys: ordinals.map((ordinal) => built.columns[ordinal]!) };
  }
  const fields = keys.map((key, i) => ({ name: `key ${i}`, type: key.type, nullable: key.nullable }));
  const schema = makeSchema([...rel.schema.fields, ...fields]);
  const columns = [...allColumns(rel).map((c) => columnReference(rel, c)), ...keys];
  const first = rel.schema.fields.length;
  const keyOrdinals = keys.map((_, i) => first + i);
  const built = nodes.build({ kind: 'project', input: rel, columns, schema }, [...wanted, ...keyOrdinals]);
  return { built, keys: keyOrdinals.map((ordinal) => built.columns[ordinal]!) };
}
