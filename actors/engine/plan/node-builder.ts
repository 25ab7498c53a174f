// What the builder of one kind of relation (joins, groups, windows, recursions) is given to build with: nodes of the circuit, the relations below,
// and what all of them share. query-nodes.ts is it, and knows which builder serves which relation.
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { CircuitNode } from '../circuit/circuit.ts';
import type { EvaluationFailures } from '../circuit/evaluation-failures.ts';
import type { NodeSharding } from '../circuit/node-sharding.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import type { StringPool } from '../state/string-pool.ts';
import type { Built } from './built-relation.ts';

export interface NodeBuilder {
  readonly nodes: readonly CircuitNode[];
  readonly pool: StringPool;
  readonly failures: EvaluationFailures;
  /** Of the circuit; what is inside of a node has one. */
  readonly workers: number;
  /** The view being built, named in failures and statistics. */
  readonly view: string;
  /** Where state may be forgotten behind watermarks: what is below the value of an expression of a relation is settled. */
  readonly settled: ((rel: Rel, scalar: Scalar) => (() => number | bigint | null) | null) | null;
  /** Nodes that may forget, unless their state is read as the content of a relation. */
  readonly forgetful: Map<number, () => void>;
  /** Nodes of a circuit inside of this one, for a view of it; `scan` gives the node of a relation that they read. */
  inner(view: string, scan: (relation: string) => Built): NodeBuilder;
  /** Without `sharding` the node sees all rows on one worker. */
  add(operator: Operator, inputs: readonly number[], sharding?: NodeSharding | null): number;
  /** Builds a relation for the columns in `wanted`; what has been built for more of them serves as well. */
  build(rel: Rel, wanted: readonly number[]): Built;
  /** All columns of a relation, in order, in batches of exactly these columns. */
  buildWhole(rel: Rel): Built;
  /** The relation in batches of the wanted columns alone. */
  narrow(rel: Rel, wanted: readonly number[]): Built;
  /** A row program on what was built: expressions read the relation's ordinals. */
  mapped(below: Built, predicate: Scalar | null, outputs: readonly Scalar[], outputSchema: Schema): Built;
  /** The content of a node that its own state, or that of a node before it, holds; null when none does. */
  contentsOf(node: number): ((emit: Emit) => void) | null;
}
