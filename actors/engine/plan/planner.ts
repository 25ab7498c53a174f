// From a bound program to a circuit.
//
// Every table becomes an input (keyed, append-only or plain), every view that is not LOCAL is built, LOCAL ones when
// something reads them. A materialized relation whose content some operator's state already holds is read from there;
// others get an integrate node.

// Not here: which operator computes what (query-nodes.ts), rewrites (rewrite-push-filters.ts), queries (query-execution.ts).
import { assert } from '../../../runtime/assert.ts';
import { rowFromBatch } from '../../../runtime/batch/row-objects.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { type SqlType, storageOf } from '../../../runtime/batch/sql-type.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { Circuit, type CircuitPlan, type CircuitRelation } from '../circuit/circuit.ts';
import { EvaluationFailures } from '../circuit/evaluation-failures.ts';
import { inPlace, type NodeSharding } from '../circuit/node-sharding.ts';
import type { Operator } from '../circuit/operator.ts';
import type { ShardLink } from '../circuit/shard-link.ts';
import { AppendOnlyTable } from '../operators/append-only-table.ts';
import { Clock } from '../operators/clock.ts';
import { ErrorRows } from '../operators/error-rows.ts';
import { FinalRows } from '../operators/final-rows.ts';
import { HeldRows } from '../operators/held-rows.ts';
import { Integrate } from '../operators/integrate.ts';
import { KeyedTable } from '../operators/keyed-table.ts';
import { type LateColumn, LateRows, type ReportLate } from '../operators/late-rows.ts';
import { UnionAll } from '../operators/union-all.ts';
import type { BoundProgram, EmitFinal, Scalar, TableDefinition, ViewDefinition, Watermark } from '../sql/bound.ts';
import { errorRelation } from '../sql/error-view.ts';
import { type Lateness, monthsBefore } from '../sql/lateness.ts';
import { withinStack } from '../sql/nesting-depth.ts';
import { watermarksOfScalar } from '../sql/watermarks.ts';
import { StringPool } from '../state/string-pool.ts';
import { mapColumns } from './algebra.ts';
import type { Built } from './built-relation.ts';
import { evaluatorOf } from './expression-compiler.ts';
import { columnsOf } from './expression-shape.ts';
import { runQuery } from './query-execution.ts';
import { QueryNodes } from './query-nodes.ts';
import { avoidProducts } from './rewrite-join-order.ts';
import { joinClock } from './rewrite-now.ts';
import { pushFilters } from './rewrite-push-filters.ts';
import { scannedRelations } from './scanned-relations.ts';
import { shardPlan } from './shard-plan.ts';

export const DeletionRefused: CodedErrorClass<{ readonly table: string }> = defineError(
  'table.append_only',
  { help: "Declare the table without 'append_only', or send insertions only." },
  (f) => `table "${f.table}" is append-only and cannot delete a row`,
);

export interface PlanOptions {
  readonly onError: 'stop' | 'skip';
  /** The circuit is that of one worker of several; absent: of the only one. */
  readonly link?: ShardLink;
}

