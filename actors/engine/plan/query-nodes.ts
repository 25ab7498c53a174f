// From a bound relation to operators: the part of the planner that knows which node does what.
//
// A relation is built for those who want some of its columns (`wanted`); columns that nobody wants are not read, not
// kept in state and not emitted. What is built says where each column came to lie (`columns`), so that renaming and
// reordering cost nothing. Chains of projections and filters become one row program; equal subplans are built once.
// Not here: joins, groups, windows, recursions, filters by the clock, each of which has a file of its own.
import { unreachable } from '../../../runtime/assert.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import type { CircuitNode } from '../circuit/circuit.ts';
import { EvaluationFailures } from '../circuit/evaluation-failures.ts';
import { inPlace, type NodeSharding } from '../circuit/node-sharding.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import type { Clock } from '../operators/clock.ts';
import { Explode } from '../operators/explode.ts';
import { RowMap } from '../operators/map.ts';
import { Repeat } from '../operators/repeat.ts';
import { Top } from '../operators/top.ts';
import { UnionAll } from '../operators/union-all.ts';
import { ConstantRows } from '../operators/values.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import type { StringPool } from '../state/string-pool.ts';
import { buildAggregate, buildDistinct } from './aggregate-nodes.ts';
import { columnReference, conjunction, conjuncts, mapColumns, moveColumns, relKey } from './algebra.ts';
import { allColumns, type Built, type Rels } from './built-relation.ts';
import { compileRowProgram } from './expression-compiler.ts';
import { columnsOf, scalarKey } from './expression-shape.ts';
import { buildExtremeJoin } from './extreme-join.ts';
import { buildFixpoint } from './fixpoint-node.ts';
import { buildHopCounts } from './hop-counts-node.ts';
import { buildAsof, buildJoin } from './join-nodes.ts';
import type { NodeBuilder } from './node-builder.ts';
import { limitRank } from './rank-limit.ts';
import { temporalCondition } from './rewrite-now.ts';
import { countBeforeExploding } from './rewrite-preaggregate.ts';
import { windowExtremes } from './rewrite-window-extremes.ts';
import { buildTemporalFilter } from './temporal-filter-node.ts';
import { buildWindow } from './window-node.ts';

export class QueryNodes implements NodeBuilder {
  readonly nodes: CircuitNode[] = [];
  readonly pool: StringPool;
  readonly failures: EvaluationFailures;
  readonly workers: number;
  readonly #scan: (relation: string) => Built;
  readonly #built: Map<string, readonly Built[]> = new Map();
  view = '';
  settled: NodeBuilder['settled'] = null;
  readonly forgetful: Map<number, () => void> = new Map();
  /** Where a program says NOW(). */
  clock: Clock | null = null;

  /** `scan` gives the node of a table or view that queries read. */
  constructor(pool: StringPool, failures: EvaluationFailures, scan: (relation: string) => Built, workers = 1) {
    this.workers = workers;
    this.pool = pool;
    this.failures = failures;
    this.#scan = scan;
  }

  inner(view: string, scan: (relation: string) => Built): QueryNodes {
    const nodes = new QueryNodes(this.pool, this.failures, scan);
    nodes.view = view;
    return nodes;
  }

  add(operator: Operator, inputs: readonly number[], sharding: NodeSharding | null = null): number {
    this.nodes.push({ operator, view: this.view, inputs, sharding });
    return this.nodes.length - 1;
  }

  build(rel: Rel, wanted: readonly number[]): Built {
    const sorted = [...new Set(wanted)].sort((a, b) => a - b);
    const key = relKey(rel);
    const known = this.#built.get(key) ?? [];
    const same = known.find(({ columns }) => sorted.every((ordinal) => columns[ordinal]! >= 0));
    if (same !== undefined) return same;
    const built = this.#make(rel, sorted);
    this.#built.set(key, [...(this.#built.get(key) ?? []), built]);
    return built;
  }

  buildWhole(rel: Rel): Built {
    const built = this.build(rel, allColumns(rel));
    if (built.columns.every((place, i) => place === i) && built.schema.fields.length === built.columns.length)
      return built;
    const outputs = built.columns.map((_, i) => columnReference(rel, i));
    return this.mapped(built, null, outputs, rel.schema);
  }

  contentsOf(node: number): ((emit: Emit) => void) | null {
    const { operator, inputs } = this.nodes[node]!;
    if (operator.contents !== null) {
      this.forgetful.delete(node);
      return operator.contents;
    }
    if (!(operator instanceof RowMap)) return null;
    const below = this.contentsOf(inputs[0]!);
    if (below === null) return null;
    return (emit) => {
      // Rows that failed have been reported by the step that brought them.
      const silent = new EvaluationFailures('skip');
      below((batch) => {
        const out = operator.apply(batch, silent);
        if (out !== null && out.rows > 0) emit(out);
      });
    };
  }

