// A relation joined with the extreme of each of its groups: the rows that are at the extreme, found without a join.
//
//   R ⋈[g = g ∧ v >= m] γ[g; MAX(v) as m](R)   =   the rows of R at the maximum of their group       (<= and MIN alike)
//
// Both sides have to be the same relation, all groups have to be compared, and nothing else. No value is beyond the extreme, so
// `>=` and `=` say the same. What the right side gives stands in the row as well: its groups are equal, and m is v.
// Not here: values of which two forms are equal (floats), and texts, whose comparisons have rules of their own.
import { storageOf } from '../../../runtime/batch/sql-type.ts';
import { inPlace, type NodeSharding } from '../circuit/node-sharding.ts';
import { ExtremeCandidates } from '../operators/extreme-candidates.ts';
import { ExtremeRows, type ExtremeRowsShape } from '../operators/extreme-rows.ts';
import type { ForgottenKey } from '../operators/forgetting.ts';
import { RowMap } from '../operators/map.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import { columnReference, conjuncts, mapColumns, relKey } from './algebra.ts';
import { allColumns, type Built, type Rels } from './built-relation.ts';
import { childrenOf, columnsOf, scalarKey } from './expression-shape.ts';
import type { NodeBuilder } from './node-builder.ts';

interface ExtremeJoin {
  readonly input: Rel;
  readonly groups: readonly number[];
  readonly value: number;
  readonly extreme: 'min' | 'max';
  /** For each column of the join the column of the input that it equals. */
  readonly columns: readonly number[];
}

/** The node for such a join; null for any other. */
export function buildExtremeJoin(nodes: NodeBuilder, rel: Rels<'join'>, wanted: readonly number[]): Built | null {
  const found = extremeJoin(rel);
  if (found === null) return null;
  const { groups, value, extreme } = found;
  const input = nodes.narrow(found.input, [...wanted.map((c) => found.columns[c]!), ...groups, value]);
  const place = (ordinal: number): number => input.columns[ordinal]!;
  const { schema } = input;
  const shape = { schema, groups: groups.map(place), value: place(value), extreme, pool: nodes.pool };
  const sharding: NodeSharding = {
    kind: 'keyed',
    schema,
    keys: [groups.map(place)],
    sources: [inPlace(schema.fields.length)],
    outer: false,
  };
  const settled = settledGroup(nodes, found);
  const candidates = candidatesOf(nodes, input, shape, settled);
  let { node } = input;
  const add = (operator: ExtremeCandidates | ExtremeRows, lies: NodeSharding): void => {
    node = nodes.add(operator, [node], lies);
    if (settled !== null) nodes.forgetful.set(node, () => operator.forget(settled));
  };
  // A row that is passed by another one of the same worker never will be at the extreme: few are left when rows of a group have to meet.
  if (candidates !== null) add(candidates, { kind: 'local', schema, sources: [inPlace(schema.fields.length)] });
  add(new ExtremeRows(shape), sharding);
  const columns = allColumns(rel).map((ordinal) => place(found.columns[ordinal]!));
  return { node, schema, columns, appendOnly: false, key: null };
}

/** The first group behind a watermark. */
function settledGroup(nodes: NodeBuilder, { input, groups }: ExtremeJoin): ForgottenKey | null {
  for (const [position, group] of groups.entries()) {
    const below = nodes.settled?.(input, columnReference(input, group)) ?? null;
    if (below !== null) return { position, below };
  }
  return null;
}

/** What stands in front; null: any row may come to be at the extreme. */
function candidatesOf(
  nodes: NodeBuilder,
  input: Built,
  shape: ExtremeRowsShape,
  settled: ForgottenKey | null,
): ExtremeCandidates | null {
  if (input.appendOnly) return new ExtremeCandidates(shape, null);
  if (settled === null || !tellsOnce(nodes, input)) return null;
  const { type } = shape.schema.fields[shape.groups[settled.position]!]!;
  return storageOf(type) === 'i64' ? new ExtremeCandidates(shape, settled) : null;
}

/**
 * Whether each row is told of once in a step: its operator holds rows by a key and tells how they differ. Of several workers always the same tells of a
 * row, so that none comes to a group of which another one has told before.
 */
function tellsOnce(nodes: NodeBuilder, { node, key }: Built): boolean {
  let { operator, inputs, sharding } = nodes.nodes[node]!;
  while (operator instanceof RowMap) ({ operator, inputs, sharding } = nodes.nodes[inputs[0]!]!);
  return key !== null && operator.contents !== null && (nodes.workers === 1 || sharding?.kind === 'keyed');
}

