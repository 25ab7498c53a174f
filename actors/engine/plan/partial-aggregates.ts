// Few groups on several workers: each worker aggregates the rows that it has, and the parts of a group are put together.
//
//   γ[G; count, min, max](R)  =  γ[G; sum, min, max](∪ over workers of γ[G; count, min, max](own rows))
//   COUNT(DISTINCT x)         =  the sum of those of workers among which the values of x are divided
//
// Each x that is counted divides the rows in its own way, so there is a branch for each, with NULL for what the others compute; counts
// without DISTINCT, MIN and MAX go with the first. Else all rows of a group would have to go to one worker, and with few groups most
// workers would have none: this is done where there is no group, and where groups are computed from rows and are times or truth
// values, of which a step has few. Sums are left alone: a part may overflow where the whole does not, and parts of a DOUBLE are
// rounded. With one worker nothing of it happens.
import { makeSchema } from '../../../runtime/batch/schema.ts';
import { inPlace } from '../circuit/node-sharding.ts';
import { Aggregate } from '../operators/aggregate.ts';
import { UnionAll } from '../operators/union-all.ts';
import type { AggregateCall, Scalar } from '../sql/bound.ts';
import { columnReference } from './algebra.ts';
import type { Built, Rels } from './built-relation.ts';
import { scalarKey } from './expression-shape.ts';
import { buildGroups, forgetGroups } from './group-nodes.ts';
import type { NodeBuilder } from './node-builder.ts';
import { reportOverflow } from './overflow-report.ts';

type AggregateRel = Rels<'aggregate'>;

/** Aggregates that are computed over one division of the rows. */
interface Branch {
  /** Rows in which it is equal are on one worker; null: it does not matter. */
  readonly divided: Scalar | null;
  /** Positions of calls. */
  readonly calls: number[];
}

/** null where groups are computed whole. */
export function buildInParts(nodes: NodeBuilder, rel: AggregateRel): Built | null {
  if (nodes.workers === 1 || rel.aggregates.length === 0 || !rel.aggregates.every(hasParts)) return null;
  if (rel.groups.length > 0 && !rel.groups.every(isOfFew)) return null;
  if (rel.groups.length > 0 && !isComputedFromTables(rel)) return null;
  const groupCount = rel.groups.length;
  const branches = branchesOf(rel.aggregates);
  // Of a branch every column but those of the groups may be absent.
  const schema = makeSchema(
    rel.schema.fields.map((field, i) => (i < groupCount ? field : { ...field, nullable: true })),
  );
  const parts = branches.map(({ divided, calls }, part): Built => {
    const fields = [...rel.schema.fields.slice(0, groupCount), ...calls.map((i) => rel.schema.fields[groupCount + i]!)];
    const partial: AggregateRel = {
      ...rel,
      aggregates: calls.map((i) => rel.aggregates[i]!),
      schema: makeSchema(fields),
    };
    // Where each branch can have as many workers to itself, none of them looks at the rows twice.
    const isEven = branches.length > 1 && nodes.workers % branches.length === 0;
    const among = isEven ? { part, parts: branches.length } : null;
    const built = buildGroups(nodes, partial, divided ?? 'rows', among);
    if (branches.length === 1) return built;
    const outputs = schema.fields.map((field, ordinal): Scalar => {
      const at = ordinal < groupCount ? ordinal : groupCount + calls.indexOf(ordinal - groupCount);
      if (ordinal < groupCount || at >= groupCount) return columnReference(partial, at);
      const { source } = rel.aggregates[ordinal - groupCount]!;
      return { kind: 'literal', value: null, type: field.type, nullable: true, source };
    });
    return nodes.mapped(built, null, outputs, schema);
  });
  const [first] = parts;
  const inOrder = inPlace(schema.fields.length);
  const together =
    parts.length === 1
      ? first!.node
      : nodes.add(
          new UnionAll(schema),
          parts.map(({ node }) => node),
          { kind: 'local', schema, sources: parts.map(() => inOrder) },
        );
  const { view, failures } = nodes;
  const groups = rel.groups.map((_, i) => i);
  const whole = new Aggregate({
    input: parts.length === 1 ? first!.schema : schema,
    groups,
    aggregates: rel.aggregates.map((call, i) => ({
      function: call.function === 'count' ? 'sum' : call.function,
      operand: groupCount + i,
      operandType: call.type,
      operandNullable: true,
      distinct: false,
      filter: null,
      type: call.type,
    })),
    schema: rel.schema,
    appendOnly: false,
    pool: nodes.pool,
    fail: (position, group) => reportOverflow(failures, view, rel.aggregates[position]!, group),
  });
  const sources = [rel.schema.fields.map((_, i) => (i < groupCount ? i : -1))];
  const node = nodes.add(whole, [together], {
    kind: 'keyed',
    schema: rel.schema,
    keys: [groups],
    sources,
    outer: false,
  });
  forgetGroups(nodes, rel, node, whole);
  return { node, schema: rel.schema, columns: inPlace(rel.schema.fields.length), appendOnly: false, key: groups };
}

function branchesOf(calls: readonly AggregateCall[]): readonly Branch[] {
  const branches = new Map<string, Branch>();
  const others: number[] = [];
  for (const [i, { function: kind, distinct, operand }] of calls.entries()) {
    if (kind !== 'count' || !distinct || operand === null) {
      others.push(i);
      continue;
    }
    const key = scalarKey(operand);
    const known = branches.get(key);
    if (known === undefined) branches.set(key, { divided: operand, calls: [i] });
    else known.calls.push(i);
  }
  const [first] = branches.values();
  if (first === undefined) return [{ divided: null, calls: others }];
  first.calls.push(...others);
  // A branch alone has its columns in the order of the whole.
  first.calls.sort((a, b) => a - b);
  return [...branches.values()];
}

/** Whether an aggregate of a group follows from those of parts of it. */
function hasParts({ function: kind }: AggregateCall): boolean {
  return kind === 'count' || kind === 'min' || kind === 'max';
}

/** Whether a group is a time, of which a step has few, or a truth value. */
function isOfFew({ type }: Scalar): boolean {
  return ['DATE', 'TIMESTAMP', 'TIME', 'BOOLEAN'].includes(type.kind);
}

/** Whether rows come straight from a table while the groups do not: then rows may be dealt out, but not by group. */
function isComputedFromTables({ input, groups }: AggregateRel): boolean {
  if (groups.some((group) => group.kind === 'column' && isStored(input, group.ordinal))) return false;
  let below = input;
  while (below.kind === 'filter' || below.kind === 'project' || below.kind === 'explode') below = below.input;
  return below.kind === 'scan';
}

/** Whether a column is one of the relation that a chain of projections begins with. */
function isStored(rel: AggregateRel['input'], ordinal: number): boolean {
  if (rel.kind === 'scan') return true;
  if (rel.kind === 'filter') return isStored(rel.input, ordinal);
  if (rel.kind === 'explode') return ordinal < rel.schema.fields.length - 1 && isStored(rel.input, ordinal);
  if (rel.kind !== 'project') return false;
  const column = rel.columns[ordinal];
  return column?.kind === 'column' && isStored(rel.input, column.ordinal);
}