  #make(rel: Rel, wanted: readonly number[]): Built {
    switch (rel.kind) {
      case 'scan':
        return this.#scan(rel.relation);
      case 'values':
        return this.#values(rel);
      case 'filter': {
        const temporal = this.clock === null ? null : temporalCondition(rel.predicate);
        if (this.clock === null || temporal === null) return this.#chain(rel, wanted);
        return buildTemporalFilter(this, this.pool, this.clock, rel, temporal, wanted);
      }
      case 'project':
        return this.#chain(rel, wanted);
      case 'join':
        return buildExtremeJoin(this, rel, wanted) ?? this.#windowExtremes(rel, wanted) ?? buildJoin(this, rel, wanted);
      case 'aggregate':
        return buildHopCounts(this, rel, wanted) ?? buildAggregate(this, countBeforeExploding(rel) ?? rel, wanted);
      case 'distinct':
        return buildDistinct(this, rel);
      case 'union':
        return this.#union(rel, wanted);
      case 'repeat':
        return this.#repeat(rel);
      case 'top':
        return this.#top(rel);
      case 'window':
        return buildWindow(this, rel, wanted);
      case 'explode':
        return this.#explode(rel, wanted);
      case 'asof':
        return buildAsof(this, rel, wanted);
      case 'fixpoint':
        return buildFixpoint(this, rel);
      default:
        return unreachable(rel);
    }
  }

  /** One row program for a chain of filters and projections. */
  #chain(rel: Rels<'filter' | 'project'>, wanted: readonly number[]): Built {
    let base: Rel = rel;
    let outputs: readonly Scalar[] = wanted.map((ordinal) => columnReference(rel, ordinal));
    let predicates: readonly Scalar[] = [];
    for (;;) {
      if (base.kind === 'filter' && temporalCondition(base.predicate) === null) {
        predicates = [...conjuncts(base.predicate), ...predicates];
        base = base.input;
      } else if (base.kind === 'project' && canMerge(base, [...predicates, ...outputs])) {
        const { columns } = base;
        const substitute = (scalar: Scalar): Scalar => mapColumns(scalar, ({ ordinal }) => columns[ordinal]!);
        outputs = outputs.map(substitute);
        predicates = predicates.map(substitute);
        base = base.input;
      } else break;
    }
    if (base.kind === 'window') {
      const limited = limitRank(base, predicates);
      base = limited.window;
      predicates = limited.predicates;
    }
    const predicate = conjunction(predicates);
    const needed = [...outputs, ...predicates].flatMap(columnsOf);
    const below = this.build(base, needed);
    const places = allColumns(rel).map((ordinal) => wanted.indexOf(ordinal));
    if (predicate === null && outputs.every((output) => output.kind === 'column')) {
      const moved = outputs.map((output) => (output.kind === 'column' ? below.columns[output.ordinal]! : -1));
      return { ...below, columns: places.map((place) => (place < 0 ? -1 : moved[place]!)) };
    }
    const fields = wanted.map((ordinal) => rel.schema.fields[ordinal]!);
    const built = this.mapped(below, predicate, outputs, makeSchema(fields));
    return { ...built, columns: places };
  }

  mapped(below: Built, predicate: Scalar | null, outputs: readonly Scalar[], outputSchema: Schema): Built {
    const place = (ordinal: number): number => below.columns[ordinal]!;
    const moved = outputs.map((output) => moveColumns(output, place));
    const condition = predicate === null ? null : moveColumns(predicate, place);
    const program = compileRowProgram({
      inputSchema: below.schema,
      predicate: condition,
      outputs: moved,
      outputSchema,
      view: this.view,
    });
    const filter = condition === null ? '' : ` where ${scalarKey(condition)}`;
    const detail = `${moved.map(scalarKey).join(', ')}${filter}`;
    const kept = moved.map((output) => (output.kind === 'column' ? output.ordinal : -1));
    const reads = [...moved, ...(condition === null ? [] : [condition])].flatMap(columnsOf);
    const node = this.add(new RowMap(program, this.failures, detail), [below.node], {
      kind: 'local',
      schema: outputSchema,
      sources: [kept],
      reads,
    });
    const key = below.key?.every((position) => kept.includes(position)) ? below.key.map((k) => kept.indexOf(k)) : null;
    return { node, schema: outputSchema, columns: moved.map((_, i) => i), appendOnly: below.appendOnly, key };
  }

  #values(rel: Rels<'values'>): Built {
    const failures = this.failures;
    const { view } = this;
    const inputSchema = makeSchema([]);
    const programs = rel.rows.map((outputs) =>
      compileRowProgram({ inputSchema, predicate: null, outputs, outputSchema: rel.schema, view }),
    );
    const one: ChangeBatch = { schema: inputSchema, rows: 1, weights: null, columns: [], presence: null };
    const batches = (): readonly ChangeBatch[] =>
      programs.map((program) => program.run(one, failures)).filter((batch) => batch !== null);
    const node = this.add(new ConstantRows(batches, rel.rows.length), [], {
      kind: 'everywhere',
      schema: rel.schema,
      passesRows: false,
    });
    return { node, schema: rel.schema, columns: allColumns(rel), appendOnly: true, key: null };
  }

  #windowExtremes(rel: Rels<'join'>, wanted: readonly number[]): Built | null {
    const rewritten = windowExtremes(rel);
    return rewritten === null ? null : this.build(rewritten, wanted);
  }

  /** Inputs give what is wanted, side by side. */
  #union(rel: Rels<'union'>, wanted: readonly number[]): Built {
    const chosen = wanted.length > 0 ? wanted : allColumns(rel).slice(0, 1);
    const schema = makeSchema(chosen.map((ordinal) => rel.schema.fields[ordinal]!));
    const inputs = rel.inputs.map((input) => {
      const built = this.narrow(input, chosen);
      if (chosen.every((ordinal, i) => built.columns[ordinal] === i)) return built;
      return this.mapped(
        built,
        null,
        chosen.map((ordinal) => columnReference(input, ordinal)),
        schema,
      );
    });
    const node = this.add(
      new UnionAll(schema),
      inputs.map((input) => input.node),
      { kind: 'local', schema, sources: inputs.map(() => inPlace(chosen.length)) },
    );
    const appendOnly = inputs.every((input) => input.appendOnly);
    const columns = allColumns(rel).map((ordinal) => chosen.indexOf(ordinal));
    return { node, schema, columns, appendOnly, key: null };
  }

  #repeat(rel: Rels<'repeat'>): Built {
    const input = this.buildWhole(rel.input);
    const sources = [inPlace(rel.schema.fields.length)];
    const node = this.add(new Repeat(rel.schema), [input.node], { kind: 'local', schema: rel.schema, sources });
    return { node, schema: rel.schema, columns: allColumns(rel), appendOnly: input.appendOnly, key: null };
  }

  /** Only what is wanted is multiplied; the count, which becomes the number, comes last. */
  #explode(rel: Rels<'explode'>, wanted: readonly number[]): Built {
    const last = rel.schema.fields.length - 1;
    const chosen = [...new Set([...wanted, last])].sort((a, b) => a - b);
    const input = this.narrow(rel.input, chosen);
    const inOrder = chosen.every((ordinal, i) => input.columns[ordinal] === i);
    const outputs = chosen.map((ordinal) => columnReference(rel.input, ordinal));
    const fields = chosen.map((ordinal) => rel.input.schema.fields[ordinal]!);
    const ordered = inOrder ? input : this.mapped(input, null, outputs, makeSchema(fields));
    const schema = makeSchema(chosen.map((ordinal) => rel.schema.fields[ordinal]!));
    const sources = [inPlace(chosen.length - 1, chosen.length)];
    const node = this.add(new Explode(schema, rel.outer), [ordered.node], { kind: 'local', schema, sources });
    const columns = allColumns(rel).map((ordinal) => chosen.indexOf(ordinal));
    return { node, schema, columns, appendOnly: input.appendOnly, key: null };
  }

  narrow(rel: Rel, wanted: readonly number[]): Built {
    const chosen = [...new Set(wanted)].sort((a, b) => a - b);
    const built = this.build(rel, chosen);
    if (built.schema.fields.length === chosen.length) return built;
    const outputs = chosen.map((ordinal) => columnReference(rel, ordinal));
    const mapped = this.mapped(built, null, outputs, makeSchema(chosen.map((ordinal) => rel.schema.fields[ordinal]!)));
    return { ...mapped, columns: allColumns(rel).map((ordinal) => chosen.indexOf(ordinal)) };
  }

  #top(rel: Rels<'top'>): Built {
    const input = this.buildWhole(rel.input);
    const { keys, limit, offset, schema } = rel;
    // All rows: an order alone changes nothing.
    if (limit === null && offset === 0) return input;
    const top = new Top({ schema, keys, limit, offset, appendOnly: input.appendOnly, pool: this.pool });
    // Rows may stand in the window more than once, but then as one change with a weight.
    const columns = allColumns(rel);
    const node = this.add(top, [input.node], { kind: 'single', schema });
    return { node, schema, columns, appendOnly: false, key: columns };
  }
}

/** Whether a projection may be substituted: no expression would be computed twice. */
function canMerge(project: Rels<'project'>, readers: readonly Scalar[]): boolean {
  const uses = new Map<number, number>();
  const count = (scalar: Scalar): Scalar =>
    mapColumns(scalar, (column) => {
      uses.set(column.ordinal, (uses.get(column.ordinal) ?? 0) + 1);
      return column;
    });
  readers.forEach(count);
  return [...uses].every(([ordinal, times]) => {
    const { kind } = project.columns[ordinal]!;
    return times === 1 || kind === 'column' || kind === 'literal';
  });
}
