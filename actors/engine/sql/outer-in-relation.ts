// Columns of the queries around, as they stand inside a relation: whether there are any, and others in their place.
//
// A fixpoint has none: bind-recursive-query.ts refuses them there.
// Not here: relations made to stand alone (dependent-query.ts), whose columns they are (outer-columns.ts).
import type { ColumnReference, Rel, Scalar } from './bound.ts';
import { mapScalarColumns, outerOrdinal, readsOuter } from './scalar-columns.ts';

/** Whether any expression of the relation reads a column of a query around it. */
export function isDependent(rel: Rel): boolean {
  switch (rel.kind) {
    case 'scan':
    case 'fixpoint':
      return false;
    case 'values':
      return rel.rows.some((row) => row.some(readsOuter));
    case 'filter':
      return readsOuter(rel.predicate) || isDependent(rel.input);
    case 'project':
      return rel.columns.some(readsOuter) || isDependent(rel.input);
    case 'join':
      return readsOuter(rel.condition) || isDependent(rel.left) || isDependent(rel.right);
    case 'asof':
      return isDependent(rel.left) || isDependent(rel.right);
    case 'aggregate': {
      const calls = rel.aggregates.flatMap(({ operand, filter }) => [operand, filter]);
      return [...rel.groups, ...calls].some((one) => one !== null && readsOuter(one)) || isDependent(rel.input);
    }
    case 'union':
      return rel.inputs.some(isDependent);
    case 'distinct':
    case 'repeat':
    case 'top':
    case 'window':
    case 'explode':
      return isDependent(rel.input);
  }
}

/** The relation with every column of a query around it replaced. */
export function mapOuterColumns(rel: Rel, replace: (column: ColumnReference) => Scalar): Rel {
  const inner = (input: Rel): Rel => mapOuterColumns(input, replace);
  const placed = (scalar: Scalar): Scalar =>
    mapScalarColumns(scalar, (column) => (column.ordinal < outerOrdinal ? column : replace(column)));
  const optional = (scalar: Scalar | null): Scalar | null => (scalar === null ? null : placed(scalar));
  switch (rel.kind) {
    case 'scan':
    case 'fixpoint':
      return rel;
    case 'values':
      return { ...rel, rows: rel.rows.map((row) => row.map(placed)) };
    case 'filter':
      return { ...rel, input: inner(rel.input), predicate: placed(rel.predicate) };
    case 'project':
      return { ...rel, input: inner(rel.input), columns: rel.columns.map(placed) };
    case 'join':
      return { ...rel, left: inner(rel.left), right: inner(rel.right), condition: placed(rel.condition) };
    case 'asof':
      return { ...rel, left: inner(rel.left), right: inner(rel.right) };
    case 'aggregate': {
      const aggregates = rel.aggregates.map((call) => ({
        ...call,
        operand: optional(call.operand),
        filter: optional(call.filter),
      }));
      return { ...rel, input: inner(rel.input), groups: rel.groups.map(placed), aggregates };
    }
    case 'union':
      return { ...rel, inputs: rel.inputs.map(inner) };
    case 'distinct':
    case 'repeat':
    case 'top':
    case 'window':
    case 'explode':
      return { ...rel, input: inner(rel.input) };
  }
}
