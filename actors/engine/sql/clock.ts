// NOW(): the time of the clock, which is an input of the program like any other.
//
// A program that says NOW() somewhere has a relation `now` of one row and one column beside its tables; whoever runs it
// sends ticks there. One step has one NOW(). In bound expressions it is a call without operands that reads no column; what
// becomes of it is for plan/ to say (rewrite-now.ts). Not here: who sends ticks (the transport `clock`).
import { makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import type { ExpressionSource, FunctionCall, Rel, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { SqlUnsupported } from './sql-errors.ts';

export const clockRelation: Relation = {
  name: 'now',
  schema: makeSchema([{ name: 'now', type: { kind: 'TIMESTAMP' }, nullable: false }]),
  primaryKey: [],
};

/** Where an expression has to be a constant, or is computed for other things than rows. */
const timelessClauses: readonly string[] = ['DEFAULT', 'LATENESS', 'a frame', 'a lambda'];

/** @throws SqlUnsupported */
export function nowCall(clause: string, source: ExpressionSource): FunctionCall {
  if (timelessClauses.includes(clause)) {
    const construct = `NOW() in ${clause}`;
    throw new SqlUnsupported({ construct, instead: 'compute it in a view' }, { place: source.place });
  }
  return {
    kind: 'function',
    name: 'now',
    overload: 0,
    operands: [],
    type: { kind: 'TIMESTAMP' },
    nullable: false,
    source,
  };
}

/** The expression with something else in the place of NOW(). */
export function replaceNow(scalar: Scalar, by: (now: FunctionCall) => Scalar): Scalar {
  const inner = (operand: Scalar): Scalar => replaceNow(operand, by);
  switch (scalar.kind) {
    case 'column':
    case 'literal':
      return scalar;
    case 'operator':
      return { ...scalar, operands: scalar.operands.map(inner) };
    case 'function':
      return scalar.name === 'now' ? by(scalar) : { ...scalar, operands: scalar.operands.map(inner) };
    case 'cast':
    case 'in list':
      return { ...scalar, operand: inner(scalar.operand) };
    case 'case': {
      const branches = scalar.branches.map(({ when, then }) => caseBranch(inner(when), inner(then)));
      return { ...scalar, branches, otherwise: inner(scalar.otherwise) };
    }
  }
}

export function readsNow(scalar: Scalar): boolean {
  let found = false;
  replaceNow(scalar, (now) => {
    found = true;
    return now;
  });
  return found;
}

/** Whether a query says NOW(); views that it reads do not count. */
export function queryReadsNow(rel: Rel): boolean {
  const known = readers.get(rel) ?? looksAtNow(rel);
  readers.set(rel, known);
  return known;
}

/** A query of WITH may stand in a relation many times: it is looked at once. */
const readers = new WeakMap<Rel, boolean>();

function looksAtNow(rel: Rel): boolean {
  switch (rel.kind) {
    case 'scan':
      return false;
    case 'values':
      return rel.rows.some((row) => row.some(readsNow));
    case 'filter':
      return readsNow(rel.predicate) || queryReadsNow(rel.input);
    case 'project':
      return rel.columns.some(readsNow) || queryReadsNow(rel.input);
    case 'join':
      return readsNow(rel.condition) || queryReadsNow(rel.left) || queryReadsNow(rel.right);
    case 'asof':
      return queryReadsNow(rel.left) || queryReadsNow(rel.right);
    case 'aggregate': {
      const read = rel.aggregates.flatMap(({ operand, filter }) => [operand, filter]).filter((each) => each !== null);
      return [...rel.groups, ...read].some(readsNow) || queryReadsNow(rel.input);
    }
    case 'union':
      return rel.inputs.some(queryReadsNow);
    case 'fixpoint':
      return rel.bodies.some(({ query }) => queryReadsNow(query));
    case 'distinct':
    case 'repeat':
    case 'window':
    case 'explode':
    case 'top':
      return queryReadsNow(rel.input);
  }
}