/** Groups without those that follow from others of them, such as the end of a window from its beginning. */
function independent(input: Rel, groups: readonly number[]): readonly number[] {
  const kept: number[] = [];
  for (const group of groups) {
    const follows = kept.some((other) => followsFrom(sourceOf(input, group), scalarKey(sourceOf(input, other))));
    if (!follows || input.schema.fields[group]!.nullable) kept.push(group);
  }
  return kept;
}

/** Whether a scalar is computed from another one, by its key, and from literals. */
function followsFrom(scalar: Scalar, key: string): boolean {
  if (scalarKey(scalar) === key) return true;
  if (scalar.kind === 'column' || scalar.kind === 'literal') return scalar.kind === 'literal';
  return childrenOf(scalar).every((child) => followsFrom(child, key));
}

/** A column in terms of the relation below the projections and groups that it passes. */
function sourceOf(rel: Rel, ordinal: number): Scalar {
  let scalar: Scalar = columnReference(rel, ordinal);
  for (let below = rel; ; ) {
    if (below.kind !== 'project' && below.kind !== 'aggregate') return scalar;
    const columns = below.kind === 'project' ? below.columns : below.groups;
    if (columnsOf(scalar).some((column) => columns[column] === undefined)) return scalar;
    scalar = mapColumns(scalar, (column) => columns[column.ordinal]!);
    below = below.input;
  }
}

function extremeJoin(rel: Rels<'join'>): ExtremeJoin | null {
  if (rel.type !== 'inner') return null;
  let right = rel.right;
  // Where the columns of the right side come from in the aggregation.
  let sources: readonly number[] = allColumns(right);
  while (right.kind === 'project') {
    const { columns } = right;
    sources = sources.map((ordinal) => {
      const column = columns[ordinal];
      return column?.kind === 'column' ? column.ordinal : -1;
    });
    right = right.input;
  }
  if (right.kind !== 'aggregate' || sources.includes(-1)) return null;
  const [call, ...others] = right.aggregates;
  if (call === undefined || others.length > 0 || call.distinct || call.filter !== null) return null;
  if ((call.function !== 'max' && call.function !== 'min') || call.operand?.kind !== 'column') return null;
  const groups = right.groups.map((group) => (group.kind === 'column' ? group.ordinal : -1));
  const value = call.operand.ordinal;
  const { fields } = rel.left.schema;
  if (groups.length === 0 || groups.includes(-1)) return null;
  if (!isPlain(fields[value]) || !groups.every((group) => isPlain(fields[group]))) return null;
  // What the right side's columns equal in a row of the input.
  const equals = sources.map((source) => groups[source] ?? value);
  const width = fields.length;
  const compared = new Set<number>();
  let isBound = false;
  for (const predicate of conjuncts(rel.condition)) {
    const pair = sidesOf(predicate, width);
    if (pair === null) return null;
    const source = sources[pair.right]!;
    const isExtreme = source >= groups.length;
    if (pair.left !== (isExtreme ? value : groups[source])) return null;
    if (isExtreme) {
      const bound = call.function === 'max' ? '>=' : '<=';
      if (pair.operator !== '=' && pair.operator !== bound) return null;
      isBound = true;
    } else if (pair.operator === '=') compared.add(source);
    else return null;
  }
  if (!isBound || compared.size < groups.length) return null;
  if (relKey(rel.left) !== relKey(right.input)) return null;
  const kept = independent(rel.left, groups);
  return {
    input: rel.left,
    groups: kept,
    value,
    extreme: call.function,
    columns: [...allColumns(rel.left), ...equals],
  };
}

/** A comparison of a column of the left side with one of the right, in this order. */
function sidesOf(
  predicate: Scalar,
  width: number,
): { readonly left: number; readonly right: number; readonly operator: string } | null {
  if (predicate.kind !== 'operator') return null;
  const [a, b] = predicate.operands;
  if (a?.kind !== 'column' || b?.kind !== 'column') return null;
  const { operator } = predicate;
  if (a.ordinal < width && b.ordinal >= width) return { left: a.ordinal, right: b.ordinal - width, operator };
  if (b.ordinal >= width || a.ordinal < width) return null;
  const flipped = { '>=': '<=', '<=': '>=', '=': '=' }[operator as string];
  return flipped === undefined ? null : { left: b.ordinal, right: a.ordinal - width, operator: flipped };
}

function isPlain(field: Rel['schema']['fields'][number] | undefined): boolean {
  if (field === undefined || field.type.kind === 'UUID') return false;
  return !['f32', 'f64', 'bytes'].includes(storageOf(field.type));
}
