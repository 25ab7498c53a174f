// A program at work: a graph of operators that is pushed through, step by step.
//
// The graph is given in topological order. In a step every batch is pushed from its table to the operators that read it,
// as deep as it goes at once; then every operator is flushed in order. What reaches an observed relation is collected,
// and returned consolidated. A step is all or nothing for the outside: an evaluation failure throws before anything is
// returned, and the circuit must not be used afterwards (its state holds half a step).
// Knows no operator by name, no SQL: the planner makes nodes and says how a query is run (`CircuitPlan`).
// One thread, synchronous, not reentrant. Not here: which batches make a step, durability (the engine actor, the store).
import { assert } from '../../../runtime/assert.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { concatBatches } from '../../../runtime/batch/concat-batches.ts';
import { consolidate } from '../../../runtime/batch/consolidate.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import type { Rel, SortKey } from '../sql/bound.ts';
import { SnapshotDamaged, SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import type { EvaluationFailures } from './evaluation-failures.ts';
import type { NodeSharding } from './node-sharding.ts';
import type { Emit, Operator } from './operator.ts';

export const RelationNotMaterialized: CodedErrorClass<{ readonly relation: string }> = defineError(
  'query.not_materialized',
  { help: "Declare it as MATERIALIZED VIEW or, for a table, WITH ('materialized' = 'true')." },
  (f) => `"${f.relation}" keeps no content that could be read: it is not materialized`,
);

/**
 * Raised whenever an operator keeps its state in another shape than before, so that a snapshot of an earlier build is refused and not
 * read as what it is not.
 */
const stateLayout = 2;
/** The same for snapshots of several workers, which are raised as well when rows come to lie on others. */
const shardedStateLayout = 3;

/** An operator and where its inputs come from: node inputs[p] feeds port p. */
export interface CircuitNode {
  readonly operator: Operator;
  /** The relation it was made for, for statistics. */
  readonly view: string;
  readonly inputs: readonly number[];
  /** How its rows may lie on several workers; null: all on one. */
  readonly sharding?: NodeSharding | null;
  /** Whether worker 0 computes the same, so that failures are counted there. */
  readonly isCopy?: boolean;
}

/** How the rows of a relation lie on the workers of a sharded circuit. */
export interface RelationSpread {
  /** Whether worker 0 has all changes, so that those of others do not count. */
  readonly changesAreOfFirst: boolean;
  /** Whether no two workers ever have equal rows among their changes. */
  readonly changesAreDisjoint: boolean;
  readonly contentsAreOfFirst: boolean;
}

/** A table or view as the outside sees it. */
export interface CircuitRelation {
  readonly name: string;
  readonly schema: Schema;
  readonly node: number;
  /** Where the input of a table goes when it is not the node itself. */
  readonly entry?: number;
  /** Of a table's input the columns that count on workers other than the first; absent: all. */
  readonly inputReads?: ReadonlySet<number>;
  readonly isTable: boolean;
  /** Emits the content as +weights; null when the relation is not materialized. */
  readonly contents: ((emit: Emit) => void) | null;
  /** Whether what a step emits has no equal rows, so that nothing is to be merged. */
  readonly changesAreDistinct: boolean;
  /** Absent: there is one worker. */
  readonly spread?: RelationSpread;
}

/** A node to which all rows have to come, so that worker 0 computes it and what follows from it. */
export interface GatheredRows {
  readonly view: string;
  readonly operator: string;
  /** Of its kind; it has keys, but rows cannot lie by any of them; or it has none. */
  readonly because: 'kind' | 'unhashable keys' | 'no keys';
}

/** What queries read. */
export interface RelationContents {
  isMaterialized(relation: string): boolean;
  /** @throws RelationNotMaterialized */
  contents(relation: string): readonly ChangeBatch[];
}

export interface CircuitPlan {
  readonly nodes: readonly CircuitNode[];
  readonly relations: ReadonlyMap<string, CircuitRelation>;
  readonly pool: StringPool;
  readonly failures: EvaluationFailures;
  /** Nodes that several workers share among them; absent: there is one worker. */
  readonly sharedNodes?: number;
  /** Where rows of several workers meet on the first, and stay there; absent: there is one worker. */
  readonly gathered?: readonly GatheredRows[];
  readonly runQuery: (circuit: RelationContents, query: Rel, order: readonly SortKey[]) => readonly ChangeBatch[];
}

export interface OperatorStatistics {
  readonly operator: string;
  readonly detail: string;
  readonly view: string;
  /** Numbers of the operators that it reads. */
  readonly inputs: readonly number[];
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly nanos: number;
  readonly stateRows: number;
  readonly stateBytes: number;
  /** Rows that a table with LATENESS dropped. */
  readonly lateRows: number;
}

interface RunningNode {
  readonly operator: Operator;
  readonly view: string;
  readonly consumers: { readonly node: RunningNode; readonly port: number }[];
  readonly taps: Tap[];
  readonly isCopy: boolean;
  emit: Emit;
  rowsIn: number;
  rowsOut: number;
  millis: number;
}

/** Where the changes of a relation are collected. */
interface Tap {
  readonly relation: CircuitRelation;
  readonly batches: ChangeBatch[];
}

export class Circuit implements RelationContents {
  readonly failures: EvaluationFailures;
  readonly #plan: CircuitPlan;
  readonly #nodes: readonly RunningNode[];
  readonly #taps: Map<string, Tap> = new Map();
  #running: RunningNode | null = null;
  #since = 0;

  constructor(plan: CircuitPlan) {
    this.#plan = plan;
    this.failures = plan.failures;
    this.#nodes = plan.nodes.map(({ operator, view, isCopy = false }): RunningNode => {
      const node: RunningNode = {
        operator,
        view,
        consumers: [],
        taps: [],
        isCopy,
        emit: () => {},
        rowsIn: 0,
        rowsOut: 0,
        millis: 0,
      };
      node.emit = (batch) => this.#deliver(node, batch);
      return node;
    });
    plan.nodes.forEach(({ inputs }, id) => {
      inputs.forEach((input, port) => {
        assert(input < id, 'nodes stand after their inputs');
        this.#nodes[input]!.consumers.push({ node: this.#nodes[id]!, port });
      });
    });
    this.#lend();
  }

  /** From the next step on `step` returns the changes of this relation. */
  observe(relation: string): void {
    if (this.#taps.has(relation)) return;
    const known = this.#relation(relation);
    const tap: Tap = { relation: known, batches: [] };
    this.#taps.set(relation, tap);
    this.#nodes[known.node]!.taps.push(tap);
    this.#lend();
  }

  unobserve(relation: string): void {
    const tap = this.#taps.get(relation);
    if (tap === undefined) return;
    this.#taps.delete(relation);
    const { taps } = this.#nodes[tap.relation.node]!;
    taps.splice(taps.indexOf(tap), 1);
    this.#lend();
  }

  /**
   * Takes the batches of each table in order and computes everything.
   * @returns the consolidated change of every observed relation that changed; rows that were only inserted are not merged.
   * @throws EvaluationFailed under `on_error: stop`; the circuit must not be used afterwards.
   */
  step(inputs: ReadonlyMap<string, readonly ChangeBatch[]>): ReadonlyMap<string, ChangeBatch> {
    this.push(inputs);
    for (let node = 0; node < this.#nodes.length; node++) this.flush(node);
    return this.collect();
  }

  // A step in its three parts, for those who run several circuits side by side: push, flush each node in order, collect.

  get nodes(): number {
    return this.#nodes.length;
  }

  push(inputs: ReadonlyMap<string, readonly ChangeBatch[]>): void {
    this.#since = systemClock.monotonic();
    for (const [table, batches] of inputs) {
      const relation = this.#relation(table);
      assert(relation.isTable, 'only tables take input');
      for (const batch of batches) {
        assert(batch.columns.length === relation.schema.fields.length, 'a batch has the columns of its table');
        this.#push(this.#nodes[relation.entry ?? relation.node]!, 0, batch);
      }
    }
  }

  flush(id: number): void {
    const node = this.#nodes[id]!;
    const caller = this.#enter(node);
    node.operator.flush(node.emit);
    this.#enter(caller);
  }

  collect(): ReadonlyMap<string, ChangeBatch> {
    const changes = new Map<string, ChangeBatch>();
    for (const [name, tap] of this.#taps) {
      const change = collect(tap);
      if (change !== null) changes.set(name, change);
    }
    return changes;
  }

  /** How many nodes are computed by several workers together, each for its own rows. */
  get sharedNodes(): number {
    return this.#plan.sharedNodes ?? 0;
  }

  get gathered(): readonly GatheredRows[] {
    return this.#plan.gathered ?? [];
  }

  /** How a relation lies on several workers; null where there is one. */
  spread(relation: string): RelationSpread | null {
    return this.#relation(relation).spread ?? null;
  }

  /** The columns of a table's input that other workers have to see; null: all. */
  inputReads(relation: string): ReadonlySet<number> | null {
    return this.#relation(relation).inputReads ?? null;
  }

  isMaterialized(relation: string): boolean {
    return this.#plan.relations.get(relation)?.contents != null;
  }

  /** @throws RelationNotMaterialized */
  contents(relation: string): readonly ChangeBatch[] {
    const { contents, schema } = this.#relation(relation);
    if (contents === null) throw new RelationNotMaterialized({ relation });
    const batches: ChangeBatch[] = [];
    contents((batch) => batches.push({ ...batch, schema }));
    return batches;
  }

  /**
   * The rows of a query over materialized relations, sorted by `displayOrder` or else by the keys of a top at its root.
   * @throws RelationNotMaterialized, EvaluationFailed
   */
  query(query: Rel, displayOrder: readonly SortKey[], contents: RelationContents = this): readonly ChangeBatch[] {
    return this.#plan.runQuery(contents, query, displayOrder);
  }

  /** All state between two steps: the strings, then a part for each operator. */
  snapshot(): Uint8Array[] {
    const head = new SnapshotWriter();
    head.text(this.explain());
    head.number(this.#layout);
    this.#plan.pool.snapshot(head);
    const parts = this.#nodes.map(({ operator }) => {
      const writer = new SnapshotWriter();
      operator.snapshot(writer);
      return writer.finish();
    });
    return [head.finish(), ...parts];
  }

  /**
   * Makes a fresh circuit of the same program go on where the snapshot was taken.
   * @throws SnapshotDamaged when the parts are of another program or cut.
   */
  restore(parts: readonly Uint8Array[]): void {
    const [first, ...rest] = parts;
    if (first === undefined || rest.length !== this.#nodes.length)
      throw new SnapshotDamaged({ detail: `${this.#nodes.length + 1} parts were expected, not ${parts.length}` });
    const head = new SnapshotReader(first);
    if (head.text() !== this.explain()) throw new SnapshotDamaged({ detail: 'it is of another program' });
    if (head.number() !== this.#layout) throw new SnapshotDamaged({ detail: 'it is of another version of Millrace' });
    this.#plan.pool.restore(head);
    head.end();
    this.#nodes.forEach(({ operator }, i) => {
      const reader = new SnapshotReader(rest[i]!);
      operator.restore(reader);
      reader.end();
    });
  }

  /** Counted since the circuit was made; state as it is now. The strings of all operators come last. */
  statistics(): readonly OperatorStatistics[] {
    const operators = this.#nodes.map((node, id) => ({
      operator: node.operator.name,
      detail: node.operator.detail,
      view: node.view,
      inputs: this.#plan.nodes[id]!.inputs,
      rowsIn: node.rowsIn,
      rowsOut: node.rowsOut,
      nanos: Math.round(node.millis * 1e6),
      stateRows: node.operator.stateRows(),
      stateBytes: node.operator.stateBytes(),
      lateRows: node.operator.lateRows?.() ?? 0,
    }));
    const { size, stateBytes } = this.#plan.pool;
    const strings = {
      operator: 'strings',
      detail: '',
      view: '',
      inputs: [],
      rowsIn: 0,
      rowsOut: 0,
      nanos: 0,
      stateRows: size,
      stateBytes,
      lateRows: 0,
    };
    return [...operators, strings];
  }

  /** One line a node: number, operator, detail, inputs. The same for every circuit of one program. */
  explain(): string {
    return this.#plan.nodes
      .map(({ operator, view, inputs }, id) => {
        const from = inputs.length === 0 ? '' : ` <- ${inputs.join(', ')}`;
        return `${id} ${operator.name} [${operator.detail}] for ${view}${from}`;
      })
      .join('\n');
  }

  get #layout(): number {
    return this.#plan.sharedNodes === undefined ? stateLayout : shardedStateLayout;
  }

  #relation(name: string): CircuitRelation {
    const relation = this.#plan.relations.get(name);
    assert(relation !== undefined, 'the circuit knows the relation');
    return relation;
  }

  /** Tells each operator whether anybody keeps the batches it emits: a tap does, here or behind operators that pass them on. */
  #lend(): void {
    const kept = new Map<RunningNode, boolean>();
    for (const node of this.#nodes.toReversed()) {
      const isKept = node.taps.length > 0 || node.consumers.some((c) => c.node.operator.passesOn && kept.get(c.node));
      kept.set(node, isKept === true);
      node.operator.lend?.(isKept !== true);
    }
  }

  #deliver(node: RunningNode, batch: ChangeBatch): void {
    node.rowsOut += batch.rows;
    for (const tap of node.taps) tap.batches.push(batch);
    for (const consumer of node.consumers) this.#push(consumer.node, consumer.port, batch);
  }

  #push(node: RunningNode, port: number, batch: ChangeBatch): void {
    node.rowsIn += batch.rows;
    const caller = this.#enter(node);
    node.operator.push(port, batch, node.emit);
    this.#enter(caller);
  }

  /** Time from now on is that of `node`. Returns the node whose time it was. */
  #enter(node: RunningNode | null): RunningNode | null {
    const now = systemClock.monotonic();
    const before = this.#running;
    if (before !== null) before.millis += now - this.#since;
    this.#since = now;
    this.#running = node;
    this.failures.isCounting = node === null || !node.isCopy;
    return before;
  }
}

function collect(tap: Tap): ChangeBatch | null {
  const { batches, relation } = tap;
  if (batches.length === 0) return null;
  const settled = relation.changesAreDistinct || batches.every((batch) => !hasNegative(batch.weights, batch.rows));
  const change = settled ? concatBatches(batches, relation.schema) : consolidate(batches, relation.schema);
  batches.length = 0;
  return change === null || change.rows === 0 ? null : { ...change, schema: relation.schema };
}

function hasNegative(weights: Int32Array | null, rows: number): boolean {
  if (weights === null) return false;
  for (let i = 0; i < rows; i++) if (weights[i]! < 0) return true;
  return false;
}