/** Plans everything that the program declares. The circuit is empty; its first step computes views over no input. */
export function planProgram(program: BoundProgram, options: PlanOptions): Circuit {
  const pool = new StringPool(-1, options.link !== undefined);
  const failures = new EvaluationFailures(options.onError);
  const relations = new Map<string, CircuitRelation>();
  const scans = new Map<string, Built>();
  const views = new Map(program.views.map((view) => [view.relation.name, view]));
  const isAsked = program.views.some(({ query }) => scannedRelations(query).has(errorRelation.name));
  const errors = isAsked ? new ErrorRows(errorRelation.schema) : null;

  const scan = (name: string): Built => {
    const known = scans.get(name);
    if (known !== undefined) return known;
    if (name === errorRelation.name && errors !== null) return planErrors(errors);
    const view = views.get(name);
    assert(view !== undefined, 'a query reads declared relations');
    const outer = nodes.view;
    const built = planView(view);
    nodes.view = outer;
    return built;
  };
  const nodes = new QueryNodes(pool, failures, scan, options.link?.workers ?? 1);

  const planTable = (table: TableDefinition): void => {
    const { name, schema, primaryKey } = table.relation;
    nodes.view = name;
    const isLate = table.watermark !== undefined || (table.lateness ?? []).some((lateness) => lateness !== null);
    // A watermark follows from all rows.
    const passesRows = primaryKey.length === 0 && table.watermark === undefined;
    const sharding: NodeSharding =
      primaryKey.length === 0 || isLate
        ? { kind: 'everywhere', schema, passesRows }
        : { kind: 'table', schema, key: primaryKey };
    const node = nodes.add(tableOperator(table, pool, failures, reportLate(name)), [], sharding);
    const columns = schema.fields.map((_, i) => i);
    const keyed = primaryKey.length > 0;
    const appendOnly = table.appendOnly && !keyed;
    scans.set(name, { node, schema, columns, appendOnly, key: keyed ? primaryKey : null });
    // A key whose rows come in order of time is not worth a table that grows for ever.
    const keyIsLate = primaryKey.some((ordinal) => table.lateness?.[ordinal] != null);
    const late = primaryKey.findIndex((ordinal) => table.lateness?.[ordinal] != null);
    const marked = nodes.nodes[node]!.operator;
    if (late >= 0 && marked instanceof LateRows) {
      const below = (): number | bigint | null => marked.watermark(primaryKey[late]!);
      if (hasWatermark(schema.fields[primaryKey[late]!]!.type)) {
        nodes.forgetful.set(node, () => marked.forget({ position: late, below }));
      }
    }
    const contents = (keyed && !keyIsLate) || table.materialized ? contentsOf(node, table.relation.schema, name) : null;
    relations.set(name, { name, schema, node, isTable: true, contents, changesAreDistinct: keyed });
  };

  const contentsOf = (node: number, schema: Built['schema'], name: string): CircuitRelation['contents'] => {
    const held = nodes.contentsOf(node);
    if (held !== null) return held;
    const integrate = new Integrate(schema, pool, name);
    nodes.add(integrate, [node], { kind: 'rows', schema, sources: [inPlace(schema.fields.length)] });
    return integrate.contents;
  };

  const planView = (view: ViewDefinition): Built => {
    const { name, schema } = view.relation;
    const known = scans.get(name);
    if (known !== undefined) return known;
    nodes.view = name;
    const whole = withinStack(view.source.place, () =>
      nodes.buildWhole(joinClock(avoidProducts(pushFilters(view.query)))),
    );
    nodes.view = name;
    const timely = view.lateness === undefined ? whole : lateRows(whole, view.lateness, name);
    const built = view.emitFinal === undefined ? timely : finalRows(timely, schema, view.emitFinal);
    scans.set(name, built);
    const contents = view.kind === 'materialized' ? contentsOf(built.node, schema, name) : null;
    relations.set(name, {
      name,
      schema,
      node: built.node,
      isTable: false,
      contents,
      changesAreDistinct: built.key !== null && isWholeState(nodes, built),
    });
    return built;
  };

  const lateRows = (whole: Built, lateness: NonNullable<ViewDefinition['lateness']>, name: string): Built => {
    const columns = lateness.flatMap((allowance, ordinal): LateColumn[] =>
      allowance === null ? [] : [lateColumn(allowance, ordinal, whole.schema, true)],
    );
    const all = new UnionAll(whole.schema, 'view', name);
    const node = nodes.add(new LateRows(all, columns, whole.schema, reportLate(name)), [whole.node], {
      kind: 'whole',
      schema: whole.schema,
    });
    return { ...whole, node, key: null };
  };

  const reportLate = (relation: string): ReportLate | null =>
    errors === null ? null : (batch, late) => errors.report(relation, 'Late value', batch, late);

  /** Behind everything that drops rows, but for views that read it themselves: theirs are told of a step later. */
  const planErrors = (operator: ErrorRows): Built => {
    const { name, schema } = errorRelation;
    const outer = nodes.view;
    for (const view of program.views) {
      if (view.lateness !== undefined && !readsErrors(view, views)) planView(view);
    }
    nodes.view = name;
    const node = nodes.add(operator, [], { kind: 'everywhere', schema, passesRows: false });
    nodes.view = outer;
    const built: Built = { node, schema, columns: schema.fields.map((_, i) => i), appendOnly: true, key: null };
    scans.set(name, built);
    return built;
  };

  const lowestOf = (watermarks: readonly Watermark[], type: SqlType): (() => number | bigint | null) => {
    const values = watermarks.map(({ table, value }) => {
      const operator = nodes.nodes[scans.get(table)!.node]!.operator;
      assert(operator instanceof LateRows, 'a watermark is that of a table with LATENESS');
      return watermarkValue(operator, value, type);
    });
    return () => least(values.map((value) => value()));
  };

  const isTimely = [...program.tables, ...program.views].some(({ lateness }) => lateness !== undefined);
  nodes.settled = (rel, scalar) => {
    if (!isTimely || !hasWatermark(scalar.type)) return null;
    const watermarks = watermarksOfScalar({ tables: program.tables, views: program.views, settled: true }, rel, scalar);
    return watermarks === null ? null : lowestOf(watermarks, scalar.type);
  };

  const finalRows = (whole: Built, schema: Built['schema'], { ordinal, watermarks }: EmitFinal): Built => {
    const type = schema.fields[ordinal]!.type;
    const below = lowestOf(watermarks, type);
    const node = nodes.add(new FinalRows({ schema: whole.schema, ordinal, pool, below }), [whole.node], {
      kind: 'rows',
      schema: whole.schema,
      sources: [inPlace(whole.schema.fields.length)],
    });
    return { ...whole, node, appendOnly: false, key: null };
  };

  if (program.clock !== undefined) {
    const { name, schema } = program.clock;
    nodes.view = name;
    const clock = new Clock(schema);
    const node = nodes.add(clock, [], { kind: 'everywhere', schema, passesRows: false });
    nodes.clock = clock;
    scans.set(name, { node, schema, columns: [0], appendOnly: false, key: [0] });
    relations.set(name, { name, schema, node, isTable: true, contents: clock.contents, changesAreDistinct: true });
  }
  for (const table of program.tables) planTable(table);
  for (const view of program.views) if (view.kind !== 'local') planView(view);
  for (const start of nodes.forgetful.values()) start();
  const plan: CircuitPlan = { nodes: nodes.nodes, relations, pool, failures, runQuery };
  return new Circuit(options.link === undefined ? plan : shardPlan(plan, options.link));
}

