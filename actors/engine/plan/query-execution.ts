// A query over the contents of a circuit: the same planner, a circuit for one step.
//
// Scans become inputs that are fed with the contents of materialized relations; contents never shrink within the one
// step, so operators keep the little that append-only input needs. The result is sorted, in batches of bounded size.
// Strings are interned into a pool of the query's own: nothing of a query stays behind.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { gatherRows } from '../../../runtime/batch/gather-rows.ts';
import { readCell } from '../../../runtime/batch/scalar-values.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { sliceBatch } from '../../../runtime/batch/slice-batch.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { Circuit, type CircuitRelation, type RelationContents } from '../circuit/circuit.ts';
import { EvaluationFailures } from '../circuit/evaluation-failures.ts';
import { UnionAll } from '../operators/union-all.ts';
import type { Rel, SortKey } from '../sql/bound.ts';
import { clockRelation, queryReadsNow } from '../sql/clock.ts';
import { layoutOf } from '../state/row-layout.ts';
import { rowOrder } from '../state/row-order.ts';
import { batchRowsMax } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import { StringPool } from '../state/string-pool.ts';
import type { Built } from './built-relation.ts';
import { QueryNodes } from './query-nodes.ts';
import { avoidProducts } from './rewrite-join-order.ts';
import { atTime } from './rewrite-now.ts';
import { pushFilters } from './rewrite-push-filters.ts';
import { scannedRelations } from './scanned-relations.ts';

/** The rows of a query, every row with its weight, in order. @throws RelationNotMaterialized, EvaluationFailed */
export function runQuery(
  circuit: RelationContents,
  asked: Rel,
  displayOrder: readonly SortKey[],
): readonly ChangeBatch[] {
  const { circuit: temporary, pool, scans, order, shown, schema } = circuitOfQuery(circuit, asked, displayOrder);
  const fed = new Map([...scans.keys()].map((name) => [`scan ${name}`, circuit.contents(name)] as const));
  const result = temporary.step(fed).get('query');
  if (result === undefined) return [];
  const batch = sorted(result, order, pool);
  if (shown === null) return slices(batch);
  const columns = shown.map((ordinal, i) => ({ ...batch.columns[ordinal]!, type: schema.fields[i]!.type }));
  return slices({ ...batch, schema, columns });
}

/** What computes a query when it is fed with the contents of `scans`. */
interface QueryCircuit extends Omit<Sorting, 'rel'> {
  readonly circuit: Circuit;
  readonly pool: StringPool;
  readonly scans: ReadonlyMap<string, Schema>;
  readonly schema: Schema;
}

/** The circuit of a query over the relations of `circuit`. */
export function circuitOfQuery(circuit: RelationContents, asked: Rel, displayOrder: readonly SortKey[]): QueryCircuit {
  const query = queryReadsNow(asked) ? atTime(asked, timeOf(circuit)) : asked;
  const pool = new StringPool();
  const failures = new EvaluationFailures('stop');
  const relations = new Map<string, CircuitRelation>();
  const scans = scannedRelations(query);
  const scanned = new Map<string, Built>();
  const nodes = new QueryNodes(pool, failures, (name) => scanned.get(name)!);
  nodes.view = 'query';
  for (const [name, schema] of scans) {
    const node = nodes.add(new UnionAll(schema, 'scan', name), []);
    const columns = schema.fields.map((_, i) => i);
    scanned.set(name, { node, schema, columns, appendOnly: true, key: null });
    relations.set(`scan ${name}`, relationOf(`scan ${name}`, schema, node, true));
  }
  const { rel, order, shown } = sorting(query, displayOrder);
  const root = nodes.buildWhole(avoidProducts(pushFilters(rel)));
  relations.set('query', relationOf('query', rel.schema, root.node, false));
  const temporary = new Circuit({ nodes: nodes.nodes, relations, pool, failures, runQuery });
  temporary.observe('query');
  return { circuit: temporary, pool, scans, order, shown, schema: query.schema };
}

/** NOW() of a query: that of the program, so that it fits what the views show; else the time of day. */
function timeOf(circuit: RelationContents): bigint {
  const [ticked] = circuit.isMaterialized(clockRelation.name) ? circuit.contents(clockRelation.name) : [];
  const time = ticked === undefined ? null : readCell(ticked.columns[0]!, 0);
  return typeof time === 'bigint' ? time : BigInt(systemClock.now()) * 1000n;
}

interface Sorting {
  /** What is computed. */
  readonly rel: Rel;
  readonly order: readonly SortKey[];
  /** Which of its columns are the result, where some are there for the order alone. */
  readonly shown: readonly number[] | null;
}

/** A query that shows fewer columns than it is sorted by is computed with all of them. */
function sorting(query: Rel, displayOrder: readonly SortKey[]): Sorting {
  if (query.kind === 'project' && query.input.kind === 'top') {
    const shown = query.columns.map((column) => (column.kind === 'column' ? column.ordinal : -1));
    if (!shown.includes(-1)) return { rel: query.input, order: query.input.keys, shown };
  }
  return { rel: query, order: orderOf(query, displayOrder), shown: null };
}

function relationOf(name: string, schema: Schema, node: number, isTable: boolean): CircuitRelation {
  return { name, schema, node, isTable, contents: null, changesAreDistinct: false };
}

/** The order in which a person expects the rows: the query's own, or that of a top at its root. */
function orderOf(query: Rel, displayOrder: readonly SortKey[]): readonly SortKey[] {
  if (displayOrder.length > 0) return displayOrder;
  if (query.kind === 'top') return query.keys;
  if (query.kind !== 'project') return [];
  // A projection over the top keeps its order as far as it keeps its keys.
  const kept: SortKey[] = [];
  for (const key of orderOf(query.input, [])) {
    const ordinal = query.columns.findIndex((column) => column.kind === 'column' && column.ordinal === key.ordinal);
    if (ordinal < 0) break;
    kept.push({ ...key, ordinal });
  }
  return kept;
}

function sorted(batch: ChangeBatch, keys: readonly SortKey[], pool: StringPool): ChangeBatch {
  if (keys.length === 0) return batch;
  const layout = layoutOf(batch.schema.fields);
  const stride = layout.words;
  const words = new Int32Array(batch.rows * stride);
  encodeRows(batch.columns, layout, { from: 0, to: batch.rows }, { words, stride }, pool, false);
  const order = rowOrder(layout, keys, pool);
  const ids = new Int32Array(batch.rows).map((_, row) => row);
  ids.sort((a, b) => order(words, a * stride, words, b * stride));
  const { weights } = batch;
  return gatherRows(batch, ids, batch.rows, weights === null ? null : ids.map((row) => weights[row]!));
}

function slices(batch: ChangeBatch): readonly ChangeBatch[] {
  const parts: ChangeBatch[] = [];
  for (let from = 0; from < batch.rows; from += batchRowsMax) {
    parts.push(sliceBatch(batch, from, Math.min(batch.rows, from + batchRowsMax)));
  }
  return parts;
}
