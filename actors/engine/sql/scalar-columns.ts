// Rewriting of the columns of bound expressions, and the ordinals that stand for what is not a column yet.
//
// While a SELECT is bound, its expressions name columns of FROM by their ordinals. What is computed beside those columns gets an
// ordinal far beyond them, and its place when the relation is put together:
//   aggregates from 2^20, GROUPING() from 2^21 (group-aggregation.ts) · subqueries from 2^22 · window functions from 2^23 · columns of the queries around
//   from 2^24 (outer-columns.ts). What is left of them when a relation is finished is a mistake of the binder.
import type { ColumnReference, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';

export const aggregateOrdinal: number = 1 << 20;
export const groupingOrdinal: number = 1 << 21;
export const subqueryOrdinal: number = 1 << 22;
export const windowOrdinal: number = 1 << 23;
export const outerOrdinal: number = 1 << 24;

/** The expression with every column replaced. */
export function mapScalarColumns(scalar: Scalar, replace: (column: ColumnReference) => Scalar): Scalar {
  const inner = (operand: Scalar): Scalar => mapScalarColumns(operand, replace);
  switch (scalar.kind) {
    case 'column':
      return replace(scalar);
    case 'literal':
      return scalar;
    case 'operator':
    case 'function':
      return { ...scalar, operands: scalar.operands.map(inner) };
    case 'cast':
    case 'in list':
      return { ...scalar, operand: inner(scalar.operand) };
    case 'case': {
      const branches = scalar.branches.map(({ when, then }) => caseBranch(inner(when), inner(then)));
      return { ...scalar, branches, otherwise: inner(scalar.otherwise) };
    }
  }
}

/** The expression with every column moved. */
export function moveScalarColumns(scalar: Scalar, move: (ordinal: number) => number): Scalar {
  return mapScalarColumns(scalar, (column) => ({ ...column, ordinal: move(column.ordinal) }));
}

/** Whether an expression reads a column that `test` holds for. */
export function readsColumn(scalar: Scalar, test: (ordinal: number) => boolean): boolean {
  let found = false;
  mapScalarColumns(scalar, (column) => {
    found ||= test(column.ordinal);
    return column;
  });
  return found;
}

/** Whether an expression reads a column of a query around it. */
export function readsOuter(scalar: Scalar): boolean {
  return readsColumn(scalar, (ordinal) => ordinal >= outerOrdinal);
}