/** An expression of a table's watermark, computed again when the watermark has moved. */
function watermarkValue(table: LateRows, value: Scalar, type: SqlType): () => number | bigint | null {
  const [ordinal] = columnsOf(value);
  assert(ordinal !== undefined, 'a watermark reads a column');
  if (value.kind === 'column') return () => table.watermark(ordinal);
  let evaluate: ReturnType<typeof evaluatorOf> | null = null;
  let seen: number | bigint | null = null;
  let known: number | bigint | null = null;
  return () => {
    const mark = table.watermark(ordinal);
    if (mark === seen) return known;
    seen = mark;
    evaluate ??= evaluatorOf(value, ordinal, columnTypeOf(value));
    const made = mark === null ? null : evaluate(mark);
    known = typeof made === 'number' || typeof made === 'bigint' ? made : null;
    assert(known === null || storageOf(type) !== 'bytes', 'a watermark is a number or a time');
    return known;
  };
}

/** Of the one column that an expression reads. */
function columnTypeOf(value: Scalar): SqlType {
  let type: SqlType | null = null;
  mapColumns(value, (column) => {
    type = column.type;
    return column;
  });
  assert(type !== null, 'an expression of a watermark reads a column');
  return type;
}

/** Whether values of a type lie in state as the numbers that watermarks are. */
function hasWatermark({ kind }: SqlType): boolean {
  return ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'DATE', 'TIMESTAMP'].includes(kind);
}

/** The lowest of all; null when one is not there yet. */
function least(values: readonly (number | bigint | null)[]): number | bigint | null {
  let lowest: number | bigint | null = null;
  for (const value of values) {
    if (value === null) return null;
    if (lowest === null || value < lowest) lowest = value;
  }
  return lowest;
}

function lateColumn(lateness: Lateness, ordinal: number, schema: Schema, inDeletions: boolean): LateColumn {
  if (typeof lateness !== 'object') return { ordinal, lateness, inDeletions };
  const { type } = schema.fields[ordinal]!;
  const none = type.kind === 'DATE' ? 0 : 0n;
  return { ordinal, lateness: none, earlier: monthsBefore(lateness.months, type), inDeletions };
}

function tableOperator(
  table: TableDefinition,
  pool: StringPool,
  failures: EvaluationFailures,
  report: ReportLate | null,
): Operator {
  const { relation, watermark } = table;
  const plain = plainTable(table, pool, failures);
  const held = watermark === undefined ? null : { schema: relation.schema, pool, ...watermark };
  const operator = held === null ? plain : new HeldRows(plain, { ...held, watermark: held.delay });
  const { primaryKey } = relation;
  const late = (table.lateness ?? []).flatMap((lateness, ordinal): LateColumn[] => {
    const inDeletions = primaryKey.length === 0 || primaryKey.includes(ordinal);
    if (lateness === null) return [];
    const column = lateColumn(lateness, ordinal, relation.schema, inDeletions);
    return [watermark === undefined ? column : { ...column, heldBy: watermark.delay }];
  });
  return late.length === 0 ? operator : new LateRows(operator, late, relation.schema, report);
}

/** Whether the view reads error_view, itself or by way of others. */
function readsErrors(view: ViewDefinition, views: ReadonlyMap<string, ViewDefinition>): boolean {
  return [...scannedRelations(view.query).keys()].some((name) => {
    const read = views.get(name);
    return name === errorRelation.name || (read !== undefined && read !== view && readsErrors(read, views));
  });
}

function plainTable(table: TableDefinition, pool: StringPool, failures: EvaluationFailures): Operator {
  const { relation, source } = table;
  if (relation.primaryKey.length > 0) return new KeyedTable(relation, pool);
  if (!table.appendOnly) return new UnionAll(relation.schema, 'table', relation.name);
  return new AppendOnlyTable(relation.name, (batch, row) => {
    const error = new DeletionRefused({ table: relation.name });
    failures.report({ view: relation.name, expression: source, error, row: rowFromBatch(batch, row) });
  });
}

/** Whether the node itself keeps rows by key and emits each changed one once: then no change has equal rows. */
function isWholeState(nodes: QueryNodes, built: Built): boolean {
  const operator = nodes.nodes[built.node]!.operator;
  return operator.contents !== null;
}
