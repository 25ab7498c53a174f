// From a bound relation to operators: the part of the planner that knows which node does what.
//
// A relation is built for those who want some of its columns (`wanted`); columns that nobody wants are not read, not
// kept in state and not emitted. What is built says where each column came to lie (`columns`), so that renaming and
// reordering cost nothing. Chains of projections and filters become one row program; equal subplans are built once.
// Join keys are the equalities between the sides; what is left of a condition is a filter behind an inner join, and for
//   L ⟕[k ∧ p] R   =   σp(L ⋈[k] R)  ∪  (L where no row of σp(L ⋈[k] R) has the same left columns, right side NULL)
import { assert, unreachable } from '../../../runtime/assert.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../../runtime/batch/row-objects.ts';
import { type Field, makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import type { CircuitNode } from '../circuit/circuit.ts';
import { EvaluationFailures } from '../circuit/evaluation-failures.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { Aggregate } from '../operators/aggregate.ts';
import type { AggregateColumn } from '../operators/aggregate-cells.ts';
import { AsofJoin } from '../operators/asof-join.ts';
import type { Clock } from '../operators/clock.ts';
import { Explode } from '../operators/explode.ts';
import { Fixpoint } from '../operators/fixpoint.ts';
import { Join } from '../operators/join.ts';
import { RowMap } from '../operators/map.ts';
import { Repeat } from '../operators/repeat.ts';
import { Top } from '../operators/top.ts';
import { UnionAll } from '../operators/union-all.ts';
import { ConstantRows } from '../operators/values.ts';
import { Window } from '../operators/window.ts';
import type { AggregateCall, Rel, Scalar, WindowCall } from '../sql/bound.ts';
import { NumericOverflow } from '../sql/evaluation-errors.ts';
import type { StringPool } from '../state/string-pool.ts';
import { columnReference, conjunction, conjuncts, mapColumns, moveColumns, relKey } from './algebra.ts';
import { compileRowProgram } from './expression-compiler.ts';
import { columnsOf, scalarKey } from './expression-shape.ts';
import { splitCondition } from './join-keys.ts';
import { limitRank } from './rank-limit.ts';
import { recursionCircuit } from './recursion.ts';
import { temporalCondition } from './rewrite-now.ts';
import { externalScans } from './scanned-relations.ts';
import { buildTemporalFilter } from './temporal-filter-node.ts';

/** A relation as it comes out of a node. */
export interface Built {
  readonly node: number;
  /** Of the node's batches. */
  readonly schema: Schema;
  /** Where column i of the relation lies in the batches; -1 when it was not wanted. */
  readonly columns: readonly number[];
  readonly appendOnly: boolean;
  /** Positions that identify a row of the content; null when rows may repeat. */
  readonly key: readonly number[] | null;
}

type Rels<K extends Rel['kind']> = Extract<Rel, { kind: K }>;

export class QueryNodes {
  readonly nodes: CircuitNode[] = [];
  readonly #pool: StringPool;
  readonly #failures: EvaluationFailures;
  readonly #scan: (relation: string) => Built;
  readonly #built: Map<string, readonly { readonly wanted: readonly number[]; readonly built: Built }[]> = new Map();
  /** The view being built, named in failures and statistics. */
  view = '';
  /** Where state may be forgotten behind watermarks: what is below the value of an expression of a relation is settled. */
  settled: ((rel: Rel, scalar: Scalar) => (() => number | bigint | null) | null) | null = null;
  /** Nodes that may forget, unless their state is read as the content of a relation. */
  readonly forgetful: Map<number, () => void> = new Map();
  /** Where a program says NOW(). */
  clock: Clock | null = null;

  /** `scan` gives the node of a table or view that queries read. */
  constructor(pool: StringPool, failures: EvaluationFailures, scan: (relation: string) => Built) {
    this.#pool = pool;
    this.#failures = failures;
    this.#scan = scan;
  }

  add(operator: Operator, inputs: readonly number[]): number {
    this.nodes.push({ operator, view: this.view, inputs });
    return this.nodes.length - 1;
  }

  /** Builds a relation for the columns in `wanted`; what has been built for more of them serves as well. */
  build(rel: Rel, wanted: readonly number[]): Built {
    const sorted = [...new Set(wanted)].sort((a, b) => a - b);
    const key = relKey(rel);
    const known = this.#built.get(key) ?? [];
    const same = known.find((one) => sorted.every((ordinal) => one.wanted.includes(ordinal)));
    if (same !== undefined) return same.built;
    const built = this.#make(rel, sorted);
    this.#built.set(key, [...(this.#built.get(key) ?? []), { wanted: sorted, built }]);
    return built;
  }

  /** All columns of a relation, in order, in batches of exactly these columns. */
  buildWhole(rel: Rel): Built {
    const built = this.build(rel, allColumns(rel));
    if (built.columns.every((place, i) => place === i) && built.schema.fields.length === built.columns.length)
      return built;
    const outputs = built.columns.map((_, i) => columnReference(rel, i));
    return this.#mapped(built, null, outputs, rel.schema);
  }

  /** The content of a node that its own state, or that of a node before it, holds; null when none does. */
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
        return buildTemporalFilter(this, this.#pool, this.clock, rel, temporal, wanted);
      }
      case 'project':
        return this.#chain(rel, wanted);
      case 'join':
        return this.#join(rel, wanted);
      case 'aggregate':
        return this.#aggregate(rel, wanted);
      case 'distinct':
        return this.#distinct(rel);
      case 'union':
        return this.#union(rel);
      case 'repeat':
        return this.#repeat(rel);
      case 'top':
        return this.#top(rel);
      case 'window':
        return this.#window(rel, wanted);
      case 'explode':
        return this.#explode(rel, wanted);
      case 'asof':
        return this.#asof(rel, wanted);
      case 'fixpoint':
        return this.#fixpoint(rel);
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
    const built = this.#mapped(below, predicate, outputs, makeSchema(fields));
    return { ...built, columns: places };
  }

  /** A row program on what was built: expressions read the relation's ordinals. */
  #mapped(below: Built, predicate: Scalar | null, outputs: readonly Scalar[], outputSchema: Schema): Built {
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
    const node = this.add(new RowMap(program, this.#failures, detail), [below.node]);
    const kept = moved.map((output) => (output.kind === 'column' ? output.ordinal : -1));
    const key = below.key?.every((position) => kept.includes(position)) ? below.key.map((k) => kept.indexOf(k)) : null;
    return { node, schema: outputSchema, columns: moved.map((_, i) => i), appendOnly: below.appendOnly, key };
  }

  #values(rel: Rels<'values'>): Built {
    const failures = this.#failures;
    const { view } = this;
    const inputSchema = makeSchema([]);
    const programs = rel.rows.map((outputs) =>
      compileRowProgram({ inputSchema, predicate: null, outputs, outputSchema: rel.schema, view }),
    );
    const one: ChangeBatch = { schema: inputSchema, rows: 1, weights: null, columns: [], presence: null };
    const batches = (): readonly ChangeBatch[] =>
      programs.map((program) => program.run(one, failures)).filter((batch) => batch !== null);
    const node = this.add(new ConstantRows(batches, rel.rows.length), []);
    return { node, schema: rel.schema, columns: allColumns(rel), appendOnly: true, key: null };
  }

  #join(rel: Rels<'join'>, wanted: readonly number[]): Built {
    const leftColumns = rel.left.schema.fields.length;
    const { pairs, residual, nullsMatch, known } = splitCondition(rel, leftColumns);
    const outputs = [...new Set([...wanted, ...residual.flatMap(columnsOf)])].sort((a, b) => a - b);
    const toRight = (scalar: Scalar): Scalar => moveColumns(scalar, (ordinal) => ordinal - leftColumns);
    const left = this.#joinInput(
      rel.left,
      outputs.filter((c) => c < leftColumns),
      pairs.map(([key]) => key),
    );
    const right = this.#joinInput(
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
      left: { schema: left.built.schema, keys: left.keys },
      right: { schema: right.built.schema, keys: right.keys },
      nullsMatch,
      schema,
      outputs: sources,
      pool: this.#pool,
    });
    const node = this.add(join, [left.built.node, right.built.node]);
    for (const [position, [own, other]] of pairs.entries()) {
      const bounds = [this.settled?.(rel.left, own), this.settled?.(rel.right, toRight(other))];
      const [one, two] = bounds.filter((bound) => bound != null);
      if (one === undefined || two === undefined) continue;
      const below = (): number | bigint | null => {
        const [a, b] = [one(), two()];
        if (a === null || b === null) return null;
        return a < b ? a : b;
      };
      this.forgetful.set(node, () => join.forget({ position, below }));
      break;
    }
    const columns = allColumns(rel).map((c) => outputs.indexOf(c));
    const appendOnly = type === 'inner' && left.built.appendOnly && right.built.appendOnly;
    const joined: Built = { node, schema, columns, appendOnly, key: null };
    const predicate = conjunction(residual);
    if (predicate === null) return joined;
    const references = outputs.map((c) => columnReference(rel, c));
    const filtered = { ...this.#mapped(joined, predicate, references, schema), columns };
    return rel.type === 'inner' ? filtered : this.#withUnmatched(rel, filtered, outputs, left.built);
  }

  /** Adds the left rows that the filtered matches do not cover. */
  #withUnmatched(rel: Rels<'join'>, matched: Built, outputs: readonly number[], left: Built): Built {
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
    const covered = this.#distinctOf(this.#mapped(matched, null, references, coveredSchema), coveredSchema);
    const schema = makeSchema([...leftFields, { ...marker, nullable: true }]);
    const probe = new Join({
      type: 'left',
      left: { schema: left.schema, keys: shared.map((c) => left.columns[c]!) },
      right: { schema: covered.schema, keys: shared.map((_, i) => i) },
      nullsMatch: true,
      schema,
      outputs: [
        ...shared.map((c) => ({ side: 'left' as const, ordinal: left.columns[c]! })),
        { side: 'right', ordinal: shared.length },
      ],
      pool: this.#pool,
    });
    const columns = allColumns(rel).map((c) => shared.indexOf(c));
    const probed: Built = {
      node: this.add(probe, [left.node, covered.node]),
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
    const unmatched = this.#mapped(withFlag, isNull, padded, matched.schema);
    const node = this.add(new UnionAll(matched.schema), [matched.node, unmatched.node]);
    return { ...matched, node, appendOnly: false, key: null };
  }

  /** One side of a join: the wanted columns and the keys, computed where they are not columns. */
  #joinInput(rel: Rel, wanted: readonly number[], keys: readonly Scalar[]): { built: Built; keys: readonly number[] } {
    if (keys.every((key) => key.kind === 'column')) {
      const ordinals = keys.map((key) => (key.kind === 'column' ? key.ordinal : -1));
      const built = this.build(rel, [...wanted, ...ordinals]);
      return { built, keys: ordinals.map((ordinal) => built.columns[ordinal]!) };
    }
    const fields = keys.map((key, i) => ({ name: `key ${i}`, type: key.type, nullable: key.nullable }));
    const schema = makeSchema([...rel.schema.fields, ...fields]);
    const columns = [...allColumns(rel).map((c) => columnReference(rel, c)), ...keys];
    const first = rel.schema.fields.length;
    const keyOrdinals = keys.map((_, i) => first + i);
    const built = this.build({ kind: 'project', input: rel, columns, schema }, [...wanted, ...keyOrdinals]);
    return { built, keys: keyOrdinals.map((ordinal) => built.columns[ordinal]!) };
  }

  #aggregate(rel: Rels<'aggregate'>, wanted: readonly number[]): Built {
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
    const inputSchema = makeSchema(
      scalars.map(({ type, nullable, source }) => ({ name: source.text, type, nullable })),
    );
    const project: Rel = { kind: 'project', input: rel.input, columns: scalars, schema: inputSchema };
    const input = this.build(project, allColumns(project));
    const place = (position: number | null): number | null => (position === null ? null : input.columns[position]!);
    const fields = [
      ...rel.schema.fields.slice(0, groupCount),
      ...rel.schema.fields.slice(groupCount).filter((_, i) => wanted.includes(groupCount + i)),
    ];
    const schema = makeSchema(fields);
    const { view } = this;
    const failures = this.#failures;
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
      pool: this.#pool,
      fail: (position, group) => reportOverflow(failures, view, calls[position]!, group),
    });
    const node = this.add(aggregate, [input.node]);
    for (const [position, group] of rel.groups.entries()) {
      const below = this.settled?.(rel.input, group) ?? null;
      if (below === null) continue;
      this.forgetful.set(node, () => aggregate.forget({ position, below }));
      break;
    }
    let next = groupCount;
    const columns = allColumns(rel).map((c) => (c < groupCount ? c : wanted.includes(c) ? next++ : -1));
    return { node, schema, columns, appendOnly: false, key: groups.map((_, i) => i) };
  }

  #distinct(rel: Rels<'distinct'>): Built {
    const input = this.build(rel.input, allColumns(rel));
    const built = this.#distinctOf(input, rel.schema);
    const { operator } = this.nodes[built.node]!;
    for (const position of allColumns(rel)) {
      const below = this.settled?.(rel.input, columnReference(rel.input, position)) ?? null;
      if (below === null || !(operator instanceof Aggregate)) continue;
      this.forgetful.set(built.node, () => operator.forget({ position, below }));
      break;
    }
    return built;
  }

  #distinctOf(input: Built, schema: Schema): Built {
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
      pool: this.#pool,
      fail,
    });
    return { node: this.add(distinct, [input.node]), schema, columns, appendOnly: input.appendOnly, key: columns };
  }

  #union(rel: Rels<'union'>): Built {
    const inputs = rel.inputs.map((input) => this.buildWhole(input));
    const node = this.add(
      new UnionAll(rel.schema),
      inputs.map((input) => input.node),
    );
    const appendOnly = inputs.every((input) => input.appendOnly);
    return { node, schema: rel.schema, columns: allColumns(rel), appendOnly, key: null };
  }

  #repeat(rel: Rels<'repeat'>): Built {
    const input = this.buildWhole(rel.input);
    const node = this.add(new Repeat(rel.schema), [input.node]);
    return { node, schema: rel.schema, columns: allColumns(rel), appendOnly: input.appendOnly, key: null };
  }

  /** Only what is wanted is multiplied; the count, which becomes the number, comes last. */
  #explode(rel: Rels<'explode'>, wanted: readonly number[]): Built {
    const last = rel.schema.fields.length - 1;
    const chosen = [...new Set([...wanted, last])].sort((a, b) => a - b);
    const input = this.#narrow(rel.input, chosen);
    const inOrder = chosen.every((ordinal, i) => input.columns[ordinal] === i);
    const outputs = chosen.map((ordinal) => columnReference(rel.input, ordinal));
    const fields = chosen.map((ordinal) => rel.input.schema.fields[ordinal]!);
    const ordered = inOrder ? input : this.#mapped(input, null, outputs, makeSchema(fields));
    const schema = makeSchema(chosen.map((ordinal) => rel.schema.fields[ordinal]!));
    const node = this.add(new Explode(schema, rel.outer), [ordered.node]);
    const columns = allColumns(rel).map((ordinal) => chosen.indexOf(ordinal));
    return { node, schema, columns, appendOnly: input.appendOnly, key: null };
  }

  #window(rel: Rels<'window'>, wanted: readonly number[]): Built {
    const { calls, limit } = rel;
    const width = rel.input.schema.fields.length;
    const kept = calls.map((_, i) => i).filter((i) => wanted.includes(width + i) || limit?.call === i);
    const keptCalls = kept.map((i) => calls[i]!);
    const read = keptCalls.flatMap(({ operand, filter, fallback }) => [operand, filter, fallback]);
    const sorts = rel.order.map(({ ordinal }) => ordinal);
    const needed = [...wanted.filter((c) => c < width), ...rel.partition, ...sorts, ...read.filter((c) => c !== null)];
    const input = this.#narrow(rel.input, needed.length === 0 ? [0] : needed);
    const place = (ordinal: number): number => input.columns[ordinal]!;
    const optional = (ordinal: number | null): number | null => (ordinal === null ? null : place(ordinal));
    const fields = kept.map((i) => rel.schema.fields[width + i]!);
    const schema = makeSchema([...input.schema.fields, ...fields]);
    const { view } = this;
    const failures = this.#failures;
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
      pool: this.#pool,
      fail: (position, row) => reportOverflow(failures, view, keptCalls[position]!, row),
    });
    const first = input.schema.fields.length;
    const columns = allColumns(rel).map((ordinal) => {
      if (ordinal < width) return place(ordinal);
      const call = kept.indexOf(ordinal - width);
      return call < 0 ? -1 : first + call;
    });
    return { node: this.add(window, [input.node]), schema, columns, appendOnly: false, key: input.key };
  }

  #fixpoint(rel: Rels<'fixpoint'>): Built {
    const pool = this.#pool;
    const failures = this.#failures;
    const makeNodes = (scan: (relation: string) => Built): QueryNodes => new QueryNodes(pool, failures, scan);
    const external = [...externalScans(rel)];
    const inputs = external.map(([relation, schema]) => this.buildWhole({ kind: 'scan', relation, schema }));
    const fixpoint = new Fixpoint({
      schema: rel.schema,
      main: rel.main,
      bodies: rel.bodies.map(({ name }) => name),
      inputs: external.map(([name]) => name),
      start: () => recursionCircuit(rel, { pool, failures, makeNodes }),
    });
    const node = this.add(
      fixpoint,
      inputs.map((input) => input.node),
    );
    const columns = allColumns(rel);
    return { node, schema: rel.schema, columns, appendOnly: false, key: columns };
  }

  #asof(rel: Rels<'asof'>, wanted: readonly number[]): Built {
    const width = rel.left.schema.fields.length;
    const leftNeeded = [...wanted.filter((c) => c < width), ...rel.keys.map(([key]) => key), rel.leftOrder];
    const rightNeeded = [
      ...wanted.filter((c) => c >= width).map((c) => c - width),
      ...rel.keys.map(([, key]) => key),
      rel.rightOrder,
    ];
    const left = this.#narrow(rel.left, leftNeeded);
    const right = this.#narrow(rel.right, rightNeeded);
    const optional = right.schema.fields.map((field) => ({ ...field, nullable: true }));
    const schema = makeSchema([...left.schema.fields, ...optional]);
    const asof = new AsofJoin({
      left: {
        schema: left.schema,
        keys: rel.keys.map(([key]) => left.columns[key]!),
        order: left.columns[rel.leftOrder]!,
      },
      right: {
        schema: right.schema,
        keys: rel.keys.map(([, key]) => right.columns[key]!),
        order: right.columns[rel.rightOrder]!,
      },
      schema,
      pool: this.#pool,
    });
    const node = this.add(asof, [left.node, right.node]);
    const moved = left.schema.fields.length;
    const columns = [...left.columns, ...right.columns.map((place) => (place < 0 ? -1 : place + moved))];
    return { node, schema, columns, appendOnly: false, key: null };
  }

  /** The relation in batches of the wanted columns alone. */
  #narrow(rel: Rel, wanted: readonly number[]): Built {
    const chosen = [...new Set(wanted)].sort((a, b) => a - b);
    const built = this.build(rel, chosen);
    if (built.schema.fields.length === chosen.length) return built;
    const outputs = chosen.map((ordinal) => columnReference(rel, ordinal));
    const mapped = this.#mapped(built, null, outputs, makeSchema(chosen.map((ordinal) => rel.schema.fields[ordinal]!)));
    return { ...mapped, columns: allColumns(rel).map((ordinal) => chosen.indexOf(ordinal)) };
  }

  #top(rel: Rels<'top'>): Built {
    const input = this.buildWhole(rel.input);
    const { keys, limit, offset, schema } = rel;
    // All rows: an order alone changes nothing.
    if (limit === null && offset === 0) return input;
    const top = new Top({ schema, keys, limit, offset, appendOnly: input.appendOnly, pool: this.#pool });
    // Rows may stand in the window more than once, but then as one change with a weight.
    const columns = allColumns(rel);
    return { node: this.add(top, [input.node]), schema, columns, appendOnly: false, key: columns };
  }
}

function allColumns(rel: Rel): readonly number[] {
  return rel.schema.fields.map((_, ordinal) => ordinal);
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

function reportOverflow(
  failures: EvaluationFailures,
  view: string,
  call: AggregateCall | WindowCall,
  group: ChangeBatch,
): void {
  const type = formatSqlType(call.type);
  const error = new NumericOverflow({ type, detail: `the result of ${call.function.toUpperCase()}` });
  failures.report({ view, expression: call.source, error, row: rowFromBatch(group, 0) });
}
